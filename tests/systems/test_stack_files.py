"""What a stack is, and what checking a whole project finds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from systems.check import all_problems, check
from systems.errors import ConfigError, Place, Problem, did_you_mean, render
from systems.stack import stack_name, stacks

if TYPE_CHECKING:
    from tests.systems.conftest import Project

ROOT = Path(__file__).parents[2]


def test_stack(project: Project) -> None:
    stack = project.load()
    assert (stack.name, stack.tier, stack.region, stack.cloud) == (
        "prod", "prod", "us-east-1", None,
    )  # fmt: skip
    assert stack.system.name == "autonomous-trading-company"
    assert stack.tags == {
        "system": "autonomous-trading-company",
        "tier": "prod",
        "owner": "trading-engineering",
        "managed-by": "gonogo",
    }


def test_cloud_is_what_the_file_says(project: Project) -> None:
    project.edit(project.stack, "gonogo:tier: prod", "gonogo:tier: prod\n  gonogo:cloud: aws")
    assert project.load().cloud == "aws"


def test_settings_of_others_are_left_alone(project: Project) -> None:
    project.edit(
        project.stack,
        "config:",
        "secretsprovider: awskms://alias/state\nconfig:\n"
        "  aws:profile: trading\n  datadog:apiKey: {secure: v1:abc}",
    )
    assert project.load().tier == "prod"


def test_stacks_of_the_project(project: Project) -> None:
    names = [stack_name(file) for file in stacks(project.root)]
    assert names == sorted(names)
    assert {"dev", "prod", "staging"} <= set(names)


def test_check_of_the_project_as_it_is() -> None:
    results = check(ROOT)
    assert all_problems(results) == []
    assert all(result.ok for result in results)
    subjects = {result.subject for result in results}
    assert {"tier dev", "tier prod", "tier staging", "stack prod", "stack dev"} <= subjects
    loaded = {result.stack.name for result in results if result.stack}
    assert {"dev", "prod", "staging"} <= loaded


def test_check_finds_what_each_file_has_wrong_once(project: Project) -> None:
    project.edit(project.stack, "tier: prod", "tier: prdo")
    project.edit(project.tier("dev"), "level: DEBUG", "level: CHATTY")
    project.edit(project.system, "max_connections: 200", "max_connections: lots")
    results = check(project.root)
    assert [problem.field for problem in all_problems(results)] == [
        "gonogo:tier", "databases.main.max_connections", "logs.level",
    ]  # fmt: skip
    wrong = {result.subject for result in results if not result.ok}
    assert {"stack prod", "stack dev", "stack staging", "tier dev"} <= wrong
    assert "tier prod" not in wrong


def test_check_covers_systems_without_a_stack(project: Project) -> None:
    lone = project.root / "systems" / "lone.yaml"
    lone.write_text("name: lone\ncode: lone\n")
    subjects = {result.subject: result for result in check(project.root)}
    for tier in ("dev", "prod", "staging"):
        problems = subjects[f"system lone at {tier}"].problems
        assert {problem.field for problem in problems} == {
            "title", "owner", "notifications", "runbook_base_url",
        }  # fmt: skip


def test_check_covers_sections_that_no_stack_uses(project: Project) -> None:
    (project.root / "Pulumi.dev.yaml").unlink()
    project.edit(project.system, "      format: pretty  ", "      format: prety  ")
    problem = all_problems(check(project.root))[0]
    assert problem.field == "logs.format"
    assert problem.place.line == project.line_of(project.system, "prety")


def test_check_of_a_folder_that_is_no_project(tmp_path: Path) -> None:
    (result,) = check(tmp_path)
    assert result.problems[0].found == "no system, tier or stack"


def test_check_is_quick(project: Project) -> None:
    check(project.root)  # imports
    begin = time.process_time()  # other processes on the machine do not count
    results = check(project.root)
    assert time.process_time() - begin < 0.15 * len(results)


def test_stack_files_are_listed_without_pydantic() -> None:
    script = "import sys, systems.stack, systems.check; print('pydantic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


PROBLEM = Problem(
    Place(Path("systems/a.yaml"), 41, 5), "databases.main.storage_gb", "90", "0 to 35", "lower it"
)


def test_rendering_in_plain_text() -> None:
    assert render(PROBLEM) == (
        "systems/a.yaml:41: databases.main.storage_gb\n"
        "  found: 90\n  allowed: 0 to 35\n  do: lower it"
    )


def test_rendering_in_colour_says_the_same() -> None:
    coloured = render(PROBLEM, colour=True)
    assert "\033[31m90\033[0m" in coloured
    plain = coloured
    for code in ("\033[1m", "\033[31m", "\033[32m", "\033[0m"):
        plain = plain.replace(code, "")
    assert plain == render(PROBLEM)


def test_rendering_disarms_what_a_terminal_would_obey() -> None:
    evil = Problem(Place(Path("a.yaml"), 1, 1), "x\ny", "\033]0;title\007", "\u202e", "do")
    assert all(line.isprintable() for line in render(evil).split("\n"))
    assert len(render(evil).split("\n")) == 4


def test_an_error_has_each_problem_once() -> None:
    error = ConfigError([PROBLEM, PROBLEM])
    assert error.problems == (PROBLEM,)
    assert str(error) == render(PROBLEM)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("us-esat-1", "us-east-1"), ("us-wets-1", "us-west-1"), ("moon", None)],
)
def test_did_you_mean_prefers_swapped_letters(name: str, meant: str | None) -> None:
    assert did_you_mean(name, ["us-west-1", "us-east-1", "eu-west-1"]) == meant


def test_a_fresh_project_is_a_project_of_its_own(new_project: Callable[[], Project]) -> None:
    assert new_project().root != new_project().root
