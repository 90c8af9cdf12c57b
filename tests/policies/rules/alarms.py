"""Cases of alarms: that they are there, that they act, that somebody hears them."""

from __future__ import annotations

from typing import Any

from policies.testing import UNKNOWN, Plan
from tests.policies.rules.cases import Case, one

METRIC = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
DB = "aws:rds/instance:Instance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
SERVICE = "aws:ecs/service:Service"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"

ACTION = "alarm-has-action"
HEARD = "alarm-topic-has-subscription"
ARN = "arn:aws:sns:us-east-1:000000000000:atc-prod-critical"


def acting(actions: Any, *, wired: bool) -> Plan:
    return (
        Plan()
        .add(TOPIC, "topic", {}, outputs={"arn": UNKNOWN})
        .add(
            METRIC,
            "it",
            {"alarmActions": actions},
            depends={"alarmActions": "topic"} if wired else {},
        )
    )


def topic(*, subscribed: bool, written: bool = False, used: bool = True) -> Plan:
    """A topic, told by dependency while its ARN is unknown, or by an ARN that is written out."""
    plan = Plan().add(TOPIC, "it", {"name": "atc-prod-critical"}, outputs={"arn": UNKNOWN})
    value, depends = (ARN, {}) if written else (UNKNOWN, {"alarmActions": "it", "topic": "it"})
    if used:
        plan.add(METRIC, "alarm", {"alarmActions": [value]}, depends=_only(depends, "alarmActions"))
    if subscribed:
        properties = {"topic": value, "protocol": "email"}
        plan.add(SUBSCRIPTION, "mail", properties, depends=_only(depends, "topic"))
    return plan


def _only(depends: dict[str, str], key: str) -> dict[str, str]:
    return {key: depends[key]} if key in depends else {}


def watched(
    kind: str, properties: dict[str, Any], dimensions: dict[str, Any] | None, **alarm: Any
) -> Plan:
    """A resource, and an alarm with these dimensions; an unknown one comes from the resource."""
    plan = Plan().add(kind, "it", properties, outputs={"arn": UNKNOWN})
    if dimensions is not None:
        unknown = UNKNOWN in dimensions.values()
        plan.add(
            METRIC,
            "alarm",
            {"metricName": "CPUUtilization", "dimensions": dimensions, **alarm},
            depends={"dimensions": "it"} if unknown else {},
        )
    return plan


def has(rule: str, kind: str, properties: dict[str, Any], dimension: str, value: str) -> list[Case]:
    """The cases that all "has alarms" rules share."""
    return [
        Case(rule, "pass", "it", watched(kind, properties, {dimension: value}), "by name"),
        Case(rule, "pass", "it", watched(kind, properties, {dimension: UNKNOWN}), "by dependency"),
        Case(rule, "fail", "it", watched(kind, properties, None), "missing", "no alarm on it"),
        Case(
            rule, "fail", "it", watched(kind, properties, {dimension: "x"}), "another's", "no alarm"
        ),
        Case(rule, "not_applicable", "it", watched(kind, properties, None), "dev", tier="dev"),
    ]


CONNECTIONS = "database-connections-alarm"
MAIN = {"identifier": "atc-prod-main"}
ON_MAIN = {"DBInstanceIdentifier": "atc-prod-main"}
QUERY = {
    "metricName": None,
    "metricQueries": [
        {"id": "m", "metric": {"metricName": "DatabaseConnections", "dimensions": ON_MAIN}}
    ],
}
PROXIED = (
    Plan()
    .add(DB, "it", MAIN)
    .add("aws:rds/proxy:Proxy", "proxy", {"name": "atc-prod-proxy"})
    .add(
        "aws:rds/proxyTarget:ProxyTarget",
        "target",
        {"dbInstanceIdentifier": "atc-prod-main", "dbProxyName": "atc-prod-proxy"},
    )
    .add(
        METRIC,
        "alarm",
        {"metricName": "DatabaseConnections", "dimensions": {"ProxyName": "atc-prod-proxy"}},
    )
)
CASES: list[Case] = [
    Case(ACTION, "pass", "it", acting([UNKNOWN], wired=True), "an ARN that is not known yet"),
    Case(ACTION, "pass", "it", acting(UNKNOWN, wired=True), "a list that is not known yet"),
    Case(ACTION, "undecided", "it", acting(UNKNOWN, wired=False), "unknown, from nowhere"),
    Case(ACTION, "fail", "it", acting([], wired=False), "empty", found="alarmActions: empty"),
    one(ACTION, "fail", METRIC, {}, "missing", found="alarmActions: not set"),
    one(
        ACTION,
        "fail",
        METRIC,
        {"alarmActions": ["arn:aws:sns:x"], "actionsEnabled": False},
        "off",
        found="actionsEnabled: false",
    ),
    one(ACTION, "not_applicable", METRIC, {}, "dev", tier="dev"),
    Case(
        ACTION,
        "not_applicable",
        "it",
        Plan()
        .add(METRIC, "it", {"name": "lag"})
        .add(COMPOSITE, "c", {"alarmRule": "ALARM(lag) OR ALARM(x)", "alarmActions": [ARN]}),
        "heard through a composite",
    ),
    Case(HEARD, "pass", "it", topic(subscribed=True), "by dependency"),
    Case(HEARD, "pass", "it", topic(subscribed=True, written=True), "by a written-out ARN"),
    Case(
        HEARD,
        "fail",
        "it",
        topic(subscribed=False),
        "missing",
        found="no subscription, and 1 alarm",
    ),
    Case(
        HEARD,
        "fail",
        "it",
        topic(subscribed=False, written=True),
        "missing, ARN",
        "no subscription",
    ),
    Case(HEARD, "not_applicable", "it", topic(subscribed=False, used=False), "no alarm uses it"),
    *has("database-has-alarms", DB, MAIN, "DBInstanceIdentifier", "atc-prod-main"),
    *has("service-has-alarms", SERVICE, {"name": "api"}, "ServiceName", "api"),
    *has("load-balancer-has-alarms", BALANCER, {"arnSuffix": "app/x/1"}, "LoadBalancer", "app/x/1"),
    *has("cache-has-alarms", CACHE, {"replicationGroupId": "main"}, "CacheClusterId", "main-001"),
    Case(
        CONNECTIONS,
        "pass",
        "it",
        watched(DB, MAIN, ON_MAIN, metricName="DatabaseConnections"),
        "there",
    ),
    Case(CONNECTIONS, "pass", "it", watched(DB, MAIN, {}, **QUERY), "in an expression"),
    Case(CONNECTIONS, "pass", "it", PROXIED, "on the proxy"),
    Case(
        CONNECTIONS, "fail", "it", watched(DB, MAIN, ON_MAIN), "only CPU", found="its connections"
    ),
    one(CONNECTIONS, "not_applicable", DB, {"replicateSourceDb": "x"}, "replica"),
]
