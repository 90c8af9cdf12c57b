"""What happens by the clock: calls with a bearer, and jobs."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from components.bearer import Bearer, connection_name
from components.encryption import Key
from components.job import Job
from components.schedule import Schedule
from components.secret import Secret as SecretComponent
from systems import model
from tests.components.parts import ALARM, JOB, ROLE_POLICY, SECRETS, platform, statements, topics
from tests.components.recording import (
    ACCOUNT,
    CONTEXT,
    RANDOM,
    REGION,
    Records,
    Secret,
    plain_text,
    record,
)

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
CALL = model.Schedule(
    expression="rate(1 minute)",
    http=model.HttpCall(service="heartbeat", path="/api/heartbeat", bearer_secret="token"),
    retry_attempts=1,
    maximum_event_age_seconds=60,
)
RUN = model.Schedule(expression="cron(0 3 * * ? *)", job="migrate", silence_minutes=1440)


def calls(args: model.Schedule = CALL, *, preview: bool = True) -> Records:
    def program() -> None:
        alerts = topics()
        secret = SecretComponent(
            "token", SECRETS["token"], CONTEXT, key=Key("secrets", "Secrets", CONTEXT)
        )
        bearer = Bearer("token", secret, CONTEXT)
        url = "https://trading.example.com"
        Schedule("beat", args, CONTEXT, alerts, url=url, bearer=bearer)

    return record(program, preview=preview)


@cache
def usual() -> Records:
    return calls()


@cache
def runs() -> Records:
    return jobs(RUN)


def jobs(args: model.Schedule) -> Records:
    def program() -> None:
        shared = platform(ingress=False)
        job = Job("migrate", JOB, CONTEXT, shared)
        Schedule(
            "nightly",
            args,
            CONTEXT,
            shared.topics,
            job=job,
            cluster=shared.cluster,
            network=shared.network,
        )

    return record(program)


def test_the_rule_follows_the_clock() -> None:
    rule = usual().one(RULE).inputs
    assert (rule["name"], rule["scheduleExpression"], rule["state"]) == (
        "atc-prod-beat",
        "rate(1 minute)",
        "ENABLED",
    )


def test_a_schedule_that_is_switched_off_is_not_missed() -> None:
    records = calls(CALL.model_copy(update={"enabled": False}))
    assert records.one(RULE).inputs["state"] == "DISABLED"
    assert set(records.named(ALARM)) == {"beat-failed", "beat-dead-letters"}


def test_the_call_goes_to_the_service() -> None:
    destination = usual().one("aws:cloudwatch/eventApiDestination:EventApiDestination").inputs
    assert destination["invocationEndpoint"] == "https://trading.example.com/api/heartbeat"
    assert destination["httpMethod"] == "POST"


def test_the_bearer_is_secret_and_left_to_rotation() -> None:
    connection = usual().one("aws:cloudwatch/eventConnection:EventConnection")
    assert connection.inputs["name"] == connection_name(CONTEXT, "token") == "atc-prod-token"
    assert connection.inputs["authorizationType"] == "API_KEY"
    carried = connection.inputs["authParameters"]
    assert carried == Secret({"apiKey": {"key": "Authorization", "value": f"Bearer {RANDOM}"}}) or (
        carried["apiKey"]["value"] == Secret(f"Bearer {RANDOM}")
    )
    assert connection.ignore_changes == ("authParameters.apiKey.value",)
    assert RANDOM not in plain_text(usual().resources)


def test_the_rules_role_may_only_call_this_destination() -> None:
    (call,) = statements(usual().one(ROLE_POLICY, "beat-call"))
    assert call["Action"] == "events:InvokeApiDestination"
    assert call["Resource"] == f"arn:aws:events:{REGION}:{ACCOUNT}:api-destination/atc-prod-beat/*"


def test_what_cannot_be_delivered_is_kept() -> None:
    target = usual().one(TARGET).inputs
    assert target["retryPolicy"] == {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 1}
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:atc-prod-beat-failed"
    assert target["deadLetterConfig"] == {"arn": queue_arn}
    queue = usual().one("aws:sqs/queue:Queue").inputs
    assert (queue["name"], queue["sqsManagedSseEnabled"]) == ("atc-prod-beat-failed", True)
    assert queue["messageRetentionSeconds"] == 14 * 24 * 3600
    rule, tls = statements(usual().one("aws:sqs/queuePolicy:QueuePolicy"))
    assert rule["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/atc-prod-beat"}
    }
    assert tls["Effect"] == "Deny"


def test_failure_and_silence_are_alarms() -> None:
    alarms = usual().named(ALARM)
    assert set(alarms) == {"beat-failed", "beat-dead-letters", "beat-silent"}
    failed, letters, silent = (
        alarms[f"beat-{kind}"].inputs for kind in ("failed", "dead-letters", "silent")
    )
    assert (failed["metricName"], failed["threshold"]) == ("FailedInvocations", 0)
    assert letters["dimensions"] == {"QueueName": "atc-prod-beat-failed"}
    assert (silent["metricName"], silent["comparisonOperator"]) == (
        "Invocations",
        "LessThanThreshold",
    )
    assert (silent["threshold"], silent["period"]) == (1, 300)
    assert silent["treatMissingData"] == "breaching"
    assert silent["dimensions"] == {"RuleName": "atc-prod-beat"}


def test_a_job_is_run_by_its_family() -> None:
    target = runs().one(TARGET, "nightly").inputs
    family = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/atc-prod-migrate"
    assert target["arn"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/atc-prod"
    assert target["ecsTarget"]["taskDefinitionArn"] == family
    assert target["ecsTarget"]["launchType"] == "FARGATE"
    network = target["ecsTarget"]["networkConfiguration"]
    assert network["assignPublicIp"] is False
    assert network["securityGroups"] == ["tasks-main-id"]


def test_who_runs_a_job_may_run_only_that() -> None:
    run, pass_role, tag = statements(runs().one(ROLE_POLICY, "nightly-run"))
    family = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/atc-prod-migrate"
    assert run["Resource"] == [family, f"{family}:*"]
    assert run["Condition"]["ArnEquals"]["ecs:cluster"].endswith("cluster/atc-prod")
    assert pass_role["Resource"] == [
        f"arn:aws:iam::{ACCOUNT}:role/atc-prod-migrate-execution",
        f"arn:aws:iam::{ACCOUNT}:role/atc-prod-tasks",
    ]
    assert tag["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    assert "*" not in json.dumps([one["Action"] for one in (run, pass_role, tag)])


def test_a_daily_job_is_missed_after_a_day() -> None:
    missed = runs().one(ALARM, "nightly-silent").inputs
    assert (missed["period"], missed["evaluationPeriods"]) == (86400, 1)


def test_a_weekly_job_is_missed_after_seven_days() -> None:
    weekly = RUN.model_copy(update={"silence_minutes": 7 * 1440, "severity": "warning"})
    records = jobs(weekly)
    missed = records.one(ALARM, "nightly-silent").inputs
    assert (missed["period"], missed["evaluationPeriods"]) == (86400, 7)
    assert missed["treatMissingData"] == "breaching"
    for name in ("nightly-silent", "nightly-failed", "nightly-dead-letters"):
        (told,) = records.one(ALARM, name).inputs["alarmActions"]
        assert told.endswith("alerts-warning")
    assert records.one(TARGET, "nightly-run-failed").inputs["arn"].endswith("alerts-warning")


def test_what_comes_more_seldom_than_cloudwatch_looks_back_is_not_missed_by_it() -> None:
    monthly = jobs(RUN.model_copy(update={"silence_minutes": None}))
    assert set(monthly.named(ALARM)) & {"nightly-silent", "nightly-failed"} == {"nightly-failed"}


def test_a_run_that_fails_is_told() -> None:
    rule = runs().one(RULE, "nightly-run-failed").inputs
    detail = json.loads(rule["eventPattern"])["detail"]
    family = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/atc-prod-migrate"
    assert detail["taskDefinitionArn"] == [{"prefix": f"{family}:"}]
    assert detail["clusterArn"] == [f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/atc-prod"]
    assert detail["lastStatus"] == ["STOPPED"]
    assert {"containers": {"exitCode": [{"anything-but": 0}]}} in detail["$or"]
    told = runs().one(TARGET, "nightly-run-failed").inputs
    assert told["arn"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:atc-prod-alerts-critical"
    assert "Runbook: https://" in told["inputTransformer"]["inputTemplate"]


@pytest.mark.parametrize(
    ("args", "said"), [(CALL, "give url and bearer"), (RUN, "give job, cluster and network")]
)
def test_a_schedule_without_its_target_says_so(args: model.Schedule, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        record(lambda: Schedule("beat", args, CONTEXT))


def test_one_bearer_serves_several_schedules() -> None:
    def program() -> None:
        secret = SecretComponent(
            "token", SECRETS["token"], CONTEXT, key=Key("secrets", "Secrets", CONTEXT)
        )
        bearer = Bearer("token", secret, CONTEXT)
        for name in ("beat", "sweep"):
            Schedule(name, CALL, CONTEXT, url="https://x.example.com", bearer=bearer)

    records = record(program)
    assert len(records.all("aws:cloudwatch/eventConnection:EventConnection")) == 1
    destinations: dict[str, Any] = {
        name: one.inputs["connectionArn"]
        for name, one in records.named(
            "aws:cloudwatch/eventApiDestination:EventApiDestination"
        ).items()
    }
    assert set(destinations) == {"beat", "sweep"}
    assert len(set(destinations.values())) == 1
