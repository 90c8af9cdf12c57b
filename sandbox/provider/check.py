"""Check: the inputs typed, named and validated, before anything is called."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.provider import shapes
from sandbox.provider.call import carried, mapped
from sandbox.provider.clients import operation_model
from sandbox.provider.resource import ResourceType, Step
from sandbox.provider.schema import Property, PropertyType, resource_schema
from sandbox.provider.values import UNKNOWN, Asset, has_unknown

_HEX_DIGITS = 7
#: read from the installed SDK; what the engine adds is not the program's
_ENGINES_OWN = ("__defaults", "__internal", "__provider", "__pulumi")


@dataclass(frozen=True)
class Failure:
    """A property, dotted, and why it is refused."""

    property: str
    reason: str


def check(
    row: ResourceType,
    news: Mapping[str, Any],
    olds: Mapping[str, Any],
    *,
    urn_name: str,
    seed: bytes,
    default_tags: Mapping[str, Any],
) -> tuple[dict[str, Any], list[Failure]]:
    """The inputs as the provider will use them, and what is wrong with them."""
    failures: list[Failure] = []
    schema = resource_schema(row.pulumi_type)
    inputs = _typed_object(
        {key: value for key, value in news.items() if not key.startswith("__")},
        schema.inputs,
        "",
        failures,
    )
    defaulted = _fill(row, inputs, olds, urn_name, seed, failures)
    _refuse_missing(schema.inputs, inputs, failures)
    _refuse_uncarried(row, inputs, failures)
    if not failures:
        _validate(row, inputs, failures)
    if row.tags is not None:
        _add_tags_all(inputs, default_tags)
    inputs["__defaults"] = defaulted
    return inputs, failures


def _fill(  # noqa: PLR0917  (one caller)
    row: ResourceType,
    inputs: dict[str, Any],
    olds: Mapping[str, Any],
    urn_name: str,
    seed: bytes,
    failures: list[Failure],
) -> list[str]:
    defaulted = []
    for name, value in row.defaults.items():
        if inputs.get(name) is None:
            inputs[name] = value
            defaulted.append(name)
    if row.name and inputs.get(row.name) is None:
        if row.name in (olds.get("__defaults") or ()) and olds.get(row.name):
            name = str(olds[row.name])
        else:
            prefix = inputs.get(prefix_of(row))
            name = auto_name(row, urn_name, seed, prefix if isinstance(prefix, str) else None)
        if len(name) > row.name_max:
            failures.append(
                Failure(
                    row.name,
                    f"the name made up for this {row.title}, {name!r}, is longer than the "
                    f"{row.name_max} characters that AWS allows; give a shorter one",
                )
            )
        inputs[row.name] = name
        defaulted.append(row.name)
    return sorted(defaulted)


def prefix_of(row: ResourceType) -> str:
    """The property that gives the beginning of the name: ``namePrefix``, ``bucketPrefix``."""
    return f"{row.name}Prefix"


def auto_name(row: ResourceType, urn_name: str, seed: bytes, prefix: str | None = None) -> str:
    """``<name>-<7 hex>``, or ``<prefix><7 hex>``; the same for the same seed of the engine's."""
    digest = hashlib.sha256(seed).hexdigest() if seed else secrets.token_hex(_HEX_DIGITS)
    start = f"{row.name_begins}{urn_name}-" if prefix is None else prefix
    name = f"{start}{digest[:_HEX_DIGITS]}"
    return name.lower() if row.name_lower else name


def _add_tags_all(inputs: dict[str, Any], default_tags: Mapping[str, Any]) -> None:
    tags = inputs.get("tags")
    if tags is UNKNOWN:
        inputs["tagsAll"] = UNKNOWN
    elif default_tags or tags:
        inputs["tagsAll"] = {**default_tags, **(tags or {})}


def _refuse_missing(
    wanted: Mapping[str, Property], inputs: Mapping[str, Any], failures: list[Failure]
) -> None:
    for name, prop in wanted.items():
        if prop.required and inputs.get(name) is None:
            failures.append(Failure(name, f"missing required property {name!r}"))


def _refuse_uncarried(
    row: ResourceType, inputs: Mapping[str, Any], failures: list[Failure]
) -> None:
    known = carried(row) | {prefix_of(row)}
    for name, value in inputs.items():
        if name not in known and not shapes_trivial(value):
            failures.append(
                Failure(
                    name,
                    f"the sandbox does not carry out {name!r} of a {row.title}, and does not "
                    "pretend to; leave it out here or deploy with `--cloud aws`",
                )
            )


