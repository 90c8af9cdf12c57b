"""Becomes the command that it is given, which will be interrupted when the one who started it dies.

Run as `python -I -S launch.py PARENT_PID COMMAND…`. A program of its own, because asking the kernel
between fork and exec (`preexec_fn`) is not safe in a process that has threads.
"""

from __future__ import annotations

import os
import sys

_PR_SET_PDEATHSIG = 1
_SIGINT = 2


def main(parent: int, command: list[str]) -> None:
    """Ask the kernel (Linux only; elsewhere the next run waits for the lock), then exec."""
    if sys.platform == "linux":
        import ctypes

        # An interrupt is what the CLI takes as "finish this step, write the state, unlock".
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGINT)
    if os.getppid() != parent:  # it died before it could be asked about
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  which program runs is decided by us


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
