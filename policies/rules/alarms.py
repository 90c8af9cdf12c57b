"""Alarms: everything that can fail has one, and each one is heard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.framework import (
    NOT_DEV,
    Finding,
    Findings,
    Fix,
    Resource,
    Stack,
    UnknownRead,
    rule,
    same,
    skip,
)
from policies.framework.views import identities

METRIC = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
PROXY = "aws:rds/proxy:Proxy"
PROXY_TARGET = "aws:rds/proxyTarget:ProxyTarget"
CACHES = (
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:elasticache/cluster:Cluster",
)
SERVICE = "aws:ecs/service:Service"
LOAD_BALANCERS = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")

_DOCS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/"


@rule(
    "alarm-has-action",
    section="alarms",
    severity="high",
    types=(METRIC, COMPOSITE),
    scope="stack",
    lines=("001:95", "001:100"),
    why="An alarm that tells nobody only turns red on a page that nobody has open.",
    fix=Fix(
        "notifications (Gonogo wires every alarm to its severity's topic)",
        "aws.cloudwatch.MetricAlarm(alarm_actions=[topic.arn])",
    ),
    reference=f"{_DOCS}AlarmThatSendsEmail.html",
    tiers=NOT_DEV,
)
def alarm_has_action(alarm: Resource, stack: Stack) -> Findings:
    """An action of its own that is switched on, or a composite alarm that listens to it."""
    composite = _composite_of(alarm, stack)
    if _has_actions(alarm, stack):
        if not same(alarm.get("actionsEnabled", True), True):
            yield Finding("actionsEnabled: false", "true", "actionsEnabled")
    elif composite:
        skip(f"heard through the composite alarm '{composite.name}'")
    else:
        found = "empty" if alarm.has("alarmActions") else "not set"
        yield Finding(f"alarmActions: {found}", "one action at least", "alarmActions")


def _has_actions(alarm: Resource, stack: Stack) -> bool:
    """Whether there is an action. Its ARN need not be known: that there is one is enough."""
    if not alarm.has("alarmActions"):
        return False
    try:
        return len(alarm.get("alarmActions")) > 0
    except UnknownRead:
        if stack.sources(alarm, "alarmActions"):
            return True
        raise


def _composite_of(alarm: Resource, stack: Stack) -> Resource | None:
    names = identities(alarm)
    for composite in stack.of_type(COMPOSITE):
        expression = str(composite.known("alarmRule", ""))
        named = set(re.findall(r"[\w.:/-]+", expression))
        if composite is not alarm and (
            alarm in stack.sources(composite, "alarmRule") or names & named
        ):
            return composite
    return None


@rule(
    "alarm-topic-has-subscription",
    section="alarms",
    severity="high",
    types=(TOPIC,),
    scope="stack",
    lines=("001:95", "001:308"),
    why="A topic without a subscription swallows every alarm that is sent to it.",
    fix=Fix(
        "notifications.critical and notifications.warning: [{protocol: email, endpoint: ...}]",
        'aws.sns.TopicSubscription(topic=topic.arn, protocol="email", endpoint=...)',
    ),
    reference="https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html",
    tiers=NOT_DEV,
)
def topic_has_subscription(topic: Resource, stack: Stack) -> Findings:
    """Every topic that an alarm sends to. Decided by dependencies where ARNs are not known."""
    alarms = [
        alarm
        for alarm in stack.of_type(METRIC, COMPOSITE)
        if topic in stack.referred(alarm, "alarmActions", TOPIC)
    ]
    if not alarms:
        skip("no alarm of this stack sends to it")
    if not any(
        topic in stack.referred(subscription, "topic", TOPIC)
        for subscription in stack.of_type(SUBSCRIPTION)
    ):
        yield Finding(
            f"no subscription, and {len(alarms)} alarm{'s' if len(alarms) > 1 else ''} "
            "sending to it",
            "one subscription at least",
            "subscription",
        )


def _metrics(alarm: Resource) -> Iterator[Mapping[str, Any]]:
    """The alarm's metrics: its own, or those of its queries."""
    if alarm.has("metricName"):
        yield {
            "metricName": alarm.known("metricName"),
            "namespace": alarm.known("namespace"),
            "dimensions": alarm.known("dimensions") or {},
        }
    try:
        for query in alarm.get("metricQueries") or ():
            if "metric" in query:
                yield query["metric"]
    except UnknownRead:
        return


def _watches(alarm: Resource, target: Resource, stack: Stack) -> bool:
    if target in stack.sources(alarm, "dimensions", "metricQueries"):
        return True
    names = identities(target)
    for metric in _metrics(alarm):
        dimensions = metric.get("dimensions") or {}
        for key in dimensions:
            try:
                value = str(dimensions[key])
            except UnknownRead:
                continue
            # The nodes of a cache are called after their group: main-001.
            if value in names or re.sub(r"-\d{3}(-\d{3})?$", "", value) in names:
                return True
    return False


def _alarms_on(target: Resource, stack: Stack) -> list[Resource]:
    return [alarm for alarm in stack.of_type(METRIC) if _watches(alarm, target, stack)]


