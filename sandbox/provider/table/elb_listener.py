"""Elastic Load Balancing v2: listeners and their rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Find, Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import arn_text, between, lone
from sandbox.provider.table.elb_common import TAGS, attributes, text


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
        attribute: text("" if call.inputs.get(name) is None else call.inputs[name])
        for name, attribute in _HEADERS.items()
        if name in names
    }
    if wanted:
        call.aws(
            "ModifyListenerAttributes",
            {"ListenerArn": call.id, "Attributes": attributes(wanted)},
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
    tags=TAGS,
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
    tags=TAGS,
    checks={"priority": between(1, 50000), "listenerArn": arn_text},
    rules=(_valid_conditions, _valid_actions("actions")),
)

ROWS: Final = (LISTENER, LISTENER_RULE)
