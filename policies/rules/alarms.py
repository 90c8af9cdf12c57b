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
from policies.framework.stack import identities

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
    """The composite alarm that listens to this one, by dependency or by name in its rule."""
    by_urn, by_word = stack.once("composites", lambda: _index_composites(stack))
    found = [by_urn.get(alarm.urn), *(by_word.get(name) for name in identities(alarm))]
    return next((item for item in found if item is not None and item is not alarm), None)


def _index_composites(stack: Stack) -> tuple[dict[str, Resource], dict[str, Resource]]:
    by_urn: dict[str, Resource] = {}
    by_word: dict[str, Resource] = {}
    for composite in stack.of_type(COMPOSITE):
        for source in stack.sources(composite, "alarmRule"):
            by_urn[source.urn] = composite
        for word in re.findall(r"[\w.:/-]+", str(composite.known("alarmRule", ""))):
            by_word[word] = composite
    return by_urn, by_word


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
    alarms = stack.referring(topic, "alarmActions", METRIC, COMPOSITE)
    if not alarms:
        skip("no alarm of this stack sends to it")
    if not stack.referring(topic, "topic", SUBSCRIPTION):
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


def _alarms_on(target: Resource, stack: Stack) -> list[Resource]:
    """The alarms on a metric of the target: by dependency, or by its name in a dimension."""
    by_urn, by_value = stack.once("alarms", lambda: _index_alarms(stack))
    found = {alarm.urn: alarm for alarm in by_urn.get(target.urn, ())}
    for name in identities(target):
        found.update((alarm.urn, alarm) for alarm in by_value.get(name, ()))
    return list(found.values())


Index = dict[str, list[Resource]]


def _index_alarms(stack: Stack) -> tuple[Index, Index]:
    by_urn: Index = {}
    by_value: Index = {}
    for alarm in stack.of_type(METRIC):
        for source in stack.sources(alarm, "dimensions", "metricQueries"):
            by_urn.setdefault(source.urn, []).append(alarm)
        for value in {value for metric in _metrics(alarm) for value in _dimensions(metric)}:
            by_value.setdefault(value, []).append(alarm)
    return by_urn, by_value


def _dimensions(metric: Mapping[str, Any]) -> Iterator[str]:
    dimensions = metric.get("dimensions") or {}
    for key in dimensions:
        try:
            value = str(dimensions[key])
        except UnknownRead:
            continue
        yield value
        # The nodes of a cache are called after their group: main-001, main-0001-001.
        yield re.sub(r"(-\d{4})?-\d{3}$", "", value)


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
    named = "dbInstanceIdentifier" if database.type == INSTANCE else "dbClusterIdentifier"
    proxies = [
        proxy
        for target in stack.referring(database, named, PROXY_TARGET)
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
