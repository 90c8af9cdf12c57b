"""PaiiD's checklist by its lines, against what its stacks register with Pulumi."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.system import declare
from systems.model import System
from systems.stack import load
from tests.components.parts import ALARM, TASK, containers, references, variables
from tests.components.recording import ACCOUNT, REGION, Records, record
from tests.systems.conftest import Project

ROOT = Path(__file__).parents[2]
TIERS = ("prod", "staging", "dev")
SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:paiid-prod"
TOPICS = {name: f"arn:aws:sns:{REGION}:{ACCOUNT}:paiid-prod-alerts-{name}"
          for name in ("critical", "warning")}  # fmt: skip
SIGNS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
    "GreaterThanUpperThreshold": "above",
}


@cache
def registered(tier: str = "prod") -> Records:
    stack = load(ROOT / f"Pulumi.paiid-{tier}.yaml")
    return record(lambda: declare(stack.system, stack.tier, stack.region, stack.tags), preview=True)


def prod() -> System:
    return load(ROOT / "Pulumi.paiid-prod.yaml").system


DAY = 86400
# line, alarm, metrics (by id where there are several), statistic, period in seconds, periods,
# comparison, threshold, missing data, severity
ALARMS: list[tuple[Any, ...]] = [
    *[
        row
        for name, slow, uptime in (("backend", 5, 8), ("frontend", 3, 2))
        for row in (
            (556, f"{name}-cpu", "CPUUtilization", "Average", 60, 5, ">", 80, "missing", "warning"),
            (557, f"{name}-memory", "MemoryUtilization", "Average", 60, 3, ">", 90, "missing",
             "warning"),
            (558, f"{name}-error-rate",
             {"errors": "HTTPCode_Target_5XX_Count", "requests": "RequestCount"}, "Sum", 60, 1, ">",
             10, "notBreaching", "critical"),
            (559, f"{name}-down", "HealthyHostCount", "Maximum", 60, 1, "<", 1, "breaching",
             "critical"),
            (435, f"{name}-errors-logged", f"{name}-errors-logged", "Sum", 60, 1, ">", 10,
             "notBreaching", "warning"),
            (800 if name == "backend" else 397, f"{name}-response-time", "TargetResponseTime",
             "p95", 60, 5, ">", slow, "notBreaching", "warning"),
            (907 if name == "backend" else 911, f"{name}-daily-uptime", "HealthyHostCount",
             "Maximum", 60, (1440, uptime), "<", 1, "breaching", "warning"),
        )
    ],
    (932, "backend-daily-errors",
     {"errors": "HTTPCode_Target_5XX_Count", "requests": "RequestCount"}, "Sum", DAY, 1, ">", 5,
     "notBreaching", "warning"),
    (472, "database-large", "DatabaseMegabytes", "Maximum", DAY, 1, ">=", 100, "breaching",
     "warning"),
    (475, "users-many", "Users", "Maximum", DAY, 1, ">=", 100, "notBreaching", "warning"),
    (478, "sessions-many", "ActiveSessions", "Maximum", 3600, 1, ">=", 50, "notBreaching",
     "warning"),
    (481, "activities-many", "ActivitiesLastDay", "Maximum", DAY, 1, ">=", 10000, "notBreaching",
     "warning"),
    (915, "health-check-slow", "HealthCheckMilliseconds", "p95", 60, 3, ">", 500, "breaching",
     "critical"),
    (919, "market-data-slow", "MarketDataMilliseconds", "p95", 300, 3, ">", 2000, "notBreaching",
     "warning"),
    (923, "recommendations-slow", "RecommendationMilliseconds", "p95", 300, 3, ">", 5000,
     "notBreaching", "warning"),
    (523, "page-load-slow", "PageLoadMilliseconds", "p75", 3600, 1, ">", 3000, "notBreaching",
     "warning"),
    (524, "page-interactive-slow", "TimeToInteractiveMilliseconds", "p75", 3600, 1, ">", 5000,
     "notBreaching", "warning"),
    (525, "page-paint-slow", "LargestContentfulPaintMilliseconds", "p75", 3600, 1, ">", 2500,
     "notBreaching", "warning"),
    (526, "page-shifts", "CumulativeLayoutShift", "p75", 3600, 1, ">", 0.1, "notBreaching",
     "warning"),
    (936, "browser-errors", {"errors": "BrowserErrors", "loads": "PageLoads"}, "Sum", DAY, 1, ">=",
     1, "notBreaching", "warning"),
    (941, "registrations-failing",
     {"succeeded": "Registrations", "attempted": "RegistrationAttempts"}, "Sum", DAY, 1, "<=", 90,
     "notBreaching", "warning"),
    (944, "logins-failing", {"succeeded": "Logins", "attempted": "LoginAttempts"}, "Sum", DAY, 1,
     "<=", 95, "notBreaching", "critical"),
    (948, "trades-failing", {"executed": "TradesExecuted", "attempted": "TradeAttempts"}, "Sum",
     DAY, 1, "<=", 95, "notBreaching", "critical"),
    (952, "recommendations-failing",
     {"succeeded": "Recommendations", "requested": "RecommendationRequests"}, "Sum", DAY, 1, "<=",
     80, "notBreaching", "warning"),
    (576, "errors-unusual", {"watched_value": "ServerErrors"}, "Sum", 300, 1, "above", None,
     "notBreaching", "warning"),
    (577, "exception-unhandled", "UnhandledExceptions", "Sum", 60, 1, ">", 0, "notBreaching",
     "warning"),
]  # fmt: skip


@pytest.mark.parametrize("row", ALARMS, ids=[f"L{row[0]} {row[1]}" for row in ALARMS])
def test_alarm(row: tuple[Any, ...]) -> None:
    _, name, metrics, statistic, period, periods, comparison, threshold, missing, severity = row
    alarm = registered().one(ALARM, name).inputs
    if isinstance(metrics, dict):
        asked = {one["id"]: one["metric"] for one in alarm["metricQueries"] if "metric" in one}
        assert {query: one["metricName"] for query, one in asked.items()} == metrics
        measured = {(one["stat"], one["period"]) for one in asked.values()}
    else:
        assert alarm["metricName"] == metrics
        measured = {(alarm.get("statistic", alarm.get("extendedStatistic")), alarm["period"])}
    assert measured == {(statistic, period)}
    evaluated, needed = periods if isinstance(periods, tuple) else (periods, None)
    assert alarm["evaluationPeriods"] == evaluated
    if needed:
        assert alarm["datapointsToAlarm"] == needed
    assert (SIGNS[alarm["comparisonOperator"]], alarm.get("threshold")) == (comparison, threshold)
    assert alarm["treatMissingData"] == missing
    assert alarm["alarmActions"] == alarm["okActions"] == [TOPICS[severity]]


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("backend-error-rate", "100 * FILL(errors, 0) / requests"),
        ("browser-errors", "100 * FILL(errors, 0) / loads"),
        ("registrations-failing", "100 * FILL(succeeded, 0) / attempted"),
        ("logins-failing", "100 * FILL(succeeded, 0) / attempted"),
        ("trades-failing", "100 * FILL(executed, 0) / attempted"),
        ("recommendations-failing", "100 * FILL(succeeded, 0) / requested"),
        ("errors-unusual", "ANOMALY_DETECTION_BAND(watched_value, 10)"),
    ],
)
def test_a_share_is_of_what_its_line_says(name: str, expression: str) -> None:
    queries = registered().one(ALARM, name).inputs["metricQueries"]
    assert [one["expression"] for one in queries if one.get("expression")] == [expression]


def test_no_alarm_of_the_file_is_beside_the_table() -> None:
    assert set(prod().alarms) <= {row[1] for row in ALARMS}


def test_alarms_are_on_metrics_that_the_application_promises() -> None:
    text = (ROOT / "docs" / "application-contract.md").read_text()
    section = text.split("### PaiiD\n")[1].split("\n### ")[0]
    promised = set(re.findall(r"`(\w+)`", section))
    system = prod()
    watched = {
        metric.name
        for alarm in system.alarms.values()
        for metric in (*alarm.metrics.values(), *([alarm.metric] if alarm.metric else []))
    }
    shown = {
        metric.name
        for dashboard in system.dashboards.values()
        for widget in dashboard.widgets
        for metric in widget.metrics
    }
    assert watched | shown <= promised


# line, variable of the backend, where it is from
BACKEND_SECRETS = [
    (239, "API_TOKEN", "api-token"),
    (240, "JWT_SECRET_KEY", "jwt-secret-key"),
    (241, "TRADIER_API_KEY", "tradier-api-key"),
    (242, "TRADIER_ACCOUNT_ID", "tradier-account-id"),
    (244, "ALPACA_PAPER_API_KEY", "alpaca-paper-api-key"),
    (245, "ALPACA_PAPER_SECRET_KEY", "alpaca-paper-secret-key"),
    (246, "ANTHROPIC_API_KEY", "anthropic-api-key"),
    (247, "DATABASE_URL", "main/application:url::"),
    (248, "REDIS_URL", "main/auth:url::"),
    (249, "SENTRY_DSN", "sentry-dsn"),
]
BACKEND_VARIABLES = [
    (63, "RATE_LIMIT_PER_MINUTE", "100"),
    (64, "RATE_LIMIT_AUTH_PER_MINUTE", "10"),
    (65, "RATE_LIMIT_TRADES_PER_MINUTE", "20"),
    (67, "CSRF_ENABLED", "true"),
    (68, "CSRF_ISSUE_PATH", "/api/auth/csrf-token"),
    (69, "CSRF_METHODS", "POST,PUT,DELETE,PATCH"),
    (70, "CSRF_EXEMPT_PATHS", "/api/health,/api/auth/login,/api/auth/register"),
    (194, "GZIP_MINIMUM_BYTES", "1024"),
    (243, "TRADIER_API_BASE_URL", "https://api.tradier.com/v1"),
    (250, "ALLOW_ORIGIN", "https://paiid.example.com"),
    (293, "ENVIRONMENT", "production"),
    (440, "ACCESS_MINUTES", "15"),
    (503, "CSRF_HEADER", "X-CSRF-Token"),
    (865, "DATABASE_POOL_SIZE", "20"),
]


@pytest.mark.parametrize(("line", "name", "secret"), BACKEND_SECRETS)
def test_secret_variable(line: int, name: str, secret: str) -> None:
    given = references(containers(registered(), "backend")["backend"])
    assert given[name].startswith(f"{SECRETS}/"), f"L{line}"
    assert given[name].removeprefix(f"{SECRETS}/") == secret, f"L{line}"


@pytest.mark.parametrize(("line", "name", "value"), BACKEND_VARIABLES)
def test_plain_variable(line: int, name: str, value: str) -> None:
    assert variables(containers(registered(), "backend")["backend"])[name] == value, f"L{line}"


def test_no_variable_of_the_backends_table_is_missing() -> None:
    backend = containers(registered(), "backend")["backend"]
    assert set(references(backend)) == {row[1] for row in BACKEND_SECRETS}


def test_secrets_are_generated_or_filled_in() -> None:  # L73, L74, L255, L258
    generated = {
        name: (secret.generate_length, secret.rotation_days)
        for name, secret in prod().secrets.items()
        if secret.generate_length
    }
    assert generated == {"api-token": (43, 90), "jwt-secret-key": (64, 90)}
    assert all(secret.fill for name, secret in prod().secrets.items() if name not in generated)


def test_the_browser_gets_nothing_secret() -> None:  # L269 to L272
    frontend = containers(registered(), "frontend")["frontend"]
    plain, secret = variables(frontend), references(frontend)
    assert plain["NODE_ENV"] == "production"
    assert plain["BACKEND_URL"] == "http://backend.paiid-prod.internal:8000"
    public = {name: value for name, value in plain.items() if name.startswith("NEXT_PUBLIC_")}
    assert public == {"NEXT_PUBLIC_BACKEND_API_BASE_URL": "https://paiid.example.com"}
    assert secret == {"API_TOKEN": f"{SECRETS}/api-token"}, "the server's, to ask the backend with"


PUBLIC = ("NEXT_PUBLIC_API_TOKEN", "NEXT_PUBLIC_ANTHROPIC_API_KEY")  # L269, L271


def _frontend(project: Project, section: str, line: str) -> Any:
    """What is wrong when the checklist's own line stands in the frontend."""
    anchor = {
        "secrets": "      API_TOKEN: api-token                  # L269",
        "environment": "      NODE_ENV: production                  # L272",
    }[section]
    file = project.root / "systems" / "paiid.yaml"
    project.edit(file, anchor, f"      {line}\n{anchor}")
    return project.only_problem("paiid-prod")


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize(
    ("section", "value"), [("secrets", "api-token"), ("environment", "a-value")]
)
def test_the_checklists_trap(project: Project, name: str, section: str, value: str) -> None:
    problem = _frontend(project, section, f"{name}: {value}")
    assert problem.place.file.name == "paiid.yaml"
    assert problem.place.line == project.line_of(problem.place.file, f"{name}:")
    assert problem.field == f"services.frontend.{section}.{name}"
    assert f"in {name}, which bundlers copy into what every browser downloads" in problem.found
    assert "do not begin with NEXT_PUBLIC_" in problem.allowed
    assert "from the server" in problem.todo


