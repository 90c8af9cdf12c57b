"""The production checklist's figures, by its lines, against the system as it is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from systems.model import System
from systems.stack import Stack, load

ROOT = Path(__file__).parents[2]
WORKERS = ("crypto", "options", "futures", "roundtable")
CONTAINERS = ("heartbeat", "dashboard", *WORKERS)


@pytest.fixture(scope="module")
def prod() -> System:
    return load(ROOT / "Pulumi.prod.yaml").system


def _database(system: System) -> Any:
    return system.databases["main"]


def _environment(name: str) -> Callable[[System], Any]:
    return lambda system: system.environment[name]


def _of(collection: str, *path: str) -> Callable[[System], Any]:
    """The value at a path of every entry, as a set: all have to agree."""

    def values(system: System) -> Any:
        found = set()
        for entry in getattr(system, collection).values():
            value = entry
            for step in path:
                value = getattr(value, step)
            found.add(value)
        return found

    return values


# line of the checklist, what it is about, where it is here, its figure
FIGURES: list[tuple[int, str, Callable[[Any], Any], Any]] = [
    (36, "query timeout, seconds", lambda s: _database(s).statement_timeout_seconds, 30),
    (45, "major version", lambda s: int(_database(s).engine_version.split(".")[0]) >= 14, True),
    (46, "pooling", lambda s: _database(s).pooling is not None, True),
    (47, "daily snapshots", lambda s: _database(s).backup_retention_days, 35),
    (64, "TLS", lambda s: _database(s).tls_required, True),
    (69, "liveness", _of("services", "liveness_path"), {"/health"}),
    (70, "readiness", _of("services", "readiness_path"), {"/health/ready"}),
    (74, "container checks, retries", _of("services", "health", "retries"), {3}),
    (74, "workers' checks", _of("workers", "health", "command"), {"node dist/healthcheck.js"}),
    (79, "errors in a row", _environment("CIRCUIT_BREAKER_ERRORS"), "3"),
    (80, "recovery, seconds", _environment("CIRCUIT_BREAKER_RECOVERY_SECONDS"), "300"),
    (87, "log format", lambda s: s.logs.format, "json"),
    (92, "log retention, days", lambda s: s.logs.retention_days, 30),
    (96, "heartbeat, seconds", lambda s: s.alarms["heartbeat-slow"].threshold, 10),
    (98, "pool usage, percent", lambda s: _database(s).alarms.connections_percent, 80),
    (99, "error rate, percent", _of("services", "alarms", "error_rate_percent"), {1}),
    (100, "trade failures", lambda s: s.alarms["trade-execution-failed"].threshold, 0),
    (102, "tracing is an option", lambda s: s.tracing.enabled, False),
    (109, "retries", _environment("HTTP_RETRIES"), "3"),
    (109, "backoff", _environment("HTTP_RETRY_BACKOFF"), "exponential"),
    (112, "request timeout, seconds", _environment("HTTP_TIMEOUT_SECONDS"), "10"),
    (141, "requests", lambda s: s.ingress.rate_limits["api"].requests, 100),
    (141, "a minute, in seconds", lambda s: s.ingress.rate_limits["api"].period_seconds, 60),
    (139, "on /api/*", lambda s: s.ingress.rate_limits["api"].path_prefix, "/api/"),
    (144, "bearer token", lambda s: s.schedules["heartbeat"].http.bearer_secret, "heartbeat-token"),
    (146, "rotation, days", lambda s: s.secrets["heartbeat-token"].rotation_days, 30),
    (150, "origins", lambda s: s.ingress.cors_origins, ("https://trading.example.com",)),
    (196, "connections for 100 heartbeats", lambda s: _database(s).max_connections, 200),
    (208, "event stream, seconds", lambda s: s.ingress.idle_timeout_seconds, 300),
    (258, "rolling, percent kept", _of("services", "deployment", "minimum_healthy_percent"), {100}),
    (258, "circuit breaker", _of("services", "deployment", "circuit_breaker"), {True}),
    (258, "rollback", _of("workers", "deployment", "rollback"), {True}),
    (259, "dashboards at once", lambda s: s.services["dashboard"].desired_count >= 2, True),
    (260, "drain, seconds", _of("workers", "stop_timeout_seconds"), {120}),
    (316, "copies elsewhere", lambda s: s.backup.copy_to_region, "us-west-2"),
    (318, "log retention, days", lambda s: s.logs.retention_days, 30),
    (321, "RTO, minutes", lambda s: s.backup.rto_minutes, 60),
    (322, "RPO, minutes", lambda s: s.backup.rpo_minutes, 5),
    (326, "multi-AZ", lambda s: _database(s).multi_az, True),
    (328, "workers scale", lambda s: all(w.autoscaling for w in s.workers.values()), True),
    (341, "encrypted at rest", lambda s: _database(s).storage_encrypted, True),
    (342, "not public", lambda s: _database(s).publicly_accessible, False),
]


@pytest.mark.parametrize(
    ("where", "figure"),
    [row[2:] for row in FIGURES],
    ids=[f"L{line} {what}" for line, what, *_ in FIGURES],
)
def test_figure(where: Callable[[System], Any], figure: object, prod: System) -> None:
    assert where(prod) == figure


# alarm, line, metric, statistic, period, periods, comparison, threshold, missing data, severity
ALARMS = [
    ("heartbeat-slow", 96, "HeartbeatDurationSeconds", "Maximum", 60, 1, ">", 10, "breaching",
     "critical"),
    *[(f"{worker}-queue-deep", 97, "QueueDepth", "Maximum", 60, 1, ">", 50, "breaching", "critical")
      for worker in WORKERS],
    ("trade-execution-failed", 100, "TradeExecutionFailures", "Sum", 60, 1, ">", 0, "notBreaching",
     "critical"),
    ("uncaught-error", 121, "UncaughtErrors", "Sum", 60, 1, ">", 0, "notBreaching", "critical"),
    ("circuit-breaker-open", 79, "CircuitBreakerOpened", "Sum", 60, 1, ">", 0, "notBreaching",
     "warning"),
]  # fmt: skip


@pytest.mark.parametrize("row", ALARMS, ids=[f"L{row[1]} {row[0]}" for row in ALARMS])
def test_alarm(row: tuple[Any, ...], prod: System) -> None:
    name, _, metric, statistic, period, periods, comparison, threshold, missing, severity = row
    alarm = prod.alarms[name]
    assert alarm.metric is not None
    assert (alarm.metric.name, alarm.metric.statistic, alarm.metric.period_seconds) == (
        metric, statistic, period,
    )  # fmt: skip
    assert alarm.metric.namespace is None, "the application's own metric"
    assert (alarm.evaluation_periods, alarm.threshold) == (periods, threshold)
    assert {"GreaterThanThreshold": ">"}[alarm.comparison] == comparison
    assert (alarm.missing_data, alarm.severity) == (missing, severity)


def test_no_alarm_is_beside_the_table(prod: System) -> None:
    assert set(prod.alarms) == {row[0] for row in ALARMS}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_queue_is_alarmed_and_scaled_on_by_the_same_metric(worker: str, prod: System) -> None:
    metric = prod.alarms[f"{worker}-queue-deep"].metric
    scaling = prod.workers[worker].autoscaling
    assert metric is not None
    assert scaling is not None
    assert scaling.queue is not None
    assert metric.dimensions == scaling.queue.dimensions == {"Worker": worker}
    assert metric.name == scaling.queue.metric


def test_containers_of_the_build(prod: System) -> None:  # L239 to L244
    assert {name for kind, name, _ in prod.workloads() if kind != "jobs"} == set(CONTAINERS)
    for _, _, workload in prod.workloads():
        assert re.fullmatch(r"ecr:atc/[a-z]+@sha256:[0-9a-f]{64}", workload.image), "L246, L252"


def test_heartbeat_is_called_each_minute(prod: System) -> None:
    schedule = prod.schedules["heartbeat"]
    assert schedule.expression == "rate(1 minute)"
    assert schedule.http is not None
    assert (schedule.http.service, schedule.http.path) == ("heartbeat", "/api/heartbeat")
    assert schedule.maximum_event_age_seconds <= 60, "an older beat is overtaken by the next"
    (route,) = prod.services["heartbeat"].routes
    assert route.paths == ("/api/heartbeat",)
    assert prod.services["dashboard"].default_route


def test_what_is_refused_at_start_is_given(prod: System) -> None:  # L164 to L167
    for _, name, workload in prod.workloads():
        assert {"ANTHROPIC_API_KEY", "SUPABASE_URL"} <= set(workload.secrets), name
        assert workload.databases == ("main",), f"{name} gets DATABASE_URL with its database"


def test_keys_of_providers_are_where_they_are_used(prod: System) -> None:  # L109 to L111
    keys = {"JUPITER_API_KEY": "crypto", "TRADIER_API_KEY": "options", "NEBULA_API_KEY": "futures"}
    for key, worker in keys.items():
        holders = [name for _, name, workload in prod.workloads() if key in workload.secrets]
        assert holders == [worker]


def test_every_secret_is_used(prod: System) -> None:
    used = {
        reference for _, _, workload in prod.workloads() for reference in workload.secrets.values()
    }
    assert set(prod.secrets) == used


def test_generated_secrets_rotate(prod: System) -> None:  # L160
    generated = {n: s.rotation_days for n, s in prod.secrets.items() if s.generate_length}
    assert generated == {"heartbeat-token": 30, "jwt-signing-key": 90, "dashboard-api-key": 90}


def test_dashboards(prod: System) -> None:  # L282 to L285
    assert [dashboard.title for dashboard in prod.dashboards.values()] == [
        "System health", "Trade execution", "Worker queue depths", "Error rates",
    ]  # fmt: skip


def test_deployments_are_off_market_hours(prod: System) -> None:  # L347
    window = prod.windows["deployment"]
    # New York's exchanges, with early and late trading, from 08:00 to 01:00 UTC.
    assert (window.start, window.end) == ("01:00", "08:00")


def test_no_cache_is_asked_for(prod: System) -> None:
    assert prod.caches == {}


def test_lines_of_the_checklist_are_named_in_the_file() -> None:
    text = (ROOT / "systems" / "autonomous-trading-company.yaml").read_text()
    named = {int(number) for number in re.findall(r"\bL(\d+)", text)}
    wanted = """
    33 34 36 45 46 47 64 69 70 74 76 79 80 87 88 92 96 97 98 99 100 102 109 110 111 112 140 141
    144 145 146 149 150 159 160 196 208 258 259 260 265 282 283 284 285 299 300 316 318 321 322
    326 327 328 341 347
    """
    assert {int(number) for number in wanted.split()} <= named
    assert max(named) <= 400


TIERS: dict[str, dict[str, Any]] = {
    "prod": {
        "multi_az": True, "zones": 3, "nat": "per_zone", "protect": True, "deletion": True,
        "retention": 35, "copy": "us-west-2", "logs": 30, "workers": 2,
    },
    "staging": {
        "multi_az": True, "zones": 3, "nat": "per_zone", "protect": True, "deletion": True,
        "retention": 14, "copy": "us-west-2", "logs": 30, "workers": 1,
    },
    "dev": {
        "multi_az": False, "zones": 2, "nat": "one", "protect": False, "deletion": False,
        "retention": 1, "copy": None, "logs": 7, "workers": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("tier", TIERS)
def test_tier(tier: str) -> None:
    system = load(ROOT / f"Pulumi.{tier}.yaml").system
    database, ingress, backup = _database(system), system.ingress, system.backup
    assert ingress is not None
    assert backup is not None
    assert {
        "multi_az": database.multi_az,
        "zones": system.network.availability_zone_count,
        "nat": system.network.nat_gateways,
        "protect": system.protect,
        "deletion": database.deletion_protection and ingress.deletion_protection,
        "retention": database.backup_retention_days,
        "copy": backup.copy_to_region,
        "logs": system.logs.retention_days,
        "workers": system.workers["crypto"].desired_count,
    } == TIERS[tier]


@pytest.mark.parametrize("tier", TIERS)
def test_what_no_tier_weakens(tier: str) -> None:
    stack: Stack = load(ROOT / f"Pulumi.{tier}.yaml")
    database = _database(stack.system)
    assert database.storage_encrypted
    assert database.tls_required
    assert database.statement_timeout_seconds == 30
    assert database.alarms.connections_percent == 80
    assert set(stack.system.alarms) == {row[0] for row in ALARMS}
    assert stack.system.notifications.critical
    assert stack.system.ingress is not None
    assert all("*" not in origin for origin in stack.system.ingress.cors_origins)
    assert stack.system.network.flow_logs
