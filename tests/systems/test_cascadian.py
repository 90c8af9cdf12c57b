"""CASCADIAN's figures, by its checklist's lines, against what its stacks register."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.system import declare
from systems.model import System
from systems.stack import Stack, load
from tests.components.parts import ALARM, TASK, containers, references, variables
from tests.components.recording import ACCOUNT, REGION, Records, record

ROOT = Path(__file__).parents[2]
YAML = ROOT / "systems" / "cascadian.yaml"
TIERS = ("prod", "staging", "dev")
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
GB = 1024**3
OWN = "casc/prod"


def stack(tier: str = "prod") -> Stack:
    return load(ROOT / f"Pulumi.cascadian-{tier}.yaml")


@cache  # what is recorded is only read
def declared(tier: str = "prod") -> Records:
    chosen = stack(tier)
    return record(
        lambda: declare(chosen.system, chosen.tier, chosen.region, chosen.tags), preview=True
    )


@pytest.fixture(scope="module")
def prod() -> System:
    return stack().system


OPERATORS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
}

# line, alarm, what it watches, statistic, seconds, periods (of which so many), limit,
# missing data, severity
ALARMS: list[tuple[int, str, str, str, int, str, str, str, str]] = [
    (607, "cron-success-rate", "100 * FILL(succeeded, 0) / started", "Sum", 3600, "1", "< 90",
     "breaching", "critical"),
    (686, "cycle-overrun", f"{OWN} CycleSeconds", "Maximum", 300, "1", ">= 10", "notBreaching",
     "warning"),
    (612, "strategy-execution-slow", f"{OWN} StrategyExecutionSeconds", "Average", 300, "3 of 3",
     "> 5", "notBreaching", "critical"),
    (617, "query-slow", f"{OWN} QueryMilliseconds", "p95", 300, "3 of 3", "> 500", "breaching",
     "critical"),
    (622, "execution-error-rate", "100 * FILL(failed, 0) / executed", "Sum", 3600, "1", "> 10",
     "notBreaching", "critical"),
    (627, "active-strategies", f"{OWN} ActiveStrategies", "Maximum", 300, "1", "> 1000",
     "breaching", "warning"),
    (487, "slower-than-baseline", "now / baseline", "Average", 300, "3 of 3", "> 2",
     "notBreaching", "warning"),
    (659, "zombie-strategies", f"{OWN} ZombieStrategies", "Maximum", 86400, "1", "> 0",
     "notBreaching", "warning"),
    (673, "executions-not-cleaned-up", f"{OWN} OldestExecutionDays", "Maximum", 86400, "1",
     "> 122", "notBreaching", "warning"),
    (467, "web-error-rate", "100 * FILL(errors, 0) / requests", "Sum", 300, "1", "> 5",
     "notBreaching", "critical"),
    (467, "auth-error-rate", "100 * FILL(errors, 0) / requests", "Sum", 300, "1", "> 5",
     "notBreaching", "critical"),
    (467, "executor-error-rate", "100 * FILL(errors, 0) / requests", "Sum", 3600, "1", "> 5",
     "notBreaching", "critical"),
    (457, "web-response-time", "AWS/ApplicationELB TargetResponseTime", "p95", 60, "3 of 5",
     "> 0.5", "notBreaching", "warning"),
    (471, "database-main-cpu", "AWS/RDS CPUUtilization", "Average", 60, "5 of 5", "> 80",
     "breaching", "critical"),
    (472, "database-main-memory", "AWS/RDS FreeableMemory", "Average", 60, "5 of 5",
     f"< {round(8 * GB * 0.2)}", "missing", "warning"),
    (473, "database-main-slow-queries", f"{OWN} database-main-slow-queries", "Sum", 60, "1",
     "> 0", "notBreaching", "warning"),
    (701, "database-main-connections", "AWS/RDS DatabaseConnections", "Maximum", 60, "3 of 3",
     "> 80", "missing", "critical"),
    (701, "database-main-pool-usage", "100 * borrowed / allowed", "Sum", 60, "2 of 3", "> 80",
     "notBreaching", "critical"),
    (658, "database-main-storage", "AWS/RDS FreeStorageSpace", "Minimum", 60, "3 of 3",
     f"< {20 * GB}", "missing", "critical"),
    (435, "strategy-executor-silent", "AWS/Events Invocations", "Sum", 300, "1", "< 1",
     "breaching", "critical"),
    (654, "weekly-check-silent", "AWS/Events Invocations", "Sum", 86400, "7", "< 1", "breaching",
     "warning"),
]  # fmt: skip


@pytest.mark.parametrize("row", ALARMS, ids=[f"L{row[0]} {row[1]}" for row in ALARMS])
def test_alarm(row: tuple[Any, ...]) -> None:
    _, name, *wanted, severity = row
    inputs = declared().one(ALARM, name).inputs
    watched, statistic, seconds = _measure(inputs)
    periods = str(inputs["evaluationPeriods"])
    if inputs.get("datapointsToAlarm"):
        periods = f"{inputs['datapointsToAlarm']} of {periods}"
    limit = f"{OPERATORS[inputs['comparisonOperator']]} {inputs['threshold']}"
    found = [watched, statistic, seconds, periods, limit, inputs["treatMissingData"]]
    assert found == wanted
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:casc-prod-alerts-{severity}"
    assert inputs["alarmActions"] == inputs["okActions"] == [topic]
    assert "https://runbooks.example.com/cascadian/" in inputs["alarmDescription"]


def _measure(inputs: dict[str, Any]) -> tuple[str, str, int]:
    """What an alarm watches: a metric, or an expression over metrics of one kind."""
    if "metricName" in inputs:
        statistic = inputs.get("statistic") or inputs["extendedStatistic"]
        return f"{inputs['namespace']} {inputs['metricName']}", statistic, inputs["period"]
    queries = inputs["metricQueries"]
    (expression,) = [one["expression"] for one in queries if one.get("returnData")]
    ((statistic, seconds),) = {
        (one["metric"]["stat"], one["metric"]["period"]) for one in queries if "metric" in one
    }
    return expression, statistic, seconds


def test_every_alarm_of_the_file_is_in_the_table(prod: System) -> None:
    assert set(prod.alarms) <= {row[1] for row in ALARMS}


@pytest.mark.parametrize(
    ("alarm", "metrics"),
    [
        ("cron-success-rate", {"started": "CyclesStarted", "succeeded": "CyclesSucceeded"}),
        (
            "execution-error-rate",
            {"executed": "StrategyExecutions", "failed": "StrategyExecutionFailures"},
        ),
        (
            "slower-than-baseline",
            {"now": "StrategyExecutionSeconds", "baseline": "StrategyExecutionBaselineSeconds"},
        ),
    ],
)
def test_what_an_expression_is_over(alarm: str, metrics: dict[str, str]) -> None:
    queries = declared().one(ALARM, alarm).inputs["metricQueries"]
    own = {one["id"]: one["metric"] for one in queries if "metric" in one}
    assert {key: metric["metricName"] for key, metric in own.items()} == metrics
    assert {metric["namespace"] for metric in own.values()} == {OWN}


def test_slow_queries_are_those_over_a_second() -> None:  # L473
    counted = declared().one("aws:cloudwatch/logMetricFilter:LogMetricFilter").inputs
    assert counted["logGroupName"] == "/aws/rds/instance/casc-prod-main/postgresql"
    group = declared().one("aws:rds/parameterGroup:ParameterGroup").inputs
    parameters = {one["name"]: one["value"] for one in group["parameters"]}
    assert parameters["log_min_duration_statement"] == "1000"
    assert parameters["max_connections"] == "100"  # L700
    assert parameters["statement_timeout"] == "10000"  # L686


def test_the_cron() -> None:  # L331, L332, L394
    rule = declared().one(RULE, "strategy-executor").inputs
    assert (rule["scheduleExpression"], rule["state"]) == ("rate(1 minute)", "ENABLED")
    called = declared().one("aws:cloudwatch/eventApiDestination:EventApiDestination").inputs
    path = "/api/cron/strategy-executor"
    assert called["invocationEndpoint"] == f"https://cascadian.example.com{path}"
    assert called["httpMethod"] == "GET"
    retry = declared().one(TARGET, "strategy-executor").inputs["retryPolicy"]
    assert retry == {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 1}  # L692


def test_the_bearer_secret_is_sent_and_known_to_the_executor_alone() -> None:  # L314, L390
    connection = declared().one("aws:cloudwatch/eventConnection:EventConnection").inputs
    tags = declared().one("aws:secretsmanager/secret:Secret", "cron-secret").inputs["tags"]
    assert tags["gonogo:connection"] == connection["name"]
    assert stack().system.secrets["cron-secret"].generate_length == 64  # L318 to L321
    holders = {
        one.name
        for one in declared().all(TASK)
        if "CRON_SECRET" in references(containers(declared(), one.name)[one.name])
    }
    assert holders == {"executor"}
    (rule,) = [
        one.inputs["conditions"]
        for one in declared().all("aws:lb/listenerRule:ListenerRule")
        if one.name == "executor-10"
    ]
    assert rule == [{"pathPattern": {"values": ["/api/cron/*"]}}], "no cron path reaches the pages"


# line, workload, variable, value
VARIABLES = [
    (311, "web", "NEXT_PUBLIC_SUPABASE_URL", "https://cascadian.example.com"),
    (703, "web", "POLLING_INTERVAL_SECONDS", "30"),
    (694, "executor", "STRATEGIES_PER_CYCLE", "25"),
    (686, "executor", "CYCLE_TIMEOUT_SECONDS", "10"),
    (667, "weekly-check", "ZOMBIE_AFTER_MINUTES", "60"),
    (675, "monthly-cleanup", "EXECUTION_RETENTION_DAYS", "90"),
    (679, "monthly-cleanup", "UNUSED_STRATEGY_DAYS", "30"),
    (680, "monthly-cleanup", "VACUUM_ANALYZE", "true"),
]


@pytest.mark.parametrize("row", VARIABLES, ids=[f"L{row[0]} {row[2]}" for row in VARIABLES])
def test_variable(row: tuple[int, str, str, str]) -> None:
    _, workload, name, value = row
    assert variables(containers(declared(), workload)[workload])[name] == value


def test_secrets_reach_containers_by_reference(prod: System) -> None:  # L345
    web = references(containers(declared(), "web")["web"])
    assert {"DATABASE_URL", "ADMIN_API_KEY", "JWT_SIGNING_KEY"} == set(web)  # L313, L315
    for _, name, workload in prod.workloads():
        public = {one for one in workload.secrets if one.startswith("NEXT_PUBLIC_")}
        assert not public, name  # L312
    used = {one for _, _, workload in prod.workloads() for one in workload.secrets.values()}
    assert set(prod.secrets) == used
    assert {one: secret.rotation_days for one, secret in prod.secrets.items()} == {
        "cron-secret": 30, "administration": 90, "jwt-signing-key": 90,
    }  # fmt: skip


def test_the_five_migrations_in_order() -> None:  # L68, L97, L153, L198, L237
    migrate = containers(declared(), "migrate")["migrate"]
    order = variables(migrate)["MIGRATION_ORDER"].split()
    assert [name[:3] for name in order] == ["001", "002", "003", "004", "005"]
    assert migrate["command"] == ["pnpm", "run", "migrate"]
    url = references(migrate)["DATABASE_URL"]
    assert url.endswith("secret:casc-prod/main/migration:url::"), "the role that may change tables"


# line, job, when, its seconds
JOBS = [
    (654, "weekly-check", "cron(0 6 ? * MON *)", 900),
    (672, "monthly-cleanup", "cron(0 1 1 * ? *)", 3600),
]


@pytest.mark.parametrize("row", JOBS, ids=[f"L{row[0]} {row[1]}" for row in JOBS])
def test_scheduled_job(row: tuple[int, str, str, int], prod: System) -> None:
    _, name, expression, seconds = row
    assert declared().one(RULE, name).inputs["scheduleExpression"] == expression
    target = declared().one(TARGET, name).inputs
    family = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/casc-prod-{name}"
    assert target["ecsTarget"]["taskDefinitionArn"] == family
    command = containers(declared(), name)[name]["command"]
    assert command[:2] == ["timeout", str(seconds)]
    assert prod.jobs[name].timeout_seconds == seconds
    told = declared().one(TARGET, f"{name}-run-failed").inputs
    assert told["arn"].endswith("casc-prod-alerts-warning")


def test_the_clean_up_ends_before_the_deployment_window(prod: System) -> None:  # L55
    window = prod.windows["deployment"]
    assert (window.start, window.end, len(window.days)) == ("02:00", "04:00", 7)
    starts = int(re.findall(r"\d+", prod.schedules["monthly-cleanup"].expression)[1])
    assert starts * 3600 + prod.jobs["monthly-cleanup"].timeout_seconds <= 2 * 3600


# name, line, kind, hours, measured by, limit
CRITERIA = [
    ("cron-failing", 485, "roll-back", 1, "cron-success-rate", "< 50"),
    ("application-errors", 486, "roll-back", 1, "web-error-rate", "> 10"),
    ("twice-as-slow", 487, "roll-back", 1, "slower-than-baseline", "> 2"),
    ("users-after-a-day", 716, "success", 24, "UsersWithStrategies", ">= 10"),
    ("cron-succeeds", 760, "success", 48, "cron-success-rate", "> 95"),
    ("executes-quickly", 761, "success", 48, "strategy-execution-slow", "< 2"),
    ("queries-are-quick", 616, "success", 48, "query-slow", "< 150"),
    ("executes-without-errors", 762, "success", 48, "execution-error-rate", "< 5"),
    ("users-after-two-days", 763, "success", 48, "UsersWithStrategies", ">= 25"),
]


def test_criteria(prod: System) -> None:
    found = {
        name: (one.kind, one.hours, one.alarm or (one.metric and one.metric.name),
               f"{OPERATORS[one.comparison]} {one.threshold:g}")
        for name, one in prod.criteria.items()
    }  # fmt: skip
    assert found == {name: tuple(row) for name, _, *row in CRITERIA}


def test_criteria_name_alarms_that_are_declared(prod: System) -> None:
    named = {one.alarm for one in prod.criteria.values() if one.alarm}
    assert named <= set(declared().named(ALARM))


def test_a_deployment_that_fails_is_taken_back_and_told() -> None:  # L466, L467, L494
    for one in declared().all("aws:ecs/service:Service"):
        assert one.inputs["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
        assert one.inputs["alarms"]["alarmNames"] == [f"casc-prod-{one.name}-error-rate"]
        assert one.inputs["alarms"]["rollback"] is True
    assert declared().one(RULE, "deployment-failed")


def test_services_and_routes() -> None:
    assert {one.name for one in declared().all("aws:ecs/service:Service")} == {
        "web", "executor", "auth",
    }  # fmt: skip
    rules = {
        one.name: one.inputs["conditions"][0]["pathPattern"]["values"]
        for one in declared().all("aws:lb/listenerRule:ListenerRule")
    }
    assert rules["auth-20"] == ["/auth/v1/*"]
    assert rules["web-50000"] == ["/*"]


def test_people_are_told(prod: System) -> None:  # L740, L745, L749
    endpoints = {
        one.inputs["endpoint"]
        for one in declared().all("aws:sns/topicSubscription:TopicSubscription")
    }
    assert {"on-call", "devops-lead", "database-administration"} <= {
        endpoint.partition("@")[0] for endpoint in endpoints
    }


def test_backups(prod: System) -> None:  # L33, L492, L511
    assert prod.backup is not None
    assert prod.backup.rto_minutes == 20
    instance = declared().one("aws:rds/instance:Instance").inputs
    assert instance["backupRetentionPeriod"] == 35
    assert instance["multiAz"] is True
    assert instance["performanceInsightsEnabled"] is True


def test_metrics_are_in_the_contract(prod: System) -> None:
    text = (ROOT / "docs" / "application-contract.md").read_text()
    section = text.partition("### CASCADIAN")[2].partition("\n### ")[0]
    listed = set(re.findall(r"`([A-Z]\w+)`", section))
    metrics = [one.metric for one in prod.alarms.values() if one.metric]
    metrics += [m for one in prod.alarms.values() for m in one.metrics.values()]
    metrics += [one.metric for one in prod.criteria.values() if one.metric]
    metrics += [m for d in prod.dashboards.values() for w in d.widgets for m in w.metrics]
    assert {one.name for one in metrics if one.namespace is None} <= listed


def test_lines_of_the_checklist_are_named_in_the_file() -> None:
    named = {int(number) for number in re.findall(r"\bL(\d+)", YAML.read_text())}
    wanted = {row[0] for row in ALARMS} | {row[0] for row in VARIABLES} | {row[0] for row in JOBS}
    wanted |= {row[1] for row in CRITERIA}
    wanted |= {55, 312, 313, 314, 315, 331, 332, 390, 394, 481, 654, 672, 692, 700, 740, 757}
    assert wanted <= named
    assert max(named) <= 782


@pytest.mark.parametrize("tier", TIERS)
def test_what_no_tier_weakens(tier: str) -> None:
    system = stack(tier).system
    prod = stack().system
    assert system.alarms == prod.alarms
    assert system.criteria == prod.criteria
    assert system.schedules == prod.schedules
    database = system.databases["main"]
    assert (database.storage_encrypted, database.tls_required) == (True, True)
    assert database.alarms == prod.databases["main"].alarms
    assert system.ingress is not None
    assert all("*" not in origin for origin in system.ingress.cors_origins)


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_speaks_of_its_own_domain(tier: str) -> None:
    system = stack(tier).system
    assert system.ingress is not None
    own = f"https://{system.ingress.domain}"
    assert (tier == "prod") == (system.ingress.domain == "cascadian.example.com")
    assert system.services["web"].environment["NEXT_PUBLIC_SUPABASE_URL"] == own
    auth = system.services["auth"].environment
    assert (auth["GOTRUE_SITE_URL"], auth["API_EXTERNAL_URL"]) == (own, own)
    assert own in system.ingress.cors_origins


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_is_declared(tier: str) -> None:
    records = declared(tier)
    assert len(records.custom()) > 200
    names = [one.inputs["name"] for one in records.all(ALARM)]
    assert all(name.startswith(f"casc-{tier}-") for name in names)
