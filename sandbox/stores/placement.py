"""Where servers keep their files, and as which user they run.

PostgreSQL refuses to run as root. As root it runs as `postgres` or `nobody`, who cannot reach
a checkout under a private home; its files are then kept in a folder of the system's temporary
area that is named after the sandbox's home.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from sandbox.stores.process import User

SERVER_USERS = ("postgres", "nobody")


class PlacementError(RuntimeError):
    """No folder can be had for a server's files."""


def server_user() -> User | None:
    """The user for servers, or None when they run as ourselves (we are not root)."""
    if os.geteuid() != 0:
        return None
    for name in SERVER_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(entry.pw_uid, entry.pw_gid, name)
    raise PlacementError(
        "We are root, PostgreSQL refuses to run as root, and neither `postgres` nor `nobody`"
        " is a user of this machine. Add one of them or run as another user."
    )


def data_root(home: Path) -> Path:
    """The folder for servers' files of the sandbox at `home`; made when it is missing."""
    user = server_user()
    inside = home / "databases"
    if user is None:
        inside.mkdir(mode=0o700, parents=True, exist_ok=True)
        return inside
    if can_reach(home, user):
        inside.mkdir(mode=0o711, parents=True, exist_ok=True)
        return inside
    return _private_temporary(f"gonogo-{_digest(home)}")


def existing_roots(home: Path) -> list[Path]:
    """The folders that have servers' files of this sandbox; nothing is made."""
    candidates = (home / "databases", Path(tempfile.gettempdir()) / f"gonogo-{_digest(home)}")
    return [
        folder
        for folder in candidates
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
    ]


def remove_data_root(home: Path) -> None:
    """Remove every file of servers of this sandbox."""
    for folder in existing_roots(home):
        shutil.rmtree(folder, ignore_errors=True)


def can_reach(path: Path, user: User) -> bool:
    """True when this user may pass every folder on the way to `path`, and `path` itself."""
    resolved = path.resolve()
    return all(_may_pass(folder, user) for folder in (resolved, *resolved.parents))


def give(path: Path, user: User | None) -> None:
    """Make a folder or file, with all that is in it, the property of the server's user."""
    if user is None:
        return
    os.chown(path, user.uid, user.gid)
    if path.is_dir():
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.lchown(Path(folder) / name, user.uid, user.gid)


def _may_pass(folder: Path, user: User) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return False
    if status.st_uid == user.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _private_temporary(name: str) -> Path:
    """A folder of ours in the temporary area; somebody else's of that name is refused."""
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise PlacementError(f"{folder} is not ours. Remove it, or set TMPDIR to another folder.")
    folder.chmod(0o711)
    return folder


def _digest(home: Path) -> str:
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
