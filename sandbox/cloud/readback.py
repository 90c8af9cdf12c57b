"""What was set reads back as it was set, where MiniStack keeps less than AWS.

A row of `ROWS` names a structure of a service's model, the member that identifies it, the
members to keep and the calls that set, change and show it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from sandbox.cloud import answer
from sandbox.cloud.answer import Response
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.recorded import plain


@dataclass(frozen=True)
class Row:
    """One structure whose members are kept.

    `members` maps a parameter to the structure's member; `derive` makes members from the
    parameters where names alone do not. `modifiers` maps a call to its identifying parameter.
    """

    service: str
    structure: str
    identity: str
    creators: tuple[str, ...]
    readers: tuple[str, ...]
    modifiers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    derive: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    def kept(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The members that a call's parameters set."""
        found = {
            member: plain(wanted[name])
            for name, member in self.members.items()
            if wanted.get(name) is not None
        }
        return {**found, **(self.derive(wanted) if self.derive else {})}


def same(*names: str) -> dict[str, str]:
    """Parameters whose members have the same name."""
    return {name: name for name in names}


def _groups(wanted: dict[str, Any]) -> dict[str, Any]:
    ids = wanted.get("SecurityGroupIds") or []
    return {"Groups": [{"GroupId": each} for each in ids]} if ids else {}


def _flow_log_tags(wanted: dict[str, Any]) -> dict[str, Any]:
    tags = [tag for each in wanted.get("TagSpecifications") or [] for tag in each.get("Tags", [])]
    return {"Tags": tags} if tags else {}


def _forwards(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def derive(wanted: dict[str, Any]) -> dict[str, Any]:
        actions = [_completed(action) for action in wanted.get(name) or []]
        return {name: actions} if actions else {}

    return derive


def _completed(action: dict[str, Any]) -> dict[str, Any]:
    """AWS shows a forward to one target group in both of its forms."""
    if action.get("Type") != "forward":
        return action
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    shown = {**action, "ForwardConfig": {
        "TargetGroupStickinessConfig": {"Enabled": False},
        **(action.get("ForwardConfig") or {}),
        "TargetGroups": groups,
    }}  # fmt: skip
    if len(groups) == 1:
        shown["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return shown


ROWS = (
    Row(
        "ec2", "VpcEndpoint", "VpcEndpointId", ("CreateVpcEndpoint",), ("DescribeVpcEndpoints",),
        {"ModifyVpcEndpoint": "VpcEndpointId"},
        same("PolicyDocument", "PrivateDnsEnabled", "IpAddressType"), _groups,
    ),
    Row(
        "ec2", "FlowLog", "FlowLogId", ("CreateFlowLogs",), ("DescribeFlowLogs",), {},
        same("MaxAggregationInterval", "LogGroupName", "LogFormat", "DeliverLogsPermissionArn",
             "LogDestination", "LogDestinationType"), _flow_log_tags,
    ),
    Row(
        "elbv2", "TargetGroup", "TargetGroupArn", ("CreateTargetGroup",),
        ("DescribeTargetGroups",), {}, same("ProtocolVersion", "IpAddressType"),
    ),
    Row(
        "elbv2", "Rule", "RuleArn", ("CreateRule",), ("DescribeRules",),
        {"ModifyRule": "RuleArn"}, {}, _forwards("Actions"),
    ),
    Row(
        "elbv2", "Listener", "ListenerArn", ("CreateListener",), ("DescribeListeners",),
        {"ModifyListener": "ListenerArn"}, {}, _forwards("DefaultActions"),
    ),
    Row(
        "acm", "CertificateDetail", "CertificateArn", ("RequestCertificate",),
        ("DescribeCertificate",), {}, same("KeyAlgorithm", "Options"),
    ),
    Row(
        "ecs", "Service", "serviceArn", ("CreateService",), ("DescribeServices",),
        {"UpdateService": "service"}, same("availabilityZoneRebalancing"),
    ),
)  # fmt: skip

Kept = dict[str, dict[str, Any]]


class Readback:
    """The kept members of every structure."""

    def __init__(self) -> None:
        self._kept: Kept = {}
        self._lock = threading.Lock()

    def handlers(self) -> Iterator[tuple[str, dict[str, Handler]]]:
        """The operations that are answered here, by service."""
        for row in ROWS:
            named: dict[str, Handler] = {}
            for operation in (*row.creators, *row.readers, *row.modifiers):
                named[operation] = self._handler(row, operation)
            yield row.service, named

    def state(self) -> Kept:
        """For saving."""
        with self._lock:
            return {key: dict(value) for key, value in self._kept.items()}

    def restore(self, state: Kept) -> None:
        """After loading."""
        with self._lock:
            self._kept = state

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _handler(self, row: Row, operation: str) -> Handler:
        def handle(call: Call) -> Response:
            response = call.forward()
            shape = call.operation.output_shape
            if response[0] >= 300 or shape is None:
                return response
            value = answer.read(call.operation, call.protocol, response)
            if operation in row.creators:
                for identity in _identities(row, shape, value):
                    self._keep(call, row, identity, replace=True)
            elif operation in row.modifiers:
                for identity in _identities(row, shape, value) or [
                    str(call.parameters.get(row.modifiers[operation]))
                ]:
                    self._keep(call, row, identity, replace=False)
            if not self._complete(call, row, shape, value):
                return response
            return call.result(value)

        return handle

    def _keep(self, call: Call, row: Row, identity: str, *, replace: bool) -> None:
        key = f"{call.account}/{call.region}/{row.service}/{identity}"
        members = row.kept(call.parameters)
        with self._lock:
            self._kept[key] = members if replace else {**self._kept.get(key, {}), **members}

    def _complete(self, call: Call, row: Row, shape: Shape, value: Any) -> bool:
        """Fill in what is kept; True when something was filled in."""
        changed = False
        for structure in _structures(row.structure, shape, value):
            key = f"{call.account}/{call.region}/{row.service}/{structure.get(row.identity)}"
            for name, kept in self._kept.get(key, {}).items():
                if structure.get(name) != kept:
                    structure[name] = kept
                    changed = True
        return changed


def _identities(row: Row, shape: Shape, value: Any) -> list[str]:
    """The identities of the structures in an answer, or those that the answer names alone."""
    found = [
        str(structure[row.identity])
        for structure in _structures(row.structure, shape, value)
        if row.identity in structure
    ]
    if found:
        return found
    alone = value.get(row.identity) or value.get(f"{row.identity}s") or []
    return [str(each) for each in (alone if isinstance(alone, list) else [alone])]


def _structures(name: str, shape: Shape, value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        if shape.name == name:
            yield value
        for member, inner in shape.members.items():
            if member in value:
                yield from _structures(name, inner, value[member])
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for each in value:
            yield from _structures(name, shape.member, each)
