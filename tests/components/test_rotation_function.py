"""The rotation function as it is declared: all of it known at preview, and narrow."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from components.alarms import Topics
from components.network import Network
from components.rotation import RotationFunction
from systems import model
from tests.components.parts import NOTIFICATIONS
from tests.components.recording import CONTEXT, UNKNOWN, Records, record

FUNCTION = "aws:lambda/function:Function"


@cache  # what is recorded is only read
def declare(*, preview: bool = False) -> Records:
    def program() -> None:
        network = Network("network", model.Network(), CONTEXT)
        topics = Topics("alerts", NOTIFICATIONS, CONTEXT)
        RotationFunction("rotation", CONTEXT, network, topics)

    return record(program, preview=preview)


def _statements(records: Records) -> list[dict[str, Any]]:
    policy = json.loads(records.one("aws:iam/rolePolicy:RolePolicy", "rotation").inputs["policy"])
    statements: list[dict[str, Any]] = policy["Statement"]
    return statements


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_it_runs_inside_the_private_subnets() -> None:
    records = declare()
    inputs = records.one(FUNCTION).inputs
    assert inputs["vpcConfig"] == {
        "subnetIds": [f"network-private-{letter}-id" for letter in "abc"],
        "securityGroupIds": ["rotation-id"],
    }
    assert inputs["architectures"] == ["arm64"]
    assert "environment" not in inputs, "it finds what it needs at run time"


def test_what_can_be_known_at_preview_is_known() -> None:
    records = declare(preview=True)
    inputs = records.one(FUNCTION).inputs
    for key in ("name", "role", "handler", "runtime", "timeout", "loggingConfig"):
        assert inputs[key] is not UNKNOWN, key
    assert inputs["role"] == "arn:aws:iam::000000000000:role/atc-prod-rotation"
    assert isinstance(
        records.one("aws:iam/rolePolicy:RolePolicy", "rotation").inputs["policy"], str
    )


def test_secrets_manager_of_this_account_alone_may_call_it() -> None:
    inputs = declare().one("aws:lambda/permission:Permission").inputs
    assert inputs["principal"] == "secretsmanager.amazonaws.com"
    assert inputs["sourceAccount"] == CONTEXT.account
    assert inputs["action"] == "lambda:InvokeFunction"


def test_it_may_touch_only_what_is_of_this_system_and_tier() -> None:
    for statement in _statements(declare()):
        if statement["Effect"] == "Deny":
            continue
        for action in _listed(statement["Action"]):
            assert "*" not in action, action
        for resource in _listed(statement["Resource"]):
            ours = "atc-prod" in resource
            by_condition = "Condition" in statement
            described = statement["Action"] == ["rds:DescribeDBProxies"]
            assert ours or by_condition or described, resource
            assert resource != "*"


def test_a_master_secret_of_another_system_is_closed_to_it() -> None:
    (master,) = [s for s in _statements(declare()) if "rds!db-*" in str(s["Resource"])]
    assert master["Action"] == ["secretsmanager:GetSecretValue"]
    assert master["Condition"] == {
        "ArnLike": {
            "secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn": (
                "arn:aws:rds:us-east-1:000000000000:db:atc-prod-*"
            )
        }
    }


def test_its_code_may_not_use_the_interfaces_that_lambda_needs() -> None:
    (denied,) = [s for s in _statements(declare()) if s["Effect"] == "Deny"]
    assert all(action.startswith("ec2:") for action in denied["Action"])
    assert denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"].endswith(
        ":function:atc-prod-rotation"
    )


def test_its_log_is_kept_for_a_time_and_not_for_ever() -> None:
    records = declare()
    group = records.one("aws:cloudwatch/logGroup:LogGroup", "rotation")
    assert group.inputs["name"] == "/aws/lambda/atc-prod-rotation"
    assert group.inputs["retentionInDays"] == 90
    assert records.one(FUNCTION).inputs["loggingConfig"]["logGroup"] == group.inputs["name"]


def test_it_goes_out_to_aws_and_into_the_vpc_s_stores_and_nobody_comes_in() -> None:
    records = declare()
    rules = records.named("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    reached = {(r.inputs["cidrIpv4"], r.inputs["fromPort"]) for r in rules.values()}
    assert reached == {("0.0.0.0/0", 443), ("10.20.0.0/16", 5432), ("10.20.0.0/16", 6379)}
    incoming = records.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert not [rule.name for rule in incoming if rule.inputs["securityGroupId"] == "rotation-id"]


def test_a_failed_rotation_is_heard_of() -> None:
    alarm = declare().one("aws:cloudwatch/metricAlarm:MetricAlarm", "rotation-errors")
    assert alarm.inputs["metricName"] == "Errors"
    assert alarm.inputs["dimensions"] == {"FunctionName": "atc-prod-rotation"}
    assert alarm.inputs["alarmActions"] == [
        "arn:aws:sns:us-east-1:000000000000:atc-prod-alerts-critical"
    ]
    assert "rotation-failed.md" in alarm.inputs["alarmDescription"]