def shapes_trivial(value: Any) -> bool:
    """Whether a value asks for nothing."""
    return value is None or value is False or value in ("", [], {})


def _typed_object(
    values: Mapping[str, Any],
    wanted: Mapping[str, Property],
    path: str,
    failures: list[Failure],
) -> dict[str, Any]:
    result = {}
    for name, value in values.items():
        where = f"{path}.{name}" if path else name
        prop = wanted.get(name)
        if prop is None:
            if name not in _ENGINES_OWN:
                failures.append(Failure(where, _unexpected(name, wanted)))
        elif value is not None:
            result[name] = _typed(value, prop.type, where, failures)
    return result


def _unexpected(name: str, wanted: Mapping[str, Property]) -> str:
    import difflib

    near = difflib.get_close_matches(name, wanted, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unexpected property {name!r}{hint}"


def _typed(value: Any, wanted: PropertyType, path: str, failures: list[Failure]) -> Any:  # noqa: PLR0911
    if value is UNKNOWN or value is None or wanted.kind == "any":
        return value
    if wanted.kind == "list":
        if not isinstance(value, list):
            return _wrong(value, "a list", path, failures)
        element = wanted.element or PropertyType("any")
        return [
            _typed(item, element, f"{path}[{index}]", failures) for index, item in enumerate(value)
        ]
    if wanted.kind == "map":
        if not isinstance(value, Mapping):
            return _wrong(value, "a map", path, failures)
        element = wanted.element or PropertyType("any")
        return {
            key: _typed(item, element, f"{path}.{key}", failures) for key, item in value.items()
        }
    if wanted.kind == "object":
        if not isinstance(value, Mapping):
            return _wrong(value, "an object", path, failures)
        fields = wanted.fields
        result = _typed_object(value, fields, path, failures)
        for name, prop in fields.items():
            if prop.required and result.get(name) is None:
                failures.append(Failure(f"{path}.{name}", f"missing required property {name!r}"))
        return result
    if wanted.kind in ("asset", "archive"):
        if not isinstance(value, Asset):
            return _wrong(value, f"an {wanted.kind}", path, failures)
        return value
    return _typed_scalar(value, wanted.kind, path, failures)


def _typed_scalar(value: Any, kind: str, path: str, failures: list[Failure]) -> Any:  # noqa: PLR0911
    if kind == "document" and isinstance(value, dict | list):
        return UNKNOWN if has_unknown(value) else json.dumps(value)
    if isinstance(value, Mapping | list | Asset):
        return _wrong(value, f"a {kind}", path, failures)
    if kind in ("string", "document"):
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else str(value)
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        return _wrong(value, "true or false", path, failures)
    if isinstance(value, bool):
        return _wrong(value, f"a {kind}", path, failures)
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return _wrong(value, f"a {kind}", path, failures)
        value = int(number) if number.is_integer() else number
    if kind == "integer" and not float(value).is_integer():
        return _wrong(value, "a whole number", path, failures)
    return value


def _wrong(value: Any, wanted: str, path: str, failures: list[Failure]) -> Any:
    found = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}.get(
        type(value), "a number" if isinstance(value, int | float) else type(value).__name__
    )
    failures.append(Failure(path, f"expected {wanted}, got {found}"))
    return value


def _validate(row: ResourceType, inputs: Mapping[str, Any], failures: list[Failure]) -> None:
    for name, validators in row.checks.items():
        value = inputs.get(name)
        if value is None or has_unknown(value):
            continue
        for validator in validators if isinstance(validators, tuple) else (validators,):
            reason = validator(value)
            if reason:
                failures.append(Failure(name, reason))
                break
    for rule in row.rules:
        failures.extend(Failure(where, reason) for where, reason in rule(inputs))
    _validate_against_model(row, inputs, failures)


def _validate_against_model(
    row: ResourceType, inputs: Mapping[str, Any], failures: list[Failure]
) -> None:
    seen = {failure.property.split(".")[0].split("[")[0] for failure in failures}
    for given in row.steps:
        step = given.base if isinstance(given, Step) else given
        if step is None:
            continue
        shape = operation_model(step.service or row.service, step.name).input_shape
        rename = {**row.rename, **step.rename}
        for name, target in mapped(row, step).members.items():
            if name in seen or name not in inputs or name == row.name:
                continue
            target_shape = shapes.member_shape(shape, target)
            for problem in shapes.problems(inputs[name], target_shape, rename, name):
                where, reason = problem.split(": ", 1)
                failures.append(Failure(where, reason))
                seen.add(name)
