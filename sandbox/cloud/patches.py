"""Small changes to MiniStack's own functions, where its store is right but something is dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloud import cache_view, database_view, emulator

Function = Callable[..., Any]


def apply() -> None:
    """Apply every change; the modules are loaded only when they are first used."""
    emulator.when_loaded("cloudwatch", _keep_metric_math)
    emulator.when_loaded("rds", _lead_proxies_to_loopback)
    emulator.when_loaded("rds", _show_instances)
    emulator.when_loaded("elasticache", cache_view.show_all)


def _show_instances(rds: Any) -> None:
    """DescribeDBInstances shows what was set."""
    rds._instance_xml = database_view.shown(rds._instance_xml)


def _keep_metric_math(cloudwatch: Any) -> None:
    """An alarm on an expression keeps its metrics (PutMetricAlarm's `Metrics`)."""
    original: Function = cloudwatch._put_metric_alarm

    def put(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        response = original(params, data, is_cbor, is_json)
        alarm = cloudwatch._alarms.get(data.get("AlarmName"))
        if response[0] < 300 and alarm is not None and data.get("Metrics"):
            alarm["Metrics"] = data["Metrics"]
            # An expression has neither a statistic nor a period of its own.
            for name in ("Statistic", "Period"):
                if name not in data:
                    alarm[name] = None
            for name in ("ThresholdMetricId", "EvaluateLowSampleCountPercentile"):
                if data.get(name):
                    alarm[name] = data[name]
        return response

    cloudwatch._put_metric_alarm = put


def _lead_proxies_to_loopback(rds: Any) -> None:
    """An RDS proxy's endpoint is this machine; the port is its database's own."""
    original: Function = rds._create_db_proxy

    def create(params: Any) -> Any:
        before = set(rds._db_proxies)
        response = original(params)
        for name in set(rds._db_proxies) - before:
            proxy = rds._db_proxies[name]
            shown = proxy["Endpoint"]
            proxy["Endpoint"] = "127.0.0.1"
            for endpoint in rds._db_proxy_endpoints.values():
                if endpoint.get("Endpoint") == shown:
                    endpoint["Endpoint"] = "127.0.0.1"
            status, headers, body = response
            response = status, headers, body.replace(shown.encode(), b"127.0.0.1")
        return response

    rds._create_db_proxy = create
    rds._ACTION_MAP["CreateDBProxy"] = create