@pytest.mark.parametrize("literal", ["rnd_" + "x" * 28, "sk-ant-" + "api03-" + "x" * 20])
@pytest.mark.parametrize("name", ["NEXT_PUBLIC_SITE", *PUBLIC])
def test_a_literal_of_a_secrets_shape_is_no_public_value(
    project: Project, name: str, literal: str
) -> None:
    problem = _frontend(project, "environment", f"{name}: {literal}")
    assert problem.field == f"services.frontend.environment.{name}"
    assert problem.found.startswith("what looks like a")
    assert "every browser downloads" in problem.todo
    assert literal not in str(problem), "a message may end in a log"


# line, rule, requests, seconds, path, counted by
LIMITS = [
    (63, "everybody", 100, 60, "/api/", None),
    (64, "authentication", 10, 60, "/api/auth/", None),
    (65, "trades", 20, 60, "/api/orders", "authorization"),
]


@pytest.mark.parametrize("row", LIMITS, ids=[f"L{row[0]} {row[1]}" for row in LIMITS])
def test_rate_limit(row: tuple[int, str, int, int, str, str | None]) -> None:
    _, name, requests, seconds, path, header = row
    rules = registered().one("aws:wafv2/webAcl:WebAcl").inputs["rules"]
    (found,) = [one for one in rules if one["name"] == f"rate-{name}"]
    rate = found["statement"]["rateBasedStatement"]
    assert (rate["limit"], rate["evaluationWindowSec"]) == (requests, seconds)
    assert rate["scopeDownStatement"]["byteMatchStatement"]["searchString"] == path
    assert "block" in found["action"]
    if header:
        assert rate["aggregateKeyType"] == "CUSTOM_KEYS"
        assert [key["header"]["name"] for key in rate["customKeys"]] == [header]
    else:
        assert rate["aggregateKeyType"] == "IP"


