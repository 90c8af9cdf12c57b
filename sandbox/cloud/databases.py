"""RDS with a real PostgreSQL behind each instance of engine `postgres`.

The emulator keeps the records; these handlers start, change and end the servers with them. An
instance is `available` only once its server takes connections, and a record is on disk before
its server's files go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox.cloud import database_rules as rules
from sandbox.cloud import database_secret as managed
from sandbox.cloud import database_view as view
from sandbox.cloud import emulator
from sandbox.cloud.answer import Response
from sandbox.cloud.database_servers import DatabaseServers
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.errors import AwsError
from sandbox.stores.recorded_server import StoreError

logger = logging.getLogger("gonogo.databases")


class Databases:
    """The servers behind the emulator's DB instances."""

    def __init__(self, servers: DatabaseServers, flush: Callable[[], None]) -> None:
        self.servers = servers
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
                self.servers.provision(instance)
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
            self.servers.remove(instance)
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
            self.servers.halt(instance)
            self.servers.run(instance)
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
            self.servers.halt(instance)
            self._flush()
            return _rendered(call, instance)

    def start(self, call: Call) -> Response:
        """StartDBInstance: the server starts on its data."""
        instance = _instance(call.parameters)
        if instance is None or not instance.get("_gonogo"):
            return call.forward()
        with self._lock(call, instance["DBInstanceIdentifier"]):
            _check_status(instance, "stopped")
            self.servers.run(instance)
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

    def rotate_master(self, secret_arn: str) -> None:
        """Give the master user that this secret belongs to another password."""
        rds = emulator.service("rds")
        for instance in rds._instances.values():
            if (instance.get("MasterUserSecret") or {}).get("SecretArn") == secret_arn:
                self._change_password(instance, {"RotateMasterUserPassword": True})
                self._flush()
                return
        raise AwsError("InvalidRequestException", "The secret's DB instance does not exist.")

    def _undo(self, name: str, instance: dict[str, Any]) -> None:
        emulator.service("rds")._instances.pop(name, None)
        managed.remove(instance)
        self.servers.remove(instance)
        self._flush()

    def _change_password(self, instance: dict[str, Any], wanted: dict[str, Any]) -> None:
        password = managed.modified_password(instance, wanted)
        if password is None:
            return
        try:
            self.servers.server(instance).set_password(instance["MasterUsername"], password)
        except StoreError as error:
            raise AwsError("InvalidDBInstanceState", str(error)) from error
        instance["_MasterUserPassword"] = password
        managed.store(instance, wanted, password)

    def _lock(self, call: Call, name: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault((call.account, call.region, name), threading.RLock())


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
