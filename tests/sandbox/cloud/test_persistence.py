"""The emulator's state on disk is one whole generation at every moment."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.persistence import Persistence, StateError, add_recovery_notes
from sandbox.home import CHECKOUT

# MiniStack is loaded in a process of its own: it keeps its state in its modules.
PROGRAM = """
import json, sys
from pathlib import Path
from sandbox.cloud import emulator
from sandbox.cloud.persistence import Persistence
state = Path(sys.argv[1])
emulator.prepare(state, 1)
emulator.load()
own = {"value": 0}
persistence = Persistence(state, state / "recovered.json")
unclean = persistence.load({"own": (lambda: dict(own), own.update)})
sqs = emulator.service("sqs")
print(json.dumps([unclean, own["value"]]), flush=True)
for line in sys.stdin:
    if line.strip() == "close":
        persistence.close()
    else:
        own["value"] = int(line)
        persistence.flush()
    print("done", flush=True)
"""


class Emulator:
    """A process that keeps one number in the emulator's state."""

    def __init__(self, state: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(state)], cwd=CHECKOUT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.unclean, self.value = json.loads(self._line())

    def tell(self, word: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._line() == "done"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        return line.strip()


pytestmark = pytest.mark.slow


def test_a_flush_outlives_a_kill_and_a_clean_end_is_known(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = Emulator(state)
    assert (first.unclean, first.value) == (False, 0)
    first.tell(41)
    first.tell(42)
    first.end()
    second = Emulator(state)
    assert (second.unclean, second.value) == (True, 42)
    second.tell("close")
    second.end()
    third = Emulator(state)
    assert (third.unclean, third.value) == (False, 42)
    third.end()


def test_only_the_last_generations_are_kept_and_current_is_whole(tmp_path: Path) -> None:
    state = tmp_path / "state"
    found = Emulator(state)
    for number in range(6):
        found.tell(number)
    generations = sorted(folder.name for folder in state.glob("generation-*"))
    assert len(generations) == 2
    assert (state / "current").resolve().name == generations[-1]
    found.tell(5)  # nothing changed, nothing is written
    assert sorted(folder.name for folder in state.glob("generation-*")) == generations
    found.end()


def test_a_generation_that_was_begun_is_not_taken(tmp_path: Path) -> None:
    state = tmp_path / "state"
    found = Emulator(state)
    found.tell(7)
    found.end()
    # Killed while it wrote the next one: the folder is there, the link has not moved.
    begun = state / "generation-00000099"
    begun.mkdir()
    (begun / "own.json").write_text("{ half")
    again = Emulator(state)
    assert again.value == 7
    again.end()


def test_notes_are_added_to_the_note(tmp_path: Path) -> None:
    path = tmp_path / "recovered.json"
    add_recovery_notes(path, [])
    assert not path.exists()
    add_recovery_notes(path, ["one"])
    add_recovery_notes(path, ["two"])
    note = json.loads(path.read_text())
    assert note["notes"] == ["one", "two"]
    assert note["noticed_at"] == pytest.approx(time.time(), abs=60)


def test_a_state_that_changes_while_it_is_read_is_read_again() -> None:
    from sandbox.cloud.persistence import _steady

    tries: list[int] = []

    def state() -> dict[str, Any]:
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("dictionary changed size during iteration")
        return {"a": 1}

    assert _steady(state) == {"a": 1}
    assert len(tries) == 3


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "generation-00000001").mkdir(parents=True)
    (state / "generation-00000001" / "sqs.json").write_text("[]")
    (state / "current").symlink_to("generation-00000001")
    with pytest.raises(StateError, match=r"sqs\.json cannot be read.*sandbox reset"):
        Persistence(state, tmp_path / "note").load({})
    assert [file.name for file in (state / "current").iterdir()] == ["sqs.json"]
