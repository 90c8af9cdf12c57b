"""The checklist's figures, by its lines, against what each of the system's stacks registers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.system import declare
from systems.model import System
from systems.stack import Stack, load, stacks
from tests.components.parts import ECS_SERVICE, TASK, containers, references, variables
from tests.components.recording import ACCOUNT, REGION, Record, Records, record

ROOT = Path(__file__).parents[2]
PHASES = ("paper", "canary", "live")
STACKS = (*PHASES, "staging", "dev")
QUEUES = ("market-data", "ai-decisions", "trade-execution")
WORKERS = ("market-data", "ai-pipeline", "execution")
CONTAINERS = ("server", "client", *WORKERS)

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
TARGETS = "aws:lb/targetGroup:TargetGroup"
PARAMETER = "aws:ssm/parameter:Parameter"


@cache
def stack(name: str) -> Stack:
    return load(ROOT / f"Pulumi.alpaca-{name}.yaml")


def system(name: str) -> System:
    return stack(name).system


@cache  # what is recorded is only read
def registered(name: str) -> Records:
    it = stack(name)
    return record(lambda: declare(it.system, it.tier, it.region, it.tags, it.phase), preview=True)


def container(name: str, workload: str) -> dict[str, Any]:
    return containers(registered(name), workload)[workload]


# --- alarms -----------------------------------------------------------------------------------

# Name, line, metric (or expression), statistic, seconds a period, periods, of which so many,
# comparison, threshold, what silence is, severity. All in the system's own namespace.
Row = tuple[str, int, str, str, int, int, int | None, str, float, str, str]
QUIET, SILENCE = "notBreaching", "breaching"

EVERYWHERE: list[Row] = [
    *[(f"{queue}-jobs-failed", 188, "FailedJobs", "Minimum", 60, 15, None, ">", 0, SILENCE,
       "critical") for queue in QUEUES],
    ("market-data-backlog", 71, "OldestJobSeconds", "Minimum", 60, 5, None, ">", 300, QUIET,
     "warning"),
    ("ai-decisions-backlog", 71, "OldestJobSeconds", "Minimum", 60, 5, None, ">", 300, QUIET,
     "warning"),
    ("trade-execution-backlog", 71, "OldestJobSeconds", "Minimum", 60, 5, None, ">", 60, QUIET,
     "critical"),
    ("ai-pipeline-failed", 65, "AiPipelineFailures", "Sum", 60, 1, None, ">", 0, QUIET, "critical"),
    ("ai-pipeline-silent", 81, "AiPipelineRuns", "Sum", 86400, 4, None, "<", 1, SILENCE, "warning"),
    ("decision-not-stored", 72, "DecisionStoreFailures", "Sum", 60, 1, None, ">", 0, QUIET,
     "critical"),
    ("dashboard-slow", 73, "DashboardLoadMilliseconds", "p95", 300, 3, 2, ">", 3000, QUIET,
     "warning"),
    ("realtime-delayed", 74, "RealtimeDelayMilliseconds", "p95", 60, 5, 3, ">", 1000, QUIET,
     "warning"),
    ("trade-execution-failed", 191, "TradeExecutionFailures", "Sum", 60, 1, None, ">", 0, QUIET,
     "critical"),
    ("risk-limit-breached", 194, "RiskLimitBreaches", "Sum", 60, 1, None, ">", 0, QUIET,
     "critical"),
    ("trading-halted", 207, "TradingHalted", "Maximum", 60, 2, None, ">", 0, SILENCE, "critical"),
]  # fmt: skip
WITH_MONEY: list[Row] = [
    ("loss", 109, "ProfitLossPercent", "Minimum", 60, 1, None, "<=", -5, QUIET, "critical"),
    ("profit-and-loss-silent", 109, "ProfitLossPercent", "SampleCount", 60, 5, None, "<", 1,
     SILENCE, "critical"),
    ("behind-projection", 126, "projected - live", "Average", 300, 12, None, ">", 5, QUIET,
     "warning"),
    ("trade-record-incomplete", 130, "TradeRecordsIncomplete", "Sum", 60, 1, None, ">", 0, QUIET,
     "critical"),
    ("fees-high", 125, "FeesOverEstimatePercent", "Average", 86400, 1, None, ">", 20, QUIET,
     "warning"),
]  # fmt: skip
CANARY: list[Row] = [
    ("trade-executed", 110, "TradesExecuted", "Sum", 60, 1, None, ">", 0, QUIET, "warning"),
    ("slippage-high", 123, "SlippageBasisPoints", "Maximum", 60, 1, None, ">", 50, QUIET,
     "critical"),
    ("order-latency-high", 124, "OrderLatencyMilliseconds", "Maximum", 60, 1, None, ">", 5000,
     QUIET, "critical"),
]  # fmt: skip
LIVE: list[Row] = [
    ("slippage-high", 192, "SlippageBasisPoints", "Average", 3600, 1, None, ">", 20, QUIET,
     "critical"),
    ("order-latency-high", 193, "OrderLatencyMilliseconds", "p95", 300, 3, 2, ">", 2000, QUIET,
     "critical"),
    ("strategy-losing", 198, "StrategyProfitLossPercent", "Minimum", 3600, 1, None, "<", -10,
     QUIET, "warning"),
]  # fmt: skip
OWN: dict[str, list[Row]] = {
    "paper": EVERYWHERE,
    "canary": [*EVERYWHERE, *WITH_MONEY, *CANARY],
    "live": [*EVERYWHERE, *WITH_MONEY, *LIVE],
    "staging": EVERYWHERE,
    "dev": EVERYWHERE,
}
COMPARISONS = {
    ">": "GreaterThanThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}


def statistic(inputs: dict[str, Any]) -> str:
    return str(inputs.get("statistic") or inputs.get("extendedStatistic"))


def actions(name: str, severity: str) -> list[str]:
    return [f"arn:aws:sns:{REGION}:{ACCOUNT}:alpaca-{name}-alerts-{severity}"]


@pytest.mark.parametrize(
    ("name", "row"),
    [(name, row) for name, rows in OWN.items() for row in rows],
    ids=[f"{name} L{row[1]} {row[0]}" for name, rows in OWN.items() for row in rows],
)
def test_alarm(name: str, row: Row) -> None:
    alarm, _, metric, stat, period, periods, of_them, sign, threshold, missing, severity = row
    found = registered(name).one(ALARM, alarm).inputs
    if " " in metric:
        queries = found["metricQueries"]
        expression = next(one for one in queries if "expression" in one)
        measured = [one["metric"] for one in queries if "metric" in one]
        assert (expression["expression"], expression["returnData"]) == (metric, True)
        assert {one["stat"] for one in measured} == {stat}
        assert {one["period"] for one in measured} == {period}
        assert {one["namespace"] for one in measured} == {f"alpaca/{name}"}
    else:
        assert (found["metricName"], found["namespace"]) == (metric, f"alpaca/{name}")
        assert (statistic(found), found["period"]) == (stat, period)
    assert (found["evaluationPeriods"], found.get("datapointsToAlarm")) == (periods, of_them)
    assert found["comparisonOperator"] == COMPARISONS[sign]
    assert found["threshold"] == threshold
    assert found["treatMissingData"] == missing
    assert found["alarmActions"] == found["okActions"] == actions(name, severity)


@pytest.mark.parametrize("name", STACKS)
def test_no_alarm_is_beside_the_table(name: str) -> None:
    assert set(system(name).alarms) == {row[0] for row in OWN[name]}


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_watched_as_it_is_scaled_on(queue: str) -> None:  # L62, L71
    alarms = registered("paper").named(ALARM)
    for kind in ("jobs-failed", "backlog"):
        assert alarms[f"{queue}-{kind}"].inputs["dimensions"] == {"Queue": queue}
    scaled = [one.autoscaling for one in system("paper").workers.values()]
    assert queue in [one.queue.dimensions["Queue"] for one in scaled if one and one.queue]


# Of the services' own alarms: name, line, metrics, statistic, seconds, periods, of which so many,
# comparison, threshold, what silence is, severity
SERVICE: list[Row] = [
    ("response-time", 186, "TargetResponseTime", "p95", 60, 5, 3, ">", 0.5, QUIET, "warning"),
    ("daily-uptime", 185, "HealthyHostCount", "Maximum", 60, 1440, 2, "<", 1, SILENCE, "warning"),
    ("error-rate", 187, "100 * FILL(errors, 0) / requests", "Sum", 300, 1, None, ">", 0.1, QUIET,
     "critical"),
    ("daily-errors", 187, "100 * FILL(errors, 0) / requests", "Sum", 86400, 1, None, ">", 0.1,
     QUIET, "warning"),
]  # fmt: skip


@pytest.mark.parametrize("service", ["server", "client"])
@pytest.mark.parametrize("row", SERVICE, ids=[f"L{row[1]} {row[0]}" for row in SERVICE])
@pytest.mark.parametrize("name", STACKS)
def test_service_alarm(name: str, row: Row, service: str) -> None:
    alarm, _, metric, stat, period, periods, of_them, sign, threshold, missing, severity = row
    found = registered(name).one(ALARM, f"{service}-{alarm}").inputs
    if " " in metric:
        measured = [one["metric"] for one in found["metricQueries"] if "metric" in one]
        assert found["metricQueries"][-1]["expression"] == metric
        assert {one["metricName"] for one in measured} == {
            "RequestCount", "HTTPCode_Target_5XX_Count",
        }  # fmt: skip
        assert {(one["stat"], one["period"]) for one in measured} == {(stat, period)}
    else:
        assert found["metricName"] == metric
        assert (statistic(found), found["period"]) == (stat, period)
    assert (found["evaluationPeriods"], found.get("datapointsToAlarm")) == (periods, of_them)
    assert found["comparisonOperator"] == COMPARISONS[sign]
    assert (found["threshold"], found["treatMissingData"]) == (threshold, missing)
    assert found["alarmActions"] == actions(name, severity)


@pytest.mark.parametrize("workload", CONTAINERS)
@pytest.mark.parametrize("name", STACKS)
def test_an_error_in_a_log_is_one_too_many(name: str, workload: str) -> None:  # L63, L70
    found = registered(name).one(ALARM, f"{workload}-errors-logged").inputs
    assert (found["threshold"], found["comparisonOperator"]) == (0, "GreaterThanThreshold")
    assert (found["statistic"], found["period"], found["evaluationPeriods"]) == ("Sum", 60, 1)


# --- phases -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PHASES)
def test_a_phase_is_production(name: str) -> None:
    it = stack(name)
    assert (it.tier, it.phase, it.tags["phase"]) == ("prod", name, name)
    main = registered(name).one("aws:rds/instance:Instance", "main").inputs
    assert (main["identifier"], main["multiAz"]) == (f"alpaca-{name}-main", True)
    assert main["backupRetentionPeriod"] == 35  # L21
    assert variables(container(name, "server"))["NODE_ENV"] == "production"  # L35


def test_each_phase_has_its_stack() -> None:
    ours = [one for one in map(load, stacks(ROOT)) if one.system.name == "smart-alpaca"]
    assert {one.name for one in ours} == {f"alpaca-{name}" for name in STACKS}


# line, variable, its value by stack (None: it is not given)
VARIABLES: list[tuple[int, str, dict[str, str | None]]] = [
    (35, "NODE_ENV", {"paper": "production", "canary": "production", "live": "production",
                      "staging": "production", "dev": "development"}),
    (100, "ALPACA_PAPER", {"paper": "true", "canary": "false", "live": "false",
                           "staging": "true", "dev": "true"}),
    (104, "CAPITAL_LIMIT_USD", {"paper": None, "canary": "1000", "live": "10000",
                                "staging": None, "dev": None}),
    (105, "POSITION_LIMIT_PERCENT", {"paper": None, "canary": "10", "live": "5"}),
    (106, "DAILY_LOSS_LIMIT_PERCENT", {"paper": None, "canary": "5", "live": "5"}),
    (112, "TRADE_LOG_DETAIL", {"paper": None, "canary": "full", "live": "full"}),
    (150, "CAPITAL_STEP_PERCENT", {"paper": None, "canary": None, "live": "25"}),
    (20, "REDIS_CLUSTER", {**dict.fromkeys(STACKS, "true"), "dev": "false"}),
    (20, "QUEUE_KEY_PREFIX", dict.fromkeys(STACKS, "{<queue>}")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "values"),
    [row[1:] for row in VARIABLES],
    ids=[f"L{line} {variable}" for line, variable, _ in VARIABLES],
)
def test_variable(variable: str, values: dict[str, str | None]) -> None:
    for name, value in values.items():
        for workload in (*CONTAINERS, "liquidate"):
            assert variables(container(name, workload)).get(variable) == value, (name, workload)


@pytest.mark.parametrize("name", STACKS)
def test_paper_keys_and_live_keys_are_asked_for_where_they_belong(name: str) -> None:
    with_money = name in {"canary", "live"}  # L34, L99
    kind, other = ("live", "paper") if with_money else ("paper", "live")
    for key in ("alpaca-key-id", "alpaca-secret-key"):
        fill = system(name).secrets[key].fill or ""
        assert f"{kind} trading key" in fill
        assert other not in fill
    host = "api" if with_money else "paper-api"
    told = variables(container(name, "execution"))
    assert told["ALPACA_API_URL"] == f"https://{host}.alpaca.markets"


def test_phases_have_domains_of_their_own() -> None:
    domains = [system(name).ingress.domain for name in STACKS]  # type: ignore[union-attr]
    assert len(set(domains)) == len(STACKS)
    for name, domain in zip(STACKS, domains, strict=True):
        assert f"https://{domain}" in variables(container(name, "server"))["CORS_ORIGINS"]


def test_live_has_room_to_grow() -> None:  # L155 to L157
    paper, live = registered("paper"), registered("live")
    classes = [one.one("aws:rds/instance:Instance", "main").inputs["instanceClass"]
               for one in (paper, live)]  # fmt: skip
    assert classes == ["db.m7g.large", "db.m7g.xlarge"]
    assert [one.one(GROUP).inputs["numNodeGroups"] for one in (paper, live)] == [3, 4]
    assert live.one(ECS_SERVICE, "server").inputs["desiredCount"] == 3
    targets = live.named("aws:appautoscaling/target:Target")
    assert {targets[name].inputs["maxCapacity"] for name in ("server", *WORKERS)} == {12}


def test_backtests_run_by_the_clock_in_live() -> None:  # L166, L167
    rule = registered("live").one("aws:cloudwatch/eventRule:EventRule", "backtest").inputs
    assert rule["scheduleExpression"] == "cron(0 6 ? * SAT *)"
    assert container("live", "backtest")["command"] == ["node", "dist/backtest.js"]
    assert "backtest" not in system("canary").jobs


# --- what all have ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", STACKS)
def test_queues_are_in_a_cluster_that_throws_nothing_out(name: str) -> None:  # L20, L79
    records = registered(name)
    group = records.one(GROUP).inputs
    shards = {"live": 4, "dev": 1}.get(name, 3)
    if name == "dev":
        assert (group["numCacheClusters"], group.get("numNodeGroups")) == (1, None)
    else:
        assert (group["numNodeGroups"], group["replicasPerNodeGroup"]) == (shards, 1)
        assert group["automaticFailoverEnabled"] is True
    assert group["transitEncryptionMode"] == "required"
    values = records.one("aws:elasticache/parameterGroup:ParameterGroup").inputs["parameters"]
    assert {one["name"]: one["value"] for one in values} == {
        "cluster-enabled": "no" if name == "dev" else "yes", "maxmemory-policy": "noeviction",
    }  # fmt: skip
    memory = [one for alarm, one in records.named(ALARM).items()
              if alarm.startswith("cache-queues-memory")]  # fmt: skip
    assert [one.inputs["threshold"] for one in memory] == [80] * shards


@pytest.mark.parametrize("name", STACKS)
def test_what_takes_and_gives_jobs_reaches_redis(name: str) -> None:
    for workload in ("server", *WORKERS, "liquidate"):
        given = references(container(name, workload))
        assert given["REDIS_URL"].endswith(f"alpaca-{name}/queues/auth:url::")
        assert {"DATABASE_URL", "REDIS_URL"} <= set(given)
    assert container(name, "client")["secrets"] == [], "what a browser loads holds nothing"


@pytest.mark.parametrize("name", STACKS)
def test_websockets_come_through_the_balancer(name: str) -> None:  # L52, L57
    records = registered(name)
    balancer = records.one("aws:lb/loadBalancer:LoadBalancer").inputs
    assert balancer["idleTimeout"] == 300
    group = records.one(TARGETS, "server").inputs
    assert group["stickiness"] == {"type": "lb_cookie", "enabled": True, "cookieDuration": 86400}
    assert records.one(TARGETS, "client").inputs["stickiness"]["enabled"] is False
    rule = records.one("aws:lb/listenerRule:ListenerRule", "server-10").inputs
    paths = rule["conditions"][0]["pathPattern"]["values"]
    assert paths == ["/api/*", "/ws", "/ws/*", "/socket.io/*"]


@pytest.mark.parametrize("name", STACKS)
def test_health_and_metrics_are_asked_for(name: str) -> None:  # L38, L56, L61
    records = registered(name)
    assert records.one(TARGETS, "server").inputs["healthCheck"]["path"] == "/api/system/health"
    assert "/api/system/health/live" in container(name, "server")["healthCheck"]["command"][1]
    domain = system(name).ingress.domain  # type: ignore[union-attr]
    for schedule, path, rate, silence in (
        ("system-health", "health", "rate(1 minute)", 5),
        ("system-metrics", "metrics", "rate(1 hour)", 180),
    ):
        rule = records.one("aws:cloudwatch/eventRule:EventRule", schedule).inputs
        assert (rule["scheduleExpression"], rule["state"]) == (rate, "ENABLED")
        called = records.one("aws:cloudwatch/eventApiDestination:EventApiDestination", schedule)
        assert called.inputs["invocationEndpoint"] == f"https://{domain}/api/system/{path}"
        assert called.inputs["httpMethod"] == "GET"
        silent = records.one(ALARM, f"{schedule}-silent").inputs
        assert (silent["period"], silent["treatMissingData"]) == (60 * silence, SILENCE)
    assert "MONITOR_TOKEN" in references(container(name, "server"))


@pytest.mark.parametrize("name", STACKS)
def test_the_kill_switch(name: str) -> None:  # L94, L207
    switch: Record = registered(name).one(PARAMETER, "kill-switch")
    assert switch.inputs["name"] == f"/alpaca-{name}/kill-switch"
    assert (switch.plain("value"), switch.inputs["allowedPattern"]) == ("off", "^(off|on)$")
    assert switch.ignore_changes == ("value",), "an update does not undo a stop"
    for workload in (*CONTAINERS, "liquidate"):
        told = variables(container(name, workload))
        assert told["KILL_SWITCH_PARAMETER"] == f"/alpaca-{name}/kill-switch"
        assert told["FEATURE_FLAGS_PARAMETER"] == f"/alpaca-{name}/feature-flags"  # L172


@pytest.mark.parametrize("name", STACKS)
def test_containers(name: str) -> None:  # L42, L43, L50, L51
    running = {one.name for one in registered(name).all(ECS_SERVICE)}
    assert running == set(CONTAINERS)
    jobs = {"migrate", "liquidate"} | ({"backtest"} if name == "live" else set())
    assert {one.name for one in registered(name).all(TASK)} == running | jobs  # L36, L208


FIGURES: list[tuple[int, str, Callable[[System], Any], Any]] = [
    (24, "TLS to the database", lambda s: s.databases["main"].tls_required, True),
    (45, "security headers", lambda s: s.ingress and s.ingress.security_headers, True),
    (78, "workers' checks", lambda s: {one.health.command for one in s.workers.values()},
     {"node dist/healthcheck.js"}),
    (162, "dashboards", lambda s: [one.title for one in s.dashboards.values()],
     ["System health", "Job queues", "AI pipeline", "Trading", "Business"]),
    (156, "workers scale", lambda s: all(one.autoscaling for one in s.workers.values()), True),
    (209, "drained", lambda s: {one.stop_timeout_seconds for one in s.workers.values()}, {120}),
    (218, "taken back", lambda s: {one.deployment.rollback for one in s.services.values()}, {True}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "figure"),
    [row[2:] for row in FIGURES],
    ids=[f"L{line} {what}" for line, what, *_ in FIGURES],
)
def test_figure(where: Callable[[System], Any], figure: object) -> None:
    assert [where(system(name)) for name in STACKS] == [figure] * len(STACKS)


def test_metrics_are_in_the_contract() -> None:
    contract = (ROOT / "docs" / "application-contract.md").read_text()
    section = contract.split("### Smart Alpaca V2.0\n")[1].split("\n### ")[0]
    listed = set(re.findall(r"`([A-Z][A-Za-z]+)`", section))
    used = {
        metric.name
        for name in STACKS
        for alarm in system(name).alarms.values()
        for metric in (*alarm.metrics.values(), *([alarm.metric] if alarm.metric else []))
    }
    used |= {
        metric.name
        for dashboard in system("live").dashboards.values()
        for widget in dashboard.widgets
        for metric in widget.metrics
    }
    used |= {
        one.autoscaling.queue.metric
        for one in system("live").workers.values()
        if one.autoscaling and one.autoscaling.queue
    }
    assert used <= listed, used - listed


def test_lines_of_the_checklist_are_named_in_the_file() -> None:
    text = (ROOT / "systems" / "smart-alpaca.yaml").read_text()
    named = {int(number) for number in re.findall(r"\bL(\d+)", text)}
    wanted = """
    16 20 21 22 23 24 28 34 35 36 37 38 42 43 44 45 48 49 50 51 52 56 57 61 62 63 64 65 66 69 70 71
    72 73 74 78 79 81 85 93 94 95 99 100 101 104 105 106 109 110 111 112 115 122 123 124 125 126
    129 130 132 137 150 151 152 155 156 157 160 161 162 166 167 168 172 173 177 185 186 187 188 191
    192 193 194 197 198 200 207 208 209 245 252
    """
    assert {int(number) for number in wanted.split()} <= named
    assert max(named) <= 258
