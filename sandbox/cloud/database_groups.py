"""DB parameter groups that reach the running servers."""

from __future__ import annotations

import re
from typing import Any

from sandbox.cloud import emulator
from sandbox.cloud.answer import Response
from sandbox.cloud.database_servers import DatabaseServers, group_parameters
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.errors import AwsError
from sandbox.stores import postgres_binaries
from sandbox.stores.placement import data_root
from sandbox.stores.postgres_binaries import Installation
from sandbox.stores.postgres_parameters import FORCE_TLS, is_static, problem, settings


class ParameterGroups:
    """ModifyDBParameterGroup and ResetDBParameterGroup, checked and applied."""

    def __init__(self, servers: DatabaseServers) -> None:
        self._servers = servers

    def handlers(self) -> dict[str, Handler]:
        """The operations that are answered here."""
        return {
            "ModifyDBParameterGroup": self.modify,
            "ResetDBParameterGroup": self.reset,
            "DeleteDBParameterGroup": self.delete,
        }

    def modify(self, call: Call) -> Response:
        """Refuse what AWS refuses; apply what is immediate to the group's servers."""
        name = str(call.parameters.get("DBParameterGroupName"))
        changes = call.parameters.get("Parameters") or []
        group = emulator.service("rds")._param_groups.get(name)
        if group and str(group["DBParameterGroupFamily"]).startswith("postgres"):
            installation = self._installation()
            for change in changes:
                _check(installation, str(group["DBParameterGroupFamily"]), change)
        response = call.forward()
        if response[0] == 200:
            self._apply(name, changes)
        return response

    def reset(self, call: Call) -> Response:
        """A reset value is the engine's default again."""
        name = str(call.parameters.get("DBParameterGroupName"))
        before = dict((emulator.service("rds")._param_groups.get(name) or {}).get("Parameters", {}))
        response = call.forward()
        if response[0] == 200:
            after = emulator.service("rds")._param_groups[name].get("Parameters", {})
            gone = [key for key in before if key not in after]
            self._apply(name, [{"ParameterName": key, "ApplyMethod": "immediate"} for key in gone])
        return response

    def delete(self, call: Call) -> Response:
        """A group that an instance uses stays."""
        name = str(call.parameters.get("DBParameterGroupName"))
        if self._servers.of_group(name):
            raise AwsError(
                "InvalidDBParameterGroupState",
                "One or more database instances are still members of this parameter group"
                f" {name}, so the group cannot be deleted",
            )
        return call.forward()

    def _apply(self, group: str, changes: list[dict[str, Any]]) -> None:
        installation = self._installation()
        for instance in self._servers.of_group(group):
            held = dict(instance.get("_gonogo_parameters") or {})
            wanted = group_parameters(instance)
            waits = False
            for change in changes:
                name = str(change.get("ParameterName"))
                if is_static(installation, name) or change.get("ApplyMethod") == "pending-reboot":
                    waits = waits or held.get(name) != wanted.get(name)
                elif name in wanted:
                    held[name] = wanted[name]
                else:
                    held.pop(name, None)
            self._servers.configure(instance, held)
            self._servers.reload(instance)
            if waits:
                instance["DBParameterGroups"][0]["ParameterApplyStatus"] = "pending-reboot"

    def _installation(self) -> Installation:
        return postgres_binaries.find(data_root(self._servers.home))


def _check(installation: Installation, family: str, change: dict[str, Any]) -> None:
    name = str(change.get("ParameterName"))
    value = change.get("ParameterValue")
    known = name.lower() in settings(installation) or "." in name
    if not known and family == f"postgres{installation.major}":
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
    if value is not None:
        trouble = problem(installation, name, str(value))
        if trouble:
            raise AwsError(
                "InvalidParameterValue", f"Invalid parameter value: {value} for: {name} {trouble}"
            )
    immediate = change.get("ApplyMethod") == "immediate"
    if immediate and name != FORCE_TLS and is_static(installation, name):
        raise AwsError(
            "InvalidParameterCombination",
            "cannot use immediate apply method for static parameter",
        )
    if not re.fullmatch(r"[A-Za-z0-9_.]+", name):
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
