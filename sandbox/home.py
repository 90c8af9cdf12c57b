"""The sandbox's folder: where it is, what is in it, its lock and its secrets."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.stores.certificates import write_private
from sandbox.stores.placement import server_user

CHECKOUT = Path(__file__).resolve().parents[1]
LOCK_SECONDS = 120
POLL_SECONDS = 0.02
PASSPHRASE_BYTES = 32


class SandboxError(RuntimeError):
    """The sandbox cannot do what was asked; the message says what to do next."""


def folder(home: Path | None = None) -> Path:
    """The sandbox's folder: `home`, else $GONOGO_HOME, else `.gonogo` in this checkout."""
    chosen = home or Path(os.environ.get("GONOGO_HOME") or CHECKOUT / ".gonogo")
    return chosen.expanduser().resolve()


def prepare(home: Path) -> None:
    """Make the folder and what must be in it before anything starts."""
    # As root, PostgreSQL's user must be able to pass through; nothing can be listed.
    home.mkdir(mode=0o711 if server_user() else 0o700, parents=True, exist_ok=True)
    for name in ("emulator", "state", "logs", "caches"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    _without_automatic_log(home / "pulumi")
    passphrase = home / "passphrase"
    if not passphrase.exists():
        write_private(passphrase, secrets.token_urlsafe(PASSPHRASE_BYTES).encode())


def _without_automatic_log(pulumi_home: Path) -> None:
    """Keep the CLI from writing all it does, compressed, to a folder of up to 500 MB.

    It takes a tenth of a preview, and the event log of a run is in `logs` already. The CLI has no
    switch for it, but goes on without where it cannot make the folder.
    """
    pulumi_home.mkdir(mode=0o700, exist_ok=True)
    place = pulumi_home / "logs"
    if not place.exists():
        place.write_text("A file, so that Pulumi keeps no automatic log here. See ../logs.\n")


@contextlib.contextmanager
def lock(home: Path) -> Iterator[None]:
    """Hold the sandbox's lock; another command's hold is waited for."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "lock"
    with path.open("a") as stream:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SandboxError(
                        f"Another command has held {path} for {LOCK_SECONDS} seconds."
                        " Wait for it or end it, then try again."
                    ) from None
                time.sleep(POLL_SECONDS)
        yield


def read_record(home: Path) -> dict[str, Any]:
    """`sandbox.json`: processes and ports. An unreadable one is as none."""
    try:
        record = json.loads((home / "sandbox.json").read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(home: Path, record: dict[str, Any]) -> None:
    """Write `sandbox.json` so that nobody sees it half written."""
    write_private(home / "sandbox.json", json.dumps(record, indent=1).encode())


def take_json(path: Path) -> dict[str, Any] | None:
    """Read a file's JSON object and remove the file; None when there is none."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    path.unlink(missing_ok=True)
    return value if isinstance(value, dict) else None
