"""Which systems and tiers there are: one YAML file each."""

from __future__ import annotations

from pathlib import Path

from systems.document import Table
from systems.reading import read


def system_names(directory: Path) -> list[str]:
    """The systems in the folder `systems/`."""
    return sorted(file.stem for file in directory.glob("*.yaml"))


def tier_names(directory: Path) -> list[str]:
    """The tiers in the folder `systems/`."""
    return sorted(file.stem for file in (directory / "tiers").glob("*.yaml"))


def phase_names(directory: Path, system: str) -> list[str]:
    """The phases that a system's file declares. Raises ConfigError if it cannot be read."""
    entry = read(directory / f"{system}.yaml").entries.get("phases")
    return list(entry.node.entries) if entry and isinstance(entry.node, Table) else []