def _wants_alarm(target: Resource, stack: Stack, what: str) -> Findings:
    if not _alarms_on(target, stack):
        yield Finding("no alarm on it", f"one alarm at least, on {what}", "alarms")


@rule(
    "database-has-alarms",
    section="alarms",
    severity="high",
    types=(INSTANCE, CLUSTER),
    scope="stack",
    lines=("001:48", "001:95"),
    why="A full disk or a saturated processor is seen hours before it is an outage, by an alarm.",
    fix=Fix(
        "databases.<name>.alarms (Gonogo declares them with the database)",
        'aws.cloudwatch.MetricAlarm(namespace="AWS/RDS", metric_name="FreeStorageSpace", '
        'dimensions={"DBInstanceIdentifier": db.identifier})',
    ),
    reference="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html",
    tiers=NOT_DEV,
)
def database_has_alarms(database: Resource, stack: Stack) -> Findings:
    """An alarm on the instance or cluster."""
    yield from _wants_alarm(database, stack, "FreeStorageSpace, CPUUtilization ...")


@rule(
    "database-connections-alarm",
    section="alarms",
    severity="high",
    types=(INSTANCE, CLUSTER),
    scope="stack",
    lines=("001:98",),
    why="When the last connection is taken every service fails at once.",
    fix=Fix(
        "databases.<name>.alarms.connections_percent: 80",
        'aws.cloudwatch.MetricAlarm(namespace="AWS/RDS", metric_name="DatabaseConnections", '
        'dimensions={"DBInstanceIdentifier": db.identifier})',
    ),
    reference="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html",
    tiers=NOT_DEV,
)
def database_connections_alarm(database: Resource, stack: Stack) -> Findings:
    """An alarm on the connections of the database, or of the proxy in front of it."""
    if database.has("replicateSourceDb"):
        skip("a read replica: the writer's connections are what runs out")
    proxies = [
        proxy
        for target in stack.of_type(PROXY_TARGET)
        if database
        in stack.referred(target, "dbInstanceIdentifier", INSTANCE)
        + stack.referred(target, "dbClusterIdentifier", CLUSTER)
        for proxy in stack.referred(target, "dbProxyName", PROXY)
    ]
    for watched in (database, *proxies):
        for alarm in _alarms_on(watched, stack):
            if any("connection" in str(m.get("metricName", "")).lower() for m in _metrics(alarm)):
                return
    yield Finding("no alarm on its connections", "one on DatabaseConnections", "alarms")


@rule(
    "cache-has-alarms",
    section="alarms",
    severity="high",
    types=CACHES,
    scope="stack",
    lines=("001:95",),
    why="A cache that evicts or is full makes everything behind it slow without failing itself.",
    fix=Fix(
        "caches.<name>.alarms (Gonogo declares them with the cache)",
        'aws.cloudwatch.MetricAlarm(namespace="AWS/ElastiCache", '
        'metric_name="DatabaseMemoryUsagePercentage", dimensions={"ReplicationGroupId": group.id})',
    ),
    reference="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html",
    tiers=NOT_DEV,
)
def cache_has_alarms(cache: Resource, stack: Stack) -> Findings:
    """An alarm on the group or on one of its nodes."""
    if cache.has("replicationGroupId") and cache.type == CACHES[1]:
        skip("a member of a replication group, which has the alarms")
    yield from _wants_alarm(cache, stack, "memory, CPU, evictions ...")


@rule(
    "service-has-alarms",
    section="alarms",
    severity="high",
    types=(SERVICE,),
    scope="stack",
    lines=("001:95", "001:99"),
    why="A service that restarts over and over looks fine to whoever is not asking.",
    fix=Fix(
        "services.<name>.alarms (Gonogo declares them with the service)",
        'aws.cloudwatch.MetricAlarm(namespace="AWS/ECS", metric_name="CPUUtilization", '
        'dimensions={"ClusterName": ..., "ServiceName": service.name})',
    ),
    reference="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html",
    tiers=NOT_DEV,
)
def service_has_alarms(service: Resource, stack: Stack) -> Findings:
    """An alarm on each ECS service."""
    yield from _wants_alarm(service, stack, "CPUUtilization, RunningTaskCount ...")


@rule(
    "load-balancer-has-alarms",
    section="alarms",
    severity="high",
    types=LOAD_BALANCERS,
    scope="stack",
    lines=("001:95", "001:99"),
    why="The load balancer is where an error rate is seen first, by what users get.",
    fix=Fix(
        "services.<name>.alarms.error_rate_percent: 1",
        'aws.cloudwatch.MetricAlarm(namespace="AWS/ApplicationELB", '
        'metric_name="HTTPCode_Target_5XX_Count", dimensions={"LoadBalancer": lb.arn_suffix})',
    ),
    reference="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html",
    tiers=NOT_DEV,
)
def load_balancer_has_alarms(balancer: Resource, stack: Stack) -> Findings:
    """An alarm on each load balancer."""
    yield from _wants_alarm(balancer, stack, "5xx responses, unhealthy hosts ...")
