"""Elastic Load Balancing v2: load balancers, target groups, listeners, rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Find, Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import arn_tags, arn_text, between, lone, named, one_of

_TAGS: Final = arn_tags(
    "ResourceArns",
    "AddTags",
    "RemoveTags",
    "DescribeTags",
    path="TagDescriptions[0].Tags",
    resource="{id}",
)
_NAME: Final = named(
    r"(?!internal-)(?!-)[A-Za-z0-9-]+(?<!-)",
    32,
    "expected letters, digits and -, none at the ends, not beginning with internal-",
)

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


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _attributes(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


def _balancer_attributes(call: Call) -> None:
    wanted: dict[str, str] = {}
    application = call.value("loadBalancerType") in (None, "application")
    names = call.changed if call.old else frozenset(call.inputs)
    for name, (attribute, default) in _BALANCER.items():
        if name not in names or (application and name in _NOT_FOR_APPLICATION):
            continue
        value = call.inputs.get(name)
        wanted[attribute] = _text(default if value is None else value)
    for name, prefix in _LOGS.items():
        if name in names:
            logs = call.inputs.get(name) or {}
            wanted[f"{prefix}.enabled"] = _text(bool(logs.get("enabled", False)))
            if logs.get("bucket"):
                wanted[f"{prefix}.bucket"] = logs["bucket"]
                wanted[f"{prefix}.prefix"] = logs.get("prefix") or ""
    if wanted:
        call.aws(
            "ModifyLoadBalancerAttributes",
            {"LoadBalancerArn": call.id, "Attributes": _attributes(wanted)},
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


def _suffix(kind: str) -> Any:
    """What CloudWatch's dimensions want: the ARN after ``loadbalancer/``, or from
    ``targetgroup/`` on."""

    def source(found: Any, call: Call) -> Any:
        tail = call.id.rpartition(":")[2]
        return tail.removeprefix("loadbalancer/") if kind == "loadbalancer" else tail

    return source


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
        "arnSuffix": _suffix("loadbalancer"),
        "dnsName": "DNSName",
        "zoneId": "CanonicalHostedZoneId",
        "subnetMappings": lambda _f, _c: MISSING,
    },
    tags=_TAGS,
    checks={
        "name": _NAME,
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
            wanted[attribute] = _text(call.inputs[name])
    if "stickiness" in names:
        sticky = call.inputs.get("stickiness") or {}
        wanted["stickiness.enabled"] = _text(bool(sticky.get("enabled", bool(sticky))))
        if sticky:
            wanted["stickiness.type"] = sticky["type"]
        if sticky.get("type") == "lb_cookie":
            seconds = sticky.get("cookieDuration", 86400)
            wanted["stickiness.lb_cookie.duration_seconds"] = _text(seconds)
        if sticky.get("type") == "app_cookie":
            seconds = sticky.get("cookieDuration", 86400)
            wanted["stickiness.app_cookie.duration_seconds"] = _text(seconds)
            wanted["stickiness.app_cookie.cookie_name"] = sticky.get("cookieName", "")
    if wanted:
        call.aws(
            "ModifyTargetGroupAttributes",
            {"TargetGroupArn": call.id, "Attributes": _attributes(wanted)},
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
    output={"arn": "={id}", "arnSuffix": _suffix("targetgroup")},
    unread=("stickiness", "lambdaMultiValueHeadersEnabled", "proxyProtocolV2"),
    tags=_TAGS,
    checks={
        "name": _NAME,
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


def _action_names(prefix: str) -> dict[str, str]:
    return {
        f"{prefix}.authenticateCognito": "AuthenticateCognitoConfig",
        f"{prefix}.authenticateOidc": "AuthenticateOidcConfig",
        f"{prefix}.fixedResponse": "FixedResponseConfig",
        f"{prefix}.forward": "ForwardConfig",
        f"{prefix}.forward.targetGroups.arn": "TargetGroupArn",
        f"{prefix}.forward.stickiness": "TargetGroupStickinessConfig",
        f"{prefix}.forward.stickiness.duration": "DurationSeconds",
        f"{prefix}.jwtValidation": "JwtValidationConfig",
        f"{prefix}.redirect": "RedirectConfig",
    }


_HEADERS: Final = {
    "routingHttpRequestXAmznMtlsClientcertHeaderName":
        "routing.http.request.x_amzn_mtls_clientcert.header_name",
    "routingHttpRequestXAmznMtlsClientcertIssuerHeaderName":
        "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
    "routingHttpRequestXAmznMtlsClientcertLeafHeaderName":
        "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
    "routingHttpRequestXAmznMtlsClientcertSerialNumberHeaderName":
        "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
    "routingHttpRequestXAmznMtlsClientcertSubjectHeaderName":
        "routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
    "routingHttpRequestXAmznMtlsClientcertValidityHeaderName":
        "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
    "routingHttpRequestXAmznTlsCipherSuiteHeaderName":
        "routing.http.request.x_amzn_tls_cipher_suite.header_name",
    "routingHttpRequestXAmznTlsVersionHeaderName":
        "routing.http.request.x_amzn_tls_version.header_name",
    "routingHttpResponseAccessControlAllowCredentialsHeaderValue":
        "routing.http.response.access_control_allow_credentials.header_value",
    "routingHttpResponseAccessControlAllowHeadersHeaderValue":
        "routing.http.response.access_control_allow_headers.header_value",
    "routingHttpResponseAccessControlAllowMethodsHeaderValue":
        "routing.http.response.access_control_allow_methods.header_value",
    "routingHttpResponseAccessControlAllowOriginHeaderValue":
        "routing.http.response.access_control_allow_origin.header_value",
    "routingHttpResponseAccessControlExposeHeadersHeaderValue":
        "routing.http.response.access_control_expose_headers.header_value",
    "routingHttpResponseAccessControlMaxAgeHeaderValue":
        "routing.http.response.access_control_max_age.header_value",
    "routingHttpResponseContentSecurityPolicyHeaderValue":
        "routing.http.response.content_security_policy.header_value",
    "routingHttpResponseServerEnabled": "routing.http.response.server.enabled",
    "routingHttpResponseStrictTransportSecurityHeaderValue":
        "routing.http.response.strict_transport_security.header_value",
    "routingHttpResponseXContentTypeOptionsHeaderValue":
        "routing.http.response.x_content_type_options.header_value",
    "routingHttpResponseXFrameOptionsHeaderValue":
        "routing.http.response.x_frame_options.header_value",
    "tcpIdleTimeoutSeconds": "tcp.idle_timeout.seconds",
}  # fmt: skip


def _listener_attributes(call: Call) -> None:
    names = call.changed if call.old else frozenset(call.inputs)
    wanted = {
        attribute: _text("" if call.inputs.get(name) is None else call.inputs[name])
        for name, attribute in _HEADERS.items()
        if name in names
    }
    if wanted:
        call.aws(
            "ModifyListenerAttributes",
            {"ListenerArn": call.id, "Attributes": _attributes(wanted)},
        )


def _read_listener(call: Call) -> Any:
    answer = call.aws("DescribeListeners", {"ListenerArns": [call.id]})
    found = lookup(answer, "Listeners[0]")
    if found is MISSING:
        return found
    found = dict(found)
    answer = call.aws("DescribeListenerAttributes", {"ListenerArn": call.id})
    values = {entry["Key"]: entry.get("Value") for entry in answer["Attributes"]}
    for name, attribute in _HEADERS.items():
        if values.get(attribute) not in (None, ""):
            found[name] = values[attribute]
    return found


def _valid_actions(name: str) -> Any:
    needs = {
        "redirect": ("redirect",),
        "fixed-response": ("fixedResponse",),
        "forward": ("forward", "targetGroupArn"),
        "authenticate-cognito": ("authenticateCognito",),
        "authenticate-oidc": ("authenticateOidc",),
    }

    def rule(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        actions = inputs.get(name)
        for index, action in enumerate(actions if isinstance(actions, list) else ()):
            if not isinstance(action, Mapping):
                continue
            wanted = needs.get(action.get("type", ""))
            if wanted and not any(action.get(key) is not None for key in wanted):
                yield (
                    f"{name}[{index}]",
                    f"an action of the type {action['type']} needs {' or '.join(wanted)}",
                )

    return rule


def _valid_listener(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    protocol = inputs.get("protocol")
    if protocol in ("HTTPS", "TLS") and inputs.get("certificateArn") is None:
        yield "certificateArn", f"has to be given for {protocol}"
    if protocol in ("HTTP", "TCP", "UDP"):
        for name in ("certificateArn", "sslPolicy"):
            if inputs.get(name):
                yield name, f"is not for {protocol}"


_LISTENER_NAMES: Final = {
    "certificateArn": "Certificates",
    **_action_names("defaultActions"),
}
_CREATE_LISTENER: Final = Op("CreateListener", rename={**_LISTENER_NAMES, "certificateArn": "-"})
_MODIFY_LISTENER: Final = Op(
    "ModifyListener",
    {"ListenerArn": "{id}"},
    rename={**_LISTENER_NAMES, "certificateArn": "-"},
)


def _with_certificate(op: Op) -> Any:
    def run(call: Call) -> dict[str, Any]:
        params = call.build(op)
        if call.given("certificateArn"):
            params["Certificates"] = [{"CertificateArn": call.inputs["certificateArn"]}]
        return call.aws(op.name, call.tagged(params) if op is _CREATE_LISTENER else params)

    return run


LISTENER: Final = ResourceType(
    pulumi_type="aws:lb/listener:Listener",
    title="ELBv2 Listener",
    service="elbv2",
    create=Step(_with_certificate(_CREATE_LISTENER), ("certificateArn",), base=_CREATE_LISTENER),
    id="Listeners[0].ListenerArn",
    read=Step(_read_listener),
    update=(
        Step(
            _with_certificate(_MODIFY_LISTENER),
            ("certificateArn",),
            base=_MODIFY_LISTENER,
            at_create=False,
        ),
        Step(_listener_attributes, tuple(_HEADERS)),
    ),
    delete=lone("DeleteListener", {"ListenerArn": "{id}"}),
    replace=("loadBalancerArn",),
    unique=True,
    computed=("protocol", "sslPolicy", "tcpIdleTimeoutSeconds"),
    rename={**_action_names("defaultActions"), **{name: name for name in _HEADERS}},
    output={"arn": "={id}", "certificateArn": "Certificates[0].CertificateArn"},
    ordered=("defaultActions",),
    unread=("defaultActions",),
    tags=_TAGS,
    checks={"port": between(1, 65535), "certificateArn": arn_text, "loadBalancerArn": arn_text},
    rules=(_valid_listener, _valid_actions("defaultActions")),
    find=Find(
        lone("DescribeListeners", {"LoadBalancerArn": "{loadBalancerArn}"}, result="Listeners"),
        "ListenerArn",
        ("port",),
    ),
)

#: condition of Pulumi's → field and configuration of AWS's
_CONDITIONS: Final = {
    "hostHeader": ("host-header", "HostHeaderConfig"),
    "httpHeader": ("http-header", "HttpHeaderConfig"),
    "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
    "pathPattern": ("path-pattern", "PathPatternConfig"),
    "sourceIp": ("source-ip", "SourceIpConfig"),
}


def _conditions(call: Call) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    for condition in call.inputs["conditions"]:
        for name, (field, member) in _CONDITIONS.items():
            raw = condition.get(name)
            if raw:
                config = {key[0].upper() + key[1:]: value for key, value in raw.items()}
                result.append({"Field": field, member: config})
        if condition.get("queryStrings"):
            values = [
                {key.capitalize(): value for key, value in entry.items()}
                for entry in condition["queryStrings"]
            ]
            entry = {"Field": "query-string", "QueryStringConfig": {"Values": values}}
            result.append(entry)
    return result


def _priority(call: Call) -> int:
    """Given, or after the last one that the listener has: as the official provider picks it."""
    if call.given("priority"):
        return int(call.inputs["priority"])
    answer = call.aws("DescribeRules", {"ListenerArn": call.inputs["listenerArn"]})
    taken = [int(rule["Priority"]) for rule in answer["Rules"] if rule["Priority"].isdigit()]
    return max(taken, default=0) + 1


_RULE_NAMES: Final = _action_names("actions")
_CREATE_RULE: Final = Op("CreateRule", rename=_RULE_NAMES)
_MODIFY_RULE: Final = Op("ModifyRule", {"RuleArn": "{id}"}, rename=_RULE_NAMES)


def _create_rule(call: Call) -> dict[str, Any]:
    params = call.build(_CREATE_RULE)
    params["Conditions"] = _conditions(call)
    params["Priority"] = _priority(call)
    return call.aws("CreateRule", call.tagged(params))


def _modify_rule(call: Call) -> None:
    params = call.build(_MODIFY_RULE)
    params["Conditions"] = _conditions(call)
    call.aws("ModifyRule", params)


def _move_rule(call: Call) -> None:
    if call.old and call.given("priority"):
        entry = {"RuleArn": call.id, "Priority": call.inputs["priority"]}
        call.aws("SetRulePriorities", {"RulePriorities": [entry]})


def _valid_conditions(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    conditions = inputs.get("conditions")
    if conditions == []:
        yield "conditions", "a rule needs at least one condition"
    for index, condition in enumerate(conditions if isinstance(conditions, list) else ()):
        if isinstance(condition, Mapping):
            kinds = [key for key in (*_CONDITIONS, "queryStrings") if condition.get(key)]
            if len(kinds) != 1:
                yield f"conditions[{index}]", f"has to be of one kind, here are {len(kinds)}"


LISTENER_RULE: Final = ResourceType(
    pulumi_type="aws:lb/listenerRule:ListenerRule",
    title="ELBv2 Listener Rule",
    service="elbv2",
    create=Step(_create_rule, ("conditions", "priority"), base=_CREATE_RULE),
    id="Rules[0].RuleArn",
    read=lone("DescribeRules", {"RuleArns": ["{id}"]}, result="Rules[0]"),
    update=(
        Step(_modify_rule, watches=("conditions",), base=_MODIFY_RULE, at_create=False),
        Step(_move_rule, watches=("priority",), at_create=False),
    ),
    delete=lone("DeleteRule", {"RuleArn": "{id}"}),
    replace=("listenerArn",),
    computed=("priority",),
    output={"arn": "={id}"},
    ordered=("actions",),
    unread=("actions", "conditions"),
    tags=_TAGS,
    checks={"priority": between(1, 50000), "listenerArn": arn_text},
    rules=(_valid_conditions, _valid_actions("actions")),
)

ROWS: Final = (LOAD_BALANCER, TARGET_GROUP, LISTENER, LISTENER_RULE)
