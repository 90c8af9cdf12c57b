"""The pack as a process: what it imports, how it starts, and that it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from pulumi.runtime.proto import analyzer_pb2 as messages
from pulumi.runtime.proto import analyzer_pb2_grpc as services

from policies.testing import wire

PACK = Path(__file__).parents[2] / "policies"


def start(pack: Path, **environment: str) -> tuple[subprocess.Popen[str], Any]:
    """The pack as Pulumi's host starts it, from a folder that knows nothing of ours."""
    process = subprocess.Popen(
        [sys.executable, "-u", str(pack), "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], **environment},
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    return process, services.AnalyzerStub(channel)


def analyze(stub: Any) -> Any:
    return stub.Analyze(
        messages.AnalyzeRequest(type="aws:kms/key:Key", name="key", urn="u", properties=wire({}))
    )


def test_the_pack_runs_wherever_it_lies_and_whatever_it_is_called(tmp_path: Path) -> None:
    moved = tmp_path / "another-name"
    shutil.copytree(PACK, moved, ignore=shutil.ignore_patterns("__pycache__"))
    process, stub = start(moved)
    try:
        assert [d.policyName for d in analyze(stub).diagnostics] == ["kms-key-rotated"]
    finally:
        process.terminate()
        assert process.wait(5) == 0


def test_what_was_found_is_in_the_report_when_the_run_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    process, stub = start(PACK, GONOGO_POLICY_REPORT=str(path))
    analyze(stub)
    process.terminate()
    process.wait(5)
    report = json.loads(path.read_text())
    assert report["counts"]["fail"] == 1
    assert not report["complete"]


def test_an_interrupt_of_the_terminal_does_not_end_it() -> None:
    process, stub = start(PACK)
    try:
        process.send_signal(signal.SIGINT)
        assert analyze(stub).diagnostics
    finally:
        process.terminate()
        process.wait(5)


def test_the_pack_does_not_outlive_its_host() -> None:
    source = (
        "import subprocess, sys, time\n"
        f"command = [sys.executable, '-u', {str(PACK)!r}, 'x']\n"
        "p = subprocess.Popen(command, stdout=subprocess.PIPE)\n"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)\n"
    )
    host = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    pack = int(host.stdout.readline())
    host.kill()
    host.wait(5)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and runs(pack):
        time.sleep(0.1)
    assert not runs(pack)


def runs(pid: int) -> bool:
    """Whether the process runs; one that nobody has collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("pulumi.resource", "the SDK's own code takes a third of a second"),
        ("pulumi_policy", "the pack speaks the protocol itself"),
        ("requests", "detect-secrets is loaded when the server already listens"),
        ("pydantic", "nothing here needs it"),
    ],
)
def test_the_pack_starts_without(module: str, why: str) -> None:
    source = (
        "import sys, runpy\n"
        "from policies.framework import protocol; protocol.skip_package_code()\n"
        "import grpc; from pulumi.runtime.proto import analyzer_pb2_grpc\n"
        "import policies.framework.analyzer, policies.catalogue; policies.catalogue.load()\n"
        "print('\\n'.join(sys.modules))\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", source], cwd=PACK.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "policies.rules.database" in loaded
    assert module not in loaded, why


def test_the_catalogue_needs_no_pulumi() -> None:
    source = "import sys, policies.catalogue as c; c.catalogue(); print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", source], cwd=PACK.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "policies.rules.alarms" in loaded
    assert not {"pulumi", "grpc", "google.protobuf", "detect_secrets"} & set(loaded)
