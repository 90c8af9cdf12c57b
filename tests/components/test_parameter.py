"""A parameter: read by every container, changed by people, and never put back."""

from __future__ import annotations

from functools import cache

import pytest
from pydantic import ValidationError

from components.cluster import Cluster
from components.network import Network
from components.parameter import Parameter, parameter_arn, variable
from systems import model
from tests.components.parts import ROLE_POLICY, statements
from tests.components.recording import ACCOUNT, CONTEXT, REGION, Records, record

SWITCH = model.Parameter(description="Halts all trading", value="off", allowed=("off", "on"))
ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/atc-prod/kill-switch"


@cache
def usual() -> Records:
    def program() -> None:
        arns = [parameter_arn(CONTEXT, "kill-switch")]
        Cluster("cluster", CONTEXT, Network("n", model.Network(), CONTEXT), parameters=arns)
        Parameter("kill-switch", SWITCH, CONTEXT)
        Parameter("flags", model.Parameter(description="Flags", value="{}"), CONTEXT)

    return record(program, preview=True)


def test_it_begins_with_its_value_and_keeps_what_people_set() -> None:
    found = usual().one("aws:ssm/parameter:Parameter", "kill-switch")
    assert found.inputs["name"] == "/atc-prod/kill-switch"
    assert found.inputs["type"] == "String"
    assert found.plain("value") == "off"
    assert found.ignore_changes == ("value",)


def test_aws_takes_no_other_value_than_those_allowed() -> None:
    parameters = usual().named("aws:ssm/parameter:Parameter")
    assert parameters["kill-switch"].inputs["allowedPattern"] == "^(off|on)$"
    assert "allowedPattern" not in parameters["flags"].inputs


def test_the_application_may_read_it_and_not_write_it() -> None:
    granted = statements(usual().one(ROLE_POLICY, "tasks"))
    (statement,) = [one for one in granted if one["Sid"] == "OwnParameters"]
    assert statement["Action"] == ["ssm:GetParameter", "ssm:GetParameters"]
    assert statement["Resource"] == [ARN]


def test_without_parameters_nothing_may_be_read() -> None:
    network = model.Network()
    records = record(lambda: Cluster("c", CONTEXT, Network("n", network, CONTEXT)), preview=True)
    assert [one["Sid"] for one in statements(records.one(ROLE_POLICY, "tasks"))] == ["OwnMetrics"]


def test_containers_are_told_its_name() -> None:
    assert variable("kill-switch") == "KILL_SWITCH_PARAMETER"


def test_a_value_that_is_not_allowed_is_refused() -> None:
    with pytest.raises(ValidationError, match="one of off, on"):
        model.Parameter(description="Halts all trading", value="no", allowed=("off", "on"))
