"""Servers' processes found by their files alone, for when the emulator is not there to ask."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path

from sandbox.stores.placement import existing_roots
from sandbox.stores.process import ProcessId, is_running, stop


def running_servers(home: Path) -> list[ProcessId]:
    """Every recorded server of this sandbox that lives."""
    return [process for process in _recorded(home) if is_running(process)]


def stop_servers(home: Path) -> None:
    """End every recorded server; its data stays."""
    for process in running_servers(home):
        stop(process, grace_seconds=20, first=signal.SIGINT)


def _recorded(home: Path) -> Iterator[ProcessId]:
    for root in (*existing_roots(home), home / "caches"):
        for record in root.glob("*/record.json"):
            with contextlib.suppress(OSError, ValueError):
                process = ProcessId.from_json(json.loads(record.read_text()).get("process"))
                if process is not None:
                    yield process
