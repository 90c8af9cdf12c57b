"""Which CLI is chosen, and how the stand-in host gets beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.engine import Engine, ensure, find_on_path
from tests.sandbox.engine.conftest import executable


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH but for the system's own."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


def test_a_new_enough_cli_with_its_host_is_used_as_it_is(
    on_path: Path, finished_cache: Path
) -> None:
    executable(on_path / "pulumi", "echo v3.251.2")
    executable(on_path / "pulumi-language-python", "exit 0")
    found = ensure()
    assert found == Engine(on_path / "pulumi", (on_path,), "found on PATH 3.251.2", "3.251.2")


@pytest.mark.parametrize("said", ["v3.249.9", "v2.300.0", "", "nonsense", "v3.251.0; exit 1"])
def test_an_old_or_broken_cli_is_passed_over(
    on_path: Path, finished_cache: Path, said: str
) -> None:
    executable(on_path / "pulumi", f"echo {said}")
    executable(on_path / "pulumi-language-python", "exit 0")
    assert ensure().origin == "built by a test"


def test_a_cli_without_its_host_is_passed_over(on_path: Path, finished_cache: Path) -> None:
    executable(on_path / "pulumi", "echo v3.251.2")
    assert find_on_path() is None
    assert ensure().origin == "built by a test"


def test_our_own_folder_on_path_is_not_taken_for_the_users(
    on_path: Path, finished_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure()
    monkeypatch.setenv("PATH", first.path())
    assert ensure() == first


def test_a_built_cli_gets_our_host_beside_it(on_path: Path, finished_cache: Path) -> None:
    made = ensure()
    (folder,) = made.path_entries
    assert folder == finished_cache.parents[1] / "home" / "bin"
    assert made.pulumi == folder / "pulumi"
    launcher = (folder / "pulumi-language-python").read_text()
    assert f"exec {sys.executable} -P " in launcher
    said = subprocess.run([made.pulumi, "version"], check=True, capture_output=True, text=True)
    assert said.stdout == "v3.250.0\n"


def test_a_new_build_replaces_what_stood_beside_the_host(
    on_path: Path, finished_cache: Path
) -> None:
    before = ensure().pulumi.read_text()
    (finished_cache / "pulumi").unlink()
    executable(finished_cache / "pulumi", "echo another build")
    after = ensure().pulumi.read_text()
    assert before != after == (finished_cache / "pulumi").read_text()


def test_a_bundles_own_host_is_kept(on_path: Path, finished_cache: Path) -> None:
    executable(finished_cache / "pulumi-language-python", "exit 0")
    assert ensure().path_entries == (finished_cache,)


def test_the_engine_comes_first_on_path(on_path: Path, finished_cache: Path) -> None:
    made = ensure()
    (folder,) = made.path_entries
    assert made.path("/a:/b::") == f"{folder}:/a:/b"
    assert made.path() == f"{folder}:{os.environ['PATH']}"
