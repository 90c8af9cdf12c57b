"""Each kind of wrong config gives one clear error, at its line, and nothing but ConfigError."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from systems.errors import render
from systems.stack import stack_name, stacks

if TYPE_CHECKING:
    from tests.systems.conftest import Project


@dataclass(frozen=True)
class Case:
    """`old` becomes `new`; the error stands in the line that then has `at` (or `new`)."""

    old: str
    new: str
    field: str
    found: str
    allowed: str
    todo: str
    at: str = ""


SYSTEM = {
    "unknown field": Case(
        "tls_required: true",
        "tls_requierd: true",
        "databases.main.tls_requierd",
        "an unknown field",
        "tls_required",
        "did you mean tls_required?",
    ),
    "unknown section": Case(
        "schedules:",
        "shedules:",
        "shedules",
        "an unknown field",
        "schedules",
        "did you mean schedules?",
    ),
    "text for a number": Case(
        "max_connections: 200",
        "max_connections: lots",
        "databases.main.max_connections",
        '"lots"',
        "a whole number from 20 to 10000",
        "write a number",
    ),
    "unit in a number of seconds": Case(
        "statement_timeout_seconds: 30 ",
        "statement_timeout_seconds: 30s ",
        "databases.main.statement_timeout_seconds",
        '"30s"',
        "a whole number from 1 to 3600",
        "write 30: the field's name says seconds",
    ),
    "unit to be converted": Case(
        "silence_minutes: 5",
        "silence_minutes: 1h",
        "schedules.heartbeat.silence_minutes",
        '"1h"',
        "from 1 to 10080",
        "write 60: the field's name says minutes",
    ),
    "unit that does not fit": Case(
        "idle_in_transaction_timeout_seconds: 60",
        "idle_in_transaction_timeout_seconds: 60GB",
        "databases.main.idle_in_transaction_timeout_seconds",
        '"60GB"',
        "from 1 to 3600",
        "write a number of seconds, without a unit",
    ),
    "per cent sign": Case(
        "connections_percent: 80 ",
        'connections_percent: "80%"',
        "databases.main.alarms.connections_percent",
        '"80%"',
        "a number above 0 and of at most 100",
        "write 80: the field's name says percent",
    ),
    "true for a number": Case(
        "statement_timeout_seconds: 30 ",
        "statement_timeout_seconds: true ",
        "databases.main.statement_timeout_seconds",
        "true",
        "a whole number from 1 to 3600",
        "write a number",
    ),
    "true for one of some numbers": Case(
        "period_seconds: 60, path_prefix",
        "period_seconds: true, path_prefix",
        "ingress.rate_limits.api.period_seconds",
        "true",
        "one of 60, 120, 300, 600",
        "take one of those",
    ),
    "negative number": Case(
        "max_connections: 200",
        "max_connections: -3",
        "databases.main.max_connections",
        "-3",
        "from 20 to 10000",
        "take a number in that range",
    ),
    "fraction of a whole number": Case(
        "max_connections: 200",
        "max_connections: 200.5",
        "databases.main.max_connections",
        "200.5",
        "a whole number from 20 to 10000",
        "leave out the fraction",
    ),
    "number too long for a machine": Case(
        "max_connections: 200",
        f"max_connections: {'9' * 5000}",
        "databases.main.max_connections",
        '"999',
        "from 20 to 10000",
        "write a number",
    ),
    "yes for true": Case(
        "tls_required: true ",
        "tls_required: yes ",
        "databases.main.tls_required",
        '"yes"',
        "true or false",
        "write true or false, without quotes",
    ),
    "number for text": Case(
        'HTTP_RETRIES: "3"',
        "HTTP_RETRIES: 3",
        "environment.HTTP_RETRIES",
        "3",
        "text",
        'put it in quotes: "3"',
    ),
    "version without quotes": Case(
        'engine_version: "16"',
        "engine_version: 16.10",
        "databases.main.engine_version",
        "16.10",
        "a version of PostgreSQL from 14 to 18",
        'put it in quotes: "16.10"',
    ),
    "mapping for a value": Case(
        "max_connections: 200 ",
        "max_connections: {least: 20} ",
        "databases.main.max_connections",
        "a mapping",
        "a whole number",
        "see the indentation",
    ),
    "value for a mapping": Case(
        "    health: *container_health",
        "    health: well",
        "services.dashboard.health",
        '"well"',
        "a mapping with command, interval_seconds",
        "nest its fields under it",
    ),
    "value for a list": Case(
        "paths: [/api/heartbeat]",
        "paths: /api/heartbeat",
        "services.heartbeat.routes.0.paths",
        '"/api/heartbeat"',
        "a list of texts",
        "write - one item a line",
    ),
    "empty list": Case(
        "paths: [/api/heartbeat]",
        "paths: []",
        "services.heartbeat.routes.0.paths",
        "an empty list",
        "at least 1",
        "add what is missing",
    ),
    "nothing for an entry": Case(
        "  dashboard:\n",
        "  lonely:\n  dashboard:\n",
        "services.lonely",
        "nothing",
        "a mapping with image",
        "nest its fields under it",
        at="  lonely:",
    ),
    "word that is not a choice": Case(
        "missing_data: breaching",
        "missing_data: braeching",
        "alarms.heartbeat-slow.missing_data",
        '"braeching"',
        "one of breaching, notBreaching, ignore, missing",
        "did you mean breaching?",
    ),
    "time of day": Case(
        'start: "01:00"',
        "start: 1am",
        "windows.deployment.start",
        '"1am"',
        "a time of day in UTC",
        "write it in that form",
    ),
    "network that is not one": Case(
        "databases:\n",
        "network: {cidr: 10.20.0.1/16}\ndatabases:\n",
        "network.cidr",
        '"10.20.0.1/16"',
        "private IPv4 addresses from /16 to /24",
        "write the network's first address",
        at="network: {cidr",
    ),
    "network too small for subnets": Case(
        "databases:\n",
        "network: {cidr: 10.20.0.0/27}\ndatabases:\n",
        "network.cidr",
        '"10.20.0.0/27"',
        "from /16 to /24",
        "write the network's",
        at="network: {cidr",
    ),
    "name in capitals": Case(
        "  system-health:",
        "  System_Health:",
        "dashboards.System_Health",
        'the name "System_Health"',
        "lower case, digits and hyphens",
        "write the name so",
    ),
    "variable in small letters": Case(
        "  NODE_ENV: production",
        "  node_env: production",
        "environment.node_env",
        'the name "node_env"',
        "capitals, digits and underscores",
        "write the name so",
    ),
    "rate below what WAF has": Case(
        "requests: 100,",
        "requests: 5,",
        "ingress.rate_limits.api.requests",
        "5",
        "from 10 to 2000000000",
        "take a number in that range",
    ),
    "any origin": Case(
        "    - https://trading.example.com\n",
        '    - "*"\n',
        "ingress.cors_origins.0",
        '"*"',
        "without *",
        "name each site that may call",
    ),
    "region of copies": Case(
        "rto_minutes: 60 ",
        "copy_to_region: us-wset-2\n  rto_minutes: 60 ",
        "backup.copy_to_region",
        '"us-wset-2"',
        "a region of AWS",
        "write it in that form",
        at="us-wset-2",
    ),
    "missing field": Case(
        "owner: trading-engineering\n",
        "",
        "owner",
        "nothing",
        "text that is not empty (it has to be given)",
        "add owner:",
        at="name: autonomous-trading-company",
    ),
    "missing field of an entry": Case(
        "    threshold: 10                           # L96\n    missing_data: breaching  ",
        "    threshold: 10\n    # ",
        "alarms.heartbeat-slow.missing_data",
        "nothing",
        "one of breaching",
        "add missing_data:",
        at="  heartbeat-slow:",
    ),
    "required field misspelt": Case(
        "expression: rate(1 minute)",
        "expresion: rate(1 minute)",
        "schedules.heartbeat.expresion",
        "an unknown field",
        "expression",
        "did you mean expression?",
    ),
    "secret that is not declared": Case(
        "JUPITER_API_KEY: jupiter",
        "JUPITER_API_KEY: jupyter",
        "workers.crypto.secrets.JUPITER_API_KEY",
        '"jupyter", which is not declared under secrets',
        "jupiter, jwt-signing-key",
        "did you mean jupiter?",
    ),
    "bearer secret that is not declared": Case(
        "bearer_secret: heartbeat-token",
        "bearer_secret: cron",
        "schedules.heartbeat.http.bearer_secret",
        '"cron", which is not declared under secrets',
        "heartbeat-token",
        "declare secrets.cron",
    ),
    "database that is not declared": Case(
        "databases: [main]",
        "databases: [mian]",
        "services.heartbeat.databases.0",
        '"mian", which is not declared under databases',
        "main",
        "did you mean main?",
    ),
    "service that is not declared": Case(
        "      service: heartbeat\n",
        "      service: hartbeat\n",
        "schedules.heartbeat.http.service",
        '"hartbeat"',
        "dashboard, heartbeat",
        "did you mean heartbeat?",
    ),
    "same name twice": Case(
        "  options:\n    image",
        "  crypto:\n    image",
        "crypto",
        "crypto a second time, first given in line",
        "each name once",
        "keep one of lines",
        at="  crypto:\n    image: ecr:atc/options",
    ),
    "same name in two collections": Case(
        "  migrate:",
        "  crypto:",
        "jobs.crypto",
        "a second workload named crypto, beside workers.crypto",
        "a name once among services, workers and jobs",
        "rename one",
        at="  crypto:                                  # L50",
    ),
    "route's priority twice": Case(
        "    default_route: true\n",
        "    default_route: true\n    routes: [{paths: [/x], priority: 10}]\n",
        "services.dashboard.routes.0.priority",
        "10, which a route of heartbeat has",
        "each priority once",
        "take another number",
        at="priority: 10}]",
    ),
    "two default routes": Case(
        "    routes:\n      - paths: [/api/heartbeat]\n        priority: 10\n",
        "    default_route: true\n",
        "services.dashboard.default_route",
        "default_route: true in heartbeat, dashboard",
        "exactly one service",
        "set default_route: true in one of heartbeat, dashboard",
        at="second:    default_route: true",
    ),
    "size that Fargate does not have": Case(
        "memory_mb: 1024",
        "memory_mb: 300",
        "services.heartbeat.memory_mb",
        "300 with cpu_units 512",
        "1024 to 4096 in steps of 1024",
        "take 1024",
    ),
    "secret in a public variable": Case(
        "JWT_SIGNING_KEY:",
        "NEXT_PUBLIC_JWT:",
        "services.dashboard.secrets.NEXT_PUBLIC_JWT",
        "a secret in NEXT_PUBLIC_JWT, which bundlers copy into what every browser downloads",
        "NEXT_PUBLIC_",
        "call the provider from the server",
    ),
    "variable that is bound to be secret": Case(
        "NODE_ENV: production",
        "ADMIN_API_KEY: example",
        "environment.ADMIN_API_KEY",
        "a value for ADMIN_API_KEY",
        "plain values that are not secret",
        "declare it under secrets:",
    ),
    "secret in a file": Case(
        "NODE_ENV: production",
        "ADVISOR: sk-ant-api03-0123456789abcdef",
        "environment.ADVISOR",
        "what looks like an Anthropic API key, 29 characters",
        "no secret in any file",
        "revoke it",
    ),
    "password in an address": Case(
        "NODE_ENV: production",
        "STORE: postgres://someone:something@db.example.com/x",
        "environment.STORE",
        "what looks like a URL with a password in it",
        "no secret in any file",
        "declare it under secrets:",
    ),
    "fewer tasks than wanted": Case(
        "max_count: 10",
        "max_count: 1",
        "workers.crypto.autoscaling.max_count",
        "1, under desired_count (2)",
        "a whole number from 2 to 1000",
        "raise it, or lower desired_count",
    ),
    "threshold and band": Case(
        "    threshold: 10 ",
        "    anomaly_band_width: 2\n    threshold: 10 ",
        "alarms.heartbeat-slow.threshold",
        "both threshold and anomaly_band_width",
        "exactly one of",
        "remove one of them",
        at="    threshold: 10 ",
    ),
    "origin of a secret": Case(
        "    generate_length: 64                     # L144, L145\n",
        "",
        "secrets.heartbeat-token.fill",
        "neither generate_length nor fill",
        "exactly one of",
        "add one of them",
        at="  heartbeat-token:",
    ),
    "name that is not the file's": Case(
        "name: autonomous-trading-company",
        "name: another-company",
        "name",
        '"another-company" in the file autonomous-trading-company.yaml',
        "autonomous-trading-company",
        "give the file and the system the same name",
    ),
    "section of an unknown tier": Case(
        "  staging:\n    ingress",
        "  stagign:\n    ingress",
        "tiers.stagign",
        'the unknown tier "stagign"',
        "dev, prod, staging",
        "did you mean staging?",
    ),
    "brackets left open": Case(
        "title: Autonomous Trading Company",
        "title: [Autonomous, Trading",
        "",
        "broken YAML",
        "YAML",
        "close the bracket",
        at="description: Heartbeat",
    ),
    "colon in a text": Case(
        "title: Autonomous",
        "title: atc: Autonomous",
        "",
        "broken YAML: mapping values are not allowed",
        "YAML",
        "put a text that has `: ` in it in quotes",
    ),
    "quotes left open": Case(
        'engine_version: "16"  ',
        'engine_version: "16  ',
        "",
        "broken YAML: quotes opened here, and closed in line",
        "YAML",
        "close the quotes",
        at='"16  ',
    ),
    "text that begins with a star": Case(
        "    - https://trading.example.com\n",
        "    - *\n",
        "",
        "broken YAML: while scanning an alias",
        "YAML",
        "put a text that begins with * in quotes",
    ),
    "tab": Case(
        "    engine_version",
        "\tengine_version",
        "",
        "a tab character",
        "spaces",
        "replace the tab by spaces",
    ),
    "tag": Case(
        "title: Autonomous",
        "title: !!python/object:os.system Autonomous",
        "",
        "the tag tag:yaml.org,2002:python/object:os.system",
        "plain values, lists and mappings",
        "remove the tag",
    ),
    "merge key": Case(
        "  NODE_ENV: production",
        "  <<: {NODE_ENV: production}",
        "",
        "a merge key (<<)",
        "fields written out",
        'put what entries share under "*"',
    ),
    "second document": Case(
        "notifications:\n",
        "---\nnotifications:\n",
        "",
        "a second document",
        "one document a file",
        "move it to a file of its own",
        at="---",
    ),
    "list as a name": Case(
        "title: Autonomous Trading Company",
        "[title, name]: Autonomous Trading Company",
        "",
        "a list, mapping or tag as a name",
        "text as a name",
        "write a plain name",
    ),
    "alias of nothing": Case(
        "health: *container_health",
        "health: *containers",
        "",
        "*containers, which is not defined before this line",
        "an alias of an anchor above it",
        "define &containers first",
    ),
}


def _line(project: Project, file: Path, case: Case) -> int:
    """The line where the case's text begins, after the edit."""
    text = file.read_text()
    at = case.at or case.new.strip()
    if at.startswith("second:"):
        at = at.removeprefix("second:")
        return text[: text.index(at, text.index(at) + 1)].count("\n") + 1
    return text[: text.index(at)].count("\n") + 1


