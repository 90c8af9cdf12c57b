"""A stack's overrides: by path (`databases.main.instance_class: db.t4g.micro`) or nested.

A path changes what is declared; it cannot declare a new entry of a collection, so that a misspelt
one is told. Nested mappings can.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from systems.document import Entry, Listing, Node, Table, step
from systems.errors import Place, Problem, did_you_mean, listing
from systems.merge import EACH
from systems.shape import Shape, fields
from systems.shape import step as shape_step


class Override(NamedTuple):
    """One entry of `gonogo:overrides`: a path, or the first field of a nested mapping."""

    path: str
    entry: Entry


def as_table(
    overrides: Sequence[Override], declared: Table, shape: Shape
) -> tuple[Table | None, list[Problem]]:
    """All overrides as one table, and those that lead nowhere or contradict each other."""
    table: Table | None = None
    found: list[Problem] = []
    for path, entry in overrides:
        keys = path.split(".")
        problem = _astray(keys, entry.key, declared, shape) if len(keys) > 1 else None
        if problem:
            found.append(problem)
            continue
        if table is None:
            table = Table(entry.key, {})
        found += _put(table, keys, entry, path)
    return table, found


def _put(table: Table, keys: list[str], entry: Entry, path: str) -> Iterator[Problem]:
    here = table
    for key in keys[:-1]:
        below = here.entries.setdefault(key, Entry(entry.key, Table(entry.key, {})))
        if not isinstance(below.node, Table):
            yield _twice(path, entry.key, below)
            return
        here = below.node
    yield from _lay(here, keys[-1], entry, path)


def _lay(table: Table, key: str, entry: Entry, path: str) -> Iterator[Problem]:
    """Put `entry` under `key`; mappings may be given in several pieces, a value only once."""
    there = table.entries.get(key)
    if there is None:
        table.entries[key] = Entry(entry.key, _copied(entry.node))
    elif isinstance(there.node, Table) and isinstance(entry.node, Table):
        for inner, below in entry.node.entries.items():
            yield from _lay(there.node, inner, below, f"{path}.{inner}")
    else:
        yield _twice(path, entry.key, there)


def _copied(node: Node) -> Node:
    if not isinstance(node, Table):
        return node
    entries = {key: Entry(one.key, _copied(one.node)) for key, one in node.entries.items()}
    return Table(node.place, entries)


def _twice(path: str, place: Place, there: Entry) -> Problem:
    return Problem(
        place,
        path,
        f"a second override of it, the first is in line {there.key.line}",
        "each field overridden once",
        f"keep one of lines {there.key.line} and {place.line}",
    )


def _astray(keys: list[str], place: Place, declared: Table, shape: Shape) -> Problem | None:
    """The problem of a path that leads nowhere."""
    node: Node | None = declared
    here: Shape | None = shape
    for depth, key in enumerate(keys):
        reached = ".".join(keys[:depth])
        choices = _choices(node, here)
        last = depth == len(keys) - 1
        free = here is not None and here.is_mapping and not here.is_collection
        known = key in choices or (key == EACH and here is not None and here.is_collection)
        if not key or not (known or (free and last)):
            near = did_you_mean(key, choices)
            return Problem(
                place,
                ".".join(keys),
                f'a path that leads nowhere: "{key}" is not in {reached or "a system"}',
                listing(choices, "nothing below it"),
                f"did you mean {'.'.join([*keys[:depth], near, *keys[depth + 1 :]])}?"
                if near
                else "take a declared name; a new entry is declared nested, not by a path",
            )
        entry = step(node, key) if node is not None else None
        node = entry.node if entry else None
        here = shape_step(here, key)
    return None


def _choices(node: Node | None, shape: Shape | None) -> list[str]:
    if shape is not None and shape.model:
        return list(fields(shape.model))
    if isinstance(node, Table):
        return list(node.entries)
    if isinstance(node, Listing):
        return [str(index) for index in range(len(node.items))]
    return []
