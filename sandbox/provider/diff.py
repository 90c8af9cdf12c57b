"""Diff: what an update would change, and whether AWS can do it in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.provider.resource import ResourceType
from sandbox.provider.values import is_empty, same

_NEVER_COMPARED = frozenset({"__defaults"})
_NEVER_REPLACES = frozenset({"tags", "tagsAll"})


@dataclass(frozen=True)
class Change:
    """One changed property: its path in Pulumi's spelling, ``add``, ``delete`` or ``update``."""

    path: str
    kind: str
    replaces: bool


@dataclass(frozen=True)
class Difference:
    """All changes; ``delete_first`` when old and new cannot stand beside each other."""

    changes: tuple[Change, ...]
    delete_first: bool

    @property
    def properties(self) -> list[str]:
        """The top-level properties that changed."""
        return sorted({change.path.split(".")[0].split("[")[0] for change in self.changes})

    @property
    def replaces(self) -> list[str]:
        """The paths that ask for a replacement."""
        return sorted(change.path for change in self.changes if change.replaces)


def diff(
    row: ResourceType,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    ignore: tuple[str, ...] = (),
    regions: tuple[str, str] = ("", ""),
) -> Difference:
    """Old inputs against new ones. ``regions``: where it is, where it is to be."""
    changes: list[Change] = []
    for name in sorted({*old, *new} - _NEVER_COMPARED):
        if name == "region" or name in ignore:
            continue
        left, right = old.get(name), new.get(name)
        ordered = name in row.ordered
        if same(left, right, ordered=ordered):
            continue
        replaces = replaced_by(row, name)
        for path, kind in _paths(name, left, right, ordered=ordered):
            changes.append(Change(path, kind, replaces or path in row.replace))
    if regions[0] and regions[1] and regions[0] != regions[1]:
        changes.append(Change("region", "update", True))
    delete_first = any(change.replaces for change in changes) and _collides(row, old, new, regions)
    return Difference(tuple(changes), delete_first)


def replaced_by(row: ResourceType, name: str) -> bool:
    """Whether a change of the property asks for a new resource."""
    if name in _NEVER_REPLACES:
        return False
    if "*" in row.replace:
        return name not in row.update_only
    return name in row.replace or (bool(row.name) and name in (row.name, f"{row.name}Prefix"))


def _collides(
    row: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any], regions: tuple[str, str]
) -> bool:
    if row.unique:
        return True
    moves = bool(regions[0]) and regions[0] != regions[1]
    return bool(row.name) and not moves and same(old.get(row.name), new.get(row.name))


def _paths(path: str, left: Any, right: Any, *, ordered: bool) -> Iterator[tuple[str, str]]:
    if is_empty(left):
        yield path, "add"
    elif is_empty(right):
        yield path, "delete"
    elif isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({*left, *right} - _NEVER_COMPARED):
            if not same(left.get(key), right.get(key), ordered=ordered):
                inner = f"{path}.{key}" if key.isidentifier() else f'{path}["{key}"]'
                yield from _paths(inner, left.get(key), right.get(key), ordered=ordered)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (a, b) in enumerate(zip(left, right, strict=True)):
            if not same(a, b, ordered=ordered):
                yield from _paths(f"{path}[{index}]", a, b, ordered=ordered)
    else:
        yield path, "update"
