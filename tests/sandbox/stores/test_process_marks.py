"""Processes that are known by more than their id."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.stores.process import (
    ProcessEndedError,
    ProcessId,
    free_port,
    identify,
    is_port_free,
    is_running,
    spawn,
    stop,
    wait_until,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_spawned_process_runs_in_its_own_session_and_ends(tmp_path: Path) -> None:
    process = spawn(SLEEP, log=tmp_path / "log")
    assert is_running(process)
    assert os.getsid(process.pid) != os.getsid(0)
    assert stop(process)
    assert not is_running(process)
    assert identify(process.pid) is None


def test_the_same_id_with_another_mark_is_another_process(tmp_path: Path) -> None:
    process = spawn(SLEEP, log=tmp_path / "log")
    stranger = replace(process, mark=f"{process.mark}0")
    assert not is_running(stranger)
    assert stop(stranger)
    assert is_running(process), "a stranger's end must not end this process"
    stop(process)


def test_a_process_that_ignores_the_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('ready', flush=True); time.sleep(60)"
    )
    process = spawn([sys.executable, "-c", program], log=tmp_path / "log")
    assert wait_until(lambda: "ready" in (tmp_path / "log").read_text(), 10)
    assert stop(process, grace_seconds=0.2)
    assert not is_running(process)


def test_a_zombie_does_not_run(tmp_path: Path) -> None:
    process = spawn(SLEEP, log=tmp_path / "log")
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_running(process), 5)


def test_a_record_is_read_back_and_nonsense_is_none() -> None:
    process = ProcessId(7, "mark")
    assert ProcessId.from_json(process.as_json()) == process
    wrong: tuple[object, ...] = (None, 7, [], {}, {"pid": "7", "mark": "m"}, {"pid": -1})
    for nonsense in wrong:
        assert ProcessId.from_json(nonsense) is None


def test_a_program_that_is_missing_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises((OSError, ProcessEndedError)):
        spawn([tmp_path / "missing"], log=tmp_path / "log")


def test_a_free_port_is_free_and_below_the_systems_own() -> None:
    port = free_port()
    assert is_port_free(port)
    assert 20000 <= port < 32000
