from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from operations.deployment.backend import FileBackend, Lock

SALT = "v1:cWVydHk=:v1:abc:def"


def state(*, pending: int = 0, resources: int = 1) -> str:
    return json.dumps(
        {
            "version": 3,
            "checkpoint": {
                "stack": "organization/gonogo/prod",
                "latest": {
                    "secrets_providers": {"type": "passphrase", "state": {"salt": SALT}},
                    "resources": [{"urn": f"u{i}", "type": "t"} for i in range(resources)],
                    "pending_operations": [
                        {"type": "creating", "resource": {"urn": f"p{i}"}} for i in range(pending)
                    ],
                },
            },
        }
    )


@pytest.fixture
def backend(tmp_path: Path) -> FileBackend:
    made = FileBackend.at(tmp_path.as_uri(), "gonogo")
    made.checkpoint("prod").parent.mkdir(parents=True)
    return made


def write_lock(backend: FileBackend, **content: object) -> Path:
    folder = backend.root / ".pulumi/locks/organization/gonogo/prod"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.json"
    told = {"pid": os.getpid(), "hostname": socket.gethostname(), "username": "me"}
    path.write_text(json.dumps({**told, **content}))
    return path


def test_the_state_is_read_where_pulumi_writes_it(backend: FileBackend) -> None:
    assert not backend.exists("prod")
    backend.checkpoint("prod").write_text(state(pending=2))
    assert backend.exists("prod")
    assert backend.salt("prod") == SALT
    assert backend.pending("prod") == [("creating", "p0"), ("creating", "p1")]
    assert [one["urn"] for one in backend.resources("prod")] == ["u0"]


@pytest.mark.parametrize("broken", ["", state()[:90], "[]", '{"checkpoint": 3}', "\0\0\0"])
def test_a_state_that_is_cut_off_is_replaced_by_its_newest_whole_copy(
    backend: FileBackend, broken: str
) -> None:
    path = backend.checkpoint("prod")
    older = backend.root / ".pulumi/backups/gonogo/prod/prod.1.json"
    older.parent.mkdir(parents=True)
    older.write_text(state(resources=1))
    newer = path.with_name("prod.json.bak")
    newer.write_text(state(resources=5))
    os.utime(older, (1, 1))
    path.write_text(broken)
    said = backend.mend("prod")
    assert "prod.json.bak" in said
    assert len(backend.resources("prod")) == 5
    kept = list(path.parent.glob("prod.json.broken-*"))
    assert [one.read_text() for one in kept] == [broken]


def test_a_copy_that_is_broken_too_is_passed_over(backend: FileBackend) -> None:
    path = backend.checkpoint("prod")
    older = backend.root / ".pulumi/backups/gonogo/prod/prod.1.json"
    older.parent.mkdir(parents=True)
    older.write_text(state(resources=3))
    path.with_name("prod.json.bak").write_text("{")
    path.write_text("{")
    assert "prod.1.json" in backend.mend("prod")
    assert len(backend.resources("prod")) == 3


def test_without_a_whole_copy_the_loss_is_told(backend: FileBackend) -> None:
    backend.checkpoint("prod").write_text("{")
    with pytest.raises(ValueError, match="no whole copy"):
        backend.mend("prod")


def test_nothing_is_mended_that_is_whole_or_not_there(backend: FileBackend) -> None:
    assert backend.mend("prod") == ""
    backend.checkpoint("prod").with_name("prod.json.bak").write_text(state())
    assert backend.mend("prod") == ""
    assert not backend.exists("prod")
    backend.checkpoint("prod").write_text(state())
    assert backend.mend("prod") == ""


def test_a_lock_of_a_living_process_is_held(backend: FileBackend) -> None:
    write_lock(backend)
    assert [lock.is_held() for lock in backend.locks("prod")] == [True]


def test_a_lock_of_a_dead_process_is_not_held(backend: FileBackend) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    write_lock(backend, pid=int(dead.stdout))
    assert [lock.is_held() for lock in backend.locks("prod")] == [False]


def test_a_number_that_another_process_inherited_does_not_hold_a_lock() -> None:
    lock = Lock(Path("x"), os.getpid(), socket.gethostname(), "me", since_epoch_seconds=1.0)
    assert not lock.is_held()


def test_another_machines_lock_is_held() -> None:
    assert Lock(Path("x"), 1, "elsewhere", "me", time.time()).is_held()


def test_a_lock_that_was_cut_off_is_nobodys(backend: FileBackend) -> None:
    write_lock(backend).write_text('{"pid": 12')
    assert [lock.is_held() for lock in backend.locks("prod")] == [False]


@pytest.mark.parametrize("cut", ["", '{"user.cache'])
def test_attributes_that_were_cut_off_are_removed_and_whole_ones_kept(
    backend: FileBackend, cut: str
) -> None:
    path = backend.checkpoint("prod")
    path.write_text(state())
    path.with_name("prod.json.attrs").write_text(cut)
    path.with_name("prod.json.bak.attrs").write_text("{}")
    path.with_name("dev.json.attrs").write_text(cut)
    assert backend.mend("prod") == ""
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "dev.json.attrs", "prod.json", "prod.json.bak.attrs",
    ]  # fmt: skip
