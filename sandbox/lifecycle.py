"""The sandbox's life: start, status, stop, reset.

    from sandbox import lifecycle
    sandbox = lifecycle.start()
    subprocess.run([...], env=sandbox.applied_to(os.environ))

`start` may be called at any time: what runs is used, what is stale or killed is mended, and two
starts at once make one sandbox.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from sandbox import daemons
from sandbox.daemons import Daemon
from sandbox.home import (
    SandboxError,
    folder,
    lock,
    prepare,
    read_record,
    take_json,
    write_record,
)
from sandbox.stores.leftovers import running_servers, stop_servers
from sandbox.stores.placement import PlacementError, remove_data_root
from sandbox.stores.process import ProcessEndedError, ProcessId, is_running
from sandbox.stores.process import stop as end

ACCOUNT = "000000000000"
PROVIDER_GRACE_SECONDS = 5
EMULATOR_GRACE_SECONDS = 30
# Variables of the user's own cloud that would win over the sandbox's or name it by mistake.
UNSET = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_REGION", "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_ACCESS_TOKEN",
)  # fmt: skip


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    home: Path
    emulator_url: str
    provider_port: int | None

    def environment(self) -> dict[str, str]:
        """The variables by which AWS's tools and Pulumi use this sandbox."""
        found = _environment(self.home, self.emulator_url)
        if self.provider_port is not None:
            found["PULUMI_DEBUG_PROVIDERS"] = f"aws:{self.provider_port}"
        return found

    def applied_to(self, base: Mapping[str, str]) -> dict[str, str]:
        """A whole environment for a child: `base` without the user's own cloud, and ours."""
        kept = {name: value for name, value in base.items() if name not in UNSET}
        return {**kept, **self.environment()}

    def own_hosted_zones(self, zones: Mapping[str, str]) -> None:
        """Lets the account have these hosted zones (id to domain), as one has them on AWS before
        anything is declared. Raises SandboxError when the emulator does not answer."""
        port = int(self.emulator_url.rpartition(":")[2])
        for zone_id, name in zones.items():
            daemons.ask(port, "PUT", f"/_gonogo/hosted-zones/{zone_id}/{name}", seconds=30)


@dataclass(frozen=True)
class Status:
    """What of the sandbox runs, and what is not as it would be on AWS."""

    home: Path
    running: bool
    emulator: Daemon | None = None
    provider: Daemon | None = None
    emulator_url: str | None = None
    stores: list[dict[str, Any]] = field(default_factory=list)
    recorded: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RecoveryNote:
    """The sandbox had ended without being stopped; a refresh brings Pulumi's state in line.

    `state_saved_at` is when the emulator's state was last saved (seconds since 1970); changes
    after it are lost. `notes` say what was mended.
    """

    noticed_at: float
    state_saved_at: float | None
    notes: list[str]


def start(home: Path | None = None, *, provider: bool = True) -> Sandbox:
    """Start what does not run and mend what is broken.

    Raises SandboxError with what to do next. `provider=False` leaves the provider out.
    """
    with _place(home) as place:
        prepare(place)
        emulator, is_new = _running_emulator(place)
        url = f"http://127.0.0.1:{emulator.port}"
        running = _running_provider(place) if provider else None
        launched: ProcessId | None = None
        if provider and (running is None or is_new):
            if running is not None:
                end(running.process, grace_seconds=PROVIDER_GRACE_SECONDS)
            launched = daemons.launch_provider(place, _environment(place, url), url)
            _keep(place, provider=launched.as_json())
        if is_new:
            daemons.await_emulator(place, emulator)
        if launched is not None:
            running = daemons.await_provider(place, launched)
            _keep(place, provider=running.as_json())
        return Sandbox(place, url, running.port if running else None)


def status(home: Path | None = None) -> Status:
    """What runs now; nothing is started or mended."""
    place = folder(home)
    record = read_record(place)
    emulator = Daemon.from_json(record.get("emulator"))
    provider = _running_provider(place)
    if emulator is None or not is_running(emulator.process):
        problems = []
        if emulator is not None:
            problems.append("The emulator was killed; the next command starts it again.")
        if place.exists() and running_servers(place):
            problems.append("Servers run without the emulator: ./gonogo sandbox stop ends them.")
        return Status(place, running=False, provider=provider, problems=problems)
    url = f"http://127.0.0.1:{emulator.port}"
    if not daemons.is_healthy(place, emulator):
        problem = f"The emulator, process {emulator.process.pid}, does not answer at {url}."
        return Status(place, False, emulator, provider, url, problems=[problem])
    try:
        told = daemons.ask(emulator.port, "GET", "/_gonogo/status", seconds=30)
    except (OSError, ValueError, HTTPException) as error:
        problem = f"The emulator does not tell its status: {error}"
        return Status(place, False, emulator, provider, url, problems=[problem])
    problems = [] if provider else ["The provider does not run; the next command starts it."]
    return Status(
        place, True, emulator, provider, url,
        told["stores"], told["recorded"], told["notes"], problems,
    )  # fmt: skip