def test_security_headers() -> None:  # L57 to L60
    listener = registered().one("aws:lb/listener:Listener", "ingress-https").inputs
    prefix = "routingHttpResponse"
    assert "frame-ancestors" in listener[f"{prefix}ContentSecurityPolicyHeaderValue"]
    assert listener[f"{prefix}XFrameOptionsHeaderValue"] == "DENY"
    assert listener[f"{prefix}XContentTypeOptionsHeaderValue"] == "nosniff"
    transport = listener[f"{prefix}StrictTransportSecurityHeaderValue"]
    assert transport.startswith("max-age=31536000")


def test_health_checks() -> None:  # L284, L288, L593
    backend = containers(registered(), "backend")["backend"]["healthCheck"]
    assert "http://127.0.0.1:8000/api/health " in backend["command"][1]
    assert (backend["interval"], backend["timeout"], backend["retries"]) == (15, 5, 3)
    group = registered().one("aws:lb/targetGroup:TargetGroup", "backend").inputs["healthCheck"]
    assert (group["path"], group["timeout"]) == ("/api/health/detailed", 5)
    frontend = containers(registered(), "frontend")["frontend"]["healthCheck"]
    assert "http://127.0.0.1:3000/ " in frontend["command"][1]


def test_who_answers_what() -> None:  # L111, L112, L284 to L292
    routed: dict[str, set[str]] = {}
    for rule in registered().all("aws:lb/listenerRule:ListenerRule"):
        (condition,) = rule.inputs["conditions"]
        service = rule.name.rpartition("-")[0]
        routed.setdefault(service, set()).update(condition["pathPattern"]["values"])
    assert routed == {
        "backend": {
            "/api/health", "/api/health/*", "/api/monitor/version", "/api/docs", "/api/redoc",
            "/api/openapi.json",
        },
        "frontend": {"/*"},
    }  # fmt: skip


