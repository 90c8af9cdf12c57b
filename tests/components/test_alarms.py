"""Topics, metric alarms, the system's own alarms and the composite over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.alarms import Topics, expression_query, metric_alarm, metric_query
from components.base import Component
from components.system_alarms import Alarms, Health
from systems import model
from tests.components.parts import ALARM, NOTIFICATIONS, statements, topics
from tests.components.recording import ACCOUNT, CONTEXT, REGION, Records, record

CRITICAL = f"arn:aws:sns:{REGION}:{ACCOUNT}:atc-prod-alerts-critical"
WARNING = f"arn:aws:sns:{REGION}:{ACCOUNT}:atc-prod-alerts-warning"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"


def declared(**changes: Any) -> Records:
    """One alarm on the CPU of something, with these arguments changed."""
    arguments: dict[str, Any] = {
        "severity": "critical",
        "description": "It is hot.",
        "runbook": "cpu",
        "namespace": "AWS/RDS",
        "metric": "CPUUtilization",
        "threshold": 80,
        "missing_data": "missing",
        **changes,
    }

    def program() -> None:
        alerts = topics()
        metric_alarm(Component("Thing", "thing", CONTEXT), "thing-cpu", topics=alerts, **arguments)

    return record(program, preview=True)


def system_alarm(alarm: model.Alarm) -> dict[str, Any]:
    records = record(lambda: Alarms("alarms", {"queue": alarm}, CONTEXT, topics()), preview=True)
    return records.one(ALARM).inputs


def alarm(**changes: Any) -> model.Alarm:
    arguments = {
        "description": "Too deep",
        "metric": model.Metric(name="QueueDepth", dimensions={"Worker": "crypto"}),
        "threshold": 50,
        "missing_data": "breaching",
        "runbook": "worker-failure",
        **changes,
    }
    return model.Alarm(**arguments)


def test_a_topic_for_each_severity_is_encrypted_and_subscribed() -> None:
    records = record(topics, preview=True)
    found = records.named("aws:sns/topic:Topic")
    assert {one.inputs["name"] for one in found.values()} == {
        "atc-prod-alerts-critical",
        "atc-prod-alerts-warning",
    }
    assert all(one.inputs["kmsMasterKeyId"] == "alias/atc-prod-alerts" for one in found.values())
    subscribed = {
        (one.inputs["topic"], one.inputs["protocol"], one.inputs["endpoint"])
        for one in records.all("aws:sns/topicSubscription:TopicSubscription")
    }
    assert subscribed == {
        (CRITICAL, "email", "on-call@example.com"),
        (WARNING, "email", "team@example.com"),
    }


def test_only_this_account_publishes() -> None:
    policy = record(topics).one("aws:sns/topicPolicy:TopicPolicy", "alerts-critical")
    alarms, events = statements(policy)
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert "cloudwatch.amazonaws.com" in alarms["Principal"]["Service"]
    assert events["Principal"] == {"Service": ["events.amazonaws.com"]}
    # EventBridge sets no condition key: with a condition nothing would arrive.
    assert "Condition" not in events
    assert {one["Resource"] for one in (alarms, events)} == {CRITICAL}
    assert {one["Action"] for one in (alarms, events)} == {"sns:Publish"}


def test_the_topics_key_may_be_used_by_who_publishes() -> None:
    key = record(topics).one("aws:kms/key:Key", "alerts")
    services = {
        one["Principal"].get("Service") for one in statements(key) if one["Action"] != "kms:*"
    }
    assert {"cloudwatch.amazonaws.com", "events.amazonaws.com"} <= services


def test_an_alarm_tells_its_topic_of_its_start_and_its_end() -> None:
    records = declared()
    found = records.one(ALARM)
    assert found.inputs["alarmActions"] == [CRITICAL]
    assert found.inputs["okActions"] == [CRITICAL]
    # Known before the topic is there, and yet made after it.
    assert records.one("aws:sns/topic:Topic", "alerts-critical").urn in found.dependencies


def test_a_warning_goes_to_the_other_topic() -> None:
    assert declared(severity="warning").one(ALARM).inputs["alarmActions"] == [WARNING]


def test_the_description_ends_with_the_runbook() -> None:
    found = declared().one(ALARM).inputs
    assert found["alarmDescription"] == (
        "It is hot. Runbook: https://runbooks.example.com/atc/cpu.md"
    )
    assert found["name"] == "atc-prod-thing-cpu"


def test_a_percentile_is_an_extended_statistic() -> None:
    found = declared(statistic="p95").one(ALARM).inputs
    assert found["extendedStatistic"] == "p95"
    assert "statistic" not in found
    assert declared(statistic="Sum").one(ALARM).inputs["statistic"] == "Sum"


def test_queries_take_the_place_of_a_metric() -> None:
    queries = [
        metric_query("used", namespace="N", metric="M", statistic="Sum", period_seconds=300),
        expression_query("rate", "100 * used", label="Rate"),
    ]
    found = declared(metric=None, namespace=None, queries=queries).one(ALARM).inputs
    assert [query["id"] for query in found["metricQueries"]] == ["used", "rate"]
    assert [query["returnData"] for query in found["metricQueries"]] == [False, True]
    assert found["metricQueries"][0]["metric"]["period"] == 300
    assert not {"metricName", "namespace", "statistic", "period"} & set(found)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metric": None}, "exactly one of metric and queries"),
        ({"queries": [expression_query("a", "b", label="c")]}, "exactly one of metric and queries"),
        ({"threshold": None}, "exactly one of threshold and threshold_query"),
        ({"threshold_query": "band"}, "exactly one of threshold and threshold_query"),
    ],
)
def test_an_alarm_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        declared(**changes)


def test_two_alarms_of_one_name_are_refused() -> None:
    def program() -> None:
        alerts = topics()
        Alarms("alarms", {"queue": alarm()}, CONTEXT, alerts)
        Alarms("others", {"queue": alarm()}, CONTEXT, alerts)

    with pytest.raises(ValueError, match="two alarms are called queue"):
        record(program)


def test_without_topics_an_alarm_has_no_actions() -> None:
    def program() -> None:
        Alarms("alarms", {"queue": alarm()}, CONTEXT)

    assert record(program).one(ALARM).inputs["alarmActions"] == []


def test_a_system_alarm_is_on_the_systems_own_namespace() -> None:
    found = system_alarm(alarm())
    assert found["namespace"] == "atc/prod"
    assert found["metricName"] == "QueueDepth"
    assert found["dimensions"] == {"Worker": "crypto"}
    assert found["statistic"] == "Sum"
    assert found["threshold"] == 50
    assert found["treatMissingData"] == "breaching"
    assert found["comparisonOperator"] == "GreaterThanThreshold"


def test_a_system_alarm_may_name_another_namespace() -> None:
    metric = model.Metric(name="Errors", namespace="AWS/Lambda", statistic="p99")
    found = system_alarm(alarm(metric=metric))
    assert found["namespace"] == "AWS/Lambda"
    assert found["extendedStatistic"] == "p99"


def test_an_expression_works_on_its_metrics() -> None:
    found = system_alarm(
        alarm(
            metric=None,
            metrics={"failed": model.Metric(name="Failed"), "all": model.Metric(name="All")},
            expression="100 * failed / all",
        )
    )
    by_id = {query["id"]: query for query in found["metricQueries"]}
    assert by_id["failed"]["metric"]["namespace"] == "atc/prod"
    assert by_id["failed"]["returnData"] is False
    assert by_id["watched_value"]["expression"] == "100 * failed / all"
    assert by_id["watched_value"]["returnData"] is True


def test_an_anomaly_is_judged_against_its_band() -> None:
    found = system_alarm(
        alarm(
            threshold=None,
            anomaly_band_width=3,
            comparison="GreaterThanUpperThreshold",
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )
    )
    by_id = {query["id"]: query for query in found["metricQueries"]}
    assert found["thresholdMetricId"] == "usual_band"
    assert "threshold" not in found
    assert by_id["usual_band"]["expression"] == "ANOMALY_DETECTION_BAND(watched_value, 3)"
    assert by_id["watched_value"]["metric"]["metricName"] == "QueueDepth"
    assert (found["evaluationPeriods"], found["datapointsToAlarm"]) == (3, 2)


def health(count: int) -> Callable[[], None]:
    def program() -> None:
        alerts = Topics("alerts", NOTIFICATIONS, CONTEXT)
        named = {f"a{number}": alarm() for number in range(count)}
        Alarms("alarms", {**named, "soft": alarm(severity="warning")}, CONTEXT, alerts)
        Health("critical", CONTEXT, alerts)

    return program


def test_the_composite_watches_critical_alarms_only() -> None:
    found = record(health(2), preview=True).one(COMPOSITE)
    assert found.inputs["alarmName"] == "atc-prod-critical"
    assert found.inputs["alarmRule"] == 'ALARM("atc-prod-a0") OR ALARM("atc-prod-a1")'
    assert found.inputs["alarmActions"] == [CRITICAL]


def test_more_than_a_hundred_alarms_are_watched_in_groups() -> None:
    records = record(health(150), preview=True)
    groups = records.named(COMPOSITE)
    assert set(groups) == {"critical", "critical-1", "critical-2"}
    counts = {name: one.inputs["alarmRule"].count("ALARM(") for name, one in groups.items()}
    assert counts == {"critical": 2, "critical-1": 100, "critical-2": 50}
    assert "atc-prod-critical-2" in groups["critical"].inputs["alarmRule"]
    assert "alarmActions" not in groups["critical-1"].inputs


def test_a_system_without_critical_alarms_is_never_in_alarm() -> None:
    assert record(health(0)).one(COMPOSITE).inputs["alarmRule"] == "FALSE"


def test_alarms_belong_to_their_component() -> None:
    records = declared()
    above = records.family(records.one(ALARM))
    assert [one.type for one in above] == ["gonogo:components:Thing"]
    assert json.dumps(records.one(ALARM).inputs["tags"], sort_keys=True) == json.dumps(
        {
            "Name": "atc-prod-thing-cpu",
            "severity": "critical",
            "system": "autonomous-trading-company",
        },
        sort_keys=True,
    )
