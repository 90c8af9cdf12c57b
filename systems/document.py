"""A YAML document as a tree that remembers the line of everything in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from systems.errors import Place

Value = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is what the file says, which keeps `16.10` apart from `16.1`."""

    place: Place
    value: Value
    text: str

    @property
    def blank(self) -> bool:
        """Nothing was written, which is not the same as writing `null`."""
        return self.value is None and not self.text


@dataclass(frozen=True, slots=True)
class Listing:
    """Values in order."""

    place: Place
    items: tuple[Node, ...]


class Entry(NamedTuple):
    """What a key holds, and where the key stands."""

    key: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Table:
    """Values by key."""

    place: Place
    entries: dict[str, Entry]


Node = Scalar | Listing | Table
FieldPath = tuple[str | int, ...]


def plain(node: Node) -> object:
    """The tree as dicts, lists and values."""
    if isinstance(node, Table):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return node.value


def step(node: Node, key: str | int) -> Entry | None:
    """What `key` leads to from here."""
    if isinstance(node, Table):
        return node.entries.get(str(key))
    if isinstance(node, Listing) and str(key).isdecimal() and int(key) < len(node.items):
        item = node.items[int(key)]
        return Entry(item.place, item)
    return None


def leaves(node: Node, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Scalar]]:
    """Every value of the tree with its path."""
    if isinstance(node, Table):
        for key, entry in node.entries.items():
            yield from leaves(entry.node, (*path, key))
    elif isinstance(node, Listing):
        for index, item in enumerate(node.items):
            yield from leaves(item, (*path, index))
    else:
        yield path, node


def dotted(path: FieldPath) -> str:
    """A path as it is written: `databases.main.storage_gb`."""
    return ".".join(map(str, path))


_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def resolve(text: str) -> Value:
    """An unquoted scalar by YAML 1.2's core schema.

    Infinity, not-a-number, octal and numbers longer than any figure here stay text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= 40:
        if _INTEGER.match(text):
            return int(text)
        if _FLOAT.match(text):
            number = float(text)
            return number if abs(number) < 1e300 else text
    return text
