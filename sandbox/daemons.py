"""The sandbox's two processes: the emulator and the provider. How each is started and known."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.home import CHECKOUT, SandboxError
from sandbox.stores.process import (
    ProcessId,
    free_port,
    is_port_free,
    is_running,
    spawn,
    stop,
    tail,
    wait_until,
)

START_SECONDS = 60
ANSWER_SECONDS = 5
PORT_SECONDS = 1.0
# What must not reach the sandbox's processes: the user's own cloud and its credentials.
FOREIGN_PREFIXES = ("AWS_", "PULUMI_", "COV_CORE_")


@dataclass(frozen=True)
class Daemon:
    """A running process of the sandbox and the port that it listens on."""

    process: ProcessId
    port: int

    def as_json(self) -> dict[str, object]:
        """The form in `sandbox.json`."""
        return {**self.process.as_json(), "port": self.port}

    @staticmethod
    def from_json(value: object) -> Daemon | None:
        """Read what `as_json` wrote; None for anything else."""
        process = ProcessId.from_json(value)
        port = value.get("port") if isinstance(value, dict) else None
        return Daemon(process, port) if process and isinstance(port, int) else None


def clean_environment(own: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the user's cloud, and with `own`."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_PREFIXES)
    }
    path = os.pathsep.join(each for each in (str(CHECKOUT), kept.get("PYTHONPATH")) if each)
    return {**kept, "PYTHONPATH": path, **own}


def code_stamp() -> str:
    """Which code a daemon started now would run: it changes when a file of the sandbox does."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for file in sorted(package.rglob("*.py")):
        seen = file.stat()
        digest.update(f"{file.relative_to(package)} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def launch_emulator(home: Path, environment: Mapping[str, str], former_port: int) -> Daemon:
    """Start the emulator's process; it is not ready yet."""
    # A killed process's last threads may hold its port for a moment longer than its id.
    is_former_free = former_port and wait_until(lambda: is_port_free(former_port), PORT_SECONDS)
    port = former_port if is_former_free else free_port()
    log = home / "logs" / "emulator.log"
    command = [sys.executable, "-m", "sandbox.cloud", "--home", str(home), "--port", str(port)]
    own = {name: value for name, value in environment.items() if name != "AWS_ENDPOINT_URL"}
    # Functions run as its children, and reach data stores whose certificates are the sandbox's.
    own["SSL_CERT_FILE"] = str(home / "ca.pem")
    process = spawn(command, log=log, environment=clean_environment(own), directory=CHECKOUT)
    return Daemon(process, port)


def await_emulator(home: Path, emulator: Daemon) -> None:
    """Wait until the emulator answers for this home; raise with its last words if it ends."""
    ready = wait_until(
        lambda: not is_running(emulator.process) or is_healthy(home, emulator), START_SECONDS
    )
    if ready and is_healthy(home, emulator):
        return
    stop(emulator.process, grace_seconds=2)
    log = home / "logs" / "emulator.log"
    fatal = [line for line in tail(log, 40).splitlines() if line.startswith("FATAL: ")]
    if fatal:
        raise SandboxError(fatal[-1].removeprefix("FATAL: "))
    raise SandboxError(f"The emulator did not start. Its log, {log}, ends:\n{tail(log, 8)}")


def is_healthy(home: Path, emulator: Daemon) -> bool:
    """True when this very process answers at its port, for this home."""
    if not is_running(emulator.process):
        return False
    try:
        answer = ask(emulator.port, "GET", "/_gonogo/health")
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return answer == {"home": str(home.resolve()), "pid": emulator.process.pid}


def ask(port: int, method: str, path: str, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
    """The emulator's answer at one of its own paths."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    with contextlib.closing(connection):
        connection.request(method, path)
        response = connection.getresponse()
        value = json.loads(response.read())
    if response.status != 200 or not isinstance(value, dict):
        raise ValueError(f"{method} {path}: {response.status}")
    return value


def has_provider() -> bool:
    """True when this checkout has the stand-in provider."""
    return importlib.util.find_spec("sandbox.provider") is not None


def launch_provider(home: Path, environment: Mapping[str, str], emulator_url: str) -> ProcessId:
    """Start the provider's process; it writes its port to a file when it is ready."""
    if not has_provider():
        raise SandboxError("This checkout lacks sandbox/provider. Get it whole: git status")
    port_file(home).unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "sandbox.provider", "--emulator-url", emulator_url,
        "--home", str(home), "--port-file", str(port_file(home)),
    ]  # fmt: skip
    return spawn(
        command,
        log=home / "logs" / "provider.log",
        environment=clean_environment(environment),
        directory=CHECKOUT,
    )


def await_provider(home: Path, process: ProcessId) -> Daemon:
    """Wait until the provider listens; raise with its last words if it ends."""
    wait_until(lambda: not is_running(process) or _written_port(home) > 0, START_SECONDS)
    port = _written_port(home)
    if is_running(process) and port and wait_until(lambda: listens(port), ANSWER_SECONDS):
        return Daemon(process, port)
    stop(process, grace_seconds=2)
    log = home / "logs" / "provider.log"
    raise SandboxError(f"The provider did not start. Its log, {log}, ends:\n{tail(log, 8)}")


def listens(port: int) -> bool:
    """True when something takes connections at this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(ANSWER_SECONDS)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_file(home: Path) -> Path:
    """Where the provider writes its port."""
    return home / "provider.port"


def _written_port(home: Path) -> int:
    try:
        return int(port_file(home).read_text().strip() or 0)
    except (OSError, ValueError):
        return 0
