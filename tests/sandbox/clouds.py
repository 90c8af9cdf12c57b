"""A running sandbox as tests see it: its clients and its processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from sandbox.lifecycle import Sandbox
from sandbox.stores.placement import existing_roots


@dataclass(frozen=True)
class TestCloud:
    """A running sandbox and clients for it."""

    __test__ = False
    sandbox: Sandbox

    @property
    def home(self) -> Path:
        """The sandbox's folder."""
        return self.sandbox.home

    @property
    def authority(self) -> str:
        """The file of the authority that signs the servers' certificates."""
        return str(self.home / "ca.pem")

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A boto3 client of the emulator; it does not try again."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.sandbox.emulator_url,
            aws_access_key_id="000000000000",
            aws_secret_access_key="sandbox",
            config=Config(retries={"max_attempts": 0}),
        )

    def processes(self) -> list[psutil.Process]:
        """Every living process that works in this sandbox's folders."""
        return processes_of(self.home)


def processes_of(home: Path) -> list[psutil.Process]:
    """Every living process that names one of a sandbox's folders in its command."""
    places = [str(home), *map(str, existing_roots(home))]
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = [f"{word}/" for word in process.info["cmdline"] or []]
        dead = process.info["status"] == psutil.STATUS_ZOMBIE
        if not dead and any(word.startswith(f"{place}/") for word in words for place in places):
            found.append(process)
    return found
