"""A checkout of its own for each test that breaks one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A checkout of its own, to break."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("operations", "systems", "sandbox"):
        shutil.copytree(
            CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in (*CHECKOUT.glob("Pulumi*.yaml"), CHECKOUT / "pyproject.toml"):
        shutil.copy(file, folder)
    return folder
