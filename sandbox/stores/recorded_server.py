"""What every server here has: a folder, a record in it, and a process."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from sandbox.stores.certificates import write_private
from sandbox.stores.process import ProcessId, is_running


class StoreError(RuntimeError):
    """A server did not do what was asked; the message says why."""


class RecordedServer:
    """A server's folder with `record.json` (port, administrator's password, process) and `log`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"

    @property
    def port(self) -> int:
        """The port that it listens on, or would."""
        return int(self.record()["port"])

    def is_running(self) -> bool:
        """True when the server lives."""
        return is_running(self.process())

    def process(self) -> ProcessId | None:
        """The server's process, or None when it does not run."""
        with contextlib.suppress(StoreError):
            recorded = ProcessId.from_json(self.record().get("process"))
            if is_running(recorded):
                return recorded
        return None

    def record(self) -> dict[str, Any]:
        """What is recorded of the server. Raises StoreError when nothing is."""
        try:
            record = json.loads((self.folder / "record.json").read_text())
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.folder} has no readable record: {error}") from error
        if not isinstance(record, dict):
            raise StoreError(f"{self.folder / 'record.json'} is no record.")
        return record

    def save(self, **changes: object) -> None:
        """Change the record; nobody sees it half written."""
        record: dict[str, Any] = {}
        with contextlib.suppress(StoreError):
            record = self.record()
        text = json.dumps({**record, **changes}, indent=1)
        write_private(self.folder / "record.json", text.encode())
