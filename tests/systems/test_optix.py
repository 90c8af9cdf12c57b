"""OPTIX's figures, by its checklist's lines, against what its stacks register."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.system import declare
from systems.model import System
from systems.stack import load
from tests.components.parts import ALARM, ECS_SERVICE, TASK, containers, references, variables
from tests.components.recording import ACCOUNT, REGION, Record, Records, record
from tests.systems.conftest import Project

ROOT = Path(__file__).parents[2]
YAML = ROOT / "systems" / "optix.yaml"
INSTANCE = "aws:rds/instance:Instance"
GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
NAT = "aws:ec2/natGateway:NatGateway"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
SECRET = "aws:secretsmanager/secret:Secret"
OWN = "optix/prod"
BALANCER = "AWS/ApplicationELB"
GB = 1024**3


def system(tier: str = "prod") -> System:
    return load(ROOT / f"Pulumi.optix-{tier}.yaml").system


def recorded(project: Path, tier: str) -> Records:
    stack = load(project / f"Pulumi.optix-{tier}.yaml")
    return record(lambda: declare(stack.system, stack.tier, stack.region, stack.tags), preview=True)


@cache  # what is recorded is only read
def declared(tier: str = "prod") -> Records:
    return recorded(ROOT, tier)


OPERATORS = {
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}


def watched(alarm: Record) -> tuple[str, str, int]:
    """What an alarm watches, with which statistic, over how many seconds."""
    inputs = alarm.inputs
    if "metricName" in inputs:
        what = f"{inputs['namespace']} {inputs['metricName']}"
        found = [f"{key}={value}" for key, value in (inputs.get("dimensions") or {}).items()]
        shown = [one for one in found if one.startswith("Answer=")]
        statistic = inputs.get("statistic") or inputs["extendedStatistic"]
        return " ".join([what, *shown]), statistic, inputs["period"]
    queries = inputs["metricQueries"]
    (expression,) = [one["expression"] for one in queries if one["returnData"]]
    metrics = [one["metric"] for one in queries if "metric" in one]
    (statistic,) = {metric["stat"] for metric in metrics}
    (period,) = {metric["period"] for metric in metrics}
    return expression, statistic, period


# line, alarm, what it watches, statistic, seconds, periods (of which so many), limit,
# missing data, severity
ALARMS: list[tuple[int, str, str, str, int, str, str, str, str]] = [
    (339, "api-error-rate", "100 * FILL(errors, 0) / requests", "Sum", 300, "1 of 1", "> 1",
     "notBreaching", "critical"),
    (340, "api-response-time", f"{BALANCER} TargetResponseTime", "p95", 60, "3 of 5", "> 2",
     "notBreaching", "critical"),
    (341, "database-main-pool-exhausted", "allowed - borrowed", "Sum", 60, "1 of 1", "<= 0",
     "notBreaching", "critical"),
    (341, "database-main-pool-usage", "100 * borrowed / allowed", "Sum", 60, "2 of 3", "> 80",
     "notBreaching", "critical"),
    (342, "api-memory", "AWS/ECS MemoryUtilization", "Average", 60, "5 of 5", "> 90", "missing",
     "critical"),
    (343, "api-cpu", "AWS/ECS CPUUtilization", "Average", 60, "5 of 5", "> 85", "missing",
     "critical"),
    (342, "database-main-memory", "AWS/RDS FreeableMemory", "Average", 60, "5 of 5",
     f"< {round(16 * GB * 0.1)}", "missing", "warning"),
    (343, "database-main-cpu", "AWS/RDS CPUUtilization", "Average", 60, "5 of 5", "> 85",
     "breaching", "critical"),
    (342, "cache-main-memory", "MAX(METRICS())", "Average", 60, "5 of 5", "> 90", "missing",
     "critical"),
    (343, "cache-main-cpu", "MAX(METRICS())", "Average", 60, "5 of 5", "> 85", "breaching",
     "critical"),
    (32, "api-tasks", "ECS/ContainerInsights RunningTaskCount", "Minimum", 60, "5 of 5", "< 2",
     "breaching", "critical"),
    (347, "no-trades", f"{OWN} TradesRecorded", "Sum", 3600, "1 of 1", "< 1", "breaching",
     "critical"),
    (348, "no-ideas", f"{OWN} IdeasPublished", "Sum", 3600, "1 of 1", "< 1", "breaching",
     "critical"),
    (349, "copy-trading-errors", f"{OWN} CopyTradingErrors", "Sum", 3600, "1 of 1", "> 10",
     "notBreaching", "critical"),
    (350, "sign-ups-halved", "IF(before >= 10, 100 * (before - now) / before, 0)", "Maximum", 300,
     "3 of 3", "> 50", "breaching", "critical"),
    (357, "cached-answers-slow", f"{OWN} ResponseMilliseconds Answer=cached", "p95", 300,
     "3 of 3", "> 200", "notBreaching", "warning"),
    (358, "calculated-answers-slow", f"{OWN} ResponseMilliseconds Answer=calculated", "p95", 300,
     "3 of 3", "> 1000", "notBreaching", "warning"),
    (356, "api-daily-uptime", f"{BALANCER} HealthyHostCount", "Maximum", 60, "2 of 1440", "< 1",
     "breaching", "warning"),
    (359, "api-daily-errors", "100 * FILL(errors, 0) / requests", "Sum", 86400, "1 of 1", "> 0.1",
     "notBreaching", "warning"),
]  # fmt: skip


@pytest.mark.parametrize("row", ALARMS, ids=[f"L{row[0]} {row[1]}" for row in ALARMS])
def test_alarm(row: tuple[Any, ...]) -> None:
    _, name, *rest = row
    alarm = declared().one(ALARM, name)
    inputs = alarm.inputs
    periods = inputs["evaluationPeriods"]
    limit = f"{OPERATORS[inputs['comparisonOperator']]} {inputs['threshold']}"
    assert [
        *watched(alarm),
        f"{inputs.get('datapointsToAlarm') or periods} of {periods}",
        limit,
        inputs["treatMissingData"],
        inputs["tags"]["severity"],
    ] == rest
    severity = rest[-1]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:optix-prod-alerts-{severity}"
    assert inputs["alarmActions"] == inputs["okActions"] == [topic]
    assert "https://runbooks.example.com/optix/" in inputs["alarmDescription"]


def test_every_alarm_of_its_own_is_in_the_table() -> None:
    assert set(system().alarms) <= {row[1] for row in ALARMS}


def test_sign_ups_are_a_day_against_the_same_day_a_week_before() -> None:  # L350
    queries = declared().one(ALARM, "sign-ups-halved").inputs["metricQueries"]
    metrics = {one["id"]: one["metric"]["metricName"] for one in queries if "metric" in one}
    assert metrics == {"now": "SignUpsLastDay", "before": "SignUpsSameDayLastWeek"}


def _input(type_: str, name: str, *path: str) -> Callable[[], Any]:
    def value() -> Any:
        found: Any = declared().one(type_, name).inputs
        for step in path:
            found = found[step]
        return found

    return value


# line, what it is about, where it is registered, its figure
FIGURES: list[tuple[int, str, Callable[[], Any], Any]] = [
    (19, "engine", _input(INSTANCE, "main", "engine"), "postgres"),
    (19, "16 GB, 4 CPUs", _input(INSTANCE, "main", "instanceClass"), "db.m7g.xlarge"),
    (20, "a pool", lambda: len(declared().all("aws:rds/proxy:Proxy")), 1),
    (20, "over TLS", lambda: declared().one("aws:rds/proxy:Proxy").inputs["requireTls"], True),
    (22, "backups, days", _input(INSTANCE, "main", "backupRetentionPeriod"), 30),
    (23, "no replicas yet", lambda: len(declared().all(INSTANCE)), 1),
    (26, "8 GB", _input(GROUP, "main", "nodeType"), "cache.r7g.large"),
    (27, "not a cluster yet", lambda: "numNodeGroups" in declared().one(GROUP).inputs, False),
    (32, "servers", lambda: _target()["minCapacity"], 2),
    (33, "balancer", lambda: _only("aws:lb/loadBalancer:LoadBalancer")["loadBalancerType"],
     "application"),
    (34, "readiness", lambda: _only("aws:lb/targetGroup:TargetGroup")["healthCheck"]["path"],
     "/health/ready"),
    (35, "servers at most", lambda: _target()["maxCapacity"], 20),
    (54, "encrypted", _input(INSTANCE, "main", "storageEncrypted"), True),
    (54, "cache encrypted", _input(GROUP, "main", "atRestEncryptionEnabled"), True),
    (56, "cache over TLS", _input(GROUP, "main", "transitEncryptionEnabled"), True),
    (177, "maintenance", _input(INSTANCE, "main", "maintenanceWindow"), "sun:06:00-sun:07:00"),
    (296, "database HA", _input(INSTANCE, "main", "multiAz"), True),
    (297, "cache HA", _input(GROUP, "main", "multiAzEnabled"), True),
    (297, "cache fails over", _input(GROUP, "main", "automaticFailoverEnabled"), True),
    (332, "domain", lambda: _only("aws:acm/certificate:Certificate")["domainName"],
     "api.optix.example.com"),
]  # fmt: skip


def _only(type_: str) -> dict[str, Any]:
    return declared().one(type_).inputs


def _target() -> dict[str, Any]:
    return _only("aws:appautoscaling/target:Target")


@pytest.mark.parametrize(
    ("where", "figure"),
    [row[2:] for row in FIGURES],
    ids=[f"L{line} {what}" for line, what, *_ in FIGURES],
)
def test_figure(where: Callable[[], Any], figure: object) -> None:
    assert where() == figure


def test_backups_are_kept_and_copied_for_thirty_days() -> None:  # L22, L301
    plan = declared().one("aws:backup/plan:Plan").inputs
    (rule,) = plan["rules"]
    assert rule["schedule"] == "cron(0 8 * * ? *)"
    assert rule["lifecycle"]["deleteAfter"] == 30
    assert [copy["lifecycle"]["deleteAfter"] for copy in rule["copyActions"]] == [30]


# line, variable, value
VARIABLES = [
    (43, "HASHING", "argon2"), (50, "RATE_LIMIT_USER_PER_MINUTE", "120"),
    (50, "RATE_LIMIT_API_KEY_PER_MINUTE", "600"), (57, "CORS_ORIGINS", "https://optix.example.com"),
    (63, "REQUEST_MAX_BYTES", "8192"), (64, "UPLOAD_MAX_BYTES", "5242880"),
    (73, "CACHE_TTL_DEFAULT_SECONDS", "60"), (73, "CACHE_TTL_LEADERBOARD_SECONDS", "300"),
    (73, "CACHE_TTL_PERFORMANCE_SECONDS", "300"), (73, "CACHE_TTL_SENTIMENT_SECONDS", "120"),
    (74, "FEATURE_COPY_TRADING", "true"), (42, "FEATURE_OAUTH2", "false"),
    (124, "FEATURE_PAYMENTS", "false"), (77, "LOG_FORMAT", "json"), (81, "AUDIT_LOG", "true"),
    (289, "AUTH_REQUIRED", "true"), (299, "TEST_DATA", "false"), (296, "STORAGE", "postgres"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "value"),
    [row[1:] for row in VARIABLES],
    ids=[f"L{r[0]} {r[1]}" for r in VARIABLES],
)
def test_variable(variable: str, value: str) -> None:
    assert variables(containers(declared(), "api")["api"])[variable] == value


def test_the_api_is_given_its_connections_and_keys_by_reference() -> None:  # L69 to L71
    assert set(references(containers(declared(), "api")["api"])) == {
        "DATABASE_URL", "REDIS_URL", "JWT_SIGNING_KEY", "REFRESH_TOKEN_KEY", "SESSION_KEY",
        "CSRF_KEY", "PERSONAL_DATA_KEY", "SENTRY_DSN",
    }  # fmt: skip
    assert "/health" in str(containers(declared(), "api")["api"]["healthCheck"]), "L332"


def test_keys_that_can_be_made_anew_are() -> None:
    assert {name: one.rotation_days for name, one in system().secrets.items()} == {
        "jwt-signing-key": 90, "refresh-token-key": 90, "session-key": 90, "csrf-key": 90,
        "personal-data-key": None, "sentry": None,
    }  # fmt: skip


def _acl_rules() -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule["statement"] for rule in declared().one(WEB_ACL).inputs["rules"]}


@pytest.mark.parametrize(
    ("rule", "header", "variable"),
    [
        ("rate-users", "authorization", "RATE_LIMIT_USER_PER_MINUTE"),
        ("rate-integrations", "x-api-key", "RATE_LIMIT_API_KEY_PER_MINUTE"),
    ],
)
def test_users_and_keys_are_limited_alike_by_waf_and_application(
    rule: str, header: str, variable: str
) -> None:  # L50, L72
    rate = _acl_rules()[rule]["rateBasedStatement"]
    (key,) = rate["customKeys"]
    assert key["header"]["name"] == header
    assert rate["evaluationWindowSec"] == 60
    assert str(rate["limit"]) == variables(containers(declared(), "api")["api"])[variable]


def test_large_requests_are_uploads() -> None:  # L63, L64
    _, elsewhere = _acl_rules()["large-bodies"]["andStatement"]["statements"]
    match = elsewhere["notStatement"]["statement"]["byteMatchStatement"]
    assert match["searchString"] == "/api/uploads/"


def test_jobs() -> None:  # L28, L189, L316
    assert {name: containers(declared(), name)[name]["command"] for name in system().jobs} == {
        "migrate": ["python", "migrate.py"],
        "verify-data": ["python", "verify_data.py"],
        "warm-cache": ["python", "warm_cache.py"],
    }


def test_criteria_are_those_of_success() -> None:  # L357 to L359
    found = {one.threshold: (one.kind, one.comparison) for one in system().criteria.values()}
    assert found == dict.fromkeys((0.1, 200, 1000), ("success", "LessThanThreshold"))
    assert system().criteria["few-errors"].alarm in declared().named(ALARM)


def test_business_is_on_the_dashboard() -> None:  # L89, L269 to L273, L364 to L367
    body = json.loads(declared().one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])
    titles = " ".join(str(one["properties"].get("title", "")) for one in body["widgets"])
    for figure in ("10,000", "1,000", "100 on average", "100 in the first month"):
        assert figure in titles


def test_logs() -> None:  # L77, L79, L166
    group = declared().one("aws:cloudwatch/logGroup:LogGroup", "api").inputs
    assert group["retentionInDays"] == 365


def test_staging_mirrors_production() -> None:  # L287 to L292
    records = declared("staging")
    for type_, name, key in (
        (INSTANCE, "main", "instanceClass"), (INSTANCE, "main", "multiAz"),
        (INSTANCE, "main", "backupRetentionPeriod"), (GROUP, "main", "nodeType"),
        (GROUP, "main", "multiAzEnabled"), (ECS_SERVICE, "api", "desiredCount"),
        (TASK, "api", "cpu"), (TASK, "api", "memory"),
    ):  # fmt: skip
        assert records.one(type_, name).inputs[key] == declared().one(type_, name).inputs[key], key
    assert set(records.named(ALARM)) == set(declared().named(ALARM)), "L291"
    found = variables(containers(records, "api")["api"])
    assert (found["TEST_DATA"], found["AUTH_REQUIRED"]) == ("true", "true")


def test_development_has_no_servers_to_pay_for() -> None:  # L279 to L281
    records = declared("dev")
    for type_ in (INSTANCE, GROUP, NAT, SECRET, "aws:ec2/eip:Eip", "aws:lambda/function:Function"):
        assert records.all(type_) == [], type_
    service = records.one(ECS_SERVICE).inputs
    assert service["desiredCount"] == 1
    assert service["networkConfiguration"]["assignPublicIp"] is True
    task = records.one(TASK).inputs
    assert (task["cpu"], task["memory"]) == ("256", "512")
    found = variables(containers(records, "api")["api"])
    assert (found["STORAGE"], found["AUTH_REQUIRED"], found["LOG_LEVEL"]) == (
        "memory", "false", "DEBUG",
    )  # fmt: skip
    assert found["TEST_DATA"] == "true", "L282"
    assert references(containers(records, "api")["api"]) == {}


@pytest.fixture
def project(new_project: Callable[[], Project]) -> Project:
    return new_project()


def _override(project: Project, *lines: str) -> Records:
    with (project.root / "Pulumi.optix-prod.yaml").open("a") as stream:
        stream.write("  gonogo:overrides:\n" + "".join(f"    {line}\n" for line in lines))
    return recorded(project.root, "prod")


def test_read_replicas_are_an_option(project: Project) -> None:  # L23
    records = _override(project, "databases.main.read_replica_count: 2")
    assert len(records.all(INSTANCE)) == 3
    web = containers(records, "api")["api"]
    assert references(web)["DATABASE_READERS"].endswith(":parameter/optix-prod/main/readers-2")
    assert "DATABASE_READERS" not in references(containers(records, "migrate")["migrate"])
    assert "parameter/optix-prod/main/readers-2" in str(
        records.one("aws:iam/rolePolicy:RolePolicy", "api-execution").inputs["policy"]
    )


def test_a_redis_cluster_is_an_option(project: Project) -> None:  # L27
    records = _override(project, "caches.main.cluster_mode: true", "caches.main.shards: 3")
    group = records.one(GROUP).inputs
    assert (group["numNodeGroups"], group["replicasPerNodeGroup"]) == (3, 1)


def test_metrics_that_are_alarmed_on_are_in_the_contract() -> None:
    contract = (ROOT / "docs" / "application-contract.md").read_text()
    section = contract.split("### OPTIX", 1)[1].split("\n### ", 1)[0]
    found = system()
    metrics = {one.name for alarm in found.alarms.values() for one in alarm.metrics.values()}
    metrics |= {alarm.metric.name for alarm in found.alarms.values() if alarm.metric}
    metrics |= {
        metric.name
        for dashboard in found.dashboards.values()
        for widget in dashboard.widgets
        for metric in widget.metrics
    }
    assert {name for name in metrics if f"`{name}`" not in section} == set()


def test_lines_of_the_checklist_are_named_in_the_file() -> None:
    named = {int(number) for number in re.findall(r"\bL(\d+)", YAML.read_text())}
    wanted = """
    19 20 22 23 26 27 28 32 33 34 35 40 41 42 43 44 50 53 54 55 56 57 62 63 64 69 70 71 72 73 74
    77 79 80 81 89 115 118 119 177 189 279 280 281 282 289 290 296 297 316 332 339 340 341 342 343
    347 348 349 350 356 357 358 359 364 365 366 367
    """
    assert {int(number) for number in wanted.split()} - named == set()
    assert max(named) <= 396
