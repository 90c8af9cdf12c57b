"""A whole system declared from its YAML, as the production stack declares it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from components.outputs import Outputs
from components.system import declare
from systems.stack import load
from tests.components.parts import (
    ALARM,
    DIGEST,
    ECS_SERVICE,
    TASK,
    containers,
    references,
    variables,
)
from tests.components.recording import ACCOUNT, RANDOM, REGION, UNKNOWN, Records, plain_text, record

ROOT = Path(__file__).parents[2]


@cache
def declared(stack_name: str = "prod", *, preview: bool = True) -> tuple[Records, Outputs]:
    stack = load(ROOT / f"Pulumi.{stack_name}.yaml")
    found: list[Outputs] = []

    def program() -> None:
        found.append(declare(stack.system, stack.tier, stack.region, stack.tags))

    return record(program, preview=preview), found[0]


def prod() -> Records:
    return declared()[0]


@pytest.mark.parametrize("stack", ["prod", "staging", "dev"])
def test_every_tier_is_declared(stack: str) -> None:
    records, outputs = declared(stack)
    assert outputs.tier == stack
    assert len(records.custom()) > 120
    assert {one.name for one in records.all(ECS_SERVICE)} == {
        "heartbeat",
        "dashboard",
        "crypto",
        "options",
        "futures",
        "roundtable",
    }


def test_production_keeps_to_its_budget() -> None:
    """Each resource costs time in every preview: raise this only for what is worth it."""
    assert 120 <= len(prod().custom()) <= 290


def test_no_two_resources_have_one_urn() -> None:
    urns = [one.urn for one in prod().resources]
    assert len(urns) == len(set(urns))


def test_everything_is_parented_to_a_component_of_ours() -> None:
    strays = [
        one.name
        for one in prod().custom()
        if not any(above.type.startswith("gonogo:components:") for above in prod().family(one))
    ]
    assert strays == []


def test_everything_that_takes_tags_says_whose_it_is() -> None:
    tagged = [one for one in prod().custom() if "tags" in one.inputs]
    assert len(tagged) > 100
    for one in tagged:
        wanted = {"system": "autonomous-trading-company", "tier": "prod", "managed-by": "gonogo"}
        assert wanted.items() <= one.inputs["tags"].items(), one.name


def test_physical_names_begin_with_system_and_tier() -> None:
    # A record's name is the domain, and an inline policy has one only inside its role.
    others = {"aws:route53/record:Record", "aws:iam/rolePolicy:RolePolicy"}
    named = [
        one
        for one in prod().custom()
        if isinstance(one.inputs.get("name"), str) and one.type not in others
    ]
    assert len(named) > 100
    for one in named:
        name = one.inputs["name"]
        assert "atc-prod" in name, (one.type, name)


def test_what_the_policies_judge_is_known_at_preview() -> None:
    """A task definition or an IAM policy that is unknown could hide anything."""
    judged = {
        TASK: "containerDefinitions",
        "aws:iam/rolePolicy:RolePolicy": "policy",
        "aws:iam/role:Role": "assumeRolePolicy",
        "aws:kms/key:Key": "policy",
        "aws:sns/topicPolicy:TopicPolicy": "policy",
        "aws:sqs/queuePolicy:QueuePolicy": "policy",
        "aws:s3/bucketPolicy:BucketPolicy": "policy",
        "aws:cloudwatch/dashboard:Dashboard": "dashboardBody",
        "aws:cloudwatch/compositeAlarm:CompositeAlarm": "alarmRule",
    }
    for type_, key in judged.items():
        found = prod().all(type_)
        assert found, type_
        for one in found:
            assert one.inputs[key] is not UNKNOWN, (type_, one.name)


def test_alarms_are_wired_to_topics_with_subscribers() -> None:
    topics = {
        f"arn:aws:sns:{REGION}:{ACCOUNT}:{one.inputs['name']}"
        for one in prod().all("aws:sns/topic:Topic")
    }
    heard = {
        one.inputs["topic"] for one in prod().all("aws:sns/topicSubscription:TopicSubscription")
    }
    assert topics == heard
    alarms = prod().all(ALARM)
    assert len(alarms) > 40
    for one in alarms:
        assert set(one.inputs["alarmActions"]) <= topics and one.inputs["alarmActions"], one.name
        assert "Runbook: https://" in one.inputs["alarmDescription"], one.name
        assert one.inputs["treatMissingData"], one.name


def test_the_checklists_alarms_are_there() -> None:
    alarms = prod().named(ALARM)
    assert alarms["heartbeat-slow"].inputs["threshold"] == 10
    assert alarms["crypto-queue-deep"].inputs["threshold"] == 50
    assert alarms["trade-execution-failed"].inputs["threshold"] == 0
    assert alarms["heartbeat-error-rate"].inputs["threshold"] == 1
    assert alarms["database-main-pool-usage"].inputs["threshold"] == 80
    assert {"heartbeat-failed", "heartbeat-silent"} <= set(alarms)


def test_configuration_reaches_every_container() -> None:
    for name in ("heartbeat", "dashboard", "crypto", "migrate"):
        found = variables(containers(prod(), name)[name])
        assert found["CIRCUIT_BREAKER_ERRORS"] == "3"
        assert found["CIRCUIT_BREAKER_RECOVERY_SECONDS"] == "300"
        assert found["CORS_ORIGINS"] == "https://trading.example.com"
        assert found["LOG_FORMAT"] == "json"


def test_no_secret_is_in_plain_text() -> None:
    assert RANDOM not in plain_text(declared(preview=False)[0].resources)


def test_the_heartbeat_is_called_with_its_token() -> None:
    connection = prod().one("aws:cloudwatch/eventConnection:EventConnection")
    secret = prod().one("aws:secretsmanager/secret:Secret", "heartbeat-token")
    assert secret.inputs["tags"]["gonogo:connection"] == connection.inputs["name"]
    called = prod().one("aws:cloudwatch/eventApiDestination:EventApiDestination").inputs
    assert called["invocationEndpoint"] == "https://trading.example.com/api/heartbeat"
    assert "HEARTBEAT_TOKEN" in references(containers(prod(), "heartbeat")["heartbeat"])


def test_services_are_deployed_anew_when_their_secrets_change() -> None:
    tags = prod().one("aws:secretsmanager/secret:Secret", "jwt-signing-key").inputs["tags"]
    restarted = {value for key, value in tags.items() if key.startswith("gonogo:restart")}
    assert restarted == {"atc-prod/atc-prod-dashboard"}
    database = prod().one("aws:secretsmanager/secret:Secret", "main-application").inputs["tags"]
    restarted = {value for key, value in database.items() if key.startswith("gonogo:restart")}
    assert restarted == {
        f"atc-prod/atc-prod-{name}"
        for name in ("heartbeat", "dashboard", "crypto", "options", "futures", "roundtable")
    }


def test_what_is_exported() -> None:
    outputs = declared()[1]
    assert outputs.url == "https://trading.example.com"
    assert outputs.cluster == "atc-prod"
    assert outputs.databases["main"]["secret"] == "atc-prod/main/application"
    assert set(outputs.jobs) == {"migrate"}
    assert outputs.secrets_to_fill["atc-prod/anthropic"]["fill"].startswith("An API key")
    assert set(outputs.secrets_to_fill) == {
        f"atc-prod/{name}" for name in ("anthropic", "supabase-url", "jupiter", "tradier", "nebula")
    }
    assert sum(outputs.alarms.values()) == len(prod().all(ALARM))
    assert outputs.health_alarm == "atc-prod-critical"


def test_the_composite_names_every_critical_alarm() -> None:
    rule = prod().one("aws:cloudwatch/compositeAlarm:CompositeAlarm", "critical").inputs
    critical = {
        one.inputs["name"]
        for one in prod().all(ALARM)
        if one.inputs["tags"]["severity"] == "critical"
    }
    assert {part.split('"')[1] for part in rule["alarmRule"].split(" OR ")} == critical


def test_the_dashboard_shows_every_alarm() -> None:
    shown = json.loads(prod().one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])[
        "widgets"
    ]
    alarms = next(one for one in shown if one["type"] == "alarm")["properties"]["alarms"]
    assert len(alarms) == min(100, len(prod().all(ALARM)))


def test_a_build_pins_its_images_in_the_stack() -> None:
    stack = load(ROOT / "Pulumi.prod.yaml")
    service = stack.system.services["heartbeat"].model_copy(
        update={"image": f"ecr:atc/heartbeat@{DIGEST}"}
    )
    system = stack.system.model_copy(
        update={"services": {**stack.system.services, "heartbeat": service}}
    )
    records = record(lambda: declare(system, "prod", stack.region), preview=True)
    assert containers(records, "heartbeat")["heartbeat"]["image"].endswith(DIGEST)
