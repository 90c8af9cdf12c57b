"""What the emulator lacks is validated, kept and listed, and never invented."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from sandbox import lifecycle
from tests.sandbox.clouds import TestCloud

pytestmark = pytest.mark.slow


def code_of(call: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_a_service_that_is_missing_is_recorded_by_every_protocol(cloud: TestCloud) -> None:
    cloud.client("guardduty").create_detector(Enable=True)  # rest-json
    cloud.client("codedeploy").create_application(applicationName="recorded")  # json
    cloud.client("redshift").create_cluster(
        ClusterIdentifier="recorded", NodeType="ra3.large", MasterUsername="u"
    )  # query
    listed = {
        (each["service"], each["operation"]) for each in lifecycle.status(cloud.home).recorded
    }
    assert listed >= {
        ("guardduty", "CreateDetector"), ("codedeploy", "CreateApplication"),
        ("redshift", "CreateCluster"),
    }  # fmt: skip


def test_an_operation_that_is_missing_in_a_service_is_recorded(cloud: TestCloud) -> None:
    answer = cloud.client("rds").create_custom_db_engine_version(Engine="custom", EngineVersion="1")
    assert (answer["Engine"], answer["EngineVersion"]) == ("custom", "1")


def test_wrong_parameters_are_refused_and_not_recorded(cloud: TestCloud) -> None:
    from boto3 import client

    before = len(lifecycle.status(cloud.home).recorded)
    unchecked = client(
        "guardduty", region_name="us-east-1", endpoint_url=cloud.sandbox.emulator_url,
        aws_access_key_id="000000000000", aws_secret_access_key="x",
        config=Config(parameter_validation=False, retries={"max_attempts": 0}),
    )  # fmt: skip
    refusals = [
        code_of(lambda: cloud.client("guardduty").create_detector(
            Enable=True, FindingPublishingFrequency="NEVER")),
        code_of(lambda: unchecked.create_detector(Enable="perhaps")),
        code_of(unchecked.create_detector),
        code_of(lambda: cloud.client("codedeploy").create_application(applicationName="x" * 101)),
    ]  # fmt: skip
    assert {code for code, _ in refusals} == {"ValidationException"}
    assert "enum value set" in refusals[0][1]
    assert "Missing required parameter" in refusals[2][1]
    with pytest.raises(ParamValidationError):
        cloud.client("guardduty").create_detector(Enable=True, Nonsense=1)
    assert len(lifecycle.status(cloud.home).recorded) == before


def test_a_read_is_refused_in_plain_words_instead_of_invented(cloud: TestCloud) -> None:
    code, words = code_of(cloud.client("guardduty").list_detectors)
    assert code == "NotImplemented"
    assert "sandbox status" in words


def test_the_list_outlives_a_restart_and_reset_empties_it(own_home: Any) -> None:
    cloud = TestCloud(lifecycle.start(own_home, provider=False))
    cloud.client("codedeploy").create_application(applicationName="recorded")
    lifecycle.stop(own_home)
    sandbox = lifecycle.start(own_home, provider=False)
    connection = http.client.HTTPConnection(sandbox.emulator_url.removeprefix("http://"))
    connection.request("GET", "/_gonogo/recorded")
    listed = json.loads(connection.getresponse().read())["recorded"]
    assert [each["parameters"] for each in listed] == [{"applicationName": "recorded"}]
    connection.request("POST", "/_gonogo/reset")
    connection.getresponse().read()
    assert lifecycle.status(own_home).recorded == []


def test_an_unknown_path_of_the_sandbox_is_said_to_be_unknown(cloud: TestCloud) -> None:
    connection = http.client.HTTPConnection(cloud.sandbox.emulator_url.removeprefix("http://"))
    connection.request("GET", "/_gonogo/nonsense")
    assert connection.getresponse().status == 404
