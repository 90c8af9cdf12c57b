"""Whatever is killed, the next `up` gets there without manual surgery, and makes nothing twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.e2e.conftest import Gonogo, end_group, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed")]

STACK = "dev"
SEED = int(os.environ.get("GONOGO_FAULT_SEED", "20260207"))


@pytest.fixture(autouse=True, scope="module")
def _cleared(gonogo: Gonogo) -> Iterator[None]:
    yield
    gonogo("destroy", STACK, "--yes")


def _after(gonogo: Gonogo, seconds: float, number: int, victim: str) -> int:
    """Starts `up` and kills `victim` so many seconds into it; the exit code, negative if killed."""
    running = gonogo.start("up", STACK)
    time.sleep(seconds)
    if running.poll() is None:
        if victim == "gonogo":
            os.kill(running.pid, number)
        elif victim == "pulumi":
            for child in psutil.Process(running.pid).children(recursive=True):
                if child.name() == "pulumi":
                    child.send_signal(number)
        else:
            os.kill(int(gonogo.sandbox()[victim]["pid"]), number)
    try:
        code = running.wait(timeout=120)
    finally:
        end_group(running)
    return code


def _is_whole(gonogo: Gonogo) -> None:
    """`up` succeeds, the next one changes nothing, and there is one of each in the cloud."""
    done = gonogo("up", STACK)
    assert done.returncode == 0, done.stdout + done.stderr
    again = gonogo.document("up", STACK)
    assert again["changes"] == {}
    endpoint = again["endpoint"]
    vpcs = gonogo.client("ec2", endpoint).describe_vpcs()["Vpcs"]
    assert len([vpc for vpc in vpcs if not vpc["IsDefault"]]) == 1
    balancers = gonogo.client("elbv2", endpoint).describe_load_balancers()["LoadBalancers"]
    assert len(balancers) == 1
    instances = gonogo.client("rds", endpoint).describe_db_instances()["DBInstances"]
    assert len(instances) == 1
    secrets = gonogo.client("secretsmanager", endpoint).list_secrets(MaxResults=100)["SecretList"]
    names = [secret["Name"] for secret in secrets]
    assert len(names) == len(set(names))


VICTIMS = [
    ("gonogo", signal.SIGINT),
    ("gonogo", signal.SIGKILL),
    ("pulumi", signal.SIGKILL),
    ("emulator", signal.SIGKILL),
    ("provider", signal.SIGKILL),
]


@pytest.mark.parametrize(("victim", "number"), VICTIMS, ids=[f"{v}-{n.name}" for v, n in VICTIMS])
def test_up_recovers_from_a_kill_in_the_middle(
    gonogo: Gonogo, victim: str, number: signal.Signals
) -> None:
    gonogo("destroy", STACK, "--yes")
    gonogo("sandbox", "start")
    moment = random.Random(f"{SEED}-{victim}-{number}").uniform(3.0, 9.0)
    code = _after(gonogo, moment, number, victim)
    print(f"{victim} got {number.name} after {moment:.1f} s: gonogo ended with {code}")
    _is_whole(gonogo)


def test_a_lost_sandbox_is_noticed_by_a_preview_of_a_deployed_stack(gonogo: Gonogo) -> None:
    gonogo("up", STACK)
    os.kill(int(gonogo.sandbox()["emulator"]["pid"]), signal.SIGKILL)
    until(lambda: not _answers(gonogo), what="the emulator to be gone")
    _is_whole(gonogo)


def test_a_truncated_state_is_restored_or_said_in_one_line(gonogo: Gonogo) -> None:
    gonogo("up", STACK)
    state = gonogo.home / "state" / ".pulumi" / "stacks" / "gonogo" / f"{STACK}.json"
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    done = gonogo("up", STACK)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    if done.returncode == 0:
        _is_whole(gonogo)
    else:
        assert done.returncode == 4
        assert "Next" in said
        state.write_bytes(whole)


def test_two_ups_at_once_end_in_one_whole_stack(gonogo: Gonogo) -> None:
    gonogo("destroy", STACK, "--yes")
    first, second = gonogo.start("up", STACK), gonogo.start("up", STACK)
    codes = {first.wait(timeout=240), second.wait(timeout=240)}
    assert 0 in codes
    assert codes <= {0, 4}
    _is_whole(gonogo)


def _answers(gonogo: Gonogo) -> bool:
    pid = int(gonogo.sandbox()["emulator"]["pid"])
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
