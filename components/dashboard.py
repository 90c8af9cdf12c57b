"""The CloudWatch dashboard of a system: health first, then its own figures, then the parts.

Graphs name what they show by the names we gave it (the load balancer by `SEARCH`), so the body is
known at preview.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.base import Component, Context, known
from systems import model

Json = dict[str, Any]

_WIDTH = 24
_PER_ROW = 3
_HEIGHT = 6
_ALARMS_SHOWN = 100
"""As many alarms may one widget show."""


@dataclass(frozen=True)
class Shown:
    """What the dashboard shows, by physical names."""

    alarms: Sequence[str]
    cluster: str
    workloads: Sequence[str]
    load_balancer: str | None = None
    queues: Mapping[str, model.QueueScaling] = field(default_factory=dict)
    databases: Sequence[str] = ()
    proxies: Sequence[str] = ()
    caches: Sequence[str] = ()
    dashboards: Sequence[model.Dashboard] = ()


class Dashboard(Component):
    """One dashboard, `<code>-<tier>`."""

    dashboard_name: str
    url: str

    def __init__(
        self,
        name: str,
        shown: Shown,
        context: Context,
        opts: pulumi.ResourceOptions | None = None,
        *,
        title: str = "",
    ) -> None:
        super().__init__("Dashboard", name, context, opts)
        self.dashboard_name = context.name()
        dashboard = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=self.dashboard_name,
            dashboard_body=json.dumps(body(shown, context, title or self.dashboard_name)),
            opts=self.child(),
        )
        self.url = (
            f"https://{context.region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={context.region}#dashboards/dashboard/{self.dashboard_name}"
        )
        self.register_outputs({"name": known(self.dashboard_name, dashboard), "url": self.url})


def body(shown: Shown, context: Context, title: str) -> Json:
    """The whole dashboard as CloudWatch reads it."""
    sections: list[tuple[str, list[Json]]] = [
        (title, list(_health(shown, context))),
        *(
            (dashboard.title, [_own(widget, context) for widget in dashboard.widgets])
            for dashboard in shown.dashboards
        ),
        ("Queues", list(_queues(shown, context))),
        ("Errors", list(_errors(shown, context))),
        ("Databases", list(_databases(shown, context))),
        ("Caches", list(_caches(shown, context))),
    ]
    return {"start": "-PT3H", "periodOverride": "inherit", "widgets": list(_laid_out(sections))}


def _laid_out(sections: Sequence[tuple[str, list[Json]]]) -> Iterator[Json]:
    """Sections one below the other, three graphs a row; empty sections are left out."""
    y = 0
    for title, widgets in sections:
        if not widgets:
            continue
        yield {
            "type": "text",
            "x": 0,
            "y": y,
            "width": _WIDTH,
            "height": 1,
            "properties": {"markdown": f"## {title}"},
        }
        y += 1
        x = 0
        for widget in widgets:
            width = widget.pop("width", _WIDTH // _PER_ROW)
            if x + width > _WIDTH:
                x, y = 0, y + _HEIGHT
            yield {**widget, "x": x, "y": y, "width": width, "height": _HEIGHT}
            x += width
        y += _HEIGHT


def _graph(title: str, metrics: Sequence[Any], context: Context, **more: Any) -> Json:
    properties = {
        "title": title,
        "region": context.region,
        "view": "timeSeries",
        "stat": "Average",
        "period": 60,
        "metrics": list(metrics),
        **more,
    }
    return {"type": "metric", "properties": properties}


def _search(namespace: str, dimensions: str, metric: str, of: str, stat: str) -> list[Json]:
    """Whatever series of a metric carry a name: for what has a part of its identity from AWS."""
    expression = f"SEARCH('{{{namespace},{dimensions}}} MetricName=\"{metric}\" {of}', '{stat}')"
    return [{"expression": expression, "label": ""}]


def _health(shown: Shown, context: Context) -> Iterator[Json]:
    arns = [context.arn("cloudwatch", f"alarm:{name}") for name in shown.alarms[:_ALARMS_SHOWN]]
    yield {
        "type": "alarm",
        "width": _WIDTH,
        "properties": {"title": "Alarms", "alarms": arns, "sortBy": "stateUpdatedTimestamp"},
    }
    if shown.load_balancer:
        balancer = shown.load_balancer
        yield _graph(
            "Requests",
            [
                _search(
                    "AWS/ApplicationELB",
                    "LoadBalancer,TargetGroup",
                    "RequestCount",
                    balancer,
                    "Sum",
                )
            ],
            context,
        )
        yield _graph(
            "Response time, p95",
            [
                _search(
                    "AWS/ApplicationELB",
                    "LoadBalancer,TargetGroup",
                    "TargetResponseTime",
                    balancer,
                    "p95",
                )
            ],
            context,
        )
    for title, metric in (
        ("Running tasks", "RunningTaskCount"),
        ("CPU used, units", "CpuUtilized"),
        ("Memory used, MB", "MemoryUtilized"),
    ):
        yield _graph(
            title,
            [
                ["ECS/ContainerInsights", metric, "ClusterName", shown.cluster, "ServiceName", one]
                for one in shown.workloads
            ],
            context,
        )


def _own(widget: model.Widget, context: Context) -> Json:
    return _graph(
        widget.title,
        [
            [
                metric.namespace or context.namespace,
                metric.name,
                *(part for pair in metric.dimensions.items() for part in pair),
                {"stat": metric.statistic, "period": metric.period_seconds},
            ]
            for metric in widget.metrics
        ],
        context,
    )


def _queues(shown: Shown, context: Context) -> Iterator[Json]:
    if shown.queues:
        yield _graph(
            "Queue depth",
            [
                [
                    context.namespace,
                    queue.metric,
                    *(part for pair in queue.dimensions.items() for part in pair),
                    {"label": worker, "stat": "Maximum"},
                ]
                for worker, queue in shown.queues.items()
            ],
            context,
        )


def _errors(shown: Shown, context: Context) -> Iterator[Json]:
    if shown.load_balancer:
        for title, metric in (
            ("Failed requests (5xx) by service", "HTTPCode_Target_5XX_Count"),
            ("Refused requests (4xx) by service", "HTTPCode_Target_4XX_Count"),
        ):
            search = _search(
                "AWS/ApplicationELB", "LoadBalancer,TargetGroup", metric, shown.load_balancer, "Sum"
            )
            yield _graph(title, [search], context)
    if shown.workloads:
        prefix = f"{context.name()}-"
        groups = [context.path(name.removeprefix(prefix)) for name in shown.workloads]
        sources = " | ".join(f"SOURCE '{group}'" for group in groups)
        yield {
            "type": "log",
            "properties": {
                "title": "Latest errors logged",
                "region": context.region,
                "view": "table",
                "query": (
                    f"{sources} | fields @timestamp, @log, @message "
                    '| filter level in ["ERROR", "error"] or level >= 50 '
                    "| sort @timestamp desc | limit 50"
                ),
            },
        }


def _databases(shown: Shown, context: Context) -> Iterator[Json]:
    if not shown.databases:
        return
    for title, metrics in (
        ("Connections", ("DatabaseConnections",)),
        ("CPU, percent", ("CPUUtilization",)),
        ("Free memory, bytes", ("FreeableMemory",)),
        ("Free storage, bytes", ("FreeStorageSpace",)),
        ("Latency, seconds", ("ReadLatency", "WriteLatency")),
    ):
        yield _graph(
            title,
            [
                ["AWS/RDS", metric, "DBInstanceIdentifier", database]
                for database in shown.databases
                for metric in metrics
            ],
            context,
        )
    if shown.proxies:
        yield _graph(
            "Pool",
            [
                ["AWS/RDS", metric, "ProxyName", proxy]
                for proxy in shown.proxies
                for metric in ("ClientConnections", "DatabaseConnectionsCurrentlyBorrowed")
            ],
            context,
        )


def _caches(shown: Shown, context: Context) -> Iterator[Json]:
    for cache in shown.caches:
        for title, metric in (
            ("CPU, percent", "EngineCPUUtilization"),
            ("Memory, percent", "DatabaseMemoryUsagePercentage"),
            ("Evictions", "Evictions"),
        ):
            search = _search("AWS/ElastiCache", "CacheClusterId", metric, cache, "Maximum")
            yield _graph(f"{cache}: {title}", [search], context)
