"""Laying a system over its tier, and a stack's overrides over both.

The last layer that says something wins; mappings are merged, lists and values replaced. In a
collection `"*"` stands for each of its entries, and a layer's named entry goes over its `"*"`.
`null` for an entry takes it out. A section that a system may do without is not brought in by the
tier alone when it has fields that only the system can know (an ingress needs its domain).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from systems.document import Entry, Listing, Node, Scalar, Table
from systems.shape import Shape, complete, step

EACH = "*"


class Layer(NamedTuple):
    """One source of fields. A tier only gives defaults: it declares nothing."""

    table: Table
    declares: bool


class _Part(NamedTuple):
    entry: Entry
    declares: bool

    @property
    def node(self) -> Node:
        return self.entry.node


def merge(shape: Shape, layers: Iterable[Layer]) -> Table:
    """One table out of several, lowest layer first. Every value keeps the place it came from."""
    parts = [_Part(Entry(layer.table.place, layer.table), layer.declares) for layer in layers]
    merged = _merge(shape, parts)
    if not isinstance(merged.node, Table):
        raise TypeError("layers are tables")
    return merged.node


def _merge(shape: Shape | None, parts: Sequence[_Part]) -> Entry:
    """Several values for one field: the last, and under tables all since the last non-table."""
    parts = _with_list_items(shape, parts)
    last = parts[-1]
    if not isinstance(last.node, Table):
        return last.entry
    begin = max(
        (i + 1 for i, part in enumerate(parts) if not isinstance(part.node, Table)), default=0
    )
    tables = parts[begin:]
    home = next((part for part in tables if part.declares), last).entry
    collection = shape is not None and shape.is_collection
    entries = _collection(shape, tables) if collection else _table(shape, tables)
    return Entry(home.key, Table(home.node.place, entries))


def _table(shape: Shape | None, tables: Sequence[_Part]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for name in _keys(tables):
        inner = step(shape, name)
        parts = [part for table in tables if (part := _under(table, name))]
        if shape is not None and shape.is_mapping and _takes_out(parts[-1].node, parts):
            continue
        if not _waits_for_the_system(inner, parts):
            entries[name] = _merge(inner, parts)
    return entries


def _collection(shape: Shape | None, tables: Sequence[_Part]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for name in _keys(tables):
        if name == EACH:
            continue
        inner = step(shape, name)
        parts: list[_Part] = []
        named: _Part | None = None
        for table in tables:
            parts += [part for key in (EACH, name) if (part := _under(table, key))]
            named = _under(table, name) or named
        if named is None or _takes_out(named.node, parts):
            continue
        # Where the entry is declared matters more than where one of its fields is changed.
        declared = next(part for part in parts if part.entry.key == _first(tables, name).key)
        merged = _merge(inner, parts)
        entries[name] = Entry(declared.entry.key, merged.node)
    return entries


def _first(tables: Sequence[_Part], name: str) -> Entry:
    found = [part for table in tables if (part := _under(table, name))]
    return next((part for part in found if part.declares), found[0]).entry


def _takes_out(node: Node, parts: Sequence[_Part]) -> bool:
    """`null`, written out, over an entry that a lower layer declares."""
    return isinstance(node, Scalar) and node.value is None and not node.blank and len(parts) > 1


def _waits_for_the_system(shape: Shape | None, parts: Sequence[_Part]) -> bool:
    return (
        shape is not None
        and shape.optional
        and shape.model is not None
        and not any(part.declares for part in parts)
        and not complete(shape.model)
    )


def _with_list_items(shape: Shape | None, parts: Sequence[_Part]) -> list[_Part]:
    """A table of numbers over a list changes single items: `notifications.critical.0.endpoint`."""
    done: list[_Part] = []
    for part in parts:
        below = done[-1] if done else None
        if below and _changes_items(below.node, part.node) and shape and shape.is_list:
            done.append(_with_items(shape, below, part))
        else:
            done.append(part)
    return done


def _changes_items(below: Node, node: Node) -> bool:
    return (
        isinstance(below, Listing)
        and isinstance(node, Table)
        and all(key.isdecimal() and int(key) < len(below.items) for key in node.entries)
    )


def _with_items(shape: Shape, below: _Part, part: _Part) -> _Part:
    items = list(below.node.items) if isinstance(below.node, Listing) else []
    for key, entry in part.node.entries.items() if isinstance(part.node, Table) else ():
        item = items[int(key)]
        lower = _Part(Entry(item.place, item), below.declares)
        items[int(key)] = _merge(shape.value(), [lower, _Part(entry, part.declares)]).node
    return _Part(Entry(below.entry.key, Listing(below.node.place, tuple(items))), True)


def _keys(tables: Sequence[_Part]) -> list[str]:
    return list(
        dict.fromkeys(
            key for part in tables if isinstance(part.node, Table) for key in part.node.entries
        )
    )


def _under(part: _Part, key: str) -> _Part | None:
    entry = part.node.entries.get(key) if isinstance(part.node, Table) else None
    return _Part(entry, part.declares) if entry else None
