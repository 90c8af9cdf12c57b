"""The real Pulumi CLI with a Python language host, found or made. Standard library only.

`ensure()` looks in this order: `pulumi` (3.250 or newer) with its language host on PATH; the cache
folder; the official bundle; a build from the pinned Go module. A built CLI has no Python language
host, so ours (`language_host.py`) stands in for it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import build, bundle, cache
from .cache import EngineError, Finished
from .running import Progress, Reporter

__all__ = ["Engine", "EngineError", "ensure", "obtain"]

OLDEST_VERSION = (3, 250)
HOST_NAME = "pulumi-language-python"
HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]


@dataclass(frozen=True)
class Engine:
    """A Pulumi CLI that is ready.

    `path_entries` go before the rest of PATH: the CLI's folder and the language host's.
    `origin` says in words where it came from; `version` is without `v`.
    """

    pulumi: Path
    path_entries: tuple[Path, ...]
    origin: str
    version: str

    def path(self, rest: str | None = None) -> str:
        """A value for PATH with this engine first; `rest` defaults to the present PATH."""
        before = [str(entry) for entry in self.path_entries]
        after = os.environ.get("PATH", "") if rest is None else rest
        return os.pathsep.join([*before, *(one for one in after.split(os.pathsep) if one)])


def ensure(progress: Progress | None = None) -> Engine:
    """A Pulumi CLI with a Python language host, obtained when there is none yet.

    `progress` is called a few times a second with what is happening and the elapsed time, for as
    long as something takes. Raises EngineError, whose text says what to do next.
    """
    on_path = find_on_path()
    if on_path is not None:
        return on_path
    finished = cache.find() or obtain(progress)
    home = cache.home()
    if not (home / HOST_NAME).exists():
        home = link_with_host(home)
    return Engine(home / "pulumi", (home,), finished.origin, finished.version)


def obtain(progress: Progress | None = None) -> Finished:
    """Put the pinned CLI into the cache, by bundle or by build; another run is waited for."""
    report = progress if progress is not None else Reporter("gonogo: ")
    with cache.alone(report):
        finished = cache.find()
        if finished is not None:
            return finished
        told = cache.shared(report)
        try:
            with contextlib.suppress(bundle.UnreachableError):
                return bundle.fetch(told)
            return build.build(told)
        except OSError as error:
            raise EngineError(
                f"the Pulumi CLI could not be put into {cache.folder()} ({error}). Next: mend "
                "that, or set GONOGO_CACHE to another folder, then run the same command again."
            ) from error


def find_on_path() -> Engine | None:
    """The user's own CLI, when it is new enough and has its language host beside it on PATH."""
    found, host = shutil.which("pulumi"), shutil.which(HOST_NAME)
    if found is None or host is None:
        return None
    try:
        if Path(found).parent == cache.home() or _is_ours(Path(host)):
            return None
        said = subprocess.run(
            [found, "version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    if build.version_of(said)[:2] < OLDEST_VERSION:
        return None
    version = said.removeprefix("v")
    entries = tuple(dict.fromkeys((Path(found).parent, Path(host).parent)))
    return Engine(Path(found), entries, f"found on PATH {version}", version)


def link_with_host(home: Path) -> Path:
    """Put the built CLI and the stand-in language host side by side; their folder.

    It is this checkout's own (the host names the Python of its venv), so it is not in the user's
    cache. Side by side, since the CLI warns of a host that it finds anywhere else.
    """
    chosen = os.environ.get("GONOGO_HOME")
    folder = (Path(chosen).expanduser().absolute() if chosen else CHECKOUT / ".gonogo") / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-P", str(HERE / "language_host.py")]
    # Plain `pulumi` has not passed ./gonogo, which sets the same.
    compiled = shlex.quote(str(Path(sys.prefix) / "bytecode"))
    text = (
        f"#!/bin/sh\nunset PYTHONDONTWRITEBYTECODE\nexport PYTHONPYCACHEPREFIX={compiled}\n"
        "exec " + " ".join(shlex.quote(word) for word in words) + ' "$@"\n'
    )
    launcher, pulumi = folder / HOST_NAME, folder / "pulumi"
    if not launcher.exists() or launcher.read_text() != text:
        fresh = launcher.with_name(f".{HOST_NAME}.{os.getpid()}")
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(launcher)
    if not _is_same(home / "pulumi", pulumi):
        fresh = pulumi.with_name(f".pulumi.{os.getpid()}")
        try:
            fresh.hardlink_to(home / "pulumi")
        except OSError:  # another file system
            shutil.copy2(home / "pulumi", fresh)
        fresh.replace(pulumi)
    return folder


def _is_same(one: Path, other: Path) -> bool:
    """Whether `other` is `one`, or a copy of it made by shutil.copy2."""
    if not other.exists():
        return False
    first, second = one.stat(), other.stat()
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)


def _is_ours(host: Path) -> bool:
    """Whether this language host is our stand-in, put on PATH by `gonogo env`."""
    with host.open("rb") as file:
        return b"language_host.py" in file.read(4096)
