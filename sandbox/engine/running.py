"""Run a long command: its lines counted, its time shown, its end certain. Standard library only.

The entry script uses it before any library is installed.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

Progress = Callable[[str], None]
"""Takes what is happening, in a few words with the elapsed time; called a few times a second."""

TICK_SECONDS = 0.2
QUIET_SECONDS = 10.0


@dataclass(frozen=True)
class Said:
    """How a command ended and what it wrote (standard output and error, in order)."""

    exit_code: int
    lines: list[str]


class Reporter:
    """Shows progress: one line kept up to date on a terminal, else a line every ten seconds."""

    def __init__(self, prefix: str = "", stream: TextIO | None = None) -> None:
        self._prefix = prefix
        self._stream = stream if stream is not None else sys.stderr
        self._terminal = self._stream.isatty()
        self._last_seconds = float("-inf")

    def __call__(self, text: str) -> None:
        """Show `text`, if it is time to."""
        if self._terminal:
            try:
                width = os.get_terminal_size(self._stream.fileno()).columns
            except OSError:
                width = 80
            self._stream.write("\r\x1b[K" + (self._prefix + text)[: max(width - 1, 10)])
            self._stream.flush()
            return
        now_seconds = time.monotonic()
        if now_seconds - self._last_seconds >= QUIET_SECONDS:
            self._last_seconds = now_seconds
            self._stream.write(self._prefix + text + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Clear the line, so that what follows starts on a clean one."""
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def elapsed(seconds: float) -> str:
    """A duration as people say it: `12 s`, `3 min 05 s`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def stream(
    command: Sequence[str],
    doing: str,
    describe: Callable[[str], str | None],
    progress: Progress,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Said:
    """Run `command`; `describe` turns a line of it into what is shown, or None to keep the last.

    The command is ended when this is interrupted. Raises OSError when it cannot be started.
    """
    began_seconds = time.monotonic()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=None if environment is None else dict(environment),
        cwd=folder,
    )
    lines: list[str] = []
    arriving: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, arriving), daemon=True).start()
    try:
        while True:
            progress(f"{doing}, {elapsed(time.monotonic() - began_seconds)}")
            try:
                line = arriving.get(timeout=TICK_SECONDS)
            except queue.Empty:
                continue
            if line is None:
                break
            lines.append(line)
            doing = describe(line) or doing
        return Said(process.wait(), lines)
    finally:
        _end(process)
        close = getattr(progress, "close", None)
        if close is not None:
            close()


def _read(process: subprocess.Popen[str], arriving: queue.Queue[str | None]) -> None:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for above
    for line in process.stdout:
        arriving.put(line.rstrip("\n"))
    arriving.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
