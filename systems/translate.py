"""From pydantic's errors to problems in people's words, at the line they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from systems.document import FieldPath, Node, Scalar, Table, dotted, plain, step
from systems.errors import Place, Problem, did_you_mean
from systems.model.base import Misfit, MisfitError
from systems.model.references import misfits
from systems.shape import Shape, allowed, along, fields
from systems.structure import found, wrong_value


def problems(
    error: ValidationError, root: Table, shape: Shape, told: Collection[Place]
) -> Iterator[Problem]:
    """Each of pydantic's errors as a problem, and the dangling references that it did not reach.

    Left out is what was told before, layer by layer: unknown fields, and the places in `told`.
    """
    errors = error.errors(include_url=False)
    for one in errors:
        path = tuple(one["loc"])
        if one["type"] == "missing":
            yield from _missing(path, root, shape)
        elif one["type"] != "extra_forbidden":
            yield from (new for new in _found(one, path, root, shape) if new.place not in told)
    data = plain(root)
    reached = any(not one["loc"] for one in errors)
    if not reached and isinstance(data, Mapping) and not _misspelt(root, shape, ()):
        for misfit in misfits(data):
            yield _misfit(misfit, (), root)


def _found(one: Mapping[str, Any], path: FieldPath, root: Table, shape: Shape) -> Iterator[Problem]:
    if one["type"] == "value_error":
        yield from _misfits(one["ctx"]["error"], path, root, shape)
    elif path and path[-1] == "[key]":
        yield _wrong_name(path[:-1], root, shape)
    else:
        yield _wrong(one, path, root, shape)


def place_at(root: Table, path: FieldPath) -> Place:
    """Where the value at `path` stands, or the nearest thing above it that is written down."""
    place, node = root.place, None
    for key in path:
        entry = step(node or root, key)
        if entry is None:
            break
        node = entry.node
        place = node.place if isinstance(node, Scalar) else entry.key
    return place


def _missing(path: FieldPath, root: Table, shape: Shape) -> Iterator[Problem]:
    name = str(path[-1])
    if any(did_you_mean(key, [name]) for key in _misspelt(root, shape, path[:-1])):
        return  # the unknown field beside it says the same better
    wanted = along(shape, path)
    yield Problem(
        place_at(root, path[:-1]),
        dotted(path),
        "nothing",
        f"{allowed(wanted) if wanted else 'a value'} (it has to be given)",
        f"add {name}:",
    )


def _misspelt(root: Table, shape: Shape, path: FieldPath) -> list[str]:
    """Fields beside the one at `path` that the model does not know."""
    node: Any = root
    for key in path:
        entry = step(node, key)
        node = entry.node if entry else None
        if node is None:
            return []
    here = along(shape, path)
    if here is None or here.model is None or not isinstance(node, Table):
        return []
    return [key for key in node.entries if key not in fields(here.model)]


def _misfits(error: Any, path: FieldPath, root: Table, shape: Shape) -> Iterator[Problem]:
    if isinstance(error, MisfitError):
        for one in error.misfits:
            yield _misfit(one, path, root)
        return
    node, here = _node_at(root, path), along(shape, path)
    if isinstance(node, Scalar) and here:
        yield wrong_value(node, here, path)
    else:
        wanted = allowed(here) if here else "a value that is allowed"
        yield Problem(place_at(root, path), dotted(path), str(error), wanted, "change it")


def _node_at(root: Table, path: FieldPath) -> Node:
    """What stands at `path`, or the nearest thing above it."""
    node: Node = root
    for key in path:
        entry = step(node, key)
        node = entry.node if entry else node
    return node


def _misfit(one: Misfit, path: FieldPath, root: Table) -> Problem:
    whole = (*path, *one.path)
    return Problem(place_at(root, whole), dotted(whole), one.found, one.allowed, one.todo)


def _wrong_name(path: FieldPath, root: Table, shape: Shape) -> Problem:
    parent = along(shape, path[:-1])
    above = step(_node_at(root, path[:-1]), path[-1])
    return Problem(
        above.key if above else place_at(root, path),
        dotted(path),
        f'the name "{path[-1]}"',
        allowed(parent.key()) if parent and parent.is_mapping else "another name",
        "write the name so",
    )


def _wrong(one: Mapping[str, Any], path: FieldPath, root: Table, shape: Shape) -> Problem:
    node, here = _node_at(root, path), along(shape, path)
    context = one.get("ctx") or {}
    if one["type"] in ("too_short", "too_long"):
        limit = context.get("min_length", context.get("max_length"))
        words = "at least" if one["type"] == "too_short" else "at most"
        return Problem(
            place_at(root, path), dotted(path), found(node), f"{words} {limit} of them",
            "add what is missing" if one["type"] == "too_short" else "remove what is too much",
        )  # fmt: skip
    if here is None:
        return Problem(
            place_at(root, path), dotted(path), found(node), "another value", "change it"
        )
    return wrong_value(node, here, path)
