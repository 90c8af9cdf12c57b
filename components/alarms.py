"""Who hears of what goes wrong, and the metric alarms that tell them.

Every component declares its own alarms with `metric_alarm`; `Topics` remembers them all, so that
the composite alarm and the dashboard need no second list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from components.base import Component, Context, known
from components.encryption import Key
from systems.model import Notifications, Severity, Subscription

Comparison = Literal[
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
]
MissingData = Literal["breaching", "notBreaching", "ignore", "missing"]


@dataclass(frozen=True)
class Declared:
    """One alarm that was declared, as the composite alarm and the dashboard need it."""

    name: str
    severity: Severity
    resource: aws.cloudwatch.MetricAlarm


class Topics(Component):
    """One SNS topic a severity, encrypted, with its subscriptions.

    CloudWatch, EventBridge, RDS events and AWS Backup of this account may publish, nobody else.
    """

    def __init__(
        self,
        name: str,
        args: Notifications,
        context: Context,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Topics", name, context, opts)
        self.declared: list[Declared] = []
        self._key = Key(
            "alerts",
            f"Alarm topics of {context.name()}",
            context,
            ("backup", "cloudwatch", "events", "rds"),
            opts=self.child(),
        )
        self.critical = self._topic(f"{name}-critical", "critical", args.critical)
        self.warning = self._topic(f"{name}-warning", "warning", args.warning)
        self.register_outputs({"critical": self.critical.arn, "warning": self.warning.arn})

    def arn(self, severity: Severity) -> pulumi.Output[str]:
        """The ARN of the topic of that severity, known at preview."""
        topic = self.critical if severity == "critical" else self.warning
        return known(self.context.arn("sns", self.physical_name(severity)), topic)

    def physical_name(self, severity: Severity) -> str:
        """The topic's name in AWS."""
        return self.context.name("alerts", severity)

    def _topic(
        self, name: str, severity: Severity, subscriptions: Sequence[Subscription]
    ) -> aws.sns.Topic:
        physical = self.physical_name(severity)
        topic = aws.sns.Topic(
            name,
            name=physical,
            kms_master_key_id=known(self._key.alias, self._key.key_alias),
            tags=self.tagged(physical),
            opts=self.child(),
        )
        arn = known(self.context.arn("sns", physical), topic)
        aws.sns.TopicPolicy(
            name,
            arn=arn,
            policy=json.dumps(_topic_policy(self.context, physical)),
            opts=self.child(),
        )
        for index, subscription in enumerate(subscriptions, start=1):
            aws.sns.TopicSubscription(
                f"{name}-{index}",
                topic=arn,
                protocol=subscription.protocol,
                endpoint=subscription.endpoint,
                opts=self.child(),
            )
        return topic


# AWS fills in no condition key when EventBridge publishes to SNS, so a condition there would
# drop every message in silence.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
_ACCOUNT_BOUND = ("cloudwatch.amazonaws.com", "events.rds.amazonaws.com", "backup.amazonaws.com")
_UNCONDITIONAL = ("events.amazonaws.com",)


def _topic_policy(context: Context, topic: str) -> dict[str, Any]:
    arn = context.arn("sns", topic)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Alarms",
                "Effect": "Allow",
                "Principal": {"Service": list(_ACCOUNT_BOUND)},
                "Action": "sns:Publish",
                "Resource": arn,
                "Condition": {"StringEquals": {"aws:SourceAccount": context.account}},
            },
            {
                "Sid": "Events",
                "Effect": "Allow",
                "Principal": {"Service": list(_UNCONDITIONAL)},
                "Action": "sns:Publish",
                "Resource": arn,
            },
        ],
    }


def metric_alarm(
    parent: Component,
    name: str,
    *,
    topics: Topics | None,
    severity: Severity,
    description: str,
    runbook: str,
    missing_data: MissingData,
    threshold: float | None = None,
    comparison: Comparison = "GreaterThanThreshold",
    evaluation_periods: int = 1,
    datapoints_to_alarm: int | None = None,
    namespace: str | None = None,
    metric: pulumi.Input[str] | None = None,
    statistic: str = "Average",
    period_seconds: int = 60,
    dimensions: Mapping[str, pulumi.Input[str]] | None = None,
    queries: Sequence[aws.cloudwatch.MetricAlarmMetricQueryArgs] | None = None,
    threshold_query: str | None = None,
) -> aws.cloudwatch.MetricAlarm:
    """One CloudWatch alarm, wired to the topic of its severity, its runbook in the description.

    `name` is unique among all alarms of the stack (`database-main-cpu`); the name in AWS is
    `<code>-<tier>-<name>`. Give either `metric` with `namespace`, or `queries` (see `metric_query`
    and `expression_query`). `threshold_query` is the id of an anomaly band instead of `threshold`.
    The topic hears of the alarm and of its end.
    """
    if (metric is None) == (queries is None):
        raise ValueError(f"alarm {name}: give exactly one of metric and queries")
    if (threshold is None) == (threshold_query is None):
        raise ValueError(f"alarm {name}: give exactly one of threshold and threshold_query")
    context = parent.context
    physical = context.name(name)
    if topics and any(other.name == physical for other in topics.declared):
        raise ValueError(f"two alarms are called {name}: rename one of them")
    plain = statistic in _STATISTICS
    single = metric is not None
    notify = [topics.arn(severity)] if topics else []
    alarm = aws.cloudwatch.MetricAlarm(
        name,
        name=physical,
        alarm_description=f"{description} Runbook: {context.runbook(runbook)}",
        namespace=namespace,
        metric_name=metric,
        statistic=statistic if single and plain else None,
        extended_statistic=statistic if single and not plain else None,
        period=period_seconds if single else None,
        dimensions=dict(dimensions) if single and dimensions else None,
        metric_queries=list(queries) if queries else None,
        threshold=threshold,
        threshold_metric_id=threshold_query,
        comparison_operator=comparison,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints_to_alarm,
        treat_missing_data=missing_data,
        alarm_actions=notify,
        ok_actions=notify,
        tags=parent.tagged(physical, severity=severity),
        opts=parent.child(),
    )
    if topics:
        topics.declared.append(Declared(physical, severity, alarm))
    return alarm


_STATISTICS = frozenset({"Average", "Sum", "Minimum", "Maximum", "SampleCount"})


def metric_query(
    query_id: str,
    *,
    namespace: str,
    metric: str,
    statistic: str,
    period_seconds: int = 60,
    dimensions: Mapping[str, pulumi.Input[str]] | None = None,
    return_data: bool = False,
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    """One metric that an expression of the same alarm uses by `query_id`."""
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=query_id,
        return_data=return_data,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=namespace,
            metric_name=metric,
            stat=statistic,
            period=period_seconds,
            dimensions=dict(dimensions) if dimensions else None,
        ),
    )


def expression_query(
    query_id: str, expression: str, *, label: str, return_data: bool = True
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    """The expression that the alarm watches, or the anomaly band it watches against."""
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=query_id, expression=expression, label=label, return_data=return_data
    )
