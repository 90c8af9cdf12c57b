"""One run of the Pulumi CLI as a child that never outlives us unnoticed.

What it writes goes to files, not to pipes: a pipe whose reader was killed would kill the CLI in the
middle of a step (SIGPIPE), before it has written its state and given its lock back.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import BinaryIO

POLL_SECONDS = 0.05
_LAUNCH = Path(__file__).with_name("launch.py")
_PRIVATE = 0o600


class Child:
    """A running command; `lines()` yields its standard output as it comes.

    While it is entered, SIGINT and SIGTERM are passed on instead of ending us: the first asks it
    to stop after the present step, the second to stop at once, the third kills it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        output: Path,
        errors: Path,
        on_interrupt: Callable[[int], None] | None = None,
    ) -> None:
        self._output = output
        self._on_interrupt = on_interrupt
        self._handlers: dict[int, object] = {}
        self.interrupts = 0
        output.parent.mkdir(parents=True, exist_ok=True)
        with _private(output) as out, _private(errors) as err:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), *command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                # Its own group: the terminal's Ctrl-C reaches it through us alone, once.
                process_group=0,
            )

    def __enter__(self) -> Child:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._pass_on)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def pid(self) -> int:
        """The CLI's process id."""
        return self._process.pid

    def lines(self, on_tick: Callable[[], None] | None = None) -> Iterator[str]:
        """Complete lines of its output until it has ended. `on_tick` is called while waiting."""
        pending = ""
        with self._output.open(encoding="utf-8", errors="replace") as stream:
            while True:
                ended = self._process.poll() is not None
                chunk = stream.read()
                if chunk:
                    *complete, pending = (pending + chunk).split("\n")
                    yield from complete
                elif ended:
                    break
                if on_tick is not None:
                    on_tick()
                if not chunk:
                    time.sleep(POLL_SECONDS)
        if pending:
            yield pending

    def wait(self) -> int:
        """Its exit code; negative for a signal."""
        return self._process.wait()

    def _pass_on(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupts += 1
        if self._process.poll() is None:
            last = self.interrupts > 2
            self._process.send_signal(signal.SIGKILL if last else signal.SIGINT)
        if self._on_interrupt is not None:
            self._on_interrupt(self.interrupts)


def _private(path: Path) -> BinaryIO:
    """A file to write that its owner alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "wb")
