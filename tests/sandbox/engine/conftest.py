"""What the tests of the engine share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engine import Engine, cache, ensure

OWN_SETTINGS = ("GONOGO_CACHE", "GONOGO_HOME", "XDG_CACHE_HOME")


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder that the code under test uses."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GONOGO_CACHE", str(folder))
    monkeypatch.setenv("GONOGO_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def finished_cache(empty_cache: Path) -> Path:
    """A cache with a finished CLI (a script that knows its version); the CLI's folder."""
    home = cache.home()
    home.mkdir(parents=True)
    executable(home / "pulumi", f"echo v{cache.VERSION}")
    (home / "finished.json").write_text('{"version": "3.250.0", "origin": "built by a test"}')
    return home


def executable(path: Path, text: str) -> Path:
    """Write a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The real CLI from the user's cache (made when it is not there), with a home of its own."""
    before = os.environ.get("GONOGO_HOME")
    os.environ["GONOGO_HOME"] = str(tmp_path_factory.mktemp("home"))
    try:
        yield ensure()
    finally:
        del os.environ["GONOGO_HOME"]
        if before is not None:
            os.environ["GONOGO_HOME"] = before
