"""A request's parameters, as botocore's model names and types them: the server's side of it."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import parse_timestamp

from sandbox.cloud.errors import AwsError
from sandbox.cloud.models import Request, match_route, protocol_of

READ_PROTOCOLS = ("query", "ec2", "json", "rest-json", "rest-xml")


def parameters(operation: OperationModel, request: Request) -> dict[str, Any]:
    """The call's parameters by the model's member names.

    Raises AwsError for a body that is not of the protocol, or a protocol that is not read here.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    protocol = protocol_of(operation.service_model, request)
    if protocol in ("query", "ec2"):
        return _from_form(shape, request.form, protocol)
    if protocol == "json":
        return dict(_from_json(shape, _json(request.body)))
    if protocol in ("rest-json", "rest-xml"):
        return _from_rest(operation, shape, request, protocol)
    raise AwsError("SerializationException", f"The sandbox does not read the protocol {protocol}.")


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", "The request's body is not JSON.") from error
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "The request's body is not a JSON object.")
    return value


def _from_json(shape: Shape, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            return value
        return _members_of_json(shape, value)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_from_json(shape.member, each) for each in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _from_json(shape.value, each) for key, each in value.items()}
    return _scalar_of_json(shape, value)


def _members_of_json(shape: StructureShape, value: dict[str, Any]) -> dict[str, Any]:
    named = {member.serialization.get("name", key): key for key, member in shape.members.items()}
    found: dict[str, Any] = {}
    for wire_name, each in value.items():
        name = named.get(wire_name, wire_name)
        if each is not None:
            member = shape.members.get(name)
            found[name] = _from_json(member, each) if member is not None else each
    return found


def _scalar_of_json(shape: Shape, value: Any) -> Any:
    if shape.type_name == "blob" and isinstance(value, str):
        return _bytes(value)
    if shape.type_name == "timestamp":
        return _time(value)
    if shape.type_name in ("float", "double") and isinstance(value, int):
        return float(value)
    return value


def _from_form(shape: Shape, fields: dict[str, str], protocol: str) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in fields.items():
        place = nested
        *parents, last = name.split(".")
        for parent in parents:
            following = place.setdefault(parent, {})
            if not isinstance(following, dict):
                following = place[parent] = {}
            place = following
        place[last] = value
    found = _of_form(shape, nested, protocol)
    return found if isinstance(found, dict) else {}


def _of_form(shape: Shape, value: Any, protocol: str) -> Any:
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            return value
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            for key in _form_names(name, member, protocol):
                if key in value:
                    found[name] = _of_form(member, value[key], protocol)
                    break
        return found
    if isinstance(shape, ListShape):
        return [_of_form(shape.member, each, protocol) for each in _numbered(shape, value)]
    if isinstance(shape, MapShape):
        return _map_of_form(shape, value, protocol)
    return _scalar_of_text(shape, value)


def _form_names(name: str, member: Shape, protocol: str) -> list[str]:
    """The names that a member may have in a form; EC2 writes the first letter large."""
    given = member.serialization.get("name", name)
    if protocol == "ec2":
        query_name = member.serialization.get("queryName")
        return [query_name] if query_name else [given[:1].upper() + given[1:], name]
    item = ""
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        item = str(member.member.serialization.get("name", ""))
    return [each for each in (item, given, name) if each]


def _numbered(shape: ListShape, value: Any) -> list[Any]:
    if not isinstance(value, dict):
        return [] if value == "" else [value]
    for name in ("member", str(shape.member.serialization.get("name", "member"))):
        if isinstance(value.get(name), dict):
            value = value[name]
            break
    return [value[key] for key in sorted((k for k in value if k.isdigit()), key=int)]


def _map_of_form(shape: MapShape, value: Any, protocol: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    entries = value.get("entry", value)
    key_name = str(shape.key.serialization.get("name", "key"))
    value_name = str(shape.value.serialization.get("name", "value"))
    return {
        str(entries[number][key_name]): _of_form(
            shape.value, entries[number].get(value_name, ""), protocol
        )
        for number in sorted((k for k in entries if k.isdigit()), key=int)
        if isinstance(entries[number], dict) and key_name in entries[number]
    }


def _from_rest(
    operation: OperationModel, shape: StructureShape, request: Request, protocol: str
) -> dict[str, Any]:
    route = match_route(operation.service_model, request)
    labels = route[1] if route else {}
    payload = shape.serialization.get("payload")
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = _rest_member(name, member, request, labels)
        if value is not None:
            found[name] = value
    if payload:
        body = _rest_body(shape.members[payload], request.body, protocol)
        if body is not None:
            found[payload] = body
    elif request.body:
        rest = _rest_body(shape, request.body, protocol)
        found.update({key: each for key, each in (rest or {}).items() if key not in found})
    return found


def _rest_member(name: str, member: Shape, request: Request, labels: dict[str, str]) -> Any:
    location = member.serialization.get("location")
    wire_name = str(member.serialization.get("name", name))
    if location == "uri":
        return _scalar_of_text(member, labels[wire_name]) if wire_name in labels else None
    if location == "querystring" and wire_name in request.query:
        values = request.query[wire_name]
        if isinstance(member, ListShape):
            return [_scalar_of_text(member.member, each) for each in values]
        return _scalar_of_text(member, values[0])
    if location == "header" and wire_name.lower() in request.headers:
        return _scalar_of_text(member, request.headers[wire_name.lower()])
    return None


def _rest_body(shape: Shape, body: bytes, protocol: str) -> Any:
    if shape.type_name == "blob":
        return body
    if shape.type_name == "string":
        return body.decode("utf-8", "replace")
    if not body:
        return None
    if protocol == "rest-json":
        return _from_json(shape, _json(body))
    try:
        # Only this machine's own clients speak here; expat itself loads nothing from outside.
        root = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError as error:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed") from error
    return _of_xml(shape, root)


def _of_xml(shape: Shape, node: ElementTree.Element) -> Any:
    if isinstance(shape, StructureShape):
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            wire_name = str(member.serialization.get("name", name))
            if isinstance(member, ListShape) and member.serialization.get("flattened"):
                wire_name = str(member.member.serialization.get("name", wire_name))
            nodes = [child for child in node if _local(child) == wire_name]
            if nodes:
                found[name] = _member_of_xml(member, nodes)
        return found
    if isinstance(shape, ListShape):
        return [_of_xml(shape.member, child) for child in node]
    return _scalar_of_text(shape, node.text or "")


def _member_of_xml(member: Shape, nodes: list[ElementTree.Element]) -> Any:
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        return [_of_xml(member.member, each) for each in nodes]
    return _of_xml(member, nodes[0])


def _local(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _scalar_of_text(shape: Shape, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    reader = _READERS.get(shape.type_name)
    try:
        return reader(value) if reader else value
    except ValueError:
        return value  # the validation says what is wrong with it


def _boolean(value: str) -> bool | str:
    return {"true": True, "false": False}.get(value.lower(), value)


def _bytes(value: str) -> bytes | str:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value


def _time(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value
    try:
        return parse_timestamp(value)
    except (ValueError, TypeError, OverflowError):
        return value


_READERS: dict[str, Callable[[str], Any]] = {
    "boolean": _boolean, "integer": int, "long": int, "float": float, "double": float,
    "blob": _bytes, "timestamp": _time,
}  # fmt: skip
