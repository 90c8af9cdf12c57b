"""The system's own alarms, and the one that says whether anything critical is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.alarms import Topics, expression_query, metric_alarm, metric_query
from components.base import Component, Context, known
from systems.model import Alarm, Metric

_CHILDREN = 100
"""As many alarms may one composite alarm watch.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html"""

_BAND = "usual_band"
_VALUE = "watched_value"


class Alarms(Component):
    """One metric alarm for each that the system declares.

    A metric without a namespace is the application's own, in `<code>/<tier>`.
    """

    def __init__(
        self,
        name: str,
        args: Mapping[str, Alarm],
        context: Context,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Alarms", name, context, opts)
        for alarm_name, alarm in args.items():
            self._declare(alarm_name, alarm, topics)
        self.register_outputs({})

    def _declare(self, name: str, alarm: Alarm, topics: Topics | None) -> None:
        queries = list(self._queries(alarm))
        metric = alarm.metric
        plain = metric is not None and not queries
        metric_alarm(
            self,
            name,
            topics=topics,
            severity=alarm.severity,
            description=alarm.description,
            runbook=alarm.runbook,
            missing_data=alarm.missing_data,
            comparison=alarm.comparison,
            threshold=alarm.threshold,
            threshold_query=_BAND if alarm.anomaly_band_width is not None else None,
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.datapoints_to_alarm,
            namespace=self._namespace(metric) if plain and metric else None,
            metric=metric.name if plain and metric else None,
            statistic=metric.statistic if plain and metric else "Average",
            period_seconds=metric.period_seconds if plain and metric else 60,
            dimensions=metric.dimensions if plain and metric else None,
            queries=queries or None,
        )

    def _queries(self, alarm: Alarm) -> Iterator[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
        """An expression over metrics, or the band around a metric's usual values; else nothing."""
        banded = alarm.anomaly_band_width is not None
        for query_id, metric in alarm.metrics.items():
            yield self._query(query_id, metric, return_data=False)
        if alarm.expression is not None:
            yield expression_query(_VALUE, alarm.expression, label=alarm.description)
        elif alarm.metric is not None and banded:
            yield self._query(_VALUE, alarm.metric, return_data=True)
        if banded:
            band = f"ANOMALY_DETECTION_BAND({_VALUE}, {alarm.anomaly_band_width:g})"
            yield expression_query(_BAND, band, label="Usual values")

    def _query(
        self, query_id: str, metric: Metric, *, return_data: bool
    ) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
        return metric_query(
            query_id,
            namespace=self._namespace(metric),
            metric=metric.name,
            statistic=metric.statistic,
            period_seconds=metric.period_seconds,
            dimensions=metric.dimensions,
            return_data=return_data,
        )

    def _namespace(self, metric: Metric) -> str:
        return metric.namespace or self.context.namespace


class Health(Component):
    """`<code>-<tier>-critical`: in alarm while any critical alarm is.

    For who asks whether the system is well in one word: a promotion, a status page. Those who are
    paged hear of each alarm by itself.
    """

    alarm_name: str

    def __init__(
        self,
        name: str,
        context: Context,
        topics: Topics,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Health", name, context, opts)
        self.alarm_name = context.name(name)
        watched = [
            known(f'ALARM("{alarm.name}")', alarm.resource)
            for alarm in topics.declared
            if alarm.severity == "critical"
        ]
        if len(watched) > _CHILDREN:
            watched = [
                self._group(f"{name}-{number}", group)
                for number, group in enumerate(_in_groups(watched), start=1)
            ]
        self._composite(name, watched, topics)
        self.register_outputs({"name": self.alarm_name})

    def _group(self, name: str, watched: Sequence[pulumi.Output[str]]) -> pulumi.Output[str]:
        alarm = self._composite(name, watched, None)
        return known(f'ALARM("{self.context.name(name)}")', alarm)

    def _composite(
        self, name: str, watched: Sequence[pulumi.Output[str]], topics: Topics | None
    ) -> aws.cloudwatch.CompositeAlarm:
        physical = self.context.name(name)
        notify = [topics.arn("critical")] if topics else None
        rule = pulumi.Output.all(*watched).apply(" OR ".join) if watched else "FALSE"
        return aws.cloudwatch.CompositeAlarm(
            name,
            alarm_name=physical,
            alarm_description=(
                "Something critical is wrong: see which alarms are red. "
                f"Runbook: {self.context.runbook('on-call')}"
            ),
            alarm_rule=rule,
            alarm_actions=notify,
            ok_actions=notify,
            tags=self.tagged(physical, severity="critical"),
            opts=self.child(),
        )


def _in_groups(watched: Sequence[pulumi.Output[str]]) -> Iterator[Sequence[pulumi.Output[str]]]:
    for start in range(0, len(watched), _CHILDREN):
        yield watched[start : start + _CHILDREN]
