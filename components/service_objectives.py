"""A service's objectives over a day: its share of failed requests, and of minutes it was there.

They ring late and mean much: the error budget of the day is spent. What is wrong at this minute is
told by the service's other alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

import pulumi

from components.alarms import Topics, expression_query, metric_alarm, metric_query
from components.base import Component
from systems import model

_NAMESPACE = "AWS/ApplicationELB"
_DAY_SECONDS = 86400
_DAY_MINUTES = 1440


def failed_requests(
    parent: Component,
    name: str,
    percent: float,
    dimensions: Mapping[str, pulumi.Input[str]],
    *,
    topics: Topics | None,
    runbook: str,
) -> None:
    """Failed requests (5xx) of all of the last 24 hours, percent. No requests are no failures."""
    metrics = {"requests": "RequestCount", "errors": "HTTPCode_Target_5XX_Count"}
    metric_alarm(
        parent,
        f"{name}-daily-errors",
        topics=topics,
        severity="warning",
        description=f"More than {percent:g} % of a day's requests to {name} failed (5xx).",
        runbook=runbook,
        queries=[
            *(
                metric_query(
                    query_id,
                    namespace=_NAMESPACE,
                    metric=metric,
                    statistic="Sum",
                    period_seconds=_DAY_SECONDS,
                    dimensions=dimensions,
                )
                for query_id, metric in metrics.items()
            ),
            expression_query(
                "rate", "100 * FILL(errors, 0) / requests", label="Failed requests, percent"
            ),
        ],
        threshold=percent,
        missing_data="notBreaching",
    )


def uptime(
    parent: Component,
    name: str,
    percent: float,
    dimensions: Mapping[str, pulumi.Input[str]],
    *,
    topics: Topics | None,
    runbook: str,
) -> None:
    """As many minutes of a day without a ready target as are too many for `percent`.

    A minute without a word is one without a target, so a new service is in alarm for its first day.
    """
    too_many = floor(_DAY_MINUTES * (100 - percent) / 100 + 1e-9) + 1
    metric_alarm(
        parent,
        f"{name}-daily-uptime",
        topics=topics,
        severity="warning",
        description=(
            f"No target of {name} was ready for {too_many} minutes of a day: "
            f"under {percent:g} % uptime."
        ),
        runbook=runbook,
        namespace=_NAMESPACE,
        metric="HealthyHostCount",
        statistic="Maximum",
        dimensions=dimensions,
        comparison="LessThanThreshold",
        threshold=1,
        evaluation_periods=_DAY_MINUTES,
        datapoints_to_alarm=too_many,
        missing_data="breaching",
    )


def declare_objectives(
    parent: Component,
    name: str,
    args: model.ServiceAlarms,
    dimensions: Mapping[str, pulumi.Input[str]],
    *,
    topics: Topics | None,
    runbook: str,
) -> None:
    """Those objectives that the service has."""
    for percent, declare in (
        (args.daily_error_rate_percent, failed_requests),
        (args.daily_uptime_percent, uptime),
    ):
        if percent is not None:
            declare(parent, name, percent, dimensions, topics=topics, runbook=runbook)
