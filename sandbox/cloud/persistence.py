"""The emulator's state on disk: whole generations, the last of which is `current`.

MiniStack writes its state only when it ends cleanly. Here every change is on disk about half a
second later, as a folder that holds all services' states of one moment; a symbolic link moves
from one to the next, so a kill at any time leaves one whole generation.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

DEBOUNCE_SECONDS = 0.5
READ_ATTEMPTS = 5
KEPT_GENERATIONS = 2

StateOf = Callable[[], Any]


class StateError(RuntimeError):
    """The state on disk cannot be read; the message says what to do."""


class Persistence:
    """Loads the emulator's state once, and saves it after changes."""

    def __init__(self, folder: Path, recovery_note: Path) -> None:
        self.folder = folder
        self.recovery_note = recovery_note
        self._lock = threading.Lock()
        self._digests: dict[str, str] = {}
        self._changed: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._own: dict[str, StateOf] = {}

    def load(self, own: Mapping[str, tuple[StateOf, Callable[[Any], None]]]) -> bool:
        """Load every service's state; True when the last end was not a clean one.

        `own` has the sandbox's own states by name: how to read and how to restore each.
        Raises StateError when a file of the generation is unreadable: half a state is none.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unclean = self._note_unclean_end()
        persistence: Any = importlib.import_module("ministack.core.persistence")
        application: Any = importlib.import_module("ministack.app")
        self._own = {name: state_of for name, (state_of, _) in own.items()}
        for file in sorted((self.folder / "current").glob("*.json")):
            data = self._read(file, persistence)
            restore: Callable[[Any], None]
            if file.stem in own:
                restore = own[file.stem][1]
            elif file.stem in application._state_map:
                module = application._get_module(application._state_map[file.stem])
                restore = module.load_persisted_state
            else:
                continue
            try:
                restore(data)
            except Exception as error:
                raise StateError(_unreadable(file, error)) from error
        # From here on saving is ours: MiniStack's own is not whole.
        persistence.PERSIST_STATE = application.PERSIST_STATE = False
        self._mark_running()
        return unclean

    async def save_after_changes(self) -> None:
        """Save half a second after the first change, for ever; cancel it to end it."""
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        while True:
            await self._changed.wait()
            await asyncio.sleep(DEBOUNCE_SECONDS)
            self._changed.clear()
            await asyncio.to_thread(self.flush)

    def touch(self) -> None:
        """Say that something changed; from any thread."""
        if self._loop is not None and self._changed is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    def flush(self) -> None:
        """Save now what changed since the last generation."""
        with self._lock:
            texts = self._states()
            digests = {name: _digest(text) for name, text in texts.items()}
            changed = {name for name in digests if digests[name] != self._digests.get(name)}
            if changed:
                self._write({name: texts[name] for name in changed})
                self._digests.update(digests)

    def close(self) -> None:
        """Save for the last time and mark a clean end."""
        self.flush()
        (self.folder / "running.json").unlink(missing_ok=True)

    def _states(self) -> dict[str, str]:
        persistence: Any = importlib.import_module("ministack.core.persistence")
        application: Any = importlib.import_module("ministack.app")
        sources: dict[str, StateOf] = {**application._build_persistence_save_dict(), **self._own}
        texts: dict[str, str] = {}
        for name, state_of in sources.items():
            state = _steady(state_of)
            if state is None:
                continue
            wrapped = {"__ministack_format__": persistence._state_format_version(name)}
            texts[name] = json.dumps(
                {**wrapped, "payload": state}, default=persistence._json_default
            )
        return texts

    def _write(self, texts: dict[str, str]) -> None:
        """A new generation: the changed files anew, the others linked from the last one."""
        last = self._current()
        number = int(last.name.rpartition("-")[2]) + 1 if last else 1
        new = self.folder / f"generation-{number:08}"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        for name, text in texts.items():
            (new / f"{name}.json").write_text(text)
        for file in last.glob("*.json") if last else ():
            if file.stem not in texts:
                os.link(file, new / file.name)
        link = self.folder / ".current.part"
        link.unlink(missing_ok=True)
        link.symlink_to(new.name)
        link.replace(self.folder / "current")
        for old in sorted(self.folder.glob("generation-*"))[:-KEPT_GENERATIONS]:
            shutil.rmtree(old, ignore_errors=True)

    def _current(self) -> Path | None:
        link = self.folder / "current"
        return link.resolve() if link.exists() else None

    def _read(self, file: Path, persistence: Any) -> Any:
        try:
            data = json.loads(file.read_text(), object_hook=persistence._json_object_hook)
            return data["payload"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateError(_unreadable(file, error)) from error

    def _note_unclean_end(self) -> bool:
        marker = self.folder / "running.json"
        if not marker.exists():
            return False
        current = self._current()
        saved = current.stat().st_mtime if current else None
        note: dict[str, Any] = {"noticed_at": time.time(), "state_saved_at": saved, "notes": []}
        write_json(self.recovery_note, note)
        return True

    def _mark_running(self) -> None:
        write_json(self.folder / "running.json", {"pid": os.getpid(), "since": time.time()})


def add_recovery_notes(path: Path, notes: list[str]) -> None:
    """Add what was mended to the note that the next command shows."""
    if not notes:
        return
    note: dict[str, Any] = {"noticed_at": time.time(), "state_saved_at": None, "notes": []}
    with contextlib.suppress(OSError, ValueError):
        note = json.loads(path.read_text())
    write_json(path, {**note, "notes": [*note["notes"], *notes]})


def write_json(path: Path, value: object) -> None:
    """Write a small file so that nobody sees it half written."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(value, indent=1))
    temporary.chmod(0o600)
    temporary.replace(path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _steady(state_of: StateOf) -> Any:
    """A service's state; other threads may change it while it is copied, so try again."""
    for attempt in range(READ_ATTEMPTS):
        try:
            return state_of()
        except RuntimeError:
            if attempt == READ_ATTEMPTS - 1:
                raise
            time.sleep(0.01)
    return None


def _unreadable(file: Path, error: Exception) -> str:
    return (
        f"The sandbox's state in {file} cannot be read ({type(error).__name__}: {error})."
        " Start afresh with: ./gonogo sandbox reset"
    )
