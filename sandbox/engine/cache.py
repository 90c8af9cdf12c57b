"""Where the Pulumi CLI is kept for all checkouts of a user, and who may write there at a time.

The folder is `$GONOGO_CACHE`, else `$XDG_CACHE_HOME/gonogo`, else `~/.cache/gonogo`. A finished CLI
has a `finished.json` beside it, written last: without it the folder counts as half-made.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .running import TICK_SECONDS, Progress, elapsed

VERSION = "3.250.0"
"""The pinned Pulumi CLI."""


class EngineError(Exception):
    """The Pulumi CLI cannot be had; the text says what was tried and what to do next."""


@dataclass(frozen=True)
class Finished:
    """A CLI that is kept: its version without `v`, and in words where it came from."""

    version: str
    origin: str


def folder() -> Path:
    """The cache folder; not made here."""
    chosen = os.environ.get("GONOGO_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gonogo"


def system() -> tuple[str, str]:
    """Operating system and processor as Go names them: `("linux", "amd64")`."""
    machine = platform.machine().lower()
    names = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    return sys.platform, names.get(machine, machine)


def home() -> Path:
    """The folder of the pinned CLI for this machine: `pulumi`, `finished.json`."""
    return folder() / "-".join(("pulumi", VERSION, *system()))


def find() -> Finished | None:
    """The finished CLI in the cache, if there is one."""
    try:
        found = json.loads((home() / "finished.json").read_text())
        finished = Finished(version=found["version"], origin=found["origin"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return finished if os.access(home() / "pulumi", os.X_OK) else None


def workshop() -> Path:
    """A fresh folder beside the final one, to make a CLI in; what earlier runs left is removed.

    Its name is this process's own: a build whose starter was killed may still write to another.
    """
    for left in folder().glob(f"{home().name}.new-*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = home().with_name(f"{home().name}.new-{os.getpid()}")
    fresh.mkdir(parents=True)
    return fresh


def place(made: Path, finished: Finished) -> None:
    """Move the folder `made` (beside the final one) into place; the mark of being done is last."""
    (made / "finished.json").write_text(json.dumps(asdict(finished)) + "\n")
    shutil.rmtree(home(), ignore_errors=True)
    made.rename(home())


@contextlib.contextmanager
def alone(progress: Progress) -> Iterator[None]:
    """Hold the cache for this process; while another has it, show what that one is doing.

    Raises EngineError when the folder cannot be written to.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True)
        guard = (folder() / "engine.lock").open("a")
    except OSError as error:
        raise EngineError(
            f"the cache folder {folder()} cannot be used ({error.strerror}). Next: make it "
            "writable, or set GONOGO_CACHE to a folder that is."
        ) from error
    with guard:
        began_seconds = time.monotonic()
        while True:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = elapsed(time.monotonic() - began_seconds)
                progress(f"waiting for another run, {waited}: {_status() or 'getting the CLI'}")
                time.sleep(TICK_SECONDS)
        try:
            yield
        finally:
            _status_file().unlink(missing_ok=True)


def shared(progress: Progress) -> Progress:
    """The same progress, also written where a waiting process can read it."""

    def report(text: str) -> None:
        progress(text)
        with contextlib.suppress(OSError):
            fresh = _status_file().with_suffix(".new")
            fresh.write_text(text)
            fresh.replace(_status_file())

    return report


def _status_file() -> Path:
    return folder() / "engine.status"


def _status() -> str:
    try:
        return _status_file().read_text()
    except OSError:
        return ""
