"""A sandbox of its own for the tests of each worker, beside a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle
from tests.sandbox.clouds import TestCloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCloud]:
    """A sandbox for the whole session; a test names its resources by itself."""
    home = tmp_path_factory.mktemp("cloud")
    yield TestCloud(lifecycle.start(home, provider=False))
    lifecycle.reset(home)


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Path]:
    """A folder for a sandbox that the test starts and ends itself."""
    yield tmp_path / "home"
    lifecycle.reset(tmp_path / "home")
