"""What many rows share: validators of names and documents, templates of ARNs."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any, Final

from sandbox.provider.resource import Op, Tags, Validator

#: AWS's schedule expressions: https://docs.aws.amazon.com/eventbridge/latest/userguide/
_RATE: Final = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_AT: Final = re.compile(r"at\(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\)")
_CRON_FIELDS: Final = (
    ("minutes", re.compile(r"[0-9,\-*/]+")),
    ("hours", re.compile(r"[0-9,\-*/]+")),
    ("day of month", re.compile(r"[0-9,\-*/?LW]+")),
    ("month", re.compile(r"[0-9,\-*/A-Z]+")),
    ("day of week", re.compile(r"[0-9,\-*/?L#A-Z]+")),
    ("year", re.compile(r"[0-9,\-*/]+")),
)


def json_document(value: Any) -> str | None:
    """A text has to be a JSON object or list."""
    try:
        document = json.loads(value)
    except (TypeError, ValueError) as error:
        return f"contains an invalid JSON document: {error}"
    return None if isinstance(document, dict | list) else "is not a JSON object"


def policy_document(value: Any) -> str | None:
    """An IAM policy: JSON with a Statement; every statement has Effect, and Action or NotAction."""
    reason = json_document(value)
    if reason:
        return reason
    document = json.loads(value)
    if not isinstance(document, dict) or "Statement" not in document:
        return "contains an invalid policy: it has no Statement"
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict):
            return "contains an invalid policy: a statement is not an object"
        if statement.get("Effect") not in ("Allow", "Deny"):
            return "contains an invalid policy: Effect has to be Allow or Deny"
        if not {"Action", "NotAction"} & statement.keys():
            return "contains an invalid policy: a statement has no Action"
    return None


def one_of(*allowed: Any) -> Validator:
    """One of these values."""

    def check(value: Any) -> str | None:
        if value in allowed:
            return None
        return f"expected one of {', '.join(map(str, allowed))}, got {value!r}"

    return check


def between(low: float, high: float, unit: str = "") -> Validator:
    """A number in a range, both ends in it."""

    def check(value: Any) -> str | None:
        if low <= float(value) <= high:
            return None
        return f"expected {low:g} to {high:g}{' ' + unit if unit else ''}, got {value}"

    return check


def named(pattern: str, longest: int, rule: str) -> Validator:
    """A name that matches wholly; ``rule`` says in words what is allowed."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str | None:
        if len(value) > longest:
            return f"{value!r} has {len(value)} characters, AWS allows {longest}"
        return None if compiled.fullmatch(value) else f"{value!r}: {rule}"

    return check


def each(validator: Validator) -> Validator:
    """A list, every item of which is valid."""

    def check(value: Any) -> str | None:
        for item in value:
            reason = validator(item)
            if reason:
                return reason
        return None

    return check


def ipv4_network(value: Any) -> str | None:
    """An IPv4 CIDR block with no host bits."""
    try:
        ipaddress.IPv4Network(value)
    except ValueError as error:
        return f"{value!r} is not a valid IPv4 CIDR block: {error}"
    return None if "/" in value else f"{value!r} is not a CIDR block: it has no prefix length"


def ipv6_network(value: Any) -> str | None:
    """An IPv6 CIDR block with no host bits."""
    try:
        ipaddress.IPv6Network(value)
    except ValueError as error:
        return f"{value!r} is not a valid IPv6 CIDR block: {error}"
    return None


def vpc_network(value: Any) -> str | None:
    """A VPC's or subnet's block: /16 to /28."""
    reason = ipv4_network(value)
    if reason:
        return reason
    prefix = ipaddress.IPv4Network(value).prefixlen
    return None if 16 <= prefix <= 28 else f"{value!r}: AWS allows /16 to /28"


def arn_text(value: Any) -> str | None:
    """Something that begins like an ARN."""
    parts = str(value).split(":")
    if len(parts) >= 6 and parts[0] == "arn":
        return None
    return f"{value!r} is not an ARN"


def schedule_expression(value: Any, *, at: bool = False) -> str | None:
    """rate(), cron() and, for the scheduler, at()."""
    rate = _RATE.fullmatch(value)
    if rate:
        number, unit = int(rate.group(1)), rate.group(2)
        if number < 1:
            return f"{value!r}: the rate has to be 1 or more"
        if (number == 1) == unit.endswith("s"):
            return f"{value!r}: AWS wants the singular for 1 and the plural for more"
        return None
    if at and _AT.fullmatch(value):
        return None
    if value.startswith("cron(") and value.endswith(")"):
        return _cron(value)
    forms = "rate(5 minutes), cron(0 12 * * ? *)" + (" or at(2030-01-01T00:00:00)" if at else "")
    return f"{value!r} is not a schedule expression like {forms}"


def _cron(value: str) -> str | None:
    fields = value[5:-1].split()
    if len(fields) != len(_CRON_FIELDS):
        return f"{value!r}: AWS's cron has six fields, here are {len(fields)}"
    for text, (name, pattern) in zip(fields, _CRON_FIELDS, strict=True):
        if not pattern.fullmatch(text.upper()):
            return f"{value!r}: the {name} {text!r} are not valid"
    if (fields[2] == "?") == (fields[4] == "?"):
        return f"{value!r}: exactly one of day of month and day of week has to be '?'"
    return None


def event_schedule(value: Any) -> str | None:
    """EventBridge rules: rate() and cron()."""
    return schedule_expression(value)


def scheduler_schedule(value: Any) -> str | None:
    """EventBridge Scheduler: at() as well."""
    return schedule_expression(value, at=True)


def arn_template(service: str, rest: str) -> str:
    """The template of an ARN: ``arn_template("ec2", "vpc/{id}")``."""
    return f"=arn:{{partition}}:{service}:{{region}}:{{account}}:{rest}"


def lone(operation: str, params: dict[str, Any], **more: Any) -> Op:
    """A call that takes nothing but what is stated."""
    return Op(operation, params, take=(), **more)


def arn_tags(
    member: str,
    add: str,
    remove: str,
    read: str,
    *,
    keys: str = "TagKeys",
    path: str = "TagList",
    form: str = "list",
    tags: str = "Tags",
    create: str = "Tags",
    resource: str = "{arn}",
) -> Tags:
    """Tags of a service that takes a resource's ARN."""
    return Tags(
        add=lone(add, {member: resource}),
        remove=lone(remove, {member: resource}),
        read=lone(read, {member: resource}),
        path=path,
        create=create,
        form=form,
        add_member=tags,
        remove_member=keys,
    )


def from_state(*names: str) -> Callable[[Any, Any], Any]:
    """Outputs that are copies of inputs, first one given."""

    def source(_found: Any, call: Any) -> Any:
        for name in names:
            if call.value(name) is not None:
                return call.value(name)
        return None

    return source
