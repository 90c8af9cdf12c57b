"""Elastic Load Balancing v2: target groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Find, Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import between, lone, one_of
from sandbox.provider.table.elb_common import NAME, TAGS, attributes, suffix, text

_GROUP: Final = {
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "preserveClientIp": "preserve_client_ip.enabled",
    "proxyProtocolV2": "proxy_protocol_v2.enabled",
    "slowStart": "slow_start.duration_seconds",
}
_HEALTH: Final = {
    "healthCheck.enabled": "HealthCheckEnabled",
    "healthCheck.healthyThreshold": "HealthyThresholdCount",
    "healthCheck.interval": "HealthCheckIntervalSeconds",
    "healthCheck.matcher": "Matcher.HttpCode",
    "healthCheck.path": "HealthCheckPath",
    "healthCheck.port": "HealthCheckPort",
    "healthCheck.protocol": "HealthCheckProtocol",
    "healthCheck.timeout": "HealthCheckTimeoutSeconds",
    "healthCheck.unhealthyThreshold": "UnhealthyThresholdCount",
}


def _health(call: Call) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for path, member in _HEALTH.items():
        value = (call.inputs.get("healthCheck") or {}).get(path.split(".")[1])
        if value is None or value == "":
            continue
        if member == "Matcher.HttpCode":
            grpc = call.inputs.get("protocolVersion") == "GRPC"
            params["Matcher"] = {"GrpcCode" if grpc else "HttpCode": value}
        else:
            params[member] = value
    return params


_CREATE_GROUP: Final = Op("CreateTargetGroup")


def _create_group(call: Call) -> dict[str, Any]:
    params = {**call.build(_CREATE_GROUP), **_health(call)}
    return call.aws("CreateTargetGroup", call.tagged(params))


def _modify_group(call: Call) -> None:
    call.aws("ModifyTargetGroup", {"TargetGroupArn": call.id, **_health(call)})


def _group_attributes(call: Call) -> None:
    wanted: dict[str, str] = {}
    names = call.changed if call.old else frozenset(call.inputs)
    for name, attribute in _GROUP.items():
        if name in names and call.inputs.get(name) is not None:
            wanted[attribute] = text(call.inputs[name])
    if "stickiness" in names:
        sticky = call.inputs.get("stickiness") or {}
        wanted["stickiness.enabled"] = text(bool(sticky.get("enabled", bool(sticky))))
        if sticky:
            wanted["stickiness.type"] = sticky["type"]
        if sticky.get("type") == "lb_cookie":
            seconds = sticky.get("cookieDuration", 86400)
            wanted["stickiness.lb_cookie.duration_seconds"] = text(seconds)
        if sticky.get("type") == "app_cookie":
            seconds = sticky.get("cookieDuration", 86400)
            wanted["stickiness.app_cookie.duration_seconds"] = text(seconds)
            wanted["stickiness.app_cookie.cookie_name"] = sticky.get("cookieName", "")
    if wanted:
        call.aws(
            "ModifyTargetGroupAttributes",
            {"TargetGroupArn": call.id, "Attributes": attributes(wanted)},
        )


def _read_group(call: Call) -> Any:
    answer = call.aws("DescribeTargetGroups", {"TargetGroupArns": [call.id]})
    found = lookup(answer, "TargetGroups[0]")
    if found is MISSING:
        return found
    found = dict(found)
    check = {}
    for path, member in _HEALTH.items():
        value = lookup(found, member)
        if value is MISSING and member == "Matcher.HttpCode":
            value = lookup(found, "Matcher.GrpcCode")
        if value is not MISSING:
            check[path.split(".")[1]] = value
    found["healthCheck"] = check
    answer = call.aws("DescribeTargetGroupAttributes", {"TargetGroupArn": call.id})
    values = {entry["Key"]: entry.get("Value") for entry in answer["Attributes"]}
    for name, attribute in _GROUP.items():
        if values.get(attribute) not in (None, ""):
            found[name] = values[attribute]
    return found


def _matcher(value: str) -> bool:
    return all(
        re.fullmatch(r"\d{1,3}(-\d{1,3})?", part.strip()) is not None for part in value.split(",")
    )


def _valid_group(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = inputs.get("targetType", "instance")
    if kind != "lambda":
        for name in ("port", "protocol", "vpcId"):
            if inputs.get(name) is None:
                yield name, f"has to be given for the target type {kind}"
    check = inputs.get("healthCheck")
    if not isinstance(check, Mapping):
        return
    interval, timeout = check.get("interval"), check.get("timeout")
    if isinstance(interval, int) and isinstance(timeout, int) and timeout >= interval:
        yield (
            "healthCheck.timeout",
            f"{timeout} seconds have to be less than the interval of {interval} seconds",
        )
    limits = {
        "interval": (5, 300),
        "timeout": (2, 120),
        "healthyThreshold": (2, 10),
        "unhealthyThreshold": (2, 10),
    }
    for name, (low, high) in limits.items():
        value = check.get(name)
        if isinstance(value, int) and not low <= value <= high:
            yield f"healthCheck.{name}", f"expected {low} to {high}, got {value}"
    path = check.get("path")
    if isinstance(path, str) and path and not path.startswith("/"):
        yield "healthCheck.path", f"{path!r} has to begin with /"
    matcher = check.get("matcher")
    if isinstance(matcher, str) and matcher and not _matcher(matcher):
        yield "healthCheck.matcher", f"{matcher!r} is not a list of codes like 200,301-302"


TARGET_GROUP: Final = ResourceType(
    pulumi_type="aws:lb/targetGroup:TargetGroup",
    title="ELBv2 Target Group",
    service="elbv2",
    create=Step(_create_group, ("healthCheck",), base=_CREATE_GROUP),
    id="TargetGroups[0].TargetGroupArn",
    read=Step(_read_group),
    update=(
        Step(_modify_group, watches=("healthCheck",), at_create=False),
        Step(_group_attributes, (*_GROUP, "stickiness")),
    ),
    delete=lone("DeleteTargetGroup", {"TargetGroupArn": "{id}"}),
    replace=(
        "name",
        "port",
        "protocol",
        "protocolVersion",
        "targetType",
        "vpcId",
        "ipAddressType",
        "targetControlPort",
    ),
    name="name",
    name_max=32,
    defaults={
        "deregistrationDelay": 300,
        "lambdaMultiValueHeadersEnabled": False,
        "proxyProtocolV2": False,
        "slowStart": 0,
        "targetType": "instance",
    },
    computed=(
        "healthCheck",
        "ipAddressType",
        "loadBalancingAlgorithmType",
        "loadBalancingAnomalyMitigation",
        "loadBalancingCrossZoneEnabled",
        "preserveClientIp",
        "protocolVersion",
        "stickiness",
    ),
    rename={
        "name": "TargetGroupName",
        "healthCheck": "healthCheck",
        **{name: name for name in _GROUP},
    },
    output={"arn": "={id}", "arnSuffix": suffix("targetgroup")},
    unread=("stickiness", "lambdaMultiValueHeadersEnabled", "proxyProtocolV2"),
    tags=TAGS,
    checks={
        "name": NAME,
        "port": between(1, 65535),
        "deregistrationDelay": between(0, 3600, "seconds"),
        "targetType": one_of("instance", "ip", "lambda", "alb"),
        "loadBalancingAlgorithmType": one_of(
            "round_robin", "least_outstanding_requests", "weighted_random"
        ),
        "slowStart": lambda value: (
            None
            if value == 0 or 30 <= value <= 900
            else f"expected 0 or 30 to 900 seconds, got {value}"
        ),
    },
    rules=(_valid_group,),
    find=Find(
        lone("DescribeTargetGroups", {"Names": ["{name}"]}, result="TargetGroups"),
        "TargetGroupArn",
        ("name",),
    ),
)

ROWS: Final = (TARGET_GROUP,)
