"""Detached processes that are known by more than their id.

A process id is used again once its process has ended, so every process is recorded with a
mark of its start; an id whose mark differs belongs to somebody else and is never touched.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_SECONDS = 0.01
PORTS = (20000, 32000)
PORT_TRIES = 50


@dataclass(frozen=True)
class ProcessId:
    """A process: its id and the mark of its start."""

    pid: int
    mark: str

    def as_json(self) -> dict[str, object]:
        """The form that is written to files."""
        return {"pid": self.pid, "mark": self.mark}

    @staticmethod
    def from_json(value: object) -> ProcessId | None:
        """Read what `as_json` wrote; None for anything else."""
        if not isinstance(value, dict):
            return None
        pid, mark = value.get("pid"), value.get("mark")
        if isinstance(pid, int) and isinstance(mark, str) and pid > 0:
            return ProcessId(pid, mark)
        return None


@dataclass(frozen=True)
class User:
    """The user that a server runs as when we are root; PostgreSQL refuses to be root."""

    uid: int
    gid: int
    name: str


def identify(pid: int) -> ProcessId | None:
    """The process that has this id now, or None when there is none (a zombie is none)."""
    with contextlib.suppress(OSError, ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a dead child of ours would linger as a zombie
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return ProcessId(pid, _start_mark(process))
    except (psutil.Error, OSError):
        return None


def is_running(process: ProcessId | None) -> bool:
    """True when exactly this process lives, not merely one with its id."""
    return process is not None and identify(process.pid) == process


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user: User | None = None,
) -> ProcessId:
    """Start a process in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=directory,
            start_new_session=True,
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
        )
    process = identify(child.pid)
    # The object would warn about a living child when collected: the child is meant to outlive us.
    child.returncode = 0
    if process is None:
        raise ProcessEndedError(f"{Path(str(command[0])).name} ended at once. {tail(log)}")
    return process


def stop(
    process: ProcessId | None, *, grace_seconds: float = 10, first: int = signal.SIGTERM
) -> bool:
    """End a process: a signal, then SIGKILL after the grace. True when it is gone."""
    if process is None or not is_running(process):
        return True
    for number, seconds in ((first, grace_seconds), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        if wait_until(lambda: not is_running(process), seconds):
            return True
    return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition until it holds or the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def free_port() -> int:
    """A port of loopback that nobody uses at this moment.

    It is taken from below the range that the system gives to outgoing connections, so that it
    is still free when a killed server is started again on it.
    """
    for _ in range(PORT_TRIES):
        port = random.SystemRandom().randrange(*PORTS)
        if is_port_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        chosen: int = probe.getsockname()[1]
        return chosen


def is_port_free(port: int) -> bool:
    """True when a server could listen on this port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message."""
    try:
        text = log.read_bytes()[-4000:].decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


class ProcessEndedError(RuntimeError):
    """A process that was to stay ended."""


def _start_mark(process: psutil.Process) -> str:
    if sys.platform != "linux":
        return f"{process.create_time():.2f}"
    # Clock ticks since this boot do not move when the clock is set; psutil's time does.
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    ticks = stat.rpartition(")")[2].split()[19]
    return f"{_boot_id()}:{ticks}"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "boot"
