"""A stack: which system at which tier, where, and what is different there.

`Pulumi.<stack>.yaml` says it, under `config:`:
`gonogo:system`, `gonogo:tier`, `gonogo:phase`, `gonogo:overrides`, `gonogo:cloud` and
`aws:region`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from systems.errors import ConfigError, Place, Problem, did_you_mean, listing
from systems.settings import Settings, read_settings

if TYPE_CHECKING:
    from systems.model import System


@dataclass(frozen=True)
class Stack:
    """One deployment of a system. `cloud` is "sandbox", "aws", or None for what the CLI says.

    `phase` is a section of the system's own `phases:`. Its name stands in the tier's place in all
    names, so that several stacks of one tier can be in one account.
    """

    name: str
    file: Path
    system: System
    tier: str
    region: str
    cloud: str | None
    phase: str | None = None

    @property
    def at(self) -> str:
        """Where in its life the stack is, in words: `prod`, or `prod, phase paper`."""
        return f"{self.tier}, phase {self.phase}" if self.phase else self.tier

    @property
    def tags(self) -> dict[str, str]:
        """What every resource of the stack is tagged with."""
        ours = {
            "system": self.system.name,
            "tier": self.tier,
            "owner": self.system.owner,
            "managed-by": "gonogo",
            **({"phase": self.phase} if self.phase else {}),
        }
        return {**self.system.tags, **ours}


def load(stack_file: Path) -> Stack:
    """The stack of `Pulumi.<stack>.yaml`, its system validated. Raises ConfigError."""
    name = stack_name(stack_file)
    directory = stack_file.parent / "systems"
    if not stack_file.exists():
        known = [stack_name(file) for file in stacks(stack_file.parent)]
        raise ConfigError([_no_such_stack(stack_file, known)])
    settings = read_settings(stack_file, directory)
    # Late: pydantic takes longer to import than everything before.
    from systems.loading import load_system
    from systems.overrides import Override

    overrides = [Override(path, entry) for path, entry in settings.overrides.entries.items()]
    system = load_system(directory, settings.system, settings.tier, overrides, settings.phase)
    _copies_elsewhere(settings, system)
    return Stack(
        name, stack_file, system, settings.tier, settings.region, settings.cloud, settings.phase
    )


def stacks(project: Path) -> list[Path]:
    """The stack files of a project, in order."""
    return sorted(project.glob("Pulumi.*.yaml"))


def stack_name(stack_file: Path) -> str:
    """`prod` of `Pulumi.prod.yaml`."""
    return stack_file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def _no_such_stack(stack_file: Path, known: list[str]) -> Problem:
    near = did_you_mean(stack_name(stack_file), known)
    return Problem(
        Place(stack_file),
        "",
        "no such file",
        f"a stack of this project: {listing(known, 'none is there yet')}",
        f"did you mean {near}?" if near else f"write {stack_file.name}, or take one of those",
    )


def _copies_elsewhere(settings: Settings, system: System) -> None:
    if system.backup and system.backup.copy_to_region == settings.region:
        raise ConfigError(
            [
                Problem(
                    settings.region_place,
                    "backup.copy_to_region",
                    f'"{settings.region}", where the stack itself is',
                    "another region than aws:region, or null for no copies",
                    "override backup.copy_to_region in this file",
                )
            ]
        )
