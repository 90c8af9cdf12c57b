"""Slow queries: PostgreSQL writes them to its log, a filter counts them, an alarm tells."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.alarms import Topics, metric_alarm
from components.base import Component, known
from systems import model

# As `log_min_duration_statement` writes a query that took longer:
# `…:application@app:[1234]:LOG:  duration: 1532.112 ms  statement: SELECT …`
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.Query_Logging.html
_PATTERN = '"LOG:  duration:"'


def slow_query_alarm(
    parent: Component,
    name: str,
    args: model.Database,
    topics: Topics | None,
    log_group: pulumi.Input[str],
) -> None:
    """Counts lines of the server's exported log, in the system's own namespace.

    What counts as slow is `slow_query_log_ms`; only such queries are in the log at all.
    """
    limit = args.alarms.slow_queries_per_minute
    context = parent.context
    metric = f"database-{name}-slow-queries"
    counted = aws.cloudwatch.LogMetricFilter(
        metric,
        name=context.name(metric),
        log_group_name=log_group,
        pattern=_PATTERN,
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
        description=(
            f"Database {name}: more than {limit} queries in a minute took longer than "
            f"{args.slow_query_log_ms} ms."
        ),
        runbook="database-latency",
        namespace=context.namespace,
        metric=known(metric, counted),
        statistic="Sum",
        threshold=limit,
        # The log is silent while every query is quick.
        missing_data="notBreaching",
    )
