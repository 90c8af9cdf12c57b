"""What a rule sees of a resource.

Reading an unknown value raises `UnknownRead`; the framework makes *undecided* of it. Asking whether
a key is there, or how long a list is, does not read the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from policies.framework.values import UNKNOWN, Asset, Secret, plain


class UnknownRead(Exception):  # noqa: N818  a state of the plan, not an error
    """A rule read a value that preview cannot know. `path` is the property's, in camelCase, and
    `owner` the URN of the resource it belongs to; `paths` are all that were met."""

    def __init__(self, path: str, owner: str = "", paths: tuple[str, ...] = ()) -> None:
        super().__init__(path)
        self.path = path
        self.owner = owner
        self.paths = paths or (path,)


class Block(Mapping[str, Any]):
    """An object inside a resource's properties."""

    __slots__ = ("_owner", "_raw", "path")

    def __init__(self, raw: Mapping[str, Any], path: str, owner: str) -> None:
        self._raw = raw
        self._owner = owner
        self.path = path

    def __getitem__(self, key: str) -> Any:
        return reveal(self._raw[key], f"{self.path}.{key}" if self.path else key, self._owner)

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, key: object) -> bool:
        return key in self._raw

    def __repr__(self) -> str:
        return f"Block({self.path or 'properties'}: {', '.join(self._raw)})"


class Items(Sequence[Any]):
    """A list inside a resource's properties.

    Going through it gives every known element first, and only then raises for an unknown one: a
    violation that is there is not hidden by a neighbour that is not known yet.
    """

    __slots__ = ("_owner", "_raw", "path")

    def __init__(self, raw: Sequence[Any], path: str, owner: str) -> None:
        self._raw = raw
        self._owner = owner
        self.path = path

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Items(self._raw[index], self.path, self._owner)
        return reveal(self._raw[index], f"{self.path}[{index}]", self._owner)

    def __len__(self) -> int:
        return len(self._raw)

    def __iter__(self) -> Iterator[Any]:
        unknown = None
        for index, element in enumerate(self._raw):
            if plain(element) is UNKNOWN:
                unknown = unknown or UnknownRead(f"{self.path}[{index}]", self._owner)
                continue
            yield reveal(element, f"{self.path}[{index}]", self._owner)
        if unknown:
            raise unknown


def reveal(raw: Any, path: str, owner: str) -> Any:
    """The value as a rule may read it; raises `UnknownRead` when it is not known."""
    value = plain(raw)
    if value is UNKNOWN:
        raise UnknownRead(path, owner)
    if isinstance(value, dict):
        return Block(value, path, owner)
    if isinstance(value, list):
        return Items(value, path, owner)
    return value


_INDEX = re.compile(r"\[(\d+)\]")


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[str, ...]:
    """A path's steps: `ingress[0].cidrBlocks` is ingress, 0, cidrBlocks."""
    return tuple(_INDEX.sub(r".\1", path).split("."))


_MISSING = object()


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource. Properties are its inputs, as the provider's own check left them.

    `outputs` are known to rules on the stack only. Paths are in camelCase, with dots and indices:
    `healthCheck.path`, `ingress[0].cidrBlocks`.
    """

    type: str
    name: str
    urn: str
    properties: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, path: str, default: Any = None) -> Any:
        """The property at `path`, or `default` when it is not set. Raises `UnknownRead`."""
        value = self._find(self.properties, path)
        return default if value is _MISSING else reveal(value, path, self.urn)

    def output(self, path: str, default: Any = None) -> Any:
        """The property, else what the provider says of it (an `arn`). Never raises: `default` when
        it is not known."""
        for source in (self.properties, self.outputs):
            try:
                value = self._find(source, path)
                if value is not _MISSING:
                    return reveal(value, path, self.urn)
            except UnknownRead:
                continue
        return default

    def known(self, path: str, default: Any = None) -> Any:
        """The property, or `default` when it is not set or not known. For helping evidence only:
        what a verdict stands on is read with `get`."""
        try:
            return self.get(path, default)
        except UnknownRead:
            return default

    def has(self, path: str) -> bool:
        """Whether the property is set, known or not."""
        try:
            return self._find(self.properties, path) is not _MISSING
        except UnknownRead:
            return True

    def is_unknown(self, path: str) -> bool:
        """Whether the property is set and cannot be known at preview."""
        try:
            self.get(path)
        except UnknownRead:
            return True
        return False

    def is_secret(self, path: str) -> bool:
        """Whether Pulumi has the property, or what holds it, marked secret."""
        value: Any = self.properties
        for step in steps(path):
            value = _step(plain(value), step)
            if type(value) is Secret:
                return True
            if value is _MISSING:
                return False
        return False

    def strings(self, path: str = "") -> Iterator[tuple[str, str, bool]]:
        """Every known string under `path` as (path, text, marked secret).

        Unknown ones raise after the known ones were given, unless they are marked secret: then
        there is nothing to find.
        """
        start = self.properties if not path else self._find(self.properties, path)
        if start is _MISSING:
            return
        unknown: list[str] = []
        yield from _strings(start, path, self.is_secret(path) if path else False, unknown)
        if unknown:
            raise UnknownRead(unknown[0], self.urn, tuple(unknown))

    def _find(self, source: Mapping[str, Any], path: str) -> Any:
        value: Any = source
        walked = ""
        for step in steps(path):
            value = plain(value)
            if value is UNKNOWN:
                raise UnknownRead(walked, self.urn)
            value = _step(value, step)
            if value is _MISSING:
                return _MISSING
            walked = f"{walked}.{step}" if walked else step
        return value


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, _MISSING)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return _MISSING


def _strings(
    value: Any, path: str, marked: bool, unknown: list[str]
) -> Iterator[tuple[str, str, bool]]:
    if type(value) is Secret:
        yield from _strings(value.value, path, True, unknown)
    elif value is UNKNOWN:
        if not marked:
            unknown.append(path)
    elif isinstance(value, str):
        yield path, value, marked
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _strings(element, f"{path}[{index}]", marked, unknown)
    elif isinstance(value, dict):
        for key, element in value.items():
            yield from _strings(element, f"{path}.{key}" if path else key, marked, unknown)
    elif isinstance(value, Asset) and isinstance(value.content.get("text"), str):
        yield f"{path}.text" if path else "text", value.content["text"], marked
