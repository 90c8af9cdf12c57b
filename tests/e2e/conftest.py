"""The whole way, as a person goes it: the command line, and everything real behind it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Gonogo:
    """The command line of one checkout with a sandbox of its own."""

    checkout: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PULUMI_", "AWS_", "GONOGO_HOME"))
        }
        return {**kept, "GONOGO_HOME": str(self.home), "PYTHONPATH": str(self.checkout)}

    def command(self, *arguments: str) -> list[str]:
        if self.checkout == ROOT:
            return [str(ROOT / "gonogo"), *arguments]
        # A copy has no environment of its own: it borrows this one's libraries, not its code.
        return [sys.executable, "-m", "operations.cli", *arguments]

    def __call__(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.checkout,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def document(self, *arguments: str) -> dict[str, Any]:
        """What a command that must succeed says with `--json`."""
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def sandbox(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "sandbox.json").read_text())
        return found

    def client(self, service: str, endpoint: str, region: str = "us-east-1") -> Any:
        """boto3 at the sandbox's endpoint, as the account that the sandbox is."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id="000000000000",
            aws_secret_access_key="sandbox",
        )


@pytest.fixture(scope="session")
def gonogo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gonogo]:
    """This checkout, with a sandbox beside the one that a person may have running."""
    one = Gonogo(ROOT, tmp_path_factory.mktemp("home"))
    yield one
    one("sandbox", "stop")


@pytest.fixture
def copy(gonogo: Gonogo, tmp_path: Path) -> Callable[[], Gonogo]:
    """A copy of the checkout to change at will; it shares the session's sandbox."""

    def make() -> Gonogo:
        target = tmp_path / "checkout"
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if name.startswith(("tests/", "docs/")) or not (ROOT / name).is_file():
                continue
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
        return Gonogo(target, gonogo.home)

    return make


def end_group(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    """Ends a command that a test started, with what it started in its own session."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
    process.wait(timeout=60)


def until(condition: Callable[[], Any], *, seconds: float = 30, what: str = "") -> Any:
    """Waits for something to be true and returns it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain: {what}")
