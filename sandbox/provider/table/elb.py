"""Elastic Load Balancing v2: load balancers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Find, Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import between, lone, one_of
from sandbox.provider.table.elb_common import NAME, TAGS, attributes, suffix, text

#: property → attribute of a load balancer, and what AWS has when nothing is said
_BALANCER: Final[Mapping[str, tuple[str, Any]]] = {
    "clientKeepAlive": ("client_keep_alive.seconds", 3600),
    "desyncMitigationMode": ("routing.http.desync_mitigation_mode", "defensive"),
    "dnsRecordClientRoutingPolicy": (
        "dns_record.client_routing_policy",
        "any_availability_zone",
    ),
    "dropInvalidHeaderFields": ("routing.http.drop_invalid_header_fields.enabled", False),
    "enableCrossZoneLoadBalancing": ("load_balancing.cross_zone.enabled", False),
    "enableDeletionProtection": ("deletion_protection.enabled", False),
    "enableHttp2": ("routing.http2.enabled", True),
    "enableTlsVersionAndCipherSuiteHeaders": (
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        False,
    ),
    "enableWafFailOpen": ("waf.fail_open.enabled", False),
    "enableXffClientPort": ("routing.http.xff_client_port.enabled", False),
    "enableZonalShift": ("zonal_shift.config.enabled", False),
    "idleTimeout": ("idle_timeout.timeout_seconds", 60),
    "preserveHostHeader": ("routing.http.preserve_host_header.enabled", False),
    "xffHeaderProcessingMode": ("routing.http.xff_header_processing.mode", "append"),
}
_LOGS: Final = {
    "accessLogs": "access_logs.s3",
    "connectionLogs": "connection_logs.s3",
    "healthCheckLogs": "health_check_logs.s3",
}
_NOT_FOR_APPLICATION: Final = ("dnsRecordClientRoutingPolicy", "enableCrossZoneLoadBalancing")


def _balancer_attributes(call: Call) -> None:
    wanted: dict[str, str] = {}
    application = call.value("loadBalancerType") in (None, "application")
    names = call.changed if call.old else frozenset(call.inputs)
    for name, (attribute, default) in _BALANCER.items():
        if name not in names or (application and name in _NOT_FOR_APPLICATION):
            continue
        value = call.inputs.get(name)
        wanted[attribute] = text(default if value is None else value)
    for name, prefix in _LOGS.items():
        if name in names:
            logs = call.inputs.get(name) or {}
            wanted[f"{prefix}.enabled"] = text(bool(logs.get("enabled", False)))
            if logs.get("bucket"):
                wanted[f"{prefix}.bucket"] = logs["bucket"]
                wanted[f"{prefix}.prefix"] = logs.get("prefix") or ""
    if wanted:
        call.aws(
            "ModifyLoadBalancerAttributes",
            {"LoadBalancerArn": call.id, "Attributes": attributes(wanted)},
        )


def _set_subnets(call: Call) -> None:
    if call.given("subnetMappings"):
        mappings = [
            {key[0].upper() + key[1:]: value for key, value in mapping.items() if value}
            for mapping in call.inputs["subnetMappings"]
        ]
        call.aws("SetSubnets", {"LoadBalancerArn": call.id, "SubnetMappings": mappings})
    else:
        params = {"LoadBalancerArn": call.id, "Subnets": call.inputs.get("subnets") or []}
        call.aws("SetSubnets", params)


def _read_balancer(call: Call) -> Any:
    answer = call.aws("DescribeLoadBalancers", {"LoadBalancerArns": [call.id]})
    found = lookup(answer, "LoadBalancers[0]")
    if found is MISSING:
        return found
    found = dict(found)
    found["Internal"] = found.get("Scheme") == "internal"
    found["Subnets"] = [zone.get("SubnetId") for zone in found.get("AvailabilityZones", [])]
    answer = call.aws("DescribeLoadBalancerAttributes", {"LoadBalancerArn": call.id})
    values = {entry["Key"]: entry.get("Value") for entry in answer["Attributes"]}
    for name, (attribute, _) in _BALANCER.items():
        if values.get(attribute) not in (None, ""):
            found[name] = values[attribute]
    for name, prefix in _LOGS.items():
        if values.get(f"{prefix}.bucket"):
            found[name] = {
                "bucket": values[f"{prefix}.bucket"],
                "prefix": values.get(f"{prefix}.prefix") or "",
                "enabled": values.get(f"{prefix}.enabled") == "true",
            }
    return found


def _delete_balancer(call: Call) -> None:
    """AWS refuses a protected one; the emulator may not."""
    answer = call.aws("DescribeLoadBalancerAttributes", {"LoadBalancerArn": call.id})
    values = {entry["Key"]: entry.get("Value") for entry in answer["Attributes"]}
    if values.get("deletion_protection.enabled") == "true":
        raise CallError(
            "Elastic Load Balancing v2",
            "DeleteLoadBalancer",
            "OperationNotPermitted",
            f"Load balancer '{call.id}' cannot be deleted because deletion protection is enabled",
            400,
        )
    call.aws("DeleteLoadBalancer", {"LoadBalancerArn": call.id})


def _valid_balancer(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    subnets, mappings = inputs.get("subnets"), inputs.get("subnetMappings")
    if subnets and mappings:
        yield "subnetMappings", "conflicts with subnets"
    application = inputs.get("loadBalancerType") in (None, "application")
    if application and isinstance(subnets, list) and len(subnets) < 2:
        yield "subnets", "an application load balancer needs two subnets in two zones at least"


_CREATE_BALANCER: Final = Op(
    "CreateLoadBalancer",
    # AWS tells the outpost; it is no input of the call
    rename={"loadBalancerType": "Type", "subnetMappings.outpostId": "-"},
)


def _create_balancer(call: Call) -> dict[str, Any]:
    params = call.build(_CREATE_BALANCER)
    if call.inputs.get("internal"):
        params["Scheme"] = "internal"
    return call.aws("CreateLoadBalancer", call.tagged(params))


LOAD_BALANCER: Final = ResourceType(
    pulumi_type="aws:lb/loadBalancer:LoadBalancer",
    title="ELBv2 Load Balancer",
    service="elbv2",
    create=Step(_create_balancer, ("internal",), base=_CREATE_BALANCER),
    id="LoadBalancers[0].LoadBalancerArn",
    read=Step(_read_balancer),
    update=(
        Step(_balancer_attributes, (*_BALANCER, *_LOGS)),
        Step(_set_subnets, watches=("subnets", "subnetMappings"), at_create=False),
        Op(
            "SetSecurityGroups",
            {"LoadBalancerArn": "{id}"},
            take=("securityGroups",),
            at_create=False,
        ),
        Op(
            "SetIpAddressType",
            {"LoadBalancerArn": "{id}"},
            take=("ipAddressType",),
            at_create=False,
        ),
    ),
    delete=Step(_delete_balancer),
    replace=("name", "internal", "loadBalancerType", "customerOwnedIpv4Pool"),
    name="name",
    name_max=32,
    defaults={
        "loadBalancerType": "application",
        "enableDeletionProtection": False,
        **{
            name: default
            for name, (_, default) in _BALANCER.items()
            if name not in (*_NOT_FOR_APPLICATION, "enableZonalShift", "enableDeletionProtection")
        },
    },
    computed=("internal", "ipAddressType", "securityGroups", "subnets", "subnetMappings"),
    rename={
        "name": "LoadBalancerName",
        "loadBalancerType": "Type",
        "internal": "Internal",
        **{name: name for name in (*_BALANCER, *_LOGS)},
    },
    output={
        "arn": "={id}",
        "arnSuffix": suffix("loadbalancer"),
        "dnsName": "DNSName",
        "zoneId": "CanonicalHostedZoneId",
        "subnetMappings": lambda _f, _c: MISSING,
    },
    tags=TAGS,
    checks={
        "name": NAME,
        "loadBalancerType": one_of("application", "network", "gateway"),
        "idleTimeout": between(1, 4000, "seconds"),
        "clientKeepAlive": between(60, 604800, "seconds"),
        "desyncMitigationMode": one_of("monitor", "defensive", "strictest"),
        "xffHeaderProcessingMode": one_of("append", "preserve", "remove"),
        "ipAddressType": one_of("ipv4", "dualstack", "dualstack-without-public-ipv4"),
    },
    rules=(_valid_balancer,),
    find=Find(
        lone("DescribeLoadBalancers", {"Names": ["{name}"]}, result="LoadBalancers"),
        "LoadBalancerArn",
        ("name",),
    ),
)


ROWS: Final = (LOAD_BALANCER,)