@pytest.mark.parametrize("case", SYSTEM.values(), ids=SYSTEM.keys())
def test_wrong_system(case: Case, project: Project) -> None:
    project.edit(project.system, case.old, case.new)
    problem = project.only_problem()
    assert problem.place.file.name == project.system.name
    assert problem.field == case.field
    assert case.found in problem.found
    assert case.allowed in problem.allowed
    assert case.todo in problem.todo
    assert problem.place.line == _line(project, project.system, case)
    assert_people_can_read(render(problem))


STACK = {
    "unknown tier": Case(
        "tier: prod", "tier: prdo", "gonogo:tier", 'the unknown tier "prdo"',
        "dev, prod, staging", "did you mean prod?",
    ),
    "unknown system": Case(
        "system: autonomous-trading-company", "system: autonomous-trading-compny",
        "gonogo:system", 'the unknown system "autonomous-trading-compny"',
        "autonomous-trading-company", "did you mean autonomous-trading-company?",
    ),
    "system outside the folder": Case(
        "system: autonomous-trading-company", "system: ../../secrets", "gonogo:system",
        'the unknown system "../../secrets"', "autonomous-trading-company", "take one of those",
    ),
    "misspelt setting": Case(
        "gonogo:tier", "gonogo:teir", "gonogo:teir", "an unknown setting",
        "gonogo:tier", "did you mean gonogo:tier?",
    ),
    "misspelt namespace": Case(
        "gonogo:tier", "gonoog:tier", "gonoog:tier", "an unknown setting",
        "gonogo:tier", "did you mean gonogo:tier?",
    ),
    "setting without a namespace": Case(
        "gonogo:tier", "tier", "tier", "a setting without a namespace",
        "gonogo:tier", "write gonogo:tier", at="  tier: prod",
    ),
    "missing tier": Case(
        "  gonogo:tier: prod\n", "", "gonogo:tier", "nothing",
        "dev, prod, staging", "add gonogo:tier:", at="config:",
    ),
    "unknown region": Case(
        "us-east-1", "us-esat-1", "aws:region", 'the unknown region "us-esat-1"',
        "a region of AWS", "did you mean us-east-1?",
    ),
    "region of the copies": Case(
        "us-east-1", "us-west-2", "backup.copy_to_region",
        '"us-west-2", where the stack itself is', "another region than aws:region",
        "override backup.copy_to_region",
    ),
    "unknown cloud": Case(
        "  gonogo:tier: prod", "  gonogo:tier: prod\n  gonogo:cloud: azure", "gonogo:cloud",
        'the unknown cloud "azure"', "sandbox, aws", "take one of those", at="azure",
    ),
    "list for a setting": Case(
        "tier: prod", "tier: [prod]", "gonogo:tier", "no tier", "dev, prod, staging", "take one",
    ),
    "no settings": Case(
        "config:", "confg:", "confg", "an unknown field", "config", "did you mean config?",
    ),
    "overrides that are no mapping": Case(
        "  gonogo:tier: prod", "  gonogo:tier: prod\n  gonogo:overrides: 3", "gonogo:overrides",
        "no mapping", "a mapping of paths to values", "write a line for each", at="overrides: 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STACK.values(), ids=STACK.keys())
def test_wrong_stack_file(case: Case, project: Project) -> None:
    project.edit(project.stack, case.old, case.new)
    problem = project.only_problem()
    assert problem.place.file.name == project.stack.name
    assert problem.field == case.field
    assert case.found in problem.found
    assert case.allowed in problem.allowed
    assert case.todo in problem.todo
    assert problem.place.line == _line(project, project.stack, case)
    assert_people_can_read(render(problem))


BYTES = {
    "empty": (b"", 0, "an empty file"),
    "comments only": (b"# nothing yet\n", 0, "an empty file"),
    "null": (b"~\n", 1, "a single value"),
    "list": (b"\n- a\n", 2, "a list where the file begins"),
    "text": (b"hello\n", 1, "a single value where the file begins"),
    "not UTF-8": (b"name: x\ntitle: \xff\xfe\n", 2, "byte 0xff, which is not UTF-8"),
    "control character": (b"name: x\ntitle: a\x00b\n", 2, "character U+0000"),
    "line break of its own": (
        "name: x\ntitle: a\u2028b\n".encode(),
        2,
        "the character U+2028, a line break",
    ),
    "too deep": (b"a: " + b"[" * 100_000, 1, "more than 32 levels"),
    "too large": (b"a: " + b"x" * 1_100_000, 0, "more than 1000000 bytes"),
    "alias of itself": (b"\na: &a [1, *a]\n", 2, "*a, which is not defined before this line"),
    "aliases of aliases": (
        b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + b"".join(
            b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % p] * 10))
            for p, c in zip(b"abcdefgh", b"bcdefghi", strict=True)
        ),
        5,
        "more than 50000 values",
    ),
}


