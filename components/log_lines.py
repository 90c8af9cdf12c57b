"""An alarm on how many lines of a log say something."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.alarms import Topics, metric_alarm
from components.base import Component, known


def log_line_alarm(
    parent: Component,
    metric: str,
    *,
    log_group: pulumi.Input[str],
    pattern: str,
    limit_per_minute: int,
    topics: Topics | None,
    description: str,
    runbook: str,
) -> None:
    """Count the lines that match, in the system's own namespace, and warn above the limit.

    A silent log is a good one: no line, no alarm.
    """
    context = parent.context
    counted = aws.cloudwatch.LogMetricFilter(
        metric,
        name=context.name(metric),
        log_group_name=log_group,
        pattern=pattern,
        metric_transformation={
            "name": metric,
            "namespace": context.namespace,
            "value": "1",
            "default_value": "0",
        },
        opts=parent.child(),
    )
    metric_alarm(
        parent,
        metric,
        topics=topics,
        severity="warning",
        description=description,
        runbook=runbook,
        namespace=context.namespace,
        metric=known(metric, counted),
        statistic="Sum",
        threshold=limit_per_minute,
        missing_data="notBreaching",
    )
