"""Alarms on metrics, who hears of them, and dashboards."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import Model, Name, Says, Severity, misfit

Statistic = Annotated[
    str,
    StringConstraints(pattern=r"^(Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d{1,2})?)$"),
    Says("Average, Sum, Minimum, Maximum, SampleCount, or a percentile such as p95"),
]

MetricId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-zA-Z0-9_]*$"),
    Says("an id of CloudWatch's metric math: letters, digits, underscores, a small letter first"),
]

PeriodSeconds = Literal[10, 30, 60, 120, 300, 600, 900, 1800, 3600, 21600, 86400]


class Metric(Model):
    """A CloudWatch metric. Without a namespace it is the system's own: what the application
    publishes under `METRICS_NAMESPACE` (docs/application-contract.md)."""

    name: str = Field(min_length=1)
    namespace: str | None = None
    statistic: Statistic = "Sum"
    period_seconds: PeriodSeconds = 60
    dimensions: dict[str, str] = {}


class Alarm(Model):
    """One metric alarm, on a metric or on an expression over several (`metrics` by id).

    `missing_data` has no default: whether silence is an alarm is decided for each one.
    """

    description: str = Field(min_length=1)
    metric: Metric | None = None
    metrics: dict[MetricId, Metric] = {}
    expression: str | None = None
    comparison: Literal[
        "GreaterThanThreshold",
        "GreaterThanOrEqualToThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
        "GreaterThanUpperThreshold",
        "LessThanLowerThreshold",
        "LessThanLowerOrGreaterThanUpperThreshold",
    ] = "GreaterThanThreshold"
    threshold: float | None = None
    anomaly_band_width: float | None = Field(default=None, gt=0)
    evaluation_periods: int = Field(default=1, ge=1, le=1440)
    datapoints_to_alarm: int | None = Field(default=None, ge=1)
    missing_data: Literal["breaching", "notBreaching", "ignore", "missing"]
    severity: Severity = "critical"
    runbook: Name

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.metric is None) == (self.expression is None):
            both = self.metric is not None
            raise misfit(
                "metric",
                "both metric and expression" if both else "neither metric nor expression",
                "exactly one of metric, and expression with metrics",
                "remove one of them" if both else "add metric: with its name",
            )
        if self.expression is not None and not self.metrics:
            raise misfit(
                "metrics",
                "nothing",
                "the metrics that the expression works on, by id",
                "add metrics:",
            )
        if self.expression is None and self.metrics:
            raise misfit(
                "metrics", "metrics without an expression", "metric, or expression with metrics",
                "add expression:, or write metric: for a single one",
            )  # fmt: skip
        return self

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.threshold is None) == (self.anomaly_band_width is None):
            both = self.threshold is not None
            raise misfit(
                "threshold",
                "both threshold and anomaly_band_width" if both else "no threshold",
                "exactly one of threshold and anomaly_band_width",
                "remove one of them" if both else "add threshold:",
            )
        banded = self.comparison in {
            "GreaterThanUpperThreshold",
            "LessThanLowerThreshold",
            "LessThanLowerOrGreaterThanUpperThreshold",
        }
        if banded != (self.anomaly_band_width is not None):
            raise misfit(
                "comparison",
                f'"{self.comparison}"',
                "one of the comparisons with a band's edge when there is an anomaly_band_width, "
                "one with the threshold otherwise",
                f"take {'GreaterThanThreshold' if banded else 'GreaterThanUpperThreshold'} or such",
            )
        if (self.datapoints_to_alarm or 1) > self.evaluation_periods:
            raise misfit(
                "datapoints_to_alarm",
                f"{self.datapoints_to_alarm} of {self.evaluation_periods} evaluation_periods",
                f"a whole number from 1 to {self.evaluation_periods}",
                "lower it, or raise evaluation_periods",
            )
        return self


class Subscription(Model):
    """Who hears of an alarm."""

    protocol: Literal["email", "https", "sms", "sqs"]
    endpoint: str = Field(min_length=3)


class Notifications(Model):
    """Subscriptions by severity: an alarm of that severity reaches all of them."""

    critical: tuple[Subscription, ...] = Field(min_length=1)
    warning: tuple[Subscription, ...] = Field(min_length=1)


class Widget(Model):
    """One graph of the dashboard."""

    title: str = Field(min_length=1)
    metrics: tuple[Metric, ...] = Field(min_length=1)


class Dashboard(Model):
    """Graphs of the application's own metrics; the rest is made from what is declared."""

    title: str = Field(min_length=1)
    widgets: tuple[Widget, ...] = Field(min_length=1)