def stop(home: Path | None = None) -> None:
    """End the sandbox's processes in order; its data stays."""
    if not folder(home).exists():
        return
    with _place(home) as place:
        _stop(place)


def reset(home: Path | None = None, *, state: bool = False) -> None:
    """Stop, and remove the emulator's records, the databases and the caches.

    `state=True` also removes Pulumi's state; without it, it no longer fits what is there.
    """
    if not folder(home).exists():
        return
    with _place(home) as place:
        _stop(place)
        remove_data_root(place)
        for name in ("emulator", "caches", *(("state",) if state else ())):
            shutil.rmtree(place / name, ignore_errors=True)
        for name in ("recovered.json", "sandbox.json", "recorded.json"):
            (place / name).unlink(missing_ok=True)


def take_recovery_note(home: Path | None = None) -> RecoveryNote | None:
    """The note of an unclean end, once: whoever takes it should refresh Pulumi's state."""
    value = take_json(folder(home) / "recovered.json")
    if value is None:
        return None
    return RecoveryNote(
        float(value.get("noticed_at") or time.time()),
        value.get("state_saved_at"),
        [str(each) for each in value.get("notes", [])],
    )


@contextlib.contextmanager
def _place(home: Path | None) -> Iterator[Path]:
    """The sandbox's folder under its lock; what the system refuses is said in one line."""
    place = folder(home)
    try:
        with lock(place):
            yield place
    except (OSError, PlacementError, ProcessEndedError) as error:
        raise SandboxError(
            f"The sandbox in {place} cannot be used: {error}. Mend that, or set GONOGO_HOME to"
            " another folder."
        ) from error


def _running_emulator(place: Path) -> tuple[Daemon, bool]:
    """The emulator that runs, or a new one (True) that is not ready yet.

    One that was started from other code than there is now is ended in order and started again.
    """
    record = read_record(place)
    known = Daemon.from_json(record.get("emulator"))
    code = daemons.code_stamp()
    if known is not None and daemons.is_healthy(place, known) and record.get("code") == code:
        return known, False
    if known is not None:
        end(known.process, grace_seconds=EMULATOR_GRACE_SECONDS)
    _end_unrecorded(place)
    former = record.get("emulator_port") or (known.port if known else 0)
    emulator = daemons.launch_emulator(place, _environment(place, None), former)
    _keep(place, emulator=emulator.as_json(), emulator_port=emulator.port, code=code)
    return emulator, True


def _end_unrecorded(place: Path) -> None:
    """An emulator whose starter was killed before it could record it says itself who it is."""
    value = read_record(place / "emulator") if (place / "emulator").exists() else {}
    holder = ProcessId.from_json(value.get("emulator"))
    if holder is not None:
        end(holder, grace_seconds=EMULATOR_GRACE_SECONDS)


def _running_provider(place: Path) -> Daemon | None:
    provider = Daemon.from_json(read_record(place).get("provider"))
    if provider is None or not is_running(provider.process) or not daemons.listens(provider.port):
        return None
    return provider


def _stop(place: Path) -> None:
    record = read_record(place)
    ended = end(ProcessId.from_json(record.get("provider")), grace_seconds=PROVIDER_GRACE_SECONDS)
    emulator = ProcessId.from_json(record.get("emulator"))
    ended = end(emulator, grace_seconds=EMULATOR_GRACE_SECONDS) and ended
    _end_unrecorded(place)
    stop_servers(place)
    if not ended or running_servers(place):
        raise SandboxError(f"A process of {place / 'sandbox.json'} does not end; end it yourself.")
    if "emulator_port" in record:
        write_record(place, {"emulator_port": record["emulator_port"]})
    daemons.port_file(place).unlink(missing_ok=True)


def _keep(place: Path, **changes: object) -> None:
    write_record(place, {**read_record(place), **changes})


def _environment(home: Path, emulator_url: str | None) -> dict[str, str]:
    found = {
        # MiniStack takes a key of twelve digits for the account.
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": (home / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase"),
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "NO_PROXY": _no_proxy(),
    }
    if emulator_url is not None:
        found["AWS_ENDPOINT_URL"] = emulator_url
    return found


def _no_proxy() -> str:
    """Loopback is reached without a proxy, whatever else the user excludes from theirs."""
    given = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    names = [each.strip() for each in given.split(",") if each.strip()]
    return ",".join(dict.fromkeys([*names, "127.0.0.1", "localhost"]))
