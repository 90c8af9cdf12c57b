"""Pulumi's state on this machine's disk: what is there, who holds it, what is broken.

The layout is that of Pulumi's DIY backend (pkg/backend/diy), with one checkpoint, its `.bak`, a
folder of older backups, and one lock file per running update.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil


@dataclass(frozen=True)
class Lock:
    """A running update, or what a killed one left. `since_epoch_seconds` is when it began."""

    path: Path
    pid: int
    host: str
    user: str
    since_epoch_seconds: float

    def is_held(self) -> bool:
        """Whether its process may still run: it does, or it is another machine's."""
        if self.host != socket.gethostname():
            return True
        try:
            process = psutil.Process(self.pid)
            # A process that began after the lock was written has only inherited the number.
            return bool(
                process.status() != psutil.STATUS_ZOMBIE
                and process.create_time() <= self.since_epoch_seconds + 1
            )
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True)
class FileBackend:
    """The state folder `root` (that of `PULUMI_BACKEND_URL`) and one project in it."""

    root: Path
    project: str

    @classmethod
    def at(cls, url: str, project: str) -> FileBackend:
        """The backend at a `file://` URL."""
        return cls(Path(urlsplit(url).path), project)

    def checkpoint(self, stack: str) -> Path:
        """The file that holds the stack's state."""
        return self._folder("stacks") / f"{stack}.json"

    def exists(self, stack: str) -> bool:
        """Whether the stack was made."""
        return self.checkpoint(stack).exists()

    def deployment(self, stack: str) -> Mapping[str, Any]:
        """The stack's state, without resources when it has none.

        Raises ValueError when the file is not a state.
        """
        return _deployment(self.checkpoint(stack))

    def resources(self, stack: str) -> list[Mapping[str, Any]]:
        """The resources in the state."""
        found: list[Mapping[str, Any]] = list(self.deployment(stack).get("resources") or [])
        return found

    def pending(self, stack: str) -> list[tuple[str, str]]:
        """What an interrupted run had begun: (`creating` and so on, URN)."""
        operations = self.deployment(stack).get("pending_operations") or []
        return [(one["type"], one["resource"]["urn"]) for one in operations]

    def salt(self, stack: str) -> str:
        """The salt of the stack's passphrase (no secret); empty when the state has none."""
        providers = self.deployment(stack).get("secrets_providers") or {}
        salt: str = (providers.get("state") or {}).get("salt", "")
        return salt

    def locks(self, stack: str) -> list[Lock]:
        """Locks on the stack. One that cannot be read was cut off by a kill: nobody holds it."""
        folder = self.root / ".pulumi" / "locks" / "organization" / self.project / stack
        return [_lock(path) for path in sorted(folder.glob("*.json"))]

    def mend(self, stack: str) -> str:
        """Puts the newest whole copy in the place of a state that is cut off.

        Returns what was done, empty when nothing had to be that is worth a word. Raises ValueError
        when there is no whole copy.
        """
        self._drop_broken_attributes(stack)
        path = self.checkpoint(stack)
        if not path.exists() or _is_whole(path):
            return ""
        for copy in self._copies(stack):
            if _is_whole(copy):
                kept = path.with_name(f"{path.name}.broken-{int(time.time())}")
                path.replace(kept)
                path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)
                partial = path.with_name(f".{path.name}.{os.getpid()}")
                shutil.copyfile(copy, partial)
                partial.replace(path)
                return (
                    f"The state of {stack} could not be read; its copy {copy.name} took its place "
                    f"(the unreadable one is kept as {kept.name})."
                )
        raise ValueError(f"the state {path} cannot be read, and no whole copy of it is left")

    def _drop_broken_attributes(self, stack: str) -> None:
        """Removes attribute files (`.attrs`) that a kill cut off.

        Pulumi writes a state whole or not at all, but not the attributes beside it. It then cannot
        load the state ("failed to load checkpoint: EOF"), and does very well without them.
        """
        beside = self._folder("stacks").glob(f"{stack}.json*.attrs")
        for path in (*beside, self.root / ".pulumi" / "meta.yaml.attrs"):
            try:
                json.loads(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue
            except ValueError:
                path.unlink(missing_ok=True)

    def _copies(self, stack: str) -> list[Path]:
        """Pulumi's copies of a state, the newest first."""
        backups = self._folder("backups") / stack
        found = [self.checkpoint(stack).with_name(f"{stack}.json.bak"), *backups.glob("*.json")]
        return sorted(
            (path for path in found if path.exists()),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        )

    def _folder(self, name: str) -> Path:
        return self.root / ".pulumi" / name / self.project


def _deployment(path: Path) -> Mapping[str, Any]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not isinstance(document.get("checkpoint"), dict):
        raise ValueError(f"{path} is not a state of Pulumi")  # noqa: TRY004  its content is wrong
    latest = document["checkpoint"].get("latest") or {}
    if not isinstance(latest, dict):
        raise ValueError(f"{path} is not a state of Pulumi")  # noqa: TRY004
    return latest


def _is_whole(path: Path) -> bool:
    try:
        return bool(_deployment(path).get("secrets_providers"))
    except ValueError:
        return False


def _lock(path: Path) -> Lock:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        written = path.stat().st_mtime
        return Lock(path, int(said["pid"]), str(said["hostname"]), str(said["username"]), written)
    except (OSError, ValueError, KeyError, TypeError):
        return Lock(path, 0, socket.gethostname(), "", 0)
