"""A project on disk, with the real systems, tiers and stack files, that a test may break."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from systems.errors import ConfigError, Problem
from systems.stack import Stack, load

ROOT = Path(__file__).parents[2]


@dataclass
class Project:
    """`edit` replaces a text that stands in the file exactly where it is first found."""

    root: Path

    @property
    def system(self) -> Path:
        return self.root / "systems" / "autonomous-trading-company.yaml"

    @property
    def stack(self) -> Path:
        return self.root / "Pulumi.prod.yaml"

    def tier(self, name: str) -> Path:
        return self.root / "systems" / "tiers" / f"{name}.yaml"

    def edit(self, file: Path, old: str, new: str) -> None:
        text = file.read_text()
        assert old in text, f"{old!r} is not in {file.name}"
        file.write_text(text.replace(old, new, 1))

    def override(self, *lines: str) -> None:
        """Add `gonogo:overrides` to the production stack; its first line is line 8."""
        text = "".join(f"    {line}\n" for line in lines)
        with self.stack.open("a") as stream:
            stream.write(f"  gonogo:overrides:\n{text}")

    def load(self, stack: str = "prod") -> Stack:
        return load(self.root / f"Pulumi.{stack}.yaml")

    def problems(self, stack: str = "prod") -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            self.load(stack)
        return caught.value.problems

    def only_problem(self, stack: str = "prod") -> Problem:
        found = self.problems(stack)
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0]

    def line_of(self, file: Path, text: str) -> int:
        """The number of the first line that contains `text`."""
        lines = file.read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)


def copy_of_the_project(where: Path) -> Project:
    where.mkdir(parents=True, exist_ok=True)
    (where / "systems" / "tiers").mkdir(parents=True)
    for pattern in ("Pulumi.*.yaml", "systems/*.yaml", "systems/tiers/*.yaml"):
        for file in ROOT.glob(pattern):
            shutil.copy(file, where / file.relative_to(ROOT))
    return Project(where)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return copy_of_the_project(tmp_path)


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    return lambda: copy_of_the_project(tmp_path_factory.mktemp("project") / "p")
