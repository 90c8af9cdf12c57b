"""botocore's models: which service and operation a request is for.

AWS signs each request with a service's signing name; the model's folder often has another one.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

# Signing name → botocore's name, where they differ. The API version tells elb from elbv2.
SERVICE_OF_SIGNING_NAME = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "email": "sesv2",
    "tagging": "resourcegroupstaggingapi",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "aoss": "opensearchserverless",
    "es": "opensearch",
    "airflow": "mwaa",
    "kafka": "kafka",
    "cloudhsm": "cloudhsmv2",
    "aps": "amp",
    "servicecatalog": "servicecatalog",
    "execute-api": "apigatewaymanagementapi",
    "mobiletargeting": "pinpoint",
    "iotdata": "iot-data",
    "awsssoportal": "sso",
}
_CREDENTIAL = re.compile(r"Credential=[^/]+/[^/]+/(?P<region>[^/]+)/(?P<service>[^/]+)/")


@dataclass(frozen=True)
class Request:
    """One HTTP request to the emulator, as MiniStack's handlers take it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, list[str]]

    def with_body(self, body: bytes) -> Request:
        """The same request with another body."""
        return replace(self, body=body)

    @functools.cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form body and of the query string, the first value of each."""
        fields = {name: values[0] for name, values in self.query.items() if values}
        if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            text = self.body.decode("utf-8", "replace")
            fields.update({k: v[0] for k, v in parse_qs(text, keep_blank_values=True).items()})
        return fields


def signing_name(request: Request) -> str | None:
    """The service that the request is signed for, or None when it is not signed."""
    match = _CREDENTIAL.search(request.headers.get("authorization", ""))
    if match:
        return match["service"]
    credential = request.query.get("X-Amz-Credential", [""])[0].split("/")
    return credential[3] if len(credential) == 5 else None


def service_of(request: Request) -> ServiceModel | None:
    """The model of the request's service, or None when botocore has none."""
    name = signing_name(request)
    if name is None:
        return None
    service = SERVICE_OF_SIGNING_NAME.get(name, name)
    if service == "elbv2" and request.form.get("Version") == "2012-06-01":
        service = "elb"
    return model(service)


@functools.lru_cache(maxsize=64)
def model(service: str) -> ServiceModel | None:
    """botocore's model of a service."""
    try:
        data: dict[str, Any] = _LOADER.load_service_model(service, "service-2")
    except (DataNotFoundError, UnknownServiceError):
        return None
    return ServiceModel(data, service)


def protocol_of(service: ServiceModel, request: Request) -> str:
    """The protocol that this request speaks; a service may speak several."""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    protocol = str(service.metadata.get("protocol", ""))
    spoken = [protocol, *service.metadata.get("protocols", [])]
    if "x-amz-target" in request.headers and "json" in spoken:
        return "json"
    if "Action" in request.form:
        return next((each for each in spoken if each in ("query", "ec2")), protocol)
    return protocol


def operation_of(service: ServiceModel, request: Request) -> OperationModel | None:
    """The operation that the request calls, or None when the model has no such."""
    name: str | None
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        name = request.path.rpartition("/operation/")[2]
    elif "x-amz-target" in request.headers:
        name = request.headers["x-amz-target"].rpartition(".")[2]
    elif protocol_of(service, request) in ("query", "ec2"):
        name = request.form.get("Action")
    else:
        matched = match_route(service, request)
        name = matched[0] if matched else None
    if not name or name not in service.operation_names:
        return None
    return service.operation_model(name)


def match_route(service: ServiceModel, request: Request) -> tuple[str, dict[str, str]] | None:
    """The operation whose method and path fit best, with the values of its path's labels."""
    path = request.path.rstrip("/") or "/"
    for name, method, pattern, wanted in _routes(service.service_name):
        if method != request.method or any(
            key not in request.query or (value and request.query[key][0] != value)
            for key, value in wanted.items()
        ):
            continue
        found = pattern.fullmatch(path)
        if found:
            return name, {label: unquote(value) for label, value in _labels(found).items()}
    return None


@functools.lru_cache(maxsize=64)
def _routes(service_name: str) -> list[tuple[str, str, re.Pattern[str], dict[str, str]]]:
    service = model(service_name)
    routes: list[tuple[int, tuple[str, str, re.Pattern[str], dict[str, str]]]] = []
    for name in service.operation_names if service else ():
        http = service.operation_model(name).http if service else {}
        path, _, query = str(http.get("requestUri", "/")).partition("?")
        wanted = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
        pattern, fixed = _pattern(path.rstrip("/") or "/")
        weight = fixed + 100 * len(wanted)
        routes.append((weight, (name, str(http.get("method", "POST")), pattern, wanted)))
    routes.sort(key=lambda each: -each[0])
    return [route for _, route in routes]


def _pattern(path: str) -> tuple[re.Pattern[str], int]:
    """A path with `{Label}` and `{Label+}` as an expression; the second is its fixed length."""
    parts = re.split(r"\{([^}]+)\}", path)
    expression, fixed = "", 0
    for index, part in enumerate(parts):
        if index % 2 == 0:
            expression += re.escape(part)
            fixed += len(part)
        else:
            group = part.rstrip("+").encode().hex()
            expression += f"(?P<x{group}>{'.+' if part.endswith('+') else '[^/]+'})"
    return re.compile(expression), fixed


def _labels(found: re.Match[str]) -> dict[str, str]:
    return {bytes.fromhex(key[1:]).decode(): value for key, value in found.groupdict().items()}


_LOADER = Loader()
