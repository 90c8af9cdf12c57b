"""WAF v2: web ACLs, what they stand before, where they log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import arn_tags, arn_text, lone, named, one_of

_ACL_NAMES: Final = {
    "customResponseBodies": "-",
    "tokenDomains": "TokenDomains",
}
_CREATE: Final = Op("CreateWebACL", rename=_ACL_NAMES)
_UPDATE: Final = Op("UpdateWebACL", {"Id": "{id}"}, rename=_ACL_NAMES)


def _prepared(call: Call, op: Op) -> dict[str, Any]:
    params = call.build(op)
    if call.given("ruleJson"):
        params["Rules"] = json.loads(call.inputs["ruleJson"])
    bodies = call.inputs.get("customResponseBodies")
    if bodies:
        params["CustomResponseBodies"] = {
            body["key"]: {"ContentType": body["contentType"], "Content": body["content"]}
            for body in bodies
        }
    return params


def _create(call: Call) -> dict[str, Any]:
    return call.aws("CreateWebACL", call.tagged(_prepared(call, _CREATE)))


def _which(call: Call) -> dict[str, Any]:
    return {"Id": call.id, "Name": call.value("name"), "Scope": call.value("scope")}


def _lock(call: Call) -> str:
    return str(call.aws("GetWebACL", _which(call))["LockToken"])


def _update(call: Call) -> None:
    call.aws("UpdateWebACL", {**_prepared(call, _UPDATE), "LockToken": _lock(call)})


def _delete(call: Call) -> None:
    call.aws("DeleteWebACL", {**_which(call), "LockToken": _lock(call)})


def _read(call: Call) -> Any:
    answer = call.aws("GetWebACL", _which(call))
    return {**answer["WebACL"], "LockToken": answer.get("LockToken", "")}


_LEAST_RATE: Final = 10
_WINDOWS: Final = (60, 120, 300, 600)


def _valid_acl(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rules = inputs.get("rules")
    seen: dict[str, set[Any]] = {"name": set(), "priority": set()}
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, Mapping):
            continue
        where = f"rules[{index}]"
        for name, known in seen.items():
            if rule.get(name) in known:
                yield f"{where}.{name}", f"{rule[name]!r} is there twice"
            known.add(rule.get(name))
        statement = rule.get("statement")
        if not isinstance(statement, Mapping):
            continue
        group = statement.get("managedRuleGroupStatement") or statement.get(
            "ruleGroupReferenceStatement"
        )
        wanted, other = ("overrideAction", "action") if group else ("action", "overrideAction")
        if rule.get(wanted) is None:
            yield f"{where}.{wanted}", "has to be given for this statement"
        if rule.get(other) is not None:
            yield f"{where}.{other}", "is not for this statement"
        rate = statement.get("rateBasedStatement")
        if isinstance(rate, Mapping):
            yield from _valid_rate(f"{where}.statement.rateBasedStatement", rate)
    if rules and inputs.get("ruleJson"):
        yield "ruleJson", "conflicts with rules"
    for name in ("allow", "block"):
        action = inputs.get("defaultAction")
        both = isinstance(action, Mapping) and "allow" in action and "block" in action
        if both and name == "block":
            yield "defaultAction", "is either allow or block"


def _valid_rate(where: str, rate: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    limit, window = rate.get("limit"), rate.get("evaluationWindowSec")
    if isinstance(limit, int) and not _LEAST_RATE <= limit <= 2_000_000_000:
        yield f"{where}.limit", f"expected {_LEAST_RATE} to 2000000000, got {limit}"
    if isinstance(window, int) and window not in _WINDOWS:
        yield f"{where}.evaluationWindowSec", f"expected one of {_WINDOWS}, got {window}"


WEB_ACL: Final = ResourceType(
    pulumi_type="aws:wafv2/webAcl:WebAcl",
    title="WAFv2 WebACL",
    service="wafv2",
    create=Step(_create, ("ruleJson", "customResponseBodies"), base=_CREATE),
    id="Summary.Id",
    read=Step(_read),
    update=(Step(_update, ("ruleJson", "customResponseBodies"), base=_UPDATE, at_create=False),),
    delete=Step(_delete),
    replace=("name", "scope"),
    name="name",
    name_max=128,
    output={
        "arn": "ARN",
        "applicationIntegrationUrl": lambda _f, _c: "",
        "customResponseBodies": lambda _f, _c: MISSING,
        "lockToken": "LockToken",
    },
    volatile=("lockToken", "capacity"),
    unread=("rules", "ruleJson", "customResponseBodies", "defaultAction"),
    tags=arn_tags(
        "ResourceARN",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        path="TagInfoForResource.TagList",
    ),
    checks={
        "name": named(r"[A-Za-z0-9_-]+", 128, "expected letters, digits, - and _"),
        "scope": one_of("REGIONAL", "CLOUDFRONT"),
    },
    rules=(_valid_acl,),
    gone=("WAFNonexistentItemException",),
)


def _read_association(call: Call) -> Any:
    arn = call.value("resourceArn") or call.id.partition(",")[2]
    try:
        found = lookup(call.aws("GetWebACLForResource", {"ResourceArn": arn}), "WebACL")
    except CallError as error:
        if error.gone or error.code == "WAFNonexistentItemException":
            return MISSING
        raise
    if found is MISSING or not found:
        return MISSING
    return {"WebAclArn": found["ARN"], "ResourceArn": arn}


ASSOCIATION: Final = ResourceType(
    pulumi_type="aws:wafv2/webAclAssociation:WebAclAssociation",
    title="WAFv2 WebACL Association",
    service="wafv2",
    create=Op("AssociateWebACL"),
    id="={webAclArn},{resourceArn}",
    read=Step(_read_association),
    delete=lone("DisassociateWebACL", {"ResourceArn": "{resourceArn}"}),
    replace=("*",),
    unique=True,
    checks={"webAclArn": arn_text, "resourceArn": arn_text},
    gone=("WAFNonexistentItemException",),
)

_LOGGING: Final = {
    "logDestinationConfigs": "LoggingConfiguration.LogDestinationConfigs",
    "resourceArn": "LoggingConfiguration.ResourceArn",
    "loggingFilter": "LoggingConfiguration.LoggingFilter",
    "redactedFields": "LoggingConfiguration.RedactedFields",
}
_PUT_LOGGING: Final = Op("PutLoggingConfiguration", rename=_LOGGING)


def _log_names(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """AWS takes only destinations whose names begin with ``aws-waf-logs-``."""
    destinations = inputs.get("logDestinationConfigs")
    for arn in destinations if isinstance(destinations, list) else ():
        if isinstance(arn, str) and arn.startswith("arn:") and "aws-waf-logs-" not in arn:
            yield "logDestinationConfigs", f"{arn!r}: the name has to begin with aws-waf-logs-"


LOGGING: Final = ResourceType(
    pulumi_type="aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
    title="WAFv2 WebACL Logging Configuration",
    service="wafv2",
    create=_PUT_LOGGING,
    id="={resourceArn}",
    read=lone("GetLoggingConfiguration", {"ResourceArn": "{id}"}, result="LoggingConfiguration"),
    update=(_PUT_LOGGING,),
    delete=lone("DeleteLoggingConfiguration", {"ResourceArn": "{id}"}),
    replace=("resourceArn",),
    unique=True,
    checks={"resourceArn": arn_text},
    unread=("redactedFields", "loggingFilter"),
    rules=(_log_names,),
    gone=("WAFNonexistentItemException",),
)

ROWS: Final = (WEB_ACL, ASSOCIATION, LOGGING)
