"""Which systems and tiers there are: one YAML file each."""

from __future__ import annotations

from pathlib import Path


def system_names(directory: Path) -> list[str]:
    """The systems in the folder `systems/`."""
    return sorted(file.stem for file in directory.glob("*.yaml"))


def tier_names(directory: Path) -> list[str]:
    """The tiers in the folder `systems/`."""
    return sorted(file.stem for file in (directory / "tiers").glob("*.yaml"))
