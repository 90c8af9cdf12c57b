"""What systems there are, where they are deployed, and how much each declares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from systems.catalogue import system_names
from systems.errors import ConfigError, Problem
from systems.settings import read_settings
from systems.stack import Stack, load, stack_name, stacks

if TYPE_CHECKING:
    from systems.model import System

KINDS = (
    "databases", "caches", "services", "workers", "jobs", "schedules", "alarms", "secrets",
)  # fmt: skip


@dataclass(frozen=True)
class StackLine:
    """A stack file: the stack when it is valid, else what is wrong with it.

    `system` is the name that the file gives, empty when it cannot be told.
    """

    name: str
    system: str
    stack: Stack | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class SystemLine:
    """A system and its stacks."""

    name: str
    stacks: tuple[StackLine, ...]

    @property
    def system(self) -> System | None:
        """The system as one of its stacks loads it; None when none does."""
        return next((one.stack.system for one in self.stacks if one.stack), None)


def overview(project: Path, names: Iterable[str] = ()) -> list[SystemLine]:
    """The systems of a project, or the named ones, each with its stacks.

    Stacks whose file does not say a known system come last, under the name "".
    """
    known = system_names(project / "systems")
    wanted = list(dict.fromkeys(names)) or known
    by_system: dict[str, list[StackLine]] = {}
    for file in stacks(project):
        system = _system_of(file)
        if system in wanted or (not names and system not in known):
            by_system.setdefault(system if system in known else "", []).append(_line(file, system))
    lines = [SystemLine(name, tuple(by_system.pop(name, ()))) for name in wanted]
    return [*lines, *(SystemLine("", tuple(rest)) for rest in by_system.values())]


def declared(system: System) -> dict[str, int]:
    """How many of each kind a system declares. Alarms: its own, not those made with the parts."""
    return {kind: len(getattr(system, kind)) for kind in KINDS}


def _line(file: Path, system: str) -> StackLine:
    try:
        return StackLine(stack_name(file), system, load(file))
    except ConfigError as error:
        return StackLine(stack_name(file), system, None, error.problems)


def _system_of(file: Path) -> str:
    try:
        return read_settings(file, file.parent / "systems").system
    except ConfigError:
        return ""
