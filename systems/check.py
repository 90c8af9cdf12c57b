"""Checking a project's systems, tiers and stacks without Pulumi and without a cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from systems.catalogue import system_names, tier_names
from systems.document import Scalar, Table
from systems.errors import ConfigError, Place, Problem, in_order
from systems.reading import read
from systems.stack import Stack, load, stack_name, stacks


@dataclass(frozen=True)
class CheckResult:
    """What was checked, and what is wrong with it.

    `subject` is such as "stack prod", "tier dev", "system atc at prod". `stack` is the loaded stack
    of a stack file without problems.
    """

    subject: str
    file: Path
    problems: tuple[Problem, ...] = ()
    stack: Stack | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(project: Path) -> list[CheckResult]:
    """Every tier, every stack, and every system at the tiers it is used at.

    A system that no stack uses and that has no `tiers:` of its own is checked at every tier.
    Problems in a file that several of these share are in each result: see `all_problems`.
    """
    directory = project / "systems"
    results = [_tier(directory, name) for name in tier_names(directory)]
    in_stacks = [_stack(file) for file in stacks(project)]
    results += in_stacks
    covered = {(one.stack.system.name, one.stack.tier) for one in in_stacks if one.stack}
    results += _unused_phases(directory, in_stacks)
    results += _codes_twice(directory)
    for name in system_names(directory):
        used = {tier for system, tier in covered if system == name}
        wanted = used | _sections(directory, name)
        for tier in sorted(wanted or tier_names(directory)):
            if (name, tier) not in covered:
                results.append(_system(directory, name, tier))
    return results or [_nothing(project)]


def all_problems(results: Iterable[CheckResult]) -> list[Problem]:
    """The problems of all results, each once, in the order of files and lines."""
    unique = dict.fromkeys(problem for result in results for problem in result.problems)
    return sorted(unique, key=in_order)


def _stack(file: Path) -> CheckResult:
    subject = f"stack {stack_name(file)}"
    try:
        return CheckResult(subject, file, stack=load(file))
    except ConfigError as error:
        return CheckResult(subject, file, error.problems)


def _system(directory: Path, name: str, tier: str) -> CheckResult:
    from systems.loading import load_system

    file = directory / f"{name}.yaml"
    subject = f"system {name} at {tier}"
    return CheckResult(subject, file, _problems(lambda: load_system(directory, name, tier)))


def _tier(directory: Path, name: str) -> CheckResult:
    from systems.loading import layer_problems

    file = directory / "tiers" / f"{name}.yaml"
    return CheckResult(f"tier {name}", file, _problems(lambda: layer_problems(read(file))))


def _problems(work: Callable[[], object]) -> tuple[Problem, ...]:
    """The problems that `work` returns as a list, or raises."""
    try:
        found = work()
    except ConfigError as error:
        return error.problems
    return tuple(found) if isinstance(found, list) else ()


def _sections(directory: Path, name: str) -> set[str]:
    """The tiers that a system has a section for; none if its file cannot be read."""
    try:
        entry = read(directory / f"{name}.yaml").entries.get("tiers")
    except ConfigError:
        return set()
    known = set(tier_names(directory))
    return known & set(entry.node.entries) if entry and isinstance(entry.node, Table) else set()


def _unused_phases(directory: Path, in_stacks: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """Phases that no stack is in: each is a layer that nothing else would look at."""
    from systems.loading import layer_problems

    used = {(one.stack.system.name, one.stack.phase) for one in in_stacks if one.stack}
    for name in system_names(directory):
        file = directory / f"{name}.yaml"
        try:
            entry = read(file).entries.get("phases")
        except ConfigError:
            continue
        if entry is None or not isinstance(entry.node, Table):
            continue
        for phase, one in entry.node.entries.items():
            if (name, phase) not in used and isinstance(one.node, Table):
                subject = f"system {name} in phase {phase}"
                yield CheckResult(subject, file, tuple(layer_problems(one.node)))


def _codes_twice(directory: Path) -> Iterator[CheckResult]:
    """Systems with the code of another: in one account their names would be the same."""
    first: dict[str, str] = {}
    for name in system_names(directory):
        file = directory / f"{name}.yaml"
        try:
            entry = read(file).entries.get("code")
        except ConfigError:
            continue
        code = entry.node if entry else None
        if not isinstance(code, Scalar) or first.setdefault(code.text, name) == name:
            continue
        found = f'"{code.text}", which {first[code.text]} has: names in AWS begin with it'
        wanted, todo = "a code of its own for each system", "take another in the newer of the two"
        problem = Problem(code.place, "code", found, wanted, todo)
        yield CheckResult(f"system {name}", file, (problem,))


def _nothing(project: Path) -> CheckResult:
    wanted = "systems/<name>.yaml, systems/tiers/<tier>.yaml and Pulumi.<stack>.yaml"
    problem = Problem(
        Place(project), "", "no system, tier or stack", wanted, "go to a project of Gonogo"
    )
    return CheckResult("project", project, (problem,))
