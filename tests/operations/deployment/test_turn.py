from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from operations.deployment.turn import turn
from operations.failures import ExitCode, Failure

HOLDER = """
import sys, time
from pathlib import Path
from operations.deployment.turn import turn
with turn(Path(sys.argv[1]), "prod", print, wait_seconds=0):
    print("held", flush=True)
    time.sleep(60)
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(folder)],
        cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_command_is_told_who_is_first_and_given_up(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    told: list[str] = []
    try:
        with (
            pytest.raises(Failure) as refused,
            turn(tmp_path, "prod", told.append, wait_seconds=0.5),
        ):
            pytest.fail("two at once")
        assert refused.value.code is ExitCode.NOT_READY
        assert f"(process {holder.pid})" in refused.value.what
        assert told == [f"Another command works on prod (process {holder.pid}); "
                        "waiting for it to end."]  # fmt: skip
        with turn(tmp_path, "dev", told.append, wait_seconds=0):
            pass
    finally:
        holder.kill()
        holder.wait()


def test_a_killed_command_holds_nothing(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    holder.kill()
    holder.wait()
    told: list[str] = []
    with turn(tmp_path, "prod", told.append, wait_seconds=0):
        assert not told
    with turn(tmp_path, "prod", told.append, wait_seconds=0):
        assert not told
