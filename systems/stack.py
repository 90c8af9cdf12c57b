"""A stack: which system at which tier, where, and what is different there.

`Pulumi.<stack>.yaml` says it, under `config:`:
`gonogo:system`, `gonogo:tier`, `gonogo:overrides`, `gonogo:cloud` and `aws:region`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from systems.catalogue import system_names, tier_names
from systems.document import Entry, Scalar, Table
from systems.errors import ConfigError, Place, Problem, did_you_mean, listing
from systems.reading import read
from systems.regions import REGIONS

if TYPE_CHECKING:
    from systems.model import System

CLOUDS = ("sandbox", "aws")
KEYS = ("system", "tier", "overrides", "cloud")
# https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
TOP = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")


@dataclass(frozen=True)
class Stack:
    """One deployment of a system. `cloud` is "sandbox", "aws", or None for what the CLI says."""

    name: str
    file: Path
    system: System
    tier: str
    region: str
    cloud: str | None

    @property
    def tags(self) -> dict[str, str]:
        """What every resource of the stack is tagged with."""
        ours = {
            "system": self.system.name,
            "tier": self.tier,
            "owner": self.system.owner,
            "managed-by": "gonogo",
        }
        return {**self.system.tags, **ours}


@dataclass(frozen=True)
class Settings:
    """What a stack file says, before the system is loaded."""

    name: str
    file: Path
    system: str
    tier: str
    region: str
    cloud: str | None
    config: Table


def load(stack_file: Path) -> Stack:
    """The stack of `Pulumi.<stack>.yaml`, its system validated. Raises ConfigError."""
    from systems.loading import load_system
    from systems.overrides import Override

    settings = read_settings(stack_file)
    entry = settings.config.entries.get("gonogo:overrides")
    overrides: list[Override] = []
    if entry and isinstance(entry.node, Table):
        overrides = [Override(path, one) for path, one in entry.node.entries.items()]
    system = load_system(systems_of(stack_file), settings.system, settings.tier, overrides)
    _copies_elsewhere(settings, system)
    return Stack(settings.name, stack_file, system, settings.tier, settings.region, settings.cloud)


def stacks(project: Path) -> list[Path]:
    """The stack files of a project, in order."""
    return sorted(project.glob("Pulumi.*.yaml"))


def stack_name(stack_file: Path) -> str:
    """`prod` of `Pulumi.prod.yaml`."""
    return stack_file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def systems_of(stack_file: Path) -> Path:
    """The folder of the systems that a stack file names."""
    return stack_file.parent / "systems"


def read_settings(stack_file: Path) -> Settings:
    """What the stack file says, its names checked. Raises ConfigError."""
    root = read(stack_file)
    found: list[Problem] = list(_unknown_fields(root))
    config = root.entries.get("config")
    if config is None or not isinstance(config.node, Table):
        where = config.key if config else Place(stack_file)
        todo = "add config: with gonogo:system, gonogo:tier and aws:region"
        raise ConfigError(
            [*found, Problem(where, "config", "nothing", "a mapping of settings", todo)]
        )
    table = config.node
    found += _unknown_keys(table)
    directory = systems_of(stack_file)
    values = {
        "gonogo:system": _one_of(config, "gonogo:system", system_names(directory), "system", found),
        "gonogo:tier": _one_of(config, "gonogo:tier", tier_names(directory), "tier", found),
        "aws:region": _one_of(config, "aws:region", sorted(REGIONS), "region of AWS", found),
    }
    cloud = None
    if "gonogo:cloud" in table.entries:
        cloud = _one_of(config, "gonogo:cloud", list(CLOUDS), "cloud", found)
    overrides = table.entries.get("gonogo:overrides")
    if overrides and not isinstance(overrides.node, Table):
        wanted = "a mapping of paths to values"
        todo = "write a line for each, such as databases.main.storage_gb: 200"
        found.append(Problem(overrides.key, "gonogo:overrides", "no mapping", wanted, todo))
    if found:
        raise ConfigError(found)
    return Settings(
        stack_name(stack_file),
        stack_file,
        values["gonogo:system"],
        values["gonogo:tier"],
        values["aws:region"],
        cloud,
        table,
    )


def _one_of(config: Entry, key: str, known: list[str], what: str, found: list[Problem]) -> str:
    """The setting's text; a problem in `found` if it is missing or none of the known ones."""
    entry = config.node.entries.get(key) if isinstance(config.node, Table) else None
    if entry is None:
        wanted = listing(known) if len(known) <= 12 else f"a {what}"
        found.append(Problem(config.key, key, "nothing", wanted, f"add {key}: under config:"))
        return ""
    if isinstance(entry.node, Scalar) and entry.node.text in known:
        return entry.node.text
    text = entry.node.text if isinstance(entry.node, Scalar) else ""
    near = did_you_mean(text, known)
    found.append(
        Problem(
            entry.node.place,
            key,
            f'the unknown {what} "{text}"' if text else f"no {what}",
            listing(known, f"no {what} is there yet"),
            f"did you mean {near}?" if near else "take one of those",
        )
    )
    return ""


def _unknown_fields(root: Table) -> Iterator[Problem]:
    for key, entry in root.entries.items():
        if key not in TOP:
            near = did_you_mean(key, TOP)
            todo = f"did you mean {near}?" if near else "settings belong under config:"
            yield Problem(entry.key, key, "an unknown field", listing(TOP), todo)


def _unknown_keys(config: Table) -> Iterator[Problem]:
    ours = [f"gonogo:{key}" for key in KEYS]
    for key, entry in config.entries.items():
        namespace, colon, name = key.partition(":")
        near = did_you_mean(key, [*ours, "aws:region"])
        if not colon:
            todo = f"write {near or f'gonogo:{key}'}"
            yield Problem(entry.key, key, "a setting without a namespace", listing(ours), todo)
        elif (namespace == "gonogo" and name not in KEYS) or (
            namespace not in ("gonogo", "aws") and did_you_mean(namespace, ["gonogo", "aws"])
        ):
            todo = f"did you mean {near}?" if near else "remove it, or take one of those"
            yield Problem(entry.key, key, "an unknown setting", listing(ours), todo)


def _copies_elsewhere(settings: Settings, system: System) -> None:
    backup = system.backup
    if backup and backup.copy_to_region == settings.region:
        entry = settings.config.entries["aws:region"]
        raise ConfigError(
            [
                Problem(
                    entry.node.place,
                    "backup.copy_to_region",
                    f"{settings.region}, where the stack itself is",
                    "another region than aws:region, or null for no copies",
                    "override backup.copy_to_region in this file",
                )
            ]
        )
