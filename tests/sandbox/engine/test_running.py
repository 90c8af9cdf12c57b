"""Long commands: what is counted, what is shown, and that they end."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable

import pytest

from sandbox.engine import running


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_and_exit_code_come_back() -> None:
    program = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(4)"
    shown: list[str] = []
    said = running.stream(
        [sys.executable, "-u", "-c", program], "trying", lambda line: f"at {line}", shown.append
    )
    assert said == running.Said(4, ["one", "two"])
    assert shown[0].startswith("trying, 0 s")
    assert shown[-1].startswith("at two, ")


def test_time_is_shown_while_a_command_is_silent() -> None:
    shown: list[str] = []
    program = "import time; time.sleep(1.3)"
    running.stream([sys.executable, "-c", program], "waiting", lambda line: None, shown.append)
    assert shown[0] == "waiting, 0 s"
    assert "waiting, 1 s" in shown


def test_an_interrupt_ends_the_command() -> None:
    pids: list[int] = []

    def note(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    program = "import os, time; print(os.getpid()); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        running.stream([sys.executable, "-u", "-c", program], "x", note, lambda text: None)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_terminal_gets_one_line_kept_up_to_date() -> None:
    stream = Terminal()
    report = running.Reporter("go: ", stream)
    report("one")
    report("two")
    report.close()
    assert stream.getvalue() == "\r\x1b[Kgo: one\r\x1b[Kgo: two\r\x1b[K"


def test_a_long_line_is_cut_to_the_terminal() -> None:
    stream = Terminal()
    running.Reporter("", stream)("x" * 500)
    assert "\n" not in stream.getvalue()
    assert len(stream.getvalue().removeprefix("\r\x1b[K")) < 500


def test_without_a_terminal_a_line_comes_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    monkeypatch.setattr(time, "monotonic", clock)
    stream = io.StringIO()
    report = running.Reporter("", stream)
    for seconds in (0.0, 0.2, 9.9, 10.1, 19.0, 20.2):
        now[0] = 100.0 + seconds
        report(f"at {seconds}")
    assert stream.getvalue().splitlines() == ["at 0.0", "at 10.1", "at 20.2"]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min 00 s"), (247, "4 min 07 s")]
)
def test_durations_read_as_people_say_them(seconds: float, expected: str) -> None:
    assert running.elapsed(seconds) == expected