@pytest.mark.parametrize(("raw", "line", "found"), BYTES.values(), ids=BYTES.keys())
@pytest.mark.parametrize("which", ["system", "stack"])
def test_wrong_bytes(raw: bytes, line: int, found: str, which: str, project: Project) -> None:
    file = getattr(project, which)
    file.write_bytes(raw)
    problem = project.only_problem()
    assert problem.place.file == file
    assert problem.place.line == line
    assert found in problem.found
    assert_people_can_read(render(problem))


def test_directory_in_place_of_a_file(project: Project) -> None:
    project.stack.unlink()
    project.stack.mkdir()
    assert project.only_problem().found == "a directory"


def test_stack_that_is_not_there(project: Project) -> None:
    problem = project.only_problem("prdo")
    assert problem.found == "no such file"
    names = [stack_name(file) for file in stacks(project.root)]
    assert problem.allowed == f"a stack of this project: {', '.join(names)}"
    assert problem.todo == "did you mean prod?"


def test_unreadable_file(project: Project) -> None:
    project.system.unlink()
    project.system.symlink_to(project.system)
    assert "a file that cannot be read" in project.only_problem().found


def test_wrong_default_is_told_at_its_tier(project: Project) -> None:
    file = project.tier("prod")
    project.edit(file, "backup_retention_days: 35", "backup_retention_days: 90")
    problem = project.only_problem()
    assert problem.place.file == file
    assert problem.place.line == project.line_of(file, "backup_retention_days: 90")
    assert problem.found == "90"
    assert problem.allowed == "a whole number from 0 to 35"
    assert problem.todo.endswith("longer copies belong to backup.retention_days")


