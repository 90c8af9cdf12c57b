"""The emulator's process: load, mend, serve, and end cleanly on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sandbox.cloud import belongings, emulator, outside, patches, reconcile
from sandbox.cloud.autoscaling import Autoscaling
from sandbox.cloud.caches import Caches
from sandbox.cloud.database_groups import ParameterGroups
from sandbox.cloud.database_servers import DatabaseServers
from sandbox.cloud.databases import Databases
from sandbox.cloud.dispatch import Dispatch
from sandbox.cloud.kept import Kept
from sandbox.cloud.persistence import Persistence, add_recovery_notes, write_json
from sandbox.cloud.readback import Readback
from sandbox.cloud.recorded import Recorded
from sandbox.cloud.rotation import Secrets
from sandbox.stores import certificates
from sandbox.stores.process import identify
from sandbox.stores.tls_front import Fronts

logger = logging.getLogger("gonogo.cloud")
PROXY_NOTE = (
    "An RDS proxy's endpoint is 127.0.0.1 and its port the database's own: it is recorded, its"
    " pooling is not emulated."
)
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Cloud:
    """The emulator with everything that the sandbox adds."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        state = home / "emulator"
        emulator.prepare(state, port)
        self._ministack: Any = emulator.load()
        patches.apply()
        emulator.when_loaded("rds", lambda _: self.servers.warm())
        outside.forbid()
        self.persistence = Persistence(state, home / "recovered.json")
        self.recorded = Recorded()
        self.fronts = Fronts()
        self.servers = DatabaseServers(home, self.fronts)
        self.databases = Databases(self.servers, self.persistence.flush)
        self.caches = Caches(home, self.persistence.flush, self.fronts)
        self.autoscaling = Autoscaling(self.recorded)
        self.secrets = Secrets(self.databases)
        self.readback = Readback()
        self.kept = Kept(self.recorded)
        self.notes: list[str] = []

    def load(self) -> None:
        """Load the state and bring the servers in line with it, before anybody is answered."""
        certificates.authority(self.home)
        self._claim()
        own = {
            "gonogo_recorded": (self.recorded.state, self.recorded.restore),
            "gonogo_autoscaling": (self.autoscaling.state, self.autoscaling.restore),
            "gonogo_readback": (self.readback.state, self.readback.restore),
            "gonogo_kept": (self.kept.state, self.kept.restore),
        }
        unclean = self.persistence.load(own)
        self._extend()
        self.notes = reconcile.databases(self.servers, unclean=unclean)
        self.notes += reconcile.caches(self.caches, unclean=unclean)
        add_recovery_notes(self.home / "recovered.json", self.notes)
        self.persistence.flush()

    async def serve(self) -> None:
        """Answer until SIGTERM or SIGINT, then end in order."""
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"127.0.0.1:{self.port}"]
        config.loglevel = "WARNING"
        config.graceful_timeout = 1.0
        config.keep_alive_timeout = 75
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        saving = asyncio.create_task(self.persistence.save_after_changes())
        gc.collect()
        gc.freeze()
        try:
            await serve(self, config, shutdown_trigger=ended.wait)  # type: ignore[arg-type]
        finally:
            saving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saving
            await asyncio.to_thread(self._end)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """ASGI: our own paths, and MiniStack for all others."""
        if scope["type"] == "http" and scope["path"].startswith("/_gonogo/"):
            await self._own_path(scope["method"], scope["path"], send)
        else:
            await self._ministack.app(scope, receive, send)

    async def _own_path(self, method: str, path: str, send: Send) -> None:
        status, value = 200, {}  # type: int, dict[str, Any]
        if (method, path) == ("GET", "/_gonogo/health"):
            value = {"home": str(self.home.resolve()), "pid": os.getpid()}
        elif (method, path) == ("GET", "/_gonogo/recorded"):
            value = {"recorded": self.recorded.listed()}
        elif (method, path) == ("GET", "/_gonogo/status"):
            value = await asyncio.to_thread(self.status)
        elif (method, path) == ("POST", "/_gonogo/reset"):
            await asyncio.to_thread(self.reset)
        elif (method, path) == ("POST", "/_gonogo/save"):
            await asyncio.to_thread(self.persistence.flush)
        elif method == "PUT" and path.startswith("/_gonogo/hosted-zones/"):
            zone_id, _, name = path.removeprefix("/_gonogo/hosted-zones/").partition("/")
            value = {"added": await asyncio.to_thread(belongings.add_hosted_zone, zone_id, name)}
            self.persistence.touch()
        else:
            status, value = 404, {"error": f"{method} {path} is no path of the sandbox."}
        body = json.dumps(value).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def status(self) -> dict[str, Any]:
        """What runs behind the emulator, and what is not as on AWS."""
        stores = [self.servers.told(region, each) for _, region, each in self.servers.instances()]
        stores += [self.caches.told(region, each) for _, region, each in self.caches.groups()]
        notes = [*self.notes, *self.secrets.failures.values()]
        if emulator.has_any("rds", "_db_proxies"):
            notes.append(PROXY_NOTE)
        notes += [f"Not called, outside this machine: {name}" for name in sorted(outside.refused)]
        return {"stores": stores, "recorded": self.recorded.listed(), "notes": notes}

    def reset(self) -> None:
        """Forget everything: records, servers, data."""
        self.servers.settle()
        self.servers.remove_all()
        self.caches.remove_all()
        self._ministack._reset_all_state()
        self.recorded.clear()
        self.autoscaling.clear()
        self.readback.clear()
        self.kept.clear()
        self.secrets.failures.clear()
        self.persistence.flush()

    def _extend(self) -> None:
        handlers = self._ministack.SERVICE_HANDLERS
        known = {*handlers, *self._ministack.SERVICE_NAME_ALIASES}
        dispatch = Dispatch(
            self._ministack._dispatch_service_request,
            changed=self.persistence.touch,
            unknown=self.recorded.answer,
            is_known=known.__contains__,
        )
        dispatch.add("rds", self.databases.handlers())
        dispatch.add("rds", ParameterGroups(self.servers).handlers())
        dispatch.add("elasticache", self.caches.handlers())
        dispatch.add("application-autoscaling", self.autoscaling.handlers())
        dispatch.add("secretsmanager", self.secrets.handlers())
        dispatch.add("rds", self.kept.rds_handlers())
        dispatch.add("wafv2", self.kept.waf_handlers())
        for service, handlers in self.readback.handlers():
            dispatch.add(service, handlers)
        self._ministack._dispatch_service_request = dispatch

    def _claim(self) -> None:
        """One emulator for a home; it says who it is, for its starter may have been killed."""
        folder = self.home / "emulator"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._claimed = (folder / "lock").open("a")
        try:
            fcntl.flock(self._claimed, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise emulator.EmulatorError(f"An emulator runs already for {self.home}.") from None
        process = identify(os.getpid())
        if process:
            write_json(folder / "sandbox.json", {"emulator": process.as_json()})

    def _end(self) -> None:
        self.persistence.flush()
        self.servers.settle()
        self.fronts.close_all()
        self.servers.stop_all()
        self.caches.stop_all()
        self.persistence.close()
        (self.home / "emulator" / "sandbox.json").unlink(missing_ok=True)
