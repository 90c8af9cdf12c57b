"""Phases: several stacks of one tier, each with its section of the system and its own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.system import declare
from systems.check import all_problems, check
from systems.stack import load
from tests.components.parts import TASK, containers, variables
from tests.components.recording import record

if TYPE_CHECKING:
    from tests.systems.conftest import Project

PHASES = """
phases:
  paper:
    environment:
      CAPITAL: "0"
  live:
    environment:
      CAPITAL: "1000"
    databases:
      main:
        storage_gb: 300
"""


@pytest.fixture
def phased(project: Project) -> Project:
    with project.system.open("a") as stream:
        stream.write(PHASES)
    project.edit(project.stack, "gonogo:tier: prod", "gonogo:tier: prod\n  gonogo:phase: live")
    return project


def test_a_phase_goes_over_its_tier(phased: Project) -> None:
    stack = phased.load()
    assert (stack.tier, stack.phase, stack.at) == ("prod", "live", "prod, phase live")
    assert stack.system.environment["CAPITAL"] == "1000"
    assert stack.system.databases["main"].storage_gb == 300
    assert stack.system.databases["main"].multi_az, "the tier's"
    assert stack.tags["phase"] == "live"


def test_an_override_goes_over_the_phase(phased: Project) -> None:
    phased.override("databases.main.storage_gb: 400")
    assert phased.load().system.databases["main"].storage_gb == 400


def test_a_stack_without_a_phase_has_none_of_them(phased: Project) -> None:
    stack = phased.load("staging")
    assert (stack.phase, stack.at) == (None, "staging")
    assert "CAPITAL" not in stack.system.environment
    assert "phase" not in stack.tags


def test_a_phase_that_is_not_declared(phased: Project) -> None:
    phased.edit(phased.stack, "gonogo:phase: live", "gonogo:phase: life")
    problem = phased.only_problem()
    assert problem.place.line == phased.line_of(phased.stack, "gonogo:phase")
    assert (problem.field, problem.found) == ("gonogo:phase", 'the unknown phase "life"')
    assert "paper" in problem.allowed
    assert problem.todo == "did you mean live?"


def test_a_phase_of_a_system_that_has_none(project: Project) -> None:
    project.edit(project.stack, "gonogo:tier: prod", "gonogo:tier: prod\n  gonogo:phase: live")
    problem = project.only_problem()
    assert problem.allowed == "a phase: none is there yet"


@pytest.mark.parametrize(
    ("old", "new", "field", "found"),
    [
        ("phases:\n  paper:", "phases:\n  Paper-1:", "phases.Paper-1", 'the name "Paper-1"'),
        (PHASES, "\nphases: [paper, live]\n", "phases", "no mapping"),
        ('  paper:\n    environment:\n      CAPITAL: "0"\n', "  paper: yes\n", "phases.paper",
         "no mapping"),
    ],
)  # fmt: skip
def test_phases_that_are_none(old: str, new: str, field: str, found: str, phased: Project) -> None:
    phased.edit(phased.system, old, new)
    assert (field, found) in {(one.field, one.found) for one in all_problems(check(phased.root))}


def test_a_phase_that_no_stack_is_in_is_checked(phased: Project) -> None:
    phased.edit(phased.system, '      CAPITAL: "0"', '      CAPITAL: "0"\n    databses: {}')
    results = {result.subject: result for result in check(phased.root)}
    problems = results["system autonomous-trading-company in phase paper"].problems
    assert [problem.found for problem in problems] == ["an unknown field"]
    assert results["stack prod"].ok


def test_a_phase_is_in_every_name(phased: Project) -> None:
    stack = load(phased.stack)
    records = record(
        lambda: declare(stack.system, stack.tier, stack.region, stack.tags, stack.phase),
        preview=True,
    )
    named = [
        one.inputs["name"]
        for one in records.custom()
        if isinstance(one.inputs.get("name"), str)
        and one.type not in {"aws:route53/record:Record", "aws:iam/rolePolicy:RolePolicy"}
    ]
    assert len(named) > 100
    assert [name for name in named if "atc-live" not in name] == []
    told = variables(containers(records, "crypto")["crypto"])
    assert (told["TIER"], told["PHASE"]) == ("prod", "live")
    assert told["METRICS_NAMESPACE"] == "atc/live"
    assert records.one(TASK, "crypto").inputs["tags"]["phase"] == "live"