# line, job, command
JOBS = [
    (1052, "migrate", ["alembic", "upgrade", "head"]),
    (727, "migrate-back", ["alembic", "downgrade", "-1"]),
    (717, "migration-state", ["sh", "-c", "alembic current --verbose && alembic history"]),
]


@pytest.mark.parametrize(("line", "name", "command"), JOBS)
def test_migrations(line: int, name: str, command: list[str]) -> None:
    job = containers(registered(), name)[name]
    assert job["command"] == command, f"L{line}"
    assert references(job)["DATABASE_URL"] == f"{SECRETS}/main/migration:url::"


# line, kind, hours, criterion, sign, threshold
CRITERIA = [
    (559, "roll-back", 1, "backend-down", "<", 1),
    (663, "roll-back", 1, "many-errors", ">=", 10),
    (800, "roll-back", 1, "slow", ">", 5),
    (915, "success", 24, "health-check", "<", 500),
    (919, "success", 24, "market-data", "<", 2000),
    (923, "success", 24, "recommendations-fast", "<", 5000),
    (927, "success", 24, "pages", "<", 3000),
    (932, "success", 24, "errors", "<", 5),
    (936, "success", 24, "browsers", "<", 1),
    (941, "success", 24, "registrations", ">", 90),
    (944, "success", 24, "logins", ">", 95),
    (948, "success", 24, "trades", ">", 95),
    (952, "success", 24, "recommendations", ">", 80),
]


