"""A real emulator and a real provider process for the tests of this folder."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.sandbox.provider.driver import Engine

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start_emulator(home: Path, port: int = 0) -> tuple[subprocess.Popen[bytes], str]:
    """The sandbox's own emulator process, with real databases behind it."""
    port = port or free_port()
    log = (home / "emulator.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.cloud", "--home", str(home), "--port", str(port)],
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):  # noqa: S310
                return process, url
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    stop(process)
    raise RuntimeError((home / "emulator.log").read_text())


def start_provider(home: Path, emulator: str) -> tuple[subprocess.Popen[bytes], int]:
    port_file = home / "provider.port"
    port_file.unlink(missing_ok=True)
    log = (home / "provider.log").open("ab")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sandbox.provider",
            "--emulator-url",
            emulator,
            "--home",
            str(home),
            "--port-file",
            str(port_file),
        ],
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if port_file.exists():
            return process, int(port_file.read_text())
        time.sleep(0.02)
    stop(process)
    raise RuntimeError((home / "provider.log").read_text())


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, url = start_emulator(tmp_path_factory.mktemp("emulator"))
    yield url
    stop(process)


@pytest.fixture(scope="session")
def provider_port(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    process, port = start_provider(tmp_path_factory.mktemp("provider"), emulator)
    yield port
    stop(process)


@pytest.fixture
def engine(provider_port: int) -> Iterator[Engine]:
    driver = Engine(provider_port)
    yield driver
    driver.close()


@pytest.fixture
def aws(emulator: str) -> Any:
    """boto3 clients of the emulator, for looking behind the provider's back."""

    def client(service: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=emulator,
            aws_access_key_id="000000000000",
            aws_secret_access_key="sandbox",
        )

    return client
