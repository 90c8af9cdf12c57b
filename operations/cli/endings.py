"""How a command ends: a failure told in words, its exit code, and a log for what nobody foresaw."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from operations.failures import ExitCode, Failure

if TYPE_CHECKING:
    from systems.errors import ConfigError


def home() -> Path:
    """The sandbox's folder, whether or not it is there yet (the sandbox's own rule)."""
    from operations.cli.options import CHECKOUT

    return Path(os.environ.get("GONOGO_HOME") or CHECKOUT / ".gonogo").expanduser().resolve()


def ended(command: Callable[[], object]) -> int:
    """Run a command; its exit code. Whatever it raises is told in a sentence."""
    try:
        command()
    except SystemExit as asked:
        if isinstance(asked.code, str):
            _say(asked.code)
            return ExitCode.FAILED
        return int(asked.code or 0)
    except (Exception, KeyboardInterrupt) as error:
        return _ending_of(error)
    return ExitCode.DONE


def _ending_of(error: BaseException) -> int:
    match error:
        case Failure():
            return tell(error)
        case KeyboardInterrupt():
            return tell(Failure("stopped.", code=ExitCode.INTERRUPTED))
        case BrokenPipeError():
            # Whoever read us has gone (`gonogo … | head`); there is nobody to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.FAILED
        case _:
            return _unforeseen(error)


def tell(failure: Failure) -> int:
    """One or two lines on standard error, and the exit code."""
    _say(f"gonogo: {failure.what}")
    if failure.next_step:
        _say(f"Next: {failure.next_step}")
    return failure.code


def config_failure(error: ConfigError) -> int:
    """Every problem of a config as its own block."""
    from systems.errors import render

    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    for problem in error.problems:
        _say(render(problem, colour=colour) + "\n")
    count = len(error.problems)
    _say(f"{count} problem{'s' if count != 1 else ''}. Nothing was started.")
    return ExitCode.WRONG_INPUT


def _unforeseen(error: BaseException) -> int:
    """The last resort: what cannot be explained is logged, and the user told where."""
    from systems.errors import ConfigError

    if isinstance(error, ConfigError):
        return config_failure(error)
    kind = type(error).__name__
    if kind in ("SandboxError", "EngineError"):
        return tell(Failure(str(error), code=ExitCode.NOT_READY))
    where = _log(error)
    _say(f"gonogo: a mistake in Gonogo itself stopped this ({kind}: {_first_line(error)}).")
    _say(f"Next: report it with {where}" if where else "Next: report it, please.")
    return ExitCode.CRASHED


def _log(error: BaseException) -> Path | None:
    import time
    import traceback

    path = home() / "logs" / f"crash-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(f"gonogo {' '.join(sys.argv[1:])}\n")
            stream.writelines(traceback.format_exception(error))
    except OSError:
        return None
    return path


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:200]


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
