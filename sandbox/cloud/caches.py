"""ElastiCache with a real Valkey behind each replication group: one node serves the group.

Where the group wants encryption in transit, a front ends TLS before the server.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sandbox.cloud import cache_rules as rules
from sandbox.cloud import cache_view as view
from sandbox.cloud import emulator
from sandbox.cloud.answer import Response
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.errors import AwsError
from sandbox.stores import certificates, valkey
from sandbox.stores.recorded_server import StoreError
from sandbox.stores.tls_front import Front, Fronts

logger = logging.getLogger("gonogo.caches")
EVERYTHING = "on ~* &* +@all"


class Caches:
    """The servers behind the emulator's replication groups."""

    def __init__(self, home: Path, flush: Callable[[], None], fronts: Fronts) -> None:
        self.home = home
        self.root = home / "caches"
        self._flush = flush
        self._fronts = fronts
        self._lock = threading.RLock()

    def handlers(self) -> dict[str, Handler]:
        """The operations that are answered here."""
        return {
            "CreateReplicationGroup": self.create,
            "ModifyReplicationGroup": self.modify,
            "DeleteReplicationGroup": self.delete,
            "ModifyCacheParameterGroup": self.modify_parameters,
            "ResetCacheParameterGroup": self.modify_parameters,
            "CreateUser": self.keep_user,
            "ModifyUser": self.keep_user,
            "CreateUserGroup": self.keep_user_group,
            "ModifyUserGroup": self.keep_user_group,
        }

    def create(self, call: Call) -> Response:
        """CreateReplicationGroup: the record, and a server with that token or those users."""
        wanted = call.parameters
        rules.check_create(wanted)
        rules.check_groups(wanted)
        with self._lock:
            response = call.forward()
            if response[0] != 200:
                return response
            stored = emulator.service("elasticache")._replication_groups
            group = stored[wanted["ReplicationGroupId"]]
            group["_gonogo"] = self._folder(call, group)
            try:
                self._server(group).create()
                view.keep(group, wanted)
                self._run(group)
            except Exception as error:
                logger.exception("cache %s was not started", wanted["ReplicationGroupId"])
                self._forget(group)
                for cluster in group.get("MemberClusters") or []:
                    emulator.service("elasticache")._clusters.pop(cluster, None)
                stored.pop(wanted["ReplicationGroupId"], None)
                self._flush()
                raise AwsError("InternalFailure", f"The sandbox: {error}", 500) from error
            self._flush()
            return _rendered(call, group)

    def modify(self, call: Call) -> Response:
        """ModifyReplicationGroup: the record, and the server's users and settings."""
        wanted = call.parameters
        rules.check_token(wanted.get("AuthToken"))
        rules.check_groups(wanted)
        with self._lock:
            response = call.forward()
            group = self._group(wanted.get("ReplicationGroupId"))
            if response[0] != 200 or group is None:
                return response
            view.keep(group, wanted)
            self._run(group)
            self._flush()
            return _rendered(call, group)

    def delete(self, call: Call) -> Response:
        """DeleteReplicationGroup: the record first, then the server."""
        with self._lock:
            group = self._group(call.parameters.get("ReplicationGroupId"))
            response = call.forward()
            if response[0] == 200 and group is not None:
                self._flush()
                self._forget(group)
            return response

    def modify_parameters(self, call: Call) -> Response:
        """A parameter group's change reaches the servers that use it."""
        response = call.forward()
        if response[0] == 200:
            name = call.parameters.get("CacheParameterGroupName")
            self._apply_to(lambda group: group.get("CacheParameterGroupName") == name)
        return response

    def keep_user(self, call: Call) -> Response:
        """CreateUser and ModifyUser: the passwords are kept, for the servers need them."""
        wanted = call.parameters
        rules.check_user(wanted)
        response = call.forward()
        if response[0] != 200:
            return response
        user = emulator.service("elasticache")._users[wanted["UserId"]]
        given = rules.passwords(wanted)
        kind = (wanted.get("AuthenticationMode") or {}).get("Type")
        if given:
            user["_gonogo_passwords"] = given
            user["Authentication"] = {"Type": "password", "PasswordCount": len(given)}
        elif kind == "iam":
            user["_gonogo_passwords"] = []
            user["Authentication"] = {"Type": "iam", "PasswordCount": 0}
        elif wanted.get("NoPasswordRequired") is True or kind == "no-password-required":
            user["_gonogo_passwords"] = []
            user["Authentication"] = {"Type": "no-password", "PasswordCount": 0}
        self._apply_to(lambda group: bool(group.get("UserGroupIds")))
        cache = emulator.service("elasticache")
        return _xml(call, cache._user_xml(user))

    def keep_user_group(self, call: Call) -> Response:
        """CreateUserGroup and ModifyUserGroup: the servers of the group get its users."""
        wanted = call.parameters
        cache = emulator.service("elasticache")
        for name in (*(wanted.get("UserIds") or []), *(wanted.get("UserIdsToAdd") or [])):
            if name not in cache._users and name != "default":
                raise AwsError("UserNotFound", f"User {name} not found.", 404)
        if call.operation.name == "CreateUserGroup" and wanted.get("Engine") != "valkey":
            names = {cache._users[each]["UserName"] for each in wanted.get("UserIds") or []
                     if each in cache._users}  # fmt: skip
            if "default" not in names and "default" not in (wanted.get("UserIds") or []):
                raise AwsError(
                    "DefaultUserRequired", "You must add default user to a user group.", 400
                )
        response = call.forward()
        if response[0] == 200:
            self._apply_to(lambda group: wanted["UserGroupId"] in (group.get("UserGroupIds") or []))
        return response

    def groups(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every replication group with a server here: account, region, record."""
        cache = emulator.service("elasticache")
        for (account, region, _), group in list(cache._replication_groups._data.items()):
            if group.get("_gonogo"):
                yield account, region, group

    def restore(self, group: dict[str, Any], *, unclean: bool) -> list[str]:
        """Bring a group's server back when the emulator starts; what had to be mended."""
        server, name = self._server(group), group["ReplicationGroupId"]
        notes: list[str] = []
        try:
            if not server.exists():
                server.create()
                notes.append(f"The data of cache {name} was gone; it was made anew, empty.")
            elif unclean and not server.is_running():
                notes.append(f"The server of cache {name} was started again.")
            before = _port(group)
            self._run(group)
            if _port(group) != before:
                notes.append(f"Cache {name} listens on port {_port(group)} now, not {before}.")
        except Exception as error:
            logger.exception("cache %s was not restored", name)
            group["Status"] = "create-failed"
            notes.append(f"Cache {name} could not be started: {error}")
        return notes

    def stop_all(self) -> None:
        """End every server; the records stay as they are."""
        for _, _, group in self.groups():
            try:
                self._server(group).stop()
            except StoreError:
                logger.exception("a server did not end")

    def remove_all(self) -> None:
        """End every server and remove all data."""
        for folder in self.root.iterdir() if self.root.exists() else ():
            self._fronts.close(f"cache {folder.name}")
            valkey.Server(folder, valkey.find()).remove()

    def told(self, region: str, group: dict[str, Any]) -> dict[str, Any]:
        """A line of the status."""
        server = self._server(group)
        process = server.process()
        encrypted = bool(group.get("TransitEncryptionEnabled"))
        return {
            "kind": "valkey",
            "name": group["ReplicationGroupId"],
            "region": region,
            "status": group["Status"],
            "asked_version": f"{group.get('Engine')} {group.get('EngineVersion')}",
            "version": server.binary.version,
            "tls": encrypted,
            "tls_ended_by": "sandbox" if encrypted else None,
            "address": "127.0.0.1",
            "port": _port(group),
            "pid": process.pid if process else None,
            "left_out": valkey.left_out(_changed_parameters(group)),
        }

    def _run(self, group: dict[str, Any]) -> None:
        """Start or change the server; the endpoint is where it, or its front, listens."""
        server = self._server(group)
        clustered = bool(group.get("ClusterEnabled"))
        users, settings = users_of(group), _changed_parameters(group)
        name = f"cache {server.folder.name}"
        if not group.get("TransitEncryptionEnabled"):
            self._fronts.close(name)
            server.start(users, settings, cluster_port=server.port if clustered else None)
            view.publish(group, server.port)
            return
        if not (server.folder / "server.crt").exists():
            certificates.server(self.home, server.folder, "cache")
        front = Front(
            "redis", server.port, server.folder / "server.crt", server.folder / "server.key"
        )
        port = self._fronts.open(name, front, _port(group))
        server.start(users, settings, cluster_port=port if clustered else None)
        if server.port != front.backend_port:
            moved = Front("redis", server.port, front.certificate, front.key)
            port = self._fronts.open(name, moved, port)
        view.publish(group, port)
        group["Status"] = "available"

    def _apply_to(self, concerns: Callable[[dict[str, Any]], bool]) -> None:
        cache = emulator.service("elasticache")
        with self._lock:
            for group in cache._replication_groups.values():
                if group.get("_gonogo") and concerns(group):
                    self._server(group).apply(users_of(group), _changed_parameters(group))
            self._flush()

    def _group(self, name: Any) -> dict[str, Any] | None:
        group = emulator.service("elasticache")._replication_groups.get(name)
        return group if group and group.get("_gonogo") else None

    def _server(self, group: dict[str, Any]) -> valkey.Server:
        return valkey.Server(self.root / group["_gonogo"], valkey.find())

    def _forget(self, group: dict[str, Any]) -> None:
        server = self._server(group)
        self._fronts.close(f"cache {server.folder.name}")
        server.remove()

    def _folder(self, call: Call, group: dict[str, Any]) -> str:
        return f"{call.account}-{call.region}-{group['ReplicationGroupId']}"


def users_of(group: dict[str, Any]) -> list[valkey.User]:
    """The users that may connect: those of the user groups, else `default` with the token."""
    cache = emulator.service("elasticache")
    if group.get("UserGroupIds"):
        names = [
            name
            for each in group["UserGroupIds"]
            for name in (cache._user_groups.get(each) or {}).get("UserIds", [])
        ]
        return [_user(cache._users[name]) for name in dict.fromkeys(names) if name in cache._users]
    tokens = tuple(group.get("_auth_tokens") or ())
    optional = bool(group.get("_auth_optional")) or not tokens
    return [valkey.User("default", EVERYTHING, tokens, nopass=optional)]


def _user(record: dict[str, Any]) -> valkey.User:
    kind = record.get("Authentication", {}).get("Type")
    return valkey.User(
        record["UserName"],
        record["AccessString"],
        tuple(record.get("_gonogo_passwords") or ()),
        nopass=kind == "no-password",
    )


def _changed_parameters(group: dict[str, Any]) -> dict[str, str]:
    """The parameters that the group's parameter group sets itself."""
    cache = emulator.service("elasticache")
    parameters = cache._param_group_params.get(group.get("CacheParameterGroupName")) or {}
    return {
        name: str(each["Value"])
        for name, each in parameters.items()
        if each.get("Source") == "user" and each.get("Value") not in (None, "")
    }


def _port(group: dict[str, Any]) -> int:
    shards = group.get("NodeGroups") or [{}]
    endpoint = shards[0].get("PrimaryEndpoint") or {}
    known = endpoint.get("Address") == "127.0.0.1"
    return int(endpoint["Port"]) if known else 0


def _rendered(call: Call, group: dict[str, Any]) -> Response:
    inner = emulator.service("elasticache")._rg_xml(group)
    return _xml(call, f"<ReplicationGroup>{inner}</ReplicationGroup>")


def _xml(call: Call, inner: str) -> Response:
    name = call.operation.name
    response: Response = emulator.service("elasticache")._xml(
        200, f"{name}Response", f"<{name}Result>{inner}</{name}Result>"
    )
    return response