@pytest.mark.parametrize("row", CRITERIA, ids=[f"L{row[0]} {row[3]}" for row in CRITERIA])
def test_criterion(row: tuple[int, str, int, str, str, float]) -> None:
    _, kind, hours, name, sign, threshold = row
    criterion = prod().criteria[name]
    assert (criterion.kind, criterion.hours) == (kind, hours)
    assert (SIGNS[criterion.comparison], criterion.threshold) == (sign, threshold)
    assert criterion.alarm in registered().named(ALARM), "what is measured is an alarm's measure"


def test_database() -> None:  # L101, L102, L471, L711
    instance = registered().one("aws:rds/instance:Instance").inputs
    assert (instance["dbName"], instance["engine"]) == ("paiid_production", "postgres")
    assert instance["backupRetentionPeriod"] == 35
    assert instance["storageEncrypted"] and instance["multiAz"]
    assert registered().one("aws:rds/proxy:Proxy").inputs["requireTls"]


def test_redis_is_where_several_backends_are() -> None:  # L248
    for tier in TIERS:
        system = load(ROOT / f"Pulumi.paiid-{tier}.yaml").system
        backend = system.services["backend"]
        several = backend.desired_count > 1 or backend.autoscaling is not None
        assert bool(system.caches) == bool(backend.caches) == several == (tier != "dev")
    assert "REDIS_URL" not in references(containers(registered("dev"), "backend")["backend"])


@pytest.mark.parametrize("tier", TIERS)
def test_origins_and_names_are_the_tiers_own(tier: str) -> None:  # L250, L270, L274
    site = "https://paiid.example.com" if tier == "prod" else f"https://paiid.{tier}.example.com"
    backend = variables(containers(registered(tier), "backend")["backend"])
    frontend = variables(containers(registered(tier), "frontend")["frontend"])
    assert backend["ALLOW_ORIGIN"] == frontend["NEXT_PUBLIC_BACKEND_API_BASE_URL"] == site
    assert site in backend["CORS_ORIGINS"].split(",")
    assert frontend["BACKEND_URL"] == f"http://backend.paiid-{tier}.internal:8000"
    assert {one.inputs["family"] for one in registered(tier).all(TASK)} == {
        f"paiid-{tier}-{name}"
        for name in ("backend", "frontend", "migrate", "migrate-back", "migration-state")
    }


def test_whom_a_critical_alarm_reaches() -> None:  # L885 to L899
    heard = registered().all("aws:sns/topicSubscription:TopicSubscription")
    critical = {
        one.inputs["endpoint"] for one in heard if one.inputs["topic"] == TOPICS["critical"]
    }
    assert critical == {
        f"{name}@example.com" for name in ("on-call", "project-lead", "technical-director")
    }


def test_lines_of_the_checklist_are_named_in_the_file() -> None:
    text = (ROOT / "systems" / "paiid.yaml").read_text()
    named = {int(number) for number in re.findall(r"\bL(\d+)", text)}
    tables = (ALARMS, BACKEND_SECRETS, BACKEND_VARIABLES, LIMITS, JOBS, CRITERIA)
    wanted = {row[0] for table in tables for row in table}
    assert wanted <= named
    assert max(named) <= 1110
