"""What a stack file says: system, tier, region, cloud, overrides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from systems.catalogue import phase_names, system_names, tier_names
from systems.document import Entry, Scalar, Table
from systems.errors import ConfigError, Place, Problem, did_you_mean, listing
from systems.reading import read
from systems.regions import REGIONS

CLOUDS = ("sandbox", "aws")
KEYS = ("gonogo:system", "gonogo:tier", "gonogo:phase", "gonogo:overrides", "gonogo:cloud")
# https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
TOP = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")

_REGION = "a region of AWS, such as us-east-1 or us-west-2"


@dataclass(frozen=True)
class Settings:
    """A stack file's settings, before the system is loaded.

    `phase` is one of those that the system declares, or None. `cloud` is None when the file leaves
    it to the command line. `region_place` is where the region stands.
    """

    system: str
    tier: str
    phase: str | None
    region: str
    cloud: str | None
    overrides: Table
    region_place: Place


def read_settings(stack_file: Path, systems: Path) -> Settings:
    """The settings of `Pulumi.<stack>.yaml`; `systems` is the folder of systems and tiers.

    Raises ConfigError with every problem of the file.
    """
    root = read(stack_file)
    found = list(_unknown_fields(root))
    config = root.entries.get("config")
    if config is None or not isinstance(config.node, Table):
        todo = "add config: with gonogo:system, gonogo:tier and aws:region"
        where = config.key if config else Place(stack_file)
        nothing = Problem(where, "config", "nothing", "a mapping of settings", todo)
        raise ConfigError(found or [nothing])
    reader = _Reader(config.key, config.node, found)
    found += _unknown_keys(config.node)
    system = reader.choice("gonogo:system", system_names(systems), "system")
    settings = Settings(
        system=system,
        tier=reader.choice("gonogo:tier", tier_names(systems), "tier"),
        phase=reader.phase(systems, system),
        region=reader.choice("aws:region", sorted(REGIONS), "region", _REGION),
        cloud=reader.optional_choice("gonogo:cloud", CLOUDS, "cloud"),
        overrides=reader.mapping("gonogo:overrides"),
        region_place=reader.place("aws:region"),
    )
    if found:
        raise ConfigError(found)
    return settings


class _Reader:
    """Reads single settings; what is wrong with them is added to `found`."""

    def __init__(self, where: Place, config: Table, found: list[Problem]) -> None:
        self.where = where
        self.config = config
        self.found = found

    def choice(self, key: str, known: Sequence[str], what: str, wanted: str = "") -> str:
        """One of the known names; "" and a problem for everything else."""
        wanted = wanted or listing(known, f"a {what}: none is there yet")
        entry = self.config.entries.get(key)
        if entry is None:
            if not any(key in problem.todo for problem in self._misspelt()):
                todo = f"add {key}: under config:"
                self.found.append(Problem(self.where, key, "nothing", wanted, todo))
            return ""
        text = entry.node.text if isinstance(entry.node, Scalar) else ""
        if text in known:
            return text
        near = did_you_mean(text, known)
        self.found.append(
            Problem(
                entry.node.place,
                key,
                f'the unknown {what} "{text}"' if text else f"no {what}",
                wanted,
                f"did you mean {near}?" if near else "take one of those",
            )
        )
        return ""

    def optional_choice(self, key: str, known: Sequence[str], what: str) -> str | None:
        """One of the known names, or None if the setting is left out or blank."""
        if not _given(self.config.entries.get(key)):
            return None
        return self.choice(key, known, what)

    def phase(self, systems: Path, system: str) -> str | None:
        """One of the system's phases, or None if the setting is left out or blank."""
        if not system or not _given(self.config.entries.get("gonogo:phase")):
            return None
        return self.choice("gonogo:phase", phase_names(systems, system), "phase")

    def mapping(self, key: str) -> Table:
        """A mapping; an empty one if the setting is left out or blank."""
        entry = self.config.entries.get(key)
        if entry and isinstance(entry.node, Table):
            return entry.node
        if entry and _given(entry):
            wanted = "a mapping of paths to values"
            todo = "write a line for each, such as databases.main.storage_gb: 200"
            self.found.append(Problem(entry.key, key, "no mapping", wanted, todo))
        return Table(self.where, {})

    def place(self, key: str) -> Place:
        """Where a setting's value stands."""
        entry = self.config.entries.get(key)
        return entry.node.place if entry else self.where

    def _misspelt(self) -> Iterator[Problem]:
        """What is told of unknown settings: it names the one that was meant."""
        return _unknown_keys(self.config)


def _given(entry: Entry | None) -> bool:
    return entry is not None and not (isinstance(entry.node, Scalar) and not entry.node.text)


def _unknown_fields(root: Table) -> Iterator[Problem]:
    for key, entry in root.entries.items():
        if key not in TOP:
            near = did_you_mean(key, TOP)
            todo = f"did you mean {near}?" if near else "settings belong under config:"
            yield Problem(entry.key, key, "an unknown field", listing(TOP), todo)


def _unknown_keys(config: Table) -> Iterator[Problem]:
    """Settings of ours that there are not, and those whose namespace is nearly ours."""
    for key, entry in config.entries.items():
        namespace, colon, name = key.partition(":")
        if not colon:
            near = did_you_mean(f"gonogo:{key}", KEYS) or f"gonogo:{key}"
            found, todo = "a setting without a namespace", f"write {near}"
        elif namespace == "gonogo" and key not in KEYS:
            meant = did_you_mean(name, [one.partition(":")[2] for one in KEYS])
            found = "an unknown setting"
            todo = f"did you mean gonogo:{meant}?" if meant else "remove it, or take one of those"
        elif namespace != "gonogo" and did_you_mean(namespace, ["gonogo"]):
            found, todo = "an unknown setting", f"did you mean gonogo:{name}?"
        else:
            continue
        yield Problem(entry.key, key, found, listing(KEYS), todo)
