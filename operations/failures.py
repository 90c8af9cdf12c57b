"""How an operation ends when it does not end well: one sentence, what to do next, an exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What `gonogo` exits with. Documented in `gonogo --help`."""

    DONE = 0
    FAILED = 1
    """The engine or a provider failed: something may have been applied."""
    WRONG_INPUT = 2
    """The command line, a system's YAML or a stack's file is wrong: nothing was started."""
    BLOCKED = 3
    """A rule of the policy pack is broken: nothing was applied."""
    NOT_READY = 4
    """The engine, the sandbox or the cloud is missing or busy."""
    CRASHED = 70
    """A mistake in Gonogo itself (EX_SOFTWARE of sysexits.h); the log has the trace."""
    INTERRUPTED = 130


class Failure(Exception):  # noqa: N818  what ends an operation is a failure, not an error in code
    """An end that a person must read: what happened, and what to do next."""

    def __init__(self, what: str, *, next_step: str = "", code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.code = code
