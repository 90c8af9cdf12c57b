"""The cache: what counts as finished, and one writer at a time."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine import cache
from sandbox.engine.cache import EngineError, Finished

HOLD = """
import sys, time
from sandbox.engine import cache
with cache.alone(lambda text: None):
    cache.shared(lambda text: None)("linking")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_an_empty_cache_has_nothing(empty_cache: Path) -> None:
    assert cache.find() is None


def test_a_finished_cli_is_found(finished_cache: Path) -> None:
    assert cache.find() == Finished("3.250.0", "built by a test")


@pytest.mark.parametrize("damage", ["unlink mark", "unlink cli", "cli not executable", "bad mark"])
def test_a_half_made_one_is_not(finished_cache: Path, damage: str) -> None:
    mark, cli = finished_cache / "finished.json", finished_cache / "pulumi"
    damages: dict[str, Callable[[], object]] = {
        "unlink mark": mark.unlink,
        "unlink cli": cli.unlink,
        "cli not executable": lambda: cli.chmod(0o644),
        "bad mark": lambda: mark.write_text('{"version":'),
    }
    damages[damage]()
    assert cache.find() is None


def test_placing_replaces_what_was_half_made(finished_cache: Path) -> None:
    (finished_cache / "finished.json").unlink()
    (finished_cache / "rubbish").touch()
    left_by_another = finished_cache.with_name(f"{finished_cache.name}.new-1")
    left_by_another.mkdir()
    made = cache.workshop()
    assert not left_by_another.exists()
    (made / "pulumi").touch(mode=0o755)
    cache.place(made, Finished("3.250.0", "a test"))
    assert cache.find() == Finished("3.250.0", "a test")
    assert sorted(one.name for one in finished_cache.iterdir()) == ["finished.json", "pulumi"]


def test_a_second_run_waits_and_shows_what_the_first_does(empty_cache: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    assert first.stdin is not None and first.stdout is not None
    assert first.stdout.readline() == "held\n"
    shown: list[str] = []

    def show(text: str) -> None:
        shown.append(text)
        if len(shown) == 2:
            assert first.stdin is not None
            first.stdin.close()

    with cache.alone(show):
        assert first.wait(timeout=10) == 0
    assert len(shown) >= 2
    assert shown[0] == "waiting for another run, 0 s: linking"


def _hold_and_die() -> None:
    with cache.alone(lambda text: None):
        os._exit(9)


def test_a_killed_run_leaves_the_cache_free(empty_cache: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_hold_and_die)
    process.start()
    process.join()
    assert process.exitcode == 9
    began = time.monotonic()
    with cache.alone(pytest.fail):
        assert time.monotonic() - began < 1


def test_a_folder_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GONOGO_CACHE", str(tmp_path / "file" / "cache"))
    with (
        pytest.raises(EngineError, match=r"cannot be used \(Not a directory\)\. Next: .*GONOGO_CA"),
        cache.alone(lambda text: None),
    ):
        pytest.fail("the cache was held")


def test_the_folder_follows_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GONOGO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "gonogo"
    monkeypatch.setenv("GONOGO_CACHE", str(tmp_path / "own"))
    assert cache.folder() == tmp_path / "own"
