"""Checking one layer against the model's shape: names, kinds of value, limits of single values.

Done on every layer before they are merged, so that a mistake is told even where another layer
covers it. What must go together is the model's own matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from systems.document import FieldPath, Listing, Node, Scalar, Table, dotted
from systems.errors import Problem, did_you_mean, listing
from systems.merge import EACH
from systems.shape import Shape, advice, allowed, bound, fields
from systems.suspects import looks_like


def check(node: Node, shape: Shape, path: FieldPath = ()) -> Iterator[Problem]:
    """Every problem of the tree under `node`, which stands at `path`."""
    if isinstance(node, Scalar) and node.value is None:
        return  # `null` takes out, and whether that may be shows after the merge
    if isinstance(node, Table) and shape.model:
        yield from _model(node, shape.model, path)
    elif isinstance(node, Table) and (shape.is_mapping or _changes_items(node, shape)):
        yield from _names(node, shape, path)
    elif isinstance(node, Listing) and shape.is_list:
        for index, item in enumerate(node.items):
            yield from check(item, shape.value(), (*path, index))
    elif not isinstance(node, Scalar) or not fits(node, shape):
        yield wrong_value(node, shape, path)


def _names(node: Table, shape: Shape, path: FieldPath) -> Iterator[Problem]:
    for name, entry in node.entries.items():
        each = name == EACH and shape.is_collection
        if shape.is_mapping and not each and not fits(Scalar(entry.key, name, name), shape.key()):
            yield Problem(
                entry.key,
                dotted((*path, name)),
                f'the name "{name}"',
                allowed(shape.key()),
                "write the name so",
            )
        yield from check(entry.node, shape.value(), (*path, name))


def _model(node: Table, model: Any, path: FieldPath) -> Iterator[Problem]:
    known = fields(model)
    for key, entry in node.entries.items():
        if key in known:
            yield from check(entry.node, known[key], (*path, key))
            continue
        near = did_you_mean(key, known)
        if near:
            todo = f"did you mean {near}?"
        elif key == EACH:
            todo = 'write the field: "*" stands for the entries of a collection only'
        else:
            todo = "remove it, or move it to where it belongs"
        yield Problem(entry.key, dotted((*path, key)), "an unknown field", listing(known), todo)


def _changes_items(node: Table, shape: Shape) -> bool:
    """`0: ...` changes the first item of a list that a lower layer gives."""
    return shape.is_list and all(key.isdecimal() for key in node.entries)


def fits(node: Scalar, shape: Shape) -> bool:
    """Whether a single value is of the shape's type and within its limits."""
    value = node.value
    if get_origin(shape.kind) is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(shape.kind))
    if shape.kind is bool:
        return isinstance(value, bool)
    if shape.kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and _in_range(value, shape)
    if shape.kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and _in_range(value, shape)
    if shape.kind is str:
        return isinstance(value, str) and _matches(value, shape)
    return False


def _in_range(value: Any, shape: Shape) -> bool:
    least, above, most = (bound(shape, name) for name in ("ge", "gt", "le"))
    return (
        (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
    )


def _matches(value: str, shape: Shape) -> bool:
    pattern, shortest = bound(shape, "pattern"), bound(shape, "min_length")
    return (pattern is None or bool(re.search(pattern, value))) and len(value) >= (shortest or 0)


def wrong_value(node: Node, shape: Shape, path: FieldPath) -> Problem:
    """The problem of a value of the wrong kind or out of its limits."""
    return Problem(
        node.place, dotted(path), found(node), allowed(shape), _advice(node, shape, path)
    )


def found(node: Node) -> str:
    """What stands there, in words. What looks like a secret is not repeated."""
    if isinstance(node, Table):
        return "a mapping" if node.entries else "an empty mapping"
    if isinstance(node, Listing):
        return f"a list of {len(node.items)}" if node.items else "an empty list"
    if node.value is None:
        return "nothing" if node.blank else node.text
    if isinstance(node.value, str):
        secret = looks_like(node.value)
        if secret:
            return f"what looks like {secret}, {len(node.value)} characters"
        return f'"{node.value}"' if len(node.value) <= 80 else f'"{node.value[:77]}..."'
    return node.text


# How many of the unit at the end of a field's name one of the written unit is.
_UNITS: dict[str, dict[str, float]] = {
    "_ms": {"ms": 1, "s": 1000, "m": 60_000},
    "_seconds": {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400},
    "_minutes": {"s": 1 / 60, "m": 1, "min": 1, "h": 60, "d": 1440},
    "_days": {"h": 1 / 24, "d": 1, "day": 1, "days": 1, "w": 7, "months": 30, "y": 365},
    "_percent": {"%": 1, "percent": 1},
    "_gb": {"gb": 1, "gib": 1, "g": 1, "tb": 1000, "tib": 1024, "t": 1024},
    "_mb": {"mb": 1, "mib": 1, "m": 1, "gb": 1024, "gib": 1024, "g": 1024},
}


def _advice(node: Node, shape: Shape, path: FieldPath) -> str:
    if not isinstance(node, Scalar):
        return "see the indentation: this field wants what is allowed, nothing within it"
    if get_origin(shape.kind) is Literal:
        return _choice(node, [str(option) for option in get_args(shape.kind)])
    if shape.kind in (int, float, str, bool):
        return _single(node, shape, str(path[-1]) if path else "")
    nested = shape.model or shape.is_mapping
    return "nest its fields under it, two spaces deeper" if nested else "write - one item a line"


def _single(node: Scalar, shape: Shape, name: str) -> str:
    text = isinstance(node.value, str)
    if shape.kind is str and not text:
        return f'put it in quotes: "{node.text}"'
    if shape.kind is bool:
        return "write true or false, without quotes"
    if shape.kind is str:
        return advice(shape) or "write it in that form"
    if text:
        return _without_unit(node.text, name) or "write a number, without quotes or a unit"
    if isinstance(node.value, bool):
        return "write a number"
    whole = shape.kind is int and isinstance(node.value, float)
    return advice(shape) or ("leave out the fraction" if whole else "take a number in that range")


def _choice(node: Scalar, options: list[str]) -> str:
    if str(node.value) in options:
        quoted = isinstance(node.value, str)
        return "write it without quotes" if quoted else f'put it in quotes: "{node.text}"'
    near = did_you_mean(node.text, options) if isinstance(node.value, str) else None
    return f"did you mean {near}?" if near else "take one of those"


def _without_unit(text: str, name: str) -> str | None:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z%]+)\s*", text)
    unit = next((end for end in _UNITS if name.endswith(end)), None)
    if not match or unit is None:
        return None
    factor = _UNITS[unit].get(match[2].lower())
    if factor is None:
        return f"write a number of {unit[1:]}, without a unit: the field's name has it"
    amount = float(match[1]) * factor
    return f"write {amount:g}: the field's name says {unit[1:]}"
