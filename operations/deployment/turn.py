"""One command at a time on a stack. The kernel gives the turn back when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from operations.failures import ExitCode, Failure

_POLL_SECONDS = 0.2


@contextlib.contextmanager
def turn(
    folder: Path, stack: str, tell: Callable[[str], None], *, wait_seconds: float
) -> Iterator[None]:
    """Holds the stack for one command; another command's turn is waited for.

    Pulumi's own lock is held during an update only, and not between a preview and its update.
    Raises Failure when the other has not ended after `wait_seconds`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{stack}.turn").open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait_seconds
        told = False
        while not _take(file.fileno()):
            file.seek(0)
            holder = (
                f"Another command works on {stack} (process {file.read().strip() or 'unknown'})"
            )
            if time.monotonic() >= deadline:
                raise Failure(
                    f"{holder}.",
                    next_step="wait until it has ended, then run this again.",
                    code=ExitCode.NOT_READY,
                )
            if not told:
                tell(f"{holder}; waiting for it to end.")
                told = True
            time.sleep(_POLL_SECONDS)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
