"""RotateSecret runs the function's code through AWS's four steps."""

from __future__ import annotations

import io
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import lifecycle
from tests.sandbox.clouds import TestCloud

pytestmark = pytest.mark.slow
# As AWS's own templates: the checks before the steps and the way finishSecret moves the label.
FUNCTION = """
import boto3
def handler(event, context):
    service = boto3.client("secretsmanager")
    arn, token = event["SecretId"], event["ClientRequestToken"]
    stages = service.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSPENDING" not in stages[token]:
        raise ValueError("the version is not pending")
    if event["Step"] == "createSecret":
        service.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")
        try:
            service.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
        except service.exceptions.ResourceNotFoundException:
            service.put_secret_value(SecretId=arn, ClientRequestToken=token,
                                     SecretString="made for " + token, VersionStages=["AWSPENDING"])
    if event["Step"] == "{failing}":
        raise RuntimeError("the database does not answer")
    if event["Step"] == "finishSecret":
        current = next(v for v, s in stages.items() if "AWSCURRENT" in s)
        service.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT",
                                            MoveToVersionId=token, RemoveFromVersionId=current)
"""


@pytest.fixture
def make_function(cloud: TestCloud) -> Iterator[Callable[..., str]]:
    client = cloud.client("lambda")
    made: list[str] = []

    def make(name: str, *, failing: str = "", allowed: bool = True) -> str:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as package:
            code = textwrap.dedent(FUNCTION).replace("{failing}", failing)
            package.writestr("index.py", code)
        arn = client.create_function(
            FunctionName=name, Runtime="python3.12", Handler="index.handler", Timeout=30,
            Role="arn:aws:iam::000000000000:role/rotation", Code={"ZipFile": content.getvalue()},
        )["FunctionArn"]  # fmt: skip
        made.append(name)
        if allowed:
            client.add_permission(FunctionName=name, StatementId="rotation",
                                  Action="lambda:InvokeFunction",
                                  Principal="secretsmanager.amazonaws.com")  # fmt: skip
        return str(arn)

    yield make
    for name in made:
        client.delete_function(FunctionName=name)


@pytest.fixture
def secret(cloud: TestCloud) -> Iterator[str]:
    manager = cloud.client("secretsmanager")
    arn = manager.create_secret(Name="rotated", SecretString="the first")["ARN"]
    yield arn
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def stages(described: dict[str, Any]) -> dict[str, str]:
    return {label: version for version, labels in described["VersionIdsToStages"].items()
            for label in labels}  # fmt: skip


def test_the_functions_code_makes_the_new_value(
    cloud: TestCloud, secret: str, make_function: Callable[..., str]
) -> None:
    manager = cloud.client("secretsmanager")
    answer = manager.rotate_secret(
        SecretId=secret, RotationLambdaARN=make_function("rotate"),
        RotationRules={"AutomaticallyAfterDays": 30},
    )  # fmt: skip
    token = answer["VersionId"]
    assert manager.get_secret_value(SecretId=secret)["SecretString"] == f"made for {token}"
    before = manager.get_secret_value(SecretId=secret, VersionStage="AWSPREVIOUS")
    assert before["SecretString"] == "the first"
    described = manager.describe_secret(SecretId=secret)
    assert described["RotationEnabled"] is True
    assert described["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert described["NextRotationDate"] > described["LastRotatedDate"]
    again = manager.rotate_secret(SecretId=secret)["VersionId"]
    assert manager.get_secret_value(SecretId=secret)["VersionId"] == again != token


def test_a_failed_step_keeps_the_old_value_and_is_told(
    cloud: TestCloud, secret: str, make_function: Callable[..., str]
) -> None:
    manager = cloud.client("secretsmanager")
    function = make_function("failing", failing="testSecret")
    token = manager.rotate_secret(SecretId=secret, RotationLambdaARN=function)["VersionId"]
    assert manager.get_secret_value(SecretId=secret)["SecretString"] == "the first"
    assert stages(manager.describe_secret(SecretId=secret))["AWSPENDING"] == token
    notes = lifecycle.status(cloud.home).notes
    assert any("rotated failed in testSecret: the database does not answer" in n for n in notes)


def test_rotation_is_refused_without_a_function_or_its_permission(
    cloud: TestCloud, secret: str, make_function: Callable[..., str]
) -> None:
    rotate = cloud.client("secretsmanager").rotate_secret
    for words, code in (
        ({}, "InvalidRequestException"),
        ({"RotationLambdaARN": "arn:aws:lambda:us-east-1:000000000000:function:missing"},
         "AccessDeniedException"),
        ({"RotationLambdaARN": make_function("forbidden", allowed=False)},
         "AccessDeniedException"),
        ({"RotationLambdaARN": make_function("both"),
          "RotationRules": {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"}},
         "InvalidParameterException"),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            rotate(SecretId=secret, **words)
        assert caught.value.response["Error"]["Code"] == code


def test_rotation_can_be_set_up_for_later_and_cancelled(
    cloud: TestCloud, secret: str, make_function: Callable[..., str]
) -> None:
    manager = cloud.client("secretsmanager")
    manager.rotate_secret(SecretId=secret, RotationLambdaARN=make_function("later"),
                          RotateImmediately=False)  # fmt: skip
    assert manager.get_secret_value(SecretId=secret)["SecretString"] == "the first"
    manager.cancel_rotate_secret(SecretId=secret)
    assert manager.describe_secret(SecretId=secret)["RotationEnabled"] is False


def test_a_secret_without_a_value_has_no_version(cloud: TestCloud) -> None:
    manager = cloud.client("secretsmanager")
    arn = manager.create_secret(Name="empty")["ARN"]
    try:
        with pytest.raises(manager.exceptions.ResourceNotFoundException):
            manager.get_secret_value(SecretId=arn)
        assert not manager.describe_secret(SecretId=arn).get("VersionIdsToStages")
        token = "00000000-0000-0000-0000-000000000001"
        manager.put_secret_value(SecretId=arn, SecretString="x", ClientRequestToken=token)
        manager.put_secret_value(SecretId=arn, SecretString="x", ClientRequestToken=token)
        with pytest.raises(manager.exceptions.ResourceExistsException):
            manager.put_secret_value(SecretId=arn, SecretString="y", ClientRequestToken=token)
    finally:
        manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
