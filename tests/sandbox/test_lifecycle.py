"""The sandbox's life: start, kill, mend, stop, reset."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from sandbox import daemons, lifecycle
from sandbox.home import CHECKOUT, SandboxError
from sandbox.stores.process import ProcessId, is_running
from tests.sandbox.clouds import processes_of

pytestmark = pytest.mark.slow


def _s3(sandbox: lifecycle.Sandbox) -> Any:
    return boto3.client("s3", endpoint_url=sandbox.emulator_url, region_name="us-east-1",
                        aws_access_key_id="000000000000", aws_secret_access_key="x")  # fmt: skip


def _kill(process: ProcessId) -> None:
    os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(process)


def _start(home: Path) -> lifecycle.Sandbox:
    return lifecycle.start(home, provider=False)


def _emulator(home: Path) -> ProcessId:
    found = lifecycle.status(home).emulator
    assert found is not None
    return found.process


def test_a_second_start_uses_what_runs(own_home: Path) -> None:
    first = _start(own_home)
    process = _emulator(own_home)
    assert _start(own_home) == first
    assert _emulator(own_home) == process


def test_an_emulator_of_other_code_is_ended_in_order_and_started_anew(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _s3(_start(own_home)).create_bucket(Bucket="kept")
    former = _emulator(own_home)
    monkeypatch.setattr(daemons, "code_stamp", lambda: "of another version")
    again = _start(own_home)
    assert not is_running(former)
    assert _emulator(own_home) != former
    assert [bucket["Name"] for bucket in _s3(again).list_buckets()["Buckets"]] == ["kept"]
    assert lifecycle.take_recovery_note(own_home) is None
    assert _start(own_home) == again


def test_two_starts_at_once_make_one_emulator(own_home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sandbox import lifecycle;"
        "print(lifecycle.start(Path(sys.argv[1]), provider=False).emulator_url)"
    )
    command = [sys.executable, "-c", program, str(own_home)]
    starts = [
        subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CHECKOUT, text=True) for _ in range(3)
    ]
    told = {start.communicate(timeout=60)[0].strip() for start in starts}
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert len(told) == 1
    emulators = [p for p in processes_of(own_home) if "sandbox.cloud" in p.cmdline()]
    assert len(emulators) == 1


def test_a_killed_emulator_is_mended_and_told_once(own_home: Path) -> None:
    sandbox = _start(own_home)
    _s3(sandbox).create_bucket(Bucket="kept")
    time.sleep(1.2)  # changes are on disk about half a second later
    _kill(_emulator(own_home))
    seen = lifecycle.status(own_home)
    assert not seen.running
    assert "was killed" in seen.problems[0]

    again = _start(own_home)
    assert again.emulator_url == sandbox.emulator_url
    assert [b["Name"] for b in _s3(again).list_buckets()["Buckets"]] == ["kept"]
    note = lifecycle.take_recovery_note(own_home)
    assert note is not None
    assert note.state_saved_at is not None
    assert note.state_saved_at < note.noticed_at
    assert lifecycle.take_recovery_note(own_home) is None


def test_a_clean_stop_keeps_state_and_leaves_no_note_and_no_process(own_home: Path) -> None:
    sandbox = _start(own_home)
    _s3(sandbox).create_bucket(Bucket="kept")
    lifecycle.stop(own_home)
    assert processes_of(own_home) == []
    assert not lifecycle.status(own_home).running
    again = _start(own_home)
    assert [b["Name"] for b in _s3(again).list_buckets()["Buckets"]] == ["kept"]
    assert lifecycle.take_recovery_note(own_home) is None


def test_an_object_outlives_a_kill(own_home: Path) -> None:
    sandbox = _start(own_home)
    _s3(sandbox).create_bucket(Bucket="objects")
    _s3(sandbox).put_object(Bucket="objects", Key="a/b", Body=b"content")
    time.sleep(1.2)
    _kill(_emulator(own_home))
    body = _s3(_start(own_home)).get_object(Bucket="objects", Key="a/b")["Body"].read()
    assert body == b"content"


def test_a_recycled_process_id_is_neither_trusted_nor_ended(own_home: Path) -> None:
    _start(own_home)
    lifecycle.stop(own_home)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = {"emulator": {"pid": other.pid, "mark": "another start", "port": 1}}
        (own_home / "sandbox.json").write_text(json.dumps(record))
        assert not lifecycle.status(own_home).running
        _start(own_home)
        assert _emulator(own_home).pid != other.pid
        lifecycle.stop(own_home)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_foreign_server_on_the_port_is_not_taken_for_the_emulator(own_home: Path) -> None:
    first = _start(own_home)
    lifecycle.stop(own_home)
    port = int(first.emulator_url.rpartition(":")[2])
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        foreign.bind(("127.0.0.1", port))
        foreign.listen()
        second = _start(own_home)
        assert second.emulator_url != first.emulator_url
        assert lifecycle.status(own_home).running


def test_an_unreadable_record_is_as_none_and_no_second_emulator_runs(own_home: Path) -> None:
    _start(own_home)
    first = _emulator(own_home)
    (own_home / "sandbox.json").write_text("{ half")
    _start(own_home)
    assert not is_running(first)
    assert len([p for p in processes_of(own_home) if "sandbox.cloud" in p.cmdline()]) == 1


def test_an_emulator_that_does_not_answer_is_replaced(own_home: Path) -> None:
    _start(own_home)
    first = _emulator(own_home)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        seen = lifecycle.status(own_home)
        assert not seen.running
        assert "does not answer" in seen.problems[0]
    finally:
        os.kill(first.pid, signal.SIGCONT)
    _start(own_home)
    assert lifecycle.status(own_home).running


def test_a_half_written_state_is_refused_in_one_line(own_home: Path) -> None:
    sandbox = _start(own_home)
    _s3(sandbox).create_bucket(Bucket="one")
    lifecycle.stop(own_home)
    file = own_home / "emulator" / "current" / "s3.json"
    file.write_text(file.read_text()[:-20])
    with pytest.raises(SandboxError) as caught:
        _start(own_home)
    assert "s3.json cannot be read" in str(caught.value)
    assert "sandbox reset" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    lifecycle.reset(own_home)
    assert _s3(_start(own_home)).list_buckets()["Buckets"] == []


def test_nothing_listens_beyond_loopback(own_home: Path) -> None:
    _start(own_home)
    seen = [
        connection.laddr.ip
        for process in processes_of(own_home)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert seen
    assert set(seen) == {"127.0.0.1"}


def test_reset_leaves_only_what_is_asked_to_stay(own_home: Path) -> None:
    sandbox = _start(own_home)
    _s3(sandbox).create_bucket(Bucket="gone")
    (own_home / "state" / "stack").write_text("Pulumi's")
    lifecycle.reset(own_home)
    assert processes_of(own_home) == []
    assert (own_home / "state" / "stack").exists()
    assert not (own_home / "emulator").exists()
    lifecycle.reset(own_home, state=True)
    assert not (own_home / "state").exists()
    assert _s3(_start(own_home)).list_buckets()["Buckets"] == []


def test_stop_and_reset_of_nothing_do_nothing(tmp_path: Path) -> None:
    lifecycle.stop(tmp_path / "none")
    lifecycle.reset(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert not lifecycle.status(tmp_path / "none").running


def test_the_passphrase_is_its_owners_and_stays(own_home: Path) -> None:
    _start(own_home)
    file = own_home / "passphrase"
    before = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(before) >= 40
    lifecycle.stop(own_home)
    _start(own_home)
    assert file.read_text() == before


def test_the_emulators_state_is_its_owners(own_home: Path) -> None:
    _start(own_home)
    assert stat.S_IMODE((own_home / "emulator").stat().st_mode) == 0o700
    assert stat.S_IMODE((own_home / "sandbox.json").stat().st_mode) == 0o600


def test_the_environment_hides_the_users_own_cloud(own_home: Path) -> None:
    sandbox = lifecycle.Sandbox(own_home, "http://127.0.0.1:1", 7)
    user = {
        "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "t", "AWS_ACCESS_KEY_ID": "real",
        "PULUMI_ACCESS_TOKEN": "p", "PATH": "/bin", "AWS_REGION": "eu-west-1",
    }  # fmt: skip
    found = sandbox.applied_to(user)
    assert found["PATH"] == "/bin"
    assert found["AWS_ACCESS_KEY_ID"] == "000000000000"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "AWS_REGION"} & set(
        found
    )
    assert found["PULUMI_DEBUG_PROVIDERS"] == "aws:7"
    assert found["PULUMI_BACKEND_URL"] == f"file://{own_home}/state"
    assert "127.0.0.1" in found["NO_PROXY"].split(",")


def test_the_emulator_does_not_inherit_credentials(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a real one")
    monkeypatch.setenv("AWS_PROFILE", "production")
    _start(own_home)
    environment = psutil.Process(_emulator(own_home).pid).environ()
    assert environment["AWS_SECRET_ACCESS_KEY"] == "sandbox"
    assert "AWS_PROFILE" not in environment


def test_a_start_waits_for_another_commands_lock(own_home: Path) -> None:
    from sandbox.home import lock

    _start(own_home)
    order: list[str] = []

    def start() -> None:
        _start(own_home)
        order.append("started")

    with lock(own_home):
        thread = threading.Thread(target=start)
        thread.start()
        thread.join(0.3)
        assert order == []
        order.append("released")
    thread.join(10)
    assert order == ["released", "started"]


def test_a_folder_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("not a folder")
    with pytest.raises(SandboxError) as caught:
        _start(tmp_path / "a-file" / "home")
    assert "cannot be used" in str(caught.value)
    assert "GONOGO_HOME" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_emulator_that_ends_at_once_tells_its_last_words(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SandboxError, match=r"did not start|ended at once"):
        _start(own_home)
    monkeypatch.undo()
    _start(own_home)
    assert lifecycle.status(own_home).running


def test_the_provider_follows_the_emulator_and_is_ended_first(own_home: Path) -> None:
    if not daemons.has_provider():
        pytest.skip("this checkout has no provider yet")
    sandbox = lifecycle.start(own_home)
    assert sandbox.environment()["PULUMI_DEBUG_PROVIDERS"] == f"aws:{sandbox.provider_port}"
    first = lifecycle.status(own_home).provider
    assert first is not None
    assert lifecycle.start(own_home) == sandbox
    _kill(first.process)
    assert "provider does not run" in lifecycle.status(own_home).problems[0]
    second = lifecycle.start(own_home)
    assert second.emulator_url == sandbox.emulator_url
    assert lifecycle.status(own_home).problems == []
    lifecycle.stop(own_home)
    assert processes_of(own_home) == []
