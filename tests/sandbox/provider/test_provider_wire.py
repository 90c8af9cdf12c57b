"""The provider on its wire, as far as no emulator is needed: previews, marks, settings."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.provider.clients import ForeignEndpointError, require_loopback
from sandbox.provider.server import serve, settings_from, token_of
from sandbox.provider.values import UNKNOWN, encode
from tests.sandbox.provider.cases import TRUST
from tests.sandbox.provider.driver import Engine, Refused

#: nobody listens there: what reaches for AWS fails
NOWHERE = "http://127.0.0.1:9"
ALARM = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "metricName": "CPUUtilization",
    "namespace": "AWS/ECS",
    "period": 60,
    "statistic": "Average",
    "threshold": 80,
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    server, bound, _ = serve(NOWHERE, tmp_path_factory.mktemp("home"))
    yield bound
    server.stop(0)


@pytest.fixture
def offline(port: int) -> Iterator[Engine]:
    engine = Engine(port)
    yield engine
    engine.close()


def test_handshake_info_and_schema(offline: Engine) -> None:
    answer = offline.stub.Handshake(provider_pb2.ProviderHandshakeRequest())
    assert answer.accept_secrets
    schema = offline.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema
    assert json.loads(schema)["name"] == "aws"


def test_a_preview_makes_no_value_up(offline: Engine) -> None:
    made = offline.create(
        "aws:rds/instance:Instance",
        "db",
        {
            "engine": "postgres",
            "instanceClass": "db.t4g.small",
            "allocatedStorage": 20,
            "username": "master",
            "manageMasterUserPassword": True,
        },
        preview=True,
    )
    assert made.id == ""
    for name in ("address", "arn", "endpoint", "masterUserSecrets", "engineVersion", "port"):
        assert made.outputs[name] is UNKNOWN, name
    assert made.outputs["engine"] == "postgres"
    assert made.outputs["deletionProtection"] is False
    assert made.outputs["region"] == "us-east-1"
    assert "domainFqdn" not in made.outputs


def test_a_preview_of_an_update_keeps_what_is_known(offline: Engine) -> None:
    made = offline.create("aws:lambda/function:Function", "f", function(), preview=True)
    made.id = "f"
    made.outputs.update({"arn": "arn:known", "version": "1", "timeout": 3})
    offline.update(made, {**function(), "timeout": 9}, preview=True)
    assert made.outputs["timeout"] == 9
    assert made.outputs["arn"] == "arn:known"
    assert made.outputs["version"] is UNKNOWN


def function() -> dict[str, Any]:
    return {
        "name": "f",
        "role": "arn:aws:iam::000000000000:role/r",
        "runtime": "python3.12",
        "handler": "index.handler",
        "s3Bucket": "code",
        "s3Key": "f.zip",
    }


def test_secret_inputs_stay_secret_in_the_outputs(offline: Engine) -> None:
    inputs = {"name": "n", "tags": {"open": "a", "hidden": "b"}, "displayName": "c"}
    made = offline.create(
        "aws:sns/topic:Topic",
        "t",
        inputs,
        preview=True,
        secrets=[("tags", "hidden"), ("displayName",)],
    )
    marked = {("tags", "hidden"), ("displayName",), ("tagsAll",)}
    assert made.input_secrets == marked
    assert made.output_secrets == marked


def test_what_is_always_secret_is_marked_though_nobody_did(offline: Engine) -> None:
    made = offline.create(
        "aws:secretsmanager/secretVersion:SecretVersion",
        "v",
        {"secretId": "s", "secretString": "words"},
        preview=True,
    )
    assert made.output_secrets == {("secretString",)}
    made = offline.create(
        "aws:cloudwatch/eventConnection:EventConnection",
        "c",
        {
            "authorizationType": "API_KEY",
            "authParameters": {"apiKey": {"key": "k", "value": "words"}},
        },
        preview=True,
    )
    assert ("authParameters",) in made.output_secrets


def test_a_secret_inside_a_document_makes_the_text_secret(offline: Engine) -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "hidden"}]}
    checked = offline.check(
        "aws:iam/policy:Policy",
        "p",
        {"policy": policy},
        secrets=[("policy", "Statement", 0, "Resource")],
    )
    assert isinstance(checked.inputs["policy"], str)
    assert checked.secrets == {("policy",)}


def test_detailed_differences_say_replace_and_delete(offline: Engine) -> None:
    made = offline.create("aws:iam/role:Role", "r", role(), preview=True)
    made.id = "r"
    answer = offline.diff(made, {**role(), "path": "/x/", "tags": {"a": "b"}})
    kinds = {path: entry.kind for path, entry in answer.detailedDiff.items()}
    assert kinds["path"] == provider_pb2.PropertyDiff.UPDATE_REPLACE
    assert kinds["tags"] == provider_pb2.PropertyDiff.ADD
    assert list(answer.replaces) == ["path"]
    assert answer.deleteBeforeReplace


def role() -> dict[str, Any]:
    return {"name": "r", "assumeRolePolicy": TRUST}


def test_configure_holds_for_its_connection_only(port: int) -> None:
    east, west = Engine(port), Engine(port, region="us-west-2")
    west.configure({"region": "us-west-2", "defaultTags": json.dumps({"tags": {"a": "b"}})})
    here = east.create("aws:sns/topic:Topic", "t", {}, preview=True)
    there = west.create("aws:sns/topic:Topic", "t", {}, preview=True)
    assert (here.outputs["region"], there.outputs["region"]) == ("us-east-1", "us-west-2")
    assert (here.outputs["tagsAll"], there.outputs["tagsAll"]) == ({}, {"a": "b"})
    own = west.create("aws:sns/topic:Topic", "t", {"region": "eu-west-1"}, preview=True)
    assert own.outputs["region"] == "eu-west-1"
    east.close()
    west.close()


def test_settings_that_exclude_the_sandbox_are_refused(offline: Engine) -> None:
    offline.configure({"allowedAccountIds": ["000000000000"]})
    with pytest.raises(grpc.RpcError, match="AWS account ID not allowed") as refused:
        offline.configure({"allowedAccountIds": json.dumps(["123456789012"])})
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert settings_from({"region": "eu-west-1"}).region == "eu-west-1"


def test_a_type_without_a_row_is_refused_in_words(offline: Engine) -> None:
    with pytest.raises(grpc.RpcError, match="no row for aws:dynamodb/table:Table"):
        offline.check("aws:dynamodb/table:Table", "t", {})


def test_an_emulator_that_is_away_is_said_with_what_to_do(offline: Engine) -> None:
    with pytest.raises(grpc.RpcError) as away:
        offline.create("aws:sns/topic:Topic", "t", {"name": "n"})
    text = away.value.details()
    assert text.startswith("creating SNS Topic (n): operation error SNS: CreateTopic")
    assert "does not answer" in text
    assert "./gonogo sandbox status" in text


@pytest.mark.parametrize(
    "endpoint",
    ["https://sns.us-east-1.amazonaws.com", "http://10.0.0.1:4566", "http://example.com"],
)
def test_another_endpoint_than_this_machine_is_refused(endpoint: str) -> None:
    with pytest.raises(ForeignEndpointError, match=r"127\.0\.0\.1 only"):
        require_loopback(endpoint)


def test_the_type_in_a_urn_is_the_last_of_its_chain() -> None:
    urn = "urn:pulumi:prod::gonogo::gonogo:Postgres$aws:rds/instance:Instance::main"
    assert token_of(urn) == "aws:rds/instance:Instance"


def test_invokes_that_need_no_cloud(offline: Engine) -> None:
    region, _ = offline.invoke("aws:index/getRegion:getRegion", {})
    assert region["region"] == "us-east-1"
    partition, _ = offline.invoke("aws:index/getPartition:getPartition", {})
    assert partition["dnsSuffix"] == "amazonaws.com"
    account, _ = offline.invoke("aws:elb/getServiceAccount:getServiceAccount", {})
    assert account["arn"] == "arn:aws:iam::127311923021:root"
    with pytest.raises(grpc.RpcError, match="does not answer aws:ec2/getAmi:getAmi"):
        offline.invoke("aws:ec2/getAmi:getAmi", {})


def test_a_random_password_has_each_kind_and_is_secret(offline: Engine) -> None:
    answer, secrets = offline.invoke(
        "aws:secretsmanager/getRandomPassword:getRandomPassword",
        {"passwordLength": 40, "excludeCharacters": "/@\" '\\"},
    )
    password = answer["randomPassword"]
    assert len(password) == 40
    assert not set(password) & set("/@\" '\\")
    assert all(
        any(test(letter) for letter in password) for test in (str.islower, str.isupper, str.isdigit)
    )
    assert ("randomPassword",) in secrets
    other, _ = offline.invoke(
        "aws:secretsmanager/getRandomPassword:getRandomPassword", {"passwordLength": 40}
    )
    assert other["randomPassword"] != password


def test_a_policy_document_is_put_together(offline: Engine) -> None:
    answer, _ = offline.invoke(
        "aws:iam/getPolicyDocument:getPolicyDocument",
        {
            "statements": [
                {
                    "sid": "Read",
                    "actions": ["s3:GetObject"],
                    "resources": ["arn:aws:s3:::a/*"],
                    "principals": [{"type": "Service", "identifiers": ["x.amazonaws.com"]}],
                    "conditions": [{"test": "StringEquals", "variable": "aws:x", "values": ["y"]}],
                }
            ]
        },
    )
    assert json.loads(answer["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::a/*",
                "Principal": {"Service": "x.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:x": "y"}},
            }
        ],
    }


def test_a_wrong_invoke_is_refused(offline: Engine) -> None:
    with pytest.raises(grpc.RpcError, match="passwordLength"):
        offline.invoke(
            "aws:secretsmanager/getRandomPassword:getRandomPassword", {"passwordLength": 5000}
        )


def test_refused_inputs_reach_the_engine_as_failures(offline: Engine) -> None:
    with pytest.raises(Refused) as refused:
        offline.create("aws:ec2/vpc:Vpc", "v", {"cidrBlock": "x"}, preview=True)
    assert "cidrBlock" in refused.value.failures


def test_a_preview_of_two_hundred_is_quick(offline: Engine) -> None:
    """A millisecond each is the aim; five are allowed here, since other work shares the machine."""
    offline.create("aws:cloudwatch/metricAlarm:MetricAlarm", "warm", ALARM, preview=True)
    begun = time.process_time()
    for index in range(200):
        made = offline.create(
            "aws:cloudwatch/metricAlarm:MetricAlarm", f"a{index}", ALARM, preview=True
        )
        made.id = "a"
        assert not offline.diff(made, ALARM).replaces
    assert time.process_time() - begun < 200 * 0.005


def test_large_messages_pass(offline: Engine) -> None:
    body = json.dumps({"widgets": [{"text": "x" * 6_000_000}]})
    checked = offline.check(
        "aws:cloudwatch/dashboard:Dashboard", "d", {"dashboardName": "d", "dashboardBody": body}
    )
    assert len(encode(checked.inputs).SerializeToString()) > 6_000_000


def test_home_is_kept_to_its_owner(tmp_path: Path) -> None:
    server, _, _ = serve(NOWHERE, tmp_path)
    server.stop(0)
    journal = tmp_path / "provider" / "journal.jsonl"
    assert journal.stat().st_mode & 0o077 == 0
