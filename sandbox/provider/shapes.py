"""Between Pulumi's properties and the shapes of botocore's models."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sandbox.provider.schema import PropertyType
from sandbox.provider.values import UNKNOWN, Asset, has_unknown

MISSING: Any = object()


def squash(name: str) -> str:
    """A name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def spellings(name: str) -> Iterator[str]:
    """A squashed name and its singular and plural forms."""
    yield name
    yield name + "s"
    yield name + "es"
    if name.endswith("ies"):
        yield name[:-3] + "y"
    if name.endswith("y"):
        yield name[:-1] + "ies"
    if name.endswith("es"):
        yield name[:-2]
    if name.endswith("s"):
        yield name[:-1]


@cache
def _pick(names: tuple[str, ...], wanted: str) -> str | None:
    index = {squash(name): name for name in names}
    for spelling in spellings(squash(wanted)):
        if spelling in index:
            return index[spelling]
    return None


def member(shape: Any, name: str) -> str | None:
    """The member of a structure that a property's name means, or None."""
    if shape is None or shape.type_name != "structure":
        return None
    return _pick(tuple(shape.members), name)


def member_shape(shape: Any, path: str) -> Any:
    """The shape at a dotted path of members, or None; lists are entered."""
    for part in path.split("."):
        while shape is not None and shape.type_name == "list":
            shape = shape.member
        if shape is None or shape.type_name != "structure" or part not in shape.members:
            return None
        shape = shape.members[part]
    return shape


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a dotted path, making the dicts on the way."""
    *way, last = path.split(".")
    for step in way:
        target = target.setdefault(step, {})
    target[last] = value


def to_aws(value: Any, shape: Any, rename: Mapping[str, str], path: str) -> Any:
    """A property's value as the call takes it.

    ``path`` is the property's, dotted and without list indexes; ``rename`` may name it.
    """
    kind = shape.type_name if shape is not None else ""
    if kind == "list" and isinstance(value, Mapping) and _is_tag(shape.member):
        return tags_to(value, "list" if "Key" in shape.member.members else "lower")
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [to_aws(item, shape.member, rename, path) for item in items]
    if kind == "structure" and isinstance(value, list):
        return to_aws(value[0], shape, rename, path) if value else {}
    if kind == "structure" and isinstance(value, Mapping):
        return _structure(value, shape, rename, path)
    if kind == "map" and isinstance(value, Mapping):
        return {key: to_aws(item, shape.value, rename, path) for key, item in value.items()}
    return _scalar(value, shape)


def _is_tag(shape: Any) -> bool:
    return shape.type_name == "structure" and {*map(squash, shape.members)} == {"key", "value"}


def _structure(
    value: Mapping[str, Any], shape: Any, rename: Mapping[str, str], path: str
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in value.items():
        if item is None or key == "__defaults":
            continue
        inner = f"{path}.{key}"
        target = rename.get(inner) or member(shape, key)
        if target == "-":
            continue
        if target is None:
            # Left for botocore to refuse: a misspelt row must not pass in silence.
            result[key] = item
            continue
        put(result, target, to_aws(item, member_shape(shape, target), rename, inner))
    return result


def _scalar(value: Any, shape: Any) -> Any:  # noqa: PLR0911
    kind = shape.type_name if shape is not None else ""
    if kind == "string" and not isinstance(value, str):
        if isinstance(value, bool):
            if set(getattr(shape, "enum", None) or ()) == {"ENABLED", "DISABLED"}:
                return "ENABLED" if value else "DISABLED"
            return "true" if value else "false"
        return json.dumps(value) if isinstance(value, dict | list) else str(value)
    if kind in ("integer", "long") and isinstance(value, str | float):
        try:
            return int(float(value))
        except ValueError:
            return value
    if kind in ("float", "double") and isinstance(value, str | int):
        try:
            return float(value)
        except ValueError:
            return value
    if kind == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value


def lookup(found: Any, path: str) -> Any:
    """What lies at ``A.B[0].C`` in an answer, or MISSING."""
    for part in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        if part.startswith("["):
            index = int(part[1:-1])
            if not isinstance(found, list) or len(found) <= index:
                return MISSING
            found = found[index]
        elif isinstance(found, Mapping) and part in found:
            found = found[part]
        else:
            return MISSING
    return found


def every(found: Any, path: str) -> list[Any]:
    """The list at a path of an answer; empty when there is none."""
    value = lookup(found, path)
    return value if isinstance(value, list) else []


def read(found: Any, name: str, rename: Mapping[str, str], path: str) -> Any:
    """What an answer says about a property, raw, or MISSING."""
    target = rename.get(path)
    if target == "-":
        return MISSING
    if target:
        return lookup(found, target)
    if not isinstance(found, Mapping):
        return MISSING
    key = _pick(tuple(key for key in found if isinstance(key, str)), name)
    return MISSING if key is None else found[key]


def from_aws(value: Any, wanted: PropertyType, rename: Mapping[str, str], path: str) -> Any:  # noqa: PLR0911, PLR0912
    """An answer's value as the property's type has it."""
    if value is None or value is MISSING:
        return None
    if wanted.kind == "list":
        items = value if isinstance(value, list) else [value]
        element = wanted.element or PropertyType("any")
        return [from_aws(item, element, rename, path) for item in items]
    if wanted.kind == "map" and isinstance(value, list):
        return tags_from(value)
    if wanted.kind == "map" and isinstance(value, Mapping):
        element = wanted.element or PropertyType("any")
        return {str(key): from_aws(item, element, rename, path) for key, item in value.items()}
    if isinstance(value, list) and wanted.kind != "any":
        return from_aws(value[0], wanted, rename, path) if value else None
    if wanted.kind == "object" and isinstance(value, Mapping):
        result = {}
        for name, inner in wanted.fields.items():
            raw = read(value, name, rename, f"{path}.{name}")
            if raw is not MISSING and raw is not None:
                result[name] = from_aws(raw, inner.type, rename, f"{path}.{name}")
        return result
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if wanted.kind in ("string", "document") and not isinstance(value, str):
        if isinstance(value, bool):
            return "true" if value else "false"
        return json.dumps(value) if isinstance(value, dict | list) else str(value)
    if wanted.kind == "integer" and isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else value
    if wanted.kind == "boolean" and isinstance(value, str):
        return value.lower() in ("true", "enabled", "on")
    return value


def tags_to(tags: Mapping[str, Any], form: str) -> Any:
    """A map of tags as the service wants it."""
    if form == "map":
        return {key: str(value) for key, value in tags.items()}
    names = {"lower": ("key", "value"), "kms": ("TagKey", "TagValue")}
    key_name, value_name = names.get(form, ("Key", "Value"))
    pairs = [{key_name: key, value_name: str(value)} for key, value in tags.items()]
    if form.startswith("spec:"):
        return [{"ResourceType": form[5:], "Tags": pairs}]
    return pairs


def tags_from(raw: Any) -> dict[str, str]:
    """Tags in any of AWS's forms as a map, without AWS's own."""
    if isinstance(raw, Mapping):
        pairs = list(raw.items())
    else:
        pairs = [
            (_any_of(tag, "Key", "key", "TagKey"), _any_of(tag, "Value", "value", "TagValue"))
            for tag in raw or []
        ]
    return {str(key): str(value) for key, value in pairs if not str(key).startswith("aws:")}


def _any_of(tag: Mapping[str, Any], *names: str) -> Any:
    return next((tag[name] for name in names if name in tag), "")


def problems(value: Any, shape: Any, rename: Mapping[str, str], path: str) -> Iterator[str]:
    """Why AWS would refuse a value: not in an enumeration, too long, too small, ..."""
    if value is None or value is UNKNOWN or shape is None or isinstance(value, Asset):
        return
    kind = shape.type_name
    if kind == "structure" and isinstance(value, list):
        value = value[0] if value else {}
    if kind == "structure" and isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{path}.{key}"
            target = rename.get(inner) or member(shape, key)
            if target and target != "-":
                yield from problems(item, member_shape(shape, target), rename, inner)
    elif kind == "list":
        for item in value if isinstance(value, list) else [value]:
            yield from problems(item, shape.member, rename, path)
    elif not has_unknown(value):
        yield from _scalar_problems(_scalar(value, shape), shape, path)


def _scalar_problems(value: Any, shape: Any, path: str) -> Iterator[str]:
    limits = shape.metadata
    low, high = limits.get("min"), limits.get("max")
    allowed = getattr(shape, "enum", None)
    if allowed and isinstance(value, str) and value not in allowed:
        yield f"{path}: expected one of {', '.join(allowed)}, got {value!r}"
    elif isinstance(value, str):
        if low is not None and len(value) < low:
            yield f"{path}: shorter than {low} characters"
        if high is not None and len(value) > high:
            yield f"{path}: {len(value)} characters long, AWS allows {high}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if low is not None and value < low:
            yield f"{path}: {value} is less than {low}"
        if high is not None and value > high:
            yield f"{path}: {value} is more than {high}"
