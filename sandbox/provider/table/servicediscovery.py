"""Cloud Map: private zones, and the registries of services in them."""

from __future__ import annotations

import time
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import ProviderError
from sandbox.provider.resource import Find, Op, ResourceType, Step
from sandbox.provider.table.common import arn_tags, lone, named

_DONE_SECONDS: Final = 20.0
_TAGS: Final = arn_tags(
    "ResourceARN", "TagResource", "UntagResource", "ListTagsForResource", path="Tags"
)
_CREATE_NAMESPACE: Final = Op("CreatePrivateDnsNamespace")


def _done(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """Cloud Map makes namespaces by and by: the operation when it has ended."""
    deadline = time.monotonic() + _DONE_SECONDS
    while True:
        found = call.aws("GetOperation", {"OperationId": answer["OperationId"]})
        operation: dict[str, Any] = found["Operation"]
        if operation["Status"] == "SUCCESS":
            return operation
        if operation["Status"] == "FAIL" or time.monotonic() > deadline:
            reason = operation.get("ErrorMessage", operation["Status"])
            raise ProviderError(f"waiting for a Cloud Map namespace: {reason}")
        time.sleep(0.1)


def _create_namespace(call: Call) -> dict[str, Any]:
    params = call.tagged(call.build(_CREATE_NAMESPACE))
    return _done(call, call.aws("CreatePrivateDnsNamespace", params))


def _delete_namespace(call: Call) -> None:
    _done(call, call.aws("DeleteNamespace", {"Id": call.id}))


PRIVATE_DNS_NAMESPACE: Final = ResourceType(
    pulumi_type="aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
    title="Service Discovery Private DNS Namespace",
    service="servicediscovery",
    create=Step(_create_namespace, base=_CREATE_NAMESPACE),
    id="Targets.NAMESPACE",
    read=lone("GetNamespace", {"Id": "{id}"}, result="Namespace"),
    delete=Step(_delete_namespace),
    replace=("name", "vpc", "description"),
    name="name",
    output={"hostedZone": "Properties.DnsProperties.HostedZoneId"},
    unread=("vpc",),
    tags=_TAGS,
    checks={"name": named(r"[!-~]+", 253, "expected the name of a zone")},
    gone=("NamespaceNotFound",),
    find=Find(lone("ListNamespaces", {}, result="Namespaces"), "Id", ("name",)),
)

_CREATE_SERVICE: Final = Op("CreateService")


def _create_service(call: Call) -> dict[str, Any]:
    """The namespace is given within dnsConfig, where it is deprecated, or beside it."""
    params = call.tagged(call.build(_CREATE_SERVICE))
    if "DnsConfig" in params:
        params.setdefault("NamespaceId", params["DnsConfig"].get("NamespaceId"))
    return call.aws("CreateService", params)


SERVICE: Final = ResourceType(
    pulumi_type="aws:servicediscovery/service:Service",
    title="Service Discovery Service",
    service="servicediscovery",
    create=Step(_create_service, base=_CREATE_SERVICE),
    id="Service.Id",
    read=lone("GetService", {"Id": "{id}"}, result="Service"),
    delete=lone("DeleteService", {"Id": "{id}"}),
    replace=("*",),
    name="name",
    name_max=127,
    defaults={"forceDestroy": False},
    update_only=("forceDestroy",),
    local=("forceDestroy",),
    computed=("namespaceId", "type"),
    output={"namespaceId": "NamespaceId"},
    tags=_TAGS,
    checks={"name": named(r"[A-Za-z0-9_.-]+", 127, "expected letters, digits, - and _")},
    gone=("ServiceNotFound",),
    find=Find(lone("ListServices", {}, result="Services"), "Id", ("name",)),
)

ROWS: Final = (PRIVATE_DNS_NAMESPACE, SERVICE)