def test_wrong_default_is_told_even_where_nothing_uses_it(project: Project) -> None:
    file = project.tier("prod")
    project.edit(file, "node_type: cache.m7g.large", "node_tpye: cache.m7g.large")
    problem = project.only_problem()
    assert (problem.place.file, problem.field) == (file, "caches.*.node_tpye")


def test_wrong_value_is_told_even_where_an_override_covers_it(project: Project) -> None:
    project.edit(project.system, "max_connections: 200", "max_connections: 7")
    project.override("databases.main.max_connections: 100")
    problem = project.only_problem()
    assert problem.place.file == project.system
    assert problem.found == "7"


def test_value_shared_by_an_alias_is_told_once(project: Project) -> None:
    project.edit(project.system, "interval_seconds: 30", "interval_seconds: half a minute")
    problem = project.only_problem()
    assert problem.field == "workers.crypto.health.interval_seconds"


def test_several_mistakes_are_all_told_once_in_order(project: Project) -> None:
    project.edit(project.system, "owner: trading-engineering\n", "")
    project.edit(project.system, "max_connections: 200", "max_connections: lots")
    project.edit(project.system, "memory_mb: 1024", "memory_mb: 300")
    project.edit(project.system, "JUPITER_API_KEY: jupiter\n", "JUPITER_API_KEY: jupyter\n")
    fields = [problem.field for problem in project.problems()]
    assert fields == [
        "owner",
        "databases.main.max_connections",
        "services.heartbeat.memory_mb",
        "workers.crypto.secrets.JUPITER_API_KEY",
    ]


def test_unknown_section_brings_no_dangling_references_along(project: Project) -> None:
    project.edit(project.system, "\nsecrets:", "\nsercets:")
    assert project.only_problem().todo == "did you mean secrets?"


def test_secret_is_not_repeated(project: Project) -> None:
    literal = "sk-ant-api03-0123456789abcdef"
    project.edit(project.system, "max_connections: 200", f"max_connections: {literal}")
    for problem in project.problems():
        assert literal not in render(problem)


def assert_people_can_read(block: str) -> None:
    """No word of the libraries beneath, four lines, and nothing that a terminal would obey."""
    lines = block.split("\n")
    assert len(lines) == 4
    assert [line.partition(":")[0] for line in lines[1:]] == ["  found", "  allowed", "  do"]
    assert all(line.isprintable() for line in lines)
    for word in (
        "pydantic",
        "Input should",
        "Value error",
        "validation error",
        "NoneType",
        "<class",
    ):
        assert word not in block
