"""Answers in the form of a call's protocol: a result by the model, or an error."""

from __future__ import annotations

import base64
import datetime
import json
import uuid
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import create_parser

from sandbox.cloud.errors import AwsError

Response = tuple[int, dict[str, str], bytes]


def result(operation: OperationModel, protocol: str, value: dict[str, Any]) -> Response:
    """A successful answer. Members that the model lacks are left out."""
    identifier = str(uuid.uuid4())
    shape = operation.output_shape
    if protocol in ("query", "ec2"):
        return 200, _xml_headers(identifier), _query(operation, protocol, shape, value, identifier)
    if protocol == "json":
        version = operation.service_model.metadata.get("jsonVersion", "1.1")
        headers = {"Content-Type": f"application/x-amz-json-{version}"}
        headers["x-amzn-RequestId"] = identifier
        return 200, headers, _json(shape, value)
    return _rest(shape, protocol, value, identifier)


def error(service: ServiceModel | None, protocol: str, failure: AwsError) -> Response:
    """An error's answer."""
    identifier = str(uuid.uuid4())
    if protocol in ("query", "rest-xml"):
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(failure.code)}</Code>"
            f"<Message>{escape(failure.message)}</Message></Error>"
            f"<RequestId>{identifier}</RequestId></ErrorResponse>"
        )
        if protocol == "rest-xml" and service is not None and service.service_name == "s3":
            text = (
                f"<Error><Code>{escape(failure.code)}</Code><Message>{escape(failure.message)}"
                f"</Message><RequestId>{identifier}</RequestId></Error>"
            )
        return failure.status, _xml_headers(identifier), text.encode()
    if protocol == "ec2":
        text = (
            f"<Response><Errors><Error><Code>{escape(failure.code)}</Code>"
            f"<Message>{escape(failure.message)}</Message></Error></Errors>"
            f"<RequestID>{identifier}</RequestID></Response>"
        )
        return failure.status, _xml_headers(identifier), text.encode()
    version = service.metadata.get("jsonVersion", "1.1") if service else "1.1"
    kind = "application/json" if protocol == "rest-json" else f"application/x-amz-json-{version}"
    headers = {
        "Content-Type": kind,
        "x-amzn-ErrorType": failure.code,
        "x-amzn-RequestId": identifier,
    }
    body = {"__type": failure.code, "message": failure.message, "Message": failure.message}
    return failure.status, headers, json.dumps(body).encode()


def read(operation: OperationModel, protocol: str, response: Response) -> dict[str, Any]:
    """An answer of the emulator as botocore would read it, without the metadata."""
    status, headers, body = response
    parser = create_parser(protocol)
    raw = {"status_code": status, "headers": _lower(headers), "body": body}
    parsed: dict[str, Any] = parser.parse(raw, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _xml_headers(identifier: str) -> dict[str, str]:
    return {"Content-Type": "text/xml", "x-amzn-RequestId": identifier}


def _query(
    operation: OperationModel,
    protocol: str,
    shape: StructureShape | None,
    value: dict[str, Any],
    identifier: str,
) -> bytes:
    name = operation.name
    inner = _members(shape, value, protocol) if shape else ""
    wrapper = shape.serialization.get("resultWrapper") if shape else None
    if protocol == "query":
        wrapper = wrapper or (f"{name}Result" if shape else None)
        if wrapper:
            inner = f"<{wrapper}>{inner}</{wrapper}>"
        inner += f"<ResponseMetadata><RequestId>{identifier}</RequestId></ResponseMetadata>"
    else:
        inner += f"<requestId>{identifier}</requestId>"
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    return f'<{name}Response xmlns="{namespace}">{inner}</{name}Response>'.encode()


def _members(shape: StructureShape, value: dict[str, Any], protocol: str) -> str:
    text = ""
    for name, member in shape.members.items():
        if value.get(name) is None or member.serialization.get("location"):
            continue
        text += _element(str(member.serialization.get("name", name)), member, value[name], protocol)
    return text


def _element(name: str, shape: Shape, value: Any, protocol: str) -> str:
    if isinstance(shape, ListShape):
        flattened = shape.serialization.get("flattened")
        default = "item" if protocol == "ec2" else "member"
        item = str(shape.member.serialization.get("name", name if flattened else default))
        inner = "".join(_element(item, shape.member, each, protocol) for each in value)
        return inner if flattened else f"<{name}>{inner}</{name}>"
    if isinstance(shape, StructureShape):
        return f"<{name}>{_members(shape, value, protocol)}</{name}>"
    if isinstance(shape, MapShape):
        return f"<{name}>{_entries(shape, value, protocol)}</{name}>"
    return f"<{name}>{escape(_text(value))}</{name}>"


def _entries(shape: MapShape, value: dict[str, Any], protocol: str) -> str:
    key_name = str(shape.key.serialization.get("name", "key"))
    value_name = str(shape.value.serialization.get("name", "value"))
    return "".join(
        f"<entry>{_element(key_name, shape.key, key, protocol)}"
        f"{_element(value_name, shape.value, each, protocol)}</entry>"
        for key, each in value.items()
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _json(shape: StructureShape | None, value: dict[str, Any]) -> bytes:
    return json.dumps(_jsonable(shape, value) if shape else {}).encode()


def _jsonable(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            member.serialization.get("name", name): _jsonable(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None and not member.serialization.get("location")
        }
    if isinstance(shape, ListShape):
        return [_jsonable(shape.member, each) for each in value]
    if isinstance(shape, MapShape):
        return {key: _jsonable(shape.value, each) for key, each in value.items()}
    if isinstance(value, datetime.datetime):
        as_text = shape.serialization.get("timestampFormat") == "iso8601"
        return _text(value) if as_text else value.timestamp()
    return _text(value) if isinstance(value, bytes) else value


def _rest(
    shape: StructureShape | None, protocol: str, value: dict[str, Any], identifier: str
) -> Response:
    kind = "application/json" if protocol == "rest-json" else "text/xml"
    headers = {"Content-Type": kind, "x-amzn-RequestId": identifier}
    status = 200
    for name, member in shape.members.items() if shape else ():
        location = member.serialization.get("location")
        wire_name = str(member.serialization.get("name", name))
        if location == "header" and value.get(name) is not None:
            headers[wire_name] = _text(value[name])
        elif location == "statusCode" and isinstance(value.get(name), int):
            status = value[name]
    if shape is None:
        return status, headers, b"" if protocol == "rest-xml" else b"{}"
    payload = shape.serialization.get("payload")
    if payload is None:
        if protocol == "rest-json":
            return status, headers, _json(shape, value)
        text = f"<{shape.name}>{_members(shape, value, protocol)}</{shape.name}>"
        return status, headers, text.encode()
    return status, headers, _payload(shape.members[payload], payload, protocol, value.get(payload))


def _payload(member: Shape, name: str, protocol: str, content: Any) -> bytes:
    if content is None:
        return b""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    if protocol == "rest-json":
        return json.dumps(_jsonable(member, content)).encode()
    wire_name = str(member.serialization.get("name", name))
    return _element(wire_name, member, content, protocol).encode()
