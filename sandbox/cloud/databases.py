"""RDS with a real PostgreSQL behind each instance of engine `postgres`.

The emulator keeps the records; these handlers start, change and end the servers with them. An
instance is `available` only once its server takes connections, and a record is on disk before
its server's files go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox.cloud import database_rules as rules
from sandbox.cloud import database_secret as managed
from sandbox.cloud import database_view as view
from sandbox.cloud import emulator
from sandbox.cloud.answer import Response
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.errors import AwsError
from sandbox.stores import certificates, postgres_binaries, postgres_parameters
from sandbox.stores.placement import data_root
from sandbox.stores.postgres import Master, Server
from sandbox.stores.recorded_server import StoreError
from sandbox.stores.tls_front import Front, Fronts

logger = logging.getLogger("gonogo.databases")
LOOPBACK = "127.0.0.1"


class Databases:
    """The servers behind the emulator's DB instances."""

    def __init__(self, home: Path, flush: Callable[[], None], fronts: Fronts) -> None:
        self.home = home
        self._fronts = fronts
        self._flush = flush
        self._locks: dict[tuple[str, str, str], threading.RLock] = {}
        self._guard = threading.Lock()

    def handlers(self) -> dict[str, Handler]:
        """The operations that are answered here."""
        return {
            "CreateDBInstance": self.create,
            "ModifyDBInstance": self.modify,
            "DeleteDBInstance": self.delete,
            "RebootDBInstance": self.reboot,
            "StopDBInstance": self.stop,
            "StartDBInstance": self.start,
            "CreateDBInstanceReadReplica": self.refuse_replica,
        }

    def create(self, call: Call) -> Response:
        """CreateDBInstance: the record, and a server with that master user and database."""
        wanted = call.parameters
        if wanted.get("Engine") != "postgres" or wanted.get("DBClusterIdentifier"):
            return call.forward()
        rules.check_create(wanted)
        _check_groups(wanted)
        rds = emulator.service("rds")
        name = str(wanted["DBInstanceIdentifier"])
        with self._lock(call, name):
            password = str(wanted.get("MasterUserPassword") or managed.new_password())
            response = call.forward(_with_form(call, MasterUserPassword=password))
            if response[0] != 200:
                return response
            instance = rds._instances[name]
            instance["DBInstanceStatus"] = "creating"
            instance["DBName"] = str(wanted.get("DBName") or "")
            instance["_gonogo"] = True
            view.keep(instance, wanted)
            try:
                self._provision(instance)
                if wanted.get("ManageMasterUserPassword") is True:
                    managed.create(instance, wanted.get("MasterUserSecretKmsKeyId"))
            except Exception as error:
                self._undo(name, instance)
                logger.exception("database %s was not started", name)
                raise AwsError("InternalFailure", f"The sandbox: {error}", 500) from error
            self._flush()
            return _rendered(call, instance)

    def modify(self, call: Call) -> Response:
        """ModifyDBInstance: the record and, where it concerns the server, the server."""
        wanted = call.parameters
        instance = _instance(wanted)
        if instance is None or not instance.get("_gonogo"):
            return call.forward()
        rules.check_common(wanted)
        _check_groups(wanted)
        with self._lock(call, instance["DBInstanceIdentifier"]):
            managed.check_modify(instance, wanted)
            # The server's password is changed here, by its administrator.
            form = {"MasterUserPassword": None, "DBParameterGroupName": None}
            response = call.forward(_with_form(call, **form))
            if response[0] != 200:
                return response
            view.keep(instance, wanted)
            self._change_password(instance, wanted)
            group = wanted.get("DBParameterGroupName")
            if group and group != instance["DBParameterGroups"][0]["DBParameterGroupName"]:
                instance["DBParameterGroups"] = [
                    {"DBParameterGroupName": group, "ParameterApplyStatus": "pending-reboot"}
                ]
            if wanted.get("NewDBInstanceIdentifier"):
                _rename(instance, str(wanted["NewDBInstanceIdentifier"]), wanted)
            self._flush()
            return _rendered(call, instance)

    def delete(self, call: Call) -> Response:
        """DeleteDBInstance: the record first, then the server and its data."""
        wanted = call.parameters
        instance = _instance(wanted)
        if instance is None:
            return call.forward()
        rules.check_delete(instance, wanted)
        with self._lock(call, instance["DBInstanceIdentifier"]):
            response = call.forward()
            if response[0] != 200 or not instance.get("_gonogo"):
                return response
            managed.remove(instance)
            self._flush()
            self._fronts.close(_front_name(instance))
            self.server(instance).remove()
            return response

    def reboot(self, call: Call) -> Response:
        """RebootDBInstance: a real restart, which takes up what waited for it."""
        instance = _instance(call.parameters)
        if instance is None or not instance.get("_gonogo"):
            return call.forward()
        with self._lock(call, instance["DBInstanceIdentifier"]):
            _check_status(instance, "available")
            instance.update(instance.get("PendingModifiedValues") or {})
            instance["PendingModifiedValues"] = {}
            server = self.server(instance)
            server.stop()
            self._run(instance, server)
            self._flush()
            return _rendered(call, instance)

    def stop(self, call: Call) -> Response:
        """StopDBInstance: the server ends, its data stays."""
        instance = _instance(call.parameters)
        if instance is None or not instance.get("_gonogo"):
            return call.forward()
        with self._lock(call, instance["DBInstanceIdentifier"]):
            _check_status(instance, "available")
            instance["DBInstanceStatus"] = "stopped"
            self._fronts.close(_front_name(instance))
            self.server(instance).stop()
            self._flush()
            return _rendered(call, instance)

    def start(self, call: Call) -> Response:
        """StartDBInstance: the server starts on its data."""
        instance = _instance(call.parameters)
        if instance is None or not instance.get("_gonogo"):
            return call.forward()
        with self._lock(call, instance["DBInstanceIdentifier"]):
            _check_status(instance, "stopped")
            self._run(instance, self.server(instance))
            self._flush()
            return _rendered(call, instance)

    def refuse_replica(self, call: Call) -> Response:
        """CreateDBInstanceReadReplica is not here yet; a record without data would lie."""
        instance = _instance(
            {"DBInstanceIdentifier": call.parameters.get("SourceDBInstanceIdentifier")}
        )
        if instance is None or not instance.get("_gonogo"):
            return call.forward()
        raise AwsError(
            "InvalidDBInstanceState",
            "The sandbox has no read replicas yet. Set the read replicas of this database to 0"
            " for the sandbox, or deploy with --cloud aws.",
        )

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
            if folder.name not in ("templates", "programs"):
                self._fronts.close(f"database {folder.name}")
                Server(folder, self.home, postgres_binaries.find(root)).remove()

    def server(self, instance: dict[str, Any]) -> Server:
        """The server behind an instance."""
        root = data_root(self.home)
        folder = root / str(instance["DbiResourceId"]).lower()
        return Server(folder, self.home, postgres_binaries.find(root))

    def of_group(self, group: str) -> list[dict[str, Any]]:
        """The instances of this account and region that use a parameter group."""
        rds = emulator.service("rds")
        return [
            instance
            for instance in rds._instances.values()
            if instance.get("_gonogo")
            and instance["DBParameterGroups"][0]["DBParameterGroupName"] == group
        ]

    def configure(self, instance: dict[str, Any], parameters: dict[str, str]) -> None:
        """Write an instance's configuration and keep what of it holds."""
        server = self.server(instance)
        major = int(str(instance["EngineVersion"]).split(".")[0])
        translation = postgres_parameters.translate(server.installation, parameters, major)
        server.configure(translation)
        instance["_gonogo_parameters"] = dict(parameters)
        instance["_gonogo_left_out"] = dict(translation.left_out)
        instance["_gonogo_force_tls"] = translation.force_tls

    def rotate_master(self, secret_arn: str) -> None:
        """Give the master user that this secret belongs to another password."""
        rds = emulator.service("rds")
        for instance in rds._instances.values():
            if (instance.get("MasterUserSecret") or {}).get("SecretArn") == secret_arn:
                self._change_password(instance, {"RotateMasterUserPassword": True})
                self._flush()
                return
        raise AwsError("InvalidRequestException", "The secret's DB instance does not exist.")

    def reload(self, instance: dict[str, Any]) -> None:
        """Make a changed configuration hold where no restart is needed."""
        server = self.server(instance)
        server.reload()
        if server.is_running():
            self._publish(instance, server)

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

    def _provision(self, instance: dict[str, Any]) -> None:
        server = self.server(instance)
        user, password = instance["MasterUsername"], instance["_MasterUserPassword"]
        server.create(Master(user, password, instance["DBName"]))
        self._run(instance, server)

    def _run(self, instance: dict[str, Any], server: Server) -> None:
        """Start the server with its group's parameters; the endpoint is where it listens."""
        self.configure(instance, group_parameters(instance))
        server.start()
        self._publish(instance, server)
        instance["DBParameterGroups"][0]["ParameterApplyStatus"] = "in-sync"
        instance["DBInstanceStatus"] = "available"

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

    def _undo(self, name: str, instance: dict[str, Any]) -> None:
        emulator.service("rds")._instances.pop(name, None)
        managed.remove(instance)
        self._fronts.close(_front_name(instance))
        self.server(instance).remove()
        self._flush()

    def _change_password(self, instance: dict[str, Any], wanted: dict[str, Any]) -> None:
        password = managed.modified_password(instance, wanted)
        if password is None:
            return
        try:
            self.server(instance).set_password(instance["MasterUsername"], password)
        except StoreError as error:
            raise AwsError("InvalidDBInstanceState", str(error)) from error
        instance["_MasterUserPassword"] = password
        managed.store(instance, wanted, password)

    def _lock(self, call: Call, name: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault((call.account, call.region, name), threading.RLock())

    def instances(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every instance with a server here: account, region, record."""
        rds = emulator.service("rds")
        for (account, region, _), instance in list(rds._instances._data.items()):
            if instance.get("_gonogo"):
                yield account, region, instance


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


def _instance(parameters: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = emulator.service("rds")._resolve_instance(
        parameters.get("DBInstanceIdentifier")
    )
    return found


def _check_groups(parameters: dict[str, Any]) -> None:
    rds = emulator.service("rds")
    subnets = parameters.get("DBSubnetGroupName")
    if subnets and subnets != "default" and subnets not in rds._subnet_groups:
        raise AwsError(
            "DBSubnetGroupNotFoundFault", f"DB subnet group '{subnets}' does not exist.", 404
        )
    group = parameters.get("DBParameterGroupName")
    if group and not group.startswith("default.") and group not in rds._param_groups:
        raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {group}", 404)


def _check_status(instance: dict[str, Any], wanted: str) -> None:
    if instance["DBInstanceStatus"] != wanted:
        raise AwsError(
            "InvalidDBInstanceState",
            f"Instance {instance['DBInstanceIdentifier']} is not in {wanted} state.",
        )


def _rename(instance: dict[str, Any], name: str, wanted: dict[str, Any]) -> None:
    rules.check_identifier(name)
    rds = emulator.service("rds")
    old = instance["DBInstanceIdentifier"]
    if wanted.get("ApplyImmediately") is not True:
        instance["PendingModifiedValues"]["DBInstanceIdentifier"] = name
        return
    if name in rds._instances:
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    old_arn = instance["DBInstanceArn"]
    instance["DBInstanceIdentifier"] = name
    instance["DBInstanceArn"] = old_arn.rpartition(":")[0] + f":{name}"
    rds._instances[name] = instance
    del rds._instances[old]
    if old_arn in rds._tags:
        rds._tags[instance["DBInstanceArn"]] = rds._tags.pop(old_arn)


def _with_form(call: Call, **changes: str | None) -> Any:
    """The request with some of its form's fields set, or left out where None is given."""
    fields = dict(parse_qsl(call.request.body.decode(), keep_blank_values=True))
    for name, value in changes.items():
        fields.pop(name, None)
        if value is not None:
            fields[name] = value
    return call.request.with_body(urlencode(fields).encode())


def _rendered(call: Call, instance: dict[str, Any]) -> Response:
    name = call.operation.name
    response: Response = emulator.service("rds")._single_instance_response(
        f"{name}Response", f"{name}Result", instance
    )
    return response
