"""How a tier, a system, its section for the tier and a stack's overrides go over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.systems.conftest import Project


def test_system_goes_over_its_tier(project: Project) -> None:
    project.edit(
        project.system, "max_connections: 200", "storage_gb: 300\n    max_connections: 9000"
    )
    database = project.load().system.databases["main"]
    assert database.storage_gb == 300
    assert database.max_connections == 9000
    assert database.instance_class == "db.m7g.large", "what the system leaves out is the tier's"


def test_section_goes_over_the_system(project: Project) -> None:
    assert project.load("dev").system.logs.level == "DEBUG"
    assert project.load("prod").system.logs.level == "INFO"
    assert project.load("dev").system.databases["main"].max_connections == 50


def test_override_goes_over_everything(project: Project) -> None:
    project.override(
        "databases.main.storage_gb: 200",
        "logs: {retention_days: 90}",
        "services.dashboard.environment.EXTRA: added",
    )
    system = project.load().system
    assert system.databases["main"].storage_gb == 200
    assert system.logs.retention_days == 90
    assert system.logs.level == "INFO", "a nested override changes what it names and no more"
    assert system.services["dashboard"].environment == {"EXTRA": "added"}


def test_star_holds_for_each_entry_and_a_named_one_goes_over_it(project: Project) -> None:
    project.override('"workers.*.desired_count": 4', "workers.crypto.desired_count: 3")
    workers = project.load().system.workers
    assert {name: worker.desired_count for name, worker in workers.items()} == {
        "crypto": 3, "options": 4, "futures": 4, "roundtable": 4,
    }  # fmt: skip


def test_star_of_a_higher_layer_goes_over_a_named_entry_of_a_lower(project: Project) -> None:
    assert project.load().system.workers["crypto"].stop_timeout_seconds == 120
    assert project.load("dev").system.workers["crypto"].stop_timeout_seconds == 30


def test_star_declares_nothing(project: Project) -> None:
    assert project.load().system.caches == {}


def test_null_takes_an_entry_out(project: Project) -> None:
    project.override("workers: {roundtable: null}")
    assert list(project.load().system.workers) == ["crypto", "options", "futures"]


def test_null_takes_a_variable_out(project: Project) -> None:
    project.override("environment: {HTTP_RETRIES: null}", "services.heartbeat.secrets: {X: null}")
    (problem,) = project.problems()
    assert problem.field == "services.heartbeat.secrets.X", "there was none to take out"
    project.edit(project.stack, "{X: null}", "{ANTHROPIC_API_KEY: null}")
    system = project.load().system
    assert "HTTP_RETRIES" not in system.environment
    assert "HTTP_TIMEOUT_SECONDS" in system.environment
    assert "ANTHROPIC_API_KEY" not in system.services["heartbeat"].secrets


def test_null_takes_a_section_out(project: Project) -> None:
    project.override("backup: null")
    assert project.load().system.backup is None


def test_null_for_what_must_be_there_is_a_problem(project: Project) -> None:
    project.override("notifications: null")
    problem = project.only_problem()
    assert (problem.field, problem.found) == ("notifications", "null")
    assert problem.place.file == project.stack


def test_taking_out_what_is_needed_is_told_where_it_is_needed(project: Project) -> None:
    project.override("secrets: {jupiter: null}")
    problem = project.only_problem()
    assert problem.field == "workers.crypto.secrets.JUPITER_API_KEY"
    assert problem.place.file == project.system


def test_tier_does_not_bring_in_what_only_the_system_can_know(project: Project) -> None:
    text = project.system.read_text()
    begin, end = text.index("\ningress:"), text.index("\nschedules:")
    project.system.write_text(text[:begin] + text[end:])
    fields = {problem.field for problem in project.problems()}
    assert fields == {"services", "schedules.heartbeat.http"}, "no word of an ingress's domain"


def test_tier_brings_in_backups_by_itself(project: Project) -> None:
    project.edit(project.system, "  rto_minutes: 60 ", "  rto_minutes: 45 ")
    assert project.load().system.backup is not None
    text = project.system.read_text()
    begin, end = text.index("\nbackup:"), text.index("\nlogs:")
    project.system.write_text(text[:begin] + text[end:])
    backup = project.load().system.backup
    assert backup is not None
    assert backup.copy_to_region == "us-west-2"


def test_list_is_replaced_as_a_whole(project: Project) -> None:
    project.override("ingress.cors_origins: [https://other.example.com]")
    ingress = project.load().system.ingress
    assert ingress is not None
    assert ingress.cors_origins == ("https://other.example.com",)


def test_path_changes_one_item_of_a_list(project: Project) -> None:
    project.override("notifications.critical.0.endpoint: pager@example.com")
    critical = project.load().system.notifications.critical
    assert [(one.protocol, one.endpoint) for one in critical] == [("email", "pager@example.com")]


def test_nested_override_declares_a_new_entry(project: Project) -> None:
    project.override(
        "alarms:",
        "  capital-exceeded:",
        "    description: More capital is bound than allowed",
        "    metric: {name: CapitalBound, statistic: Maximum}",
        "    threshold: 1000",
        "    missing_data: breaching",
        "    runbook: emergency-stop",
    )
    assert project.load().system.alarms["capital-exceeded"].threshold == 1000


@pytest.mark.parametrize(
    ("path", "todo"),
    [
        ("databases.mian.storage_gb", "did you mean databases.main.storage_gb?"),
        ("databases.main.storage", "did you mean databases.main.storage_gb?"),
        ("database.main.storage_gb", "did you mean databases.main.storage_gb?"),
        ("caches.sessions.shards", "take a declared name; a new entry is declared nested"),
        ("notifications.critical.3.endpoint", "take a declared name"),
        ("logs.level.name", "take a declared name"),
        ("databases..storage_gb", "take a declared name"),
        ("services.dashboard.environment.A.B", "take a declared name"),
    ],
)
def test_path_that_leads_nowhere(path: str, todo: str, project: Project) -> None:
    project.override(f"{path}: 200")
    problem = project.only_problem()
    assert problem.field == path
    assert problem.found.startswith("a path that leads nowhere")
    assert todo in problem.todo
    assert (problem.place.file, problem.place.line) == (project.stack, 8)


def test_wrong_override_is_told_at_its_line_in_the_stack_file(project: Project) -> None:
    project.override("services.heartbeat.port: 8081", "databases.main.storage_gb: 5")
    problem = project.only_problem()
    assert problem.field == "databases.main.storage_gb"
    assert (problem.place.file, problem.place.line) == (project.stack, 9)
    assert problem.allowed == "a whole number from 20 to 65536"


@pytest.mark.parametrize(
    "lines",
    [
        ("databases.main.storage_gb: 200", "databases: {main: {storage_gb: 300}}"),
        ("databases: {main: {storage_gb: 300}}", "databases.main.storage_gb: 200"),
        ("databases.main: {storage_gb: 300}", "databases.main.storage_gb: 200"),
        ("backup: null", "backup.rto_minutes: 30"),
    ],
)
def test_two_overrides_of_one_field_are_refused(lines: tuple[str, str], project: Project) -> None:
    project.override(*lines)
    problem = project.only_problem()
    assert problem.found.endswith("the first is in line 8")
    assert problem.place.line == 9


def test_nested_and_path_overrides_of_neighbours_go_together(project: Project) -> None:
    project.override("databases: {main: {storage_gb: 300}}", "databases.main.max_storage_gb: 600")
    database = project.load().system.databases["main"]
    assert (database.storage_gb, database.max_storage_gb) == (300, 600)


def test_values_are_read_by_yaml_1_2(project: Project) -> None:
    project.override(
        "windows.deployment.start: 02:00", "services.dashboard.environment.COUNTRY: no"
    )
    system = project.load().system
    assert system.windows["deployment"].start == "02:00", "YAML 1.1 would make this 120"
    assert system.services["dashboard"].environment["COUNTRY"] == "no"
