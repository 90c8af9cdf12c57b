from __future__ import annotations

from pathlib import Path

from operations.cli.sandbox import as_document, as_lines
from sandbox.daemons import Daemon
from sandbox.lifecycle import Status
from sandbox.stores.process import ProcessId

STORE = {
    "kind": "postgresql", "name": "atc-prod-main", "status": "available", "tls": True,
    "asked_version": "16.9", "version": "15.18", "address": "127.0.0.1", "port": 30815, "pid": 7,
}  # fmt: skip
CALL = {"service": "wafv2", "operation": "PutLoggingConfiguration", "parameters": {"long": "x"}}


def running() -> Status:
    emulator = Daemon(ProcessId(4, "1"), 4566)
    return Status(
        Path("/home"), True, emulator, Daemon(ProcessId(5, "1"), 77), "http://127.0.0.1:4566",
        stores=[STORE], recorded=[CALL, CALL], notes=["so"], problems=["but"],
    )  # fmt: skip


def test_what_runs_is_a_line_each() -> None:
    lines = as_lines(running())
    assert lines[0] == "Sandbox: running  (/home)"
    assert "  AWS API     http://127.0.0.1:4566  process 4" in lines
    assert (
        "  postgresql  127.0.0.1:30815  atc-prod-main, available, 15.18 for 16.9, TLS, process 7"
        in lines
    )


def test_what_is_recorded_is_counted_by_call() -> None:
    lines = as_lines(running())
    assert "Recorded, not emulated (--json shows each call):" in lines
    assert "     2 times wafv2 PutLoggingConfiguration" in lines
    assert "Note: so" in lines and "Problem: but" in lines
    assert as_document(running())["recorded"] == [CALL, CALL]


def test_what_does_not_run_says_how_to_start_it() -> None:
    lines = as_lines(Status(Path("/home"), False))
    assert lines[0] == "Sandbox: not running  (/home)"
    assert lines[-1].startswith("Next: ./gonogo sandbox start")
