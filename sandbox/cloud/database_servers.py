"""The PostgreSQL servers behind the emulator's DB instances: found, run, mended, ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.cloud import emulator
from sandbox.stores import certificates, postgres_binaries, postgres_parameters
from sandbox.stores.placement import data_root
from sandbox.stores.postgres import Master, Server
from sandbox.stores.recorded_server import StoreError
from sandbox.stores.tls_front import Front, Fronts

LOOPBACK = "127.0.0.1"
WARM_SECONDS = 30
# Folders of the data root that are shared by the servers.
NOT_SERVERS = frozenset({"templates", "programs"})
logger = logging.getLogger("gonogo.databases")


class DatabaseServers:
    """The servers of one sandbox; an instance is the emulator's record of it."""

    def __init__(self, home: Path, fronts: Fronts) -> None:
        self.home = home
        self._fronts = fronts
        self._warming: threading.Thread | None = None

    def instances(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every instance with a server here: account, region, record."""
        rds = emulator.service("rds")
        for (account, region, _), instance in list(rds._instances._data.items()):
            if instance.get("_gonogo"):
                yield account, region, instance

    def of_group(self, group: str) -> list[dict[str, Any]]:
        """The instances of this account and region that use a parameter group."""
        rds = emulator.service("rds")
        return [
            instance
            for instance in rds._instances.values()
            if instance.get("_gonogo")
            and instance["DBParameterGroups"][0]["DBParameterGroupName"] == group
        ]

    def server(self, instance: dict[str, Any]) -> Server:
        """The server behind an instance."""
        root = data_root(self.home)
        folder = root / str(instance["DbiResourceId"]).lower()
        return Server(folder, self.home, postgres_binaries.find(root))

    def warm(self) -> None:
        """Make ready what the first instance needs, while the program still makes its network."""

        def make() -> None:
            root = data_root(self.home)
            try:
                postgres_binaries.template(postgres_binaries.find(root), root)
            except Exception:  # the first instance says it again, and to whom it concerns
                logger.exception("PostgreSQL was not made ready")

        if self._warming is None:
            self._warming = threading.Thread(target=make, name="warm", daemon=True)
            self._warming.start()

    def settle(self) -> None:
        """Wait for what `warm` has begun, so that no process of it is left."""
        if self._warming is not None:
            self._warming.join(WARM_SECONDS)

    def provision(self, instance: dict[str, Any]) -> None:
        """Make the files of a new instance's server and start it."""
        server = self.server(instance)
        user, password = instance["MasterUsername"], instance["_MasterUserPassword"]
        server.create(Master(user, password, instance["DBName"]))
        self.run(instance)

    def run(self, instance: dict[str, Any]) -> None:
        """Start the server with its group's parameters; the endpoint is where it listens."""
        server = self.server(instance)
        self.configure(instance, group_parameters(instance))
        server.start()
        self._publish(instance, server)
        instance["DBParameterGroups"][0]["ParameterApplyStatus"] = "in-sync"
        instance["DBInstanceStatus"] = "available"

    def halt(self, instance: dict[str, Any]) -> None:
        """End an instance's server; its data stays."""
        self._fronts.close(_front_name(instance))
        self.server(instance).stop()

    def remove(self, instance: dict[str, Any]) -> None:
        """End an instance's server and remove its data."""
        self._fronts.close(_front_name(instance))
        self.server(instance).remove()

    def reload(self, instance: dict[str, Any]) -> None:
        """Make a changed configuration hold where no restart is needed."""
        server = self.server(instance)
        server.reload()
        if server.is_running():
            self._publish(instance, server)

    def configure(self, instance: dict[str, Any], parameters: dict[str, str]) -> None:
        """Write an instance's configuration and keep what of it holds."""
        server = self.server(instance)
        major = int(str(instance["EngineVersion"]).split(".")[0])
        translation = postgres_parameters.translate(server.installation, parameters, major)
        server.configure(translation)
        instance["_gonogo_parameters"] = dict(parameters)
        instance["_gonogo_left_out"] = dict(translation.left_out)
        instance["_gonogo_force_tls"] = translation.force_tls

    def restore(self, instance: dict[str, Any], *, unclean: bool) -> list[str]:
        """Bring an instance's server back when the emulator starts; what had to be mended."""
        server = self.server(instance)
        name, before = instance["DBInstanceIdentifier"], dict(instance["Endpoint"])
        notes: list[str] = []
        try:
            if not server.exists():
                user, password = instance["MasterUsername"], instance["_MasterUserPassword"]
                port = before["Port"] if server.installation.has_tls else 0
                server.create(Master(user, password, instance["DBName"]), port=port)
                notes.append(f"The data of database {name} was gone; it was made anew, empty.")
            if not server.is_running():
                if unclean and not notes:
                    notes.append(f"The server of database {name} was started again on its data.")
                self.configure(instance, instance.get("_gonogo_parameters") or {})
                server.start()
            self._publish(instance, server)
        except Exception as error:
            logger.exception("database %s was not restored", name)
            instance["DBInstanceStatus"] = "failed"
            return [*notes, f"Database {name} could not be started: {error}"]
        instance["DBInstanceStatus"] = "available"
        port = instance["Endpoint"]["Port"]
        if before["Port"] != port:
            notes.append(f"Database {name} listens on port {port} now, not {before['Port']}.")
        return notes

    def stop_all(self) -> None:
        """End every server; the records stay as they are."""
        for account, region, instance in self.instances():
            with emulator.scope(account, region):
                try:
                    self.server(instance).stop()
                except StoreError:
                    logger.exception("a server did not end")

    def remove_all(self) -> None:
        """End every server and remove all data."""
        root = data_root(self.home)
        for folder in root.iterdir():
            if folder.name not in NOT_SERVERS:
                self._fronts.close(f"database {folder.name}")
                Server(folder, self.home, postgres_binaries.find(root)).remove()

    def told(self, region: str, instance: dict[str, Any]) -> dict[str, Any]:
        """A line of the status."""
        server = self.server(instance)
        process = server.process()
        return {
            "kind": "postgresql",
            "name": instance["DBInstanceIdentifier"],
            "region": region,
            "status": instance["DBInstanceStatus"],
            "asked_version": f"postgres {instance['EngineVersion']}",
            "version": server.installation.version,
            "tls": True,
            "tls_ended_by": "server" if server.installation.has_tls else "sandbox",
            "address": instance["Endpoint"]["Address"],
            "port": instance["Endpoint"]["Port"],
            "pid": process.pid if process else None,
            "left_out": instance.get("_gonogo_left_out") or {},
        }

    def _publish(self, instance: dict[str, Any], server: Server) -> None:
        """The endpoint: the server itself or, where it was built without TLS, a front."""
        port = server.port
        if not server.installation.has_tls:
            if not (server.folder / "server.crt").exists():
                certificates.server(self.home, server.folder, "database")
            files = server.folder / "server.crt", server.folder / "server.key"
            force = bool(instance.get("_gonogo_force_tls"))
            front = Front("postgresql", server.port, *files, force_tls=force)
            former = instance["Endpoint"]
            wanted = former["Port"] if former.get("Address") == LOOPBACK else 0
            port = self._fronts.open(_front_name(instance), front, wanted)
        instance["Endpoint"] = {**instance["Endpoint"], "Address": LOOPBACK, "Port": port}


def _front_name(instance: dict[str, Any]) -> str:
    return f"database {str(instance['DbiResourceId']).lower()}"


def group_parameters(instance: dict[str, Any]) -> dict[str, str]:
    """The values that an instance's parameter group sets itself."""
    rds = emulator.service("rds")
    name = instance["DBParameterGroups"][0]["DBParameterGroupName"]
    group = rds._param_groups.get(name) or {}
    return {
        parameter: str(each["ParameterValue"])
        for parameter, each in group.get("Parameters", {}).items()
        if each.get("ParameterValue") not in (None, "")
    }
