"""What a rule sees of a resource and of a stack.

Reading an unknown value raises `UnknownRead`; the framework makes *undecided* of it. Asking whether
a key is there, or how long a list is, does not read the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.framework.values import UNKNOWN, Asset, Secret, plain


class UnknownRead(Exception):  # noqa: N818  a state of the plan, not an error
    """A rule read a value that preview cannot know. `path` is the property's, in camelCase, and
    `owner` the URN of the resource it belongs to."""

    def __init__(self, path: str, owner: str = "") -> None:
        super().__init__(path)
        self.path = path
        self.owner = owner


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


def _steps(path: str) -> list[str]:
    return _INDEX.sub(r".\1", path).split(".")


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
        for step in _steps(path):
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
            raise UnknownRead(unknown[0], self.urn)

    def _find(self, source: Mapping[str, Any], path: str) -> Any:
        value: Any = source
        walked = ""
        for step in _steps(path):
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


class Stack:
    """All resources of the stack, with what depends on what."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)
        self.by_urn = {resource.urn: resource for resource in self.resources}
        self._by_type: dict[str, list[Resource]] = {}
        for resource in self.resources:
            self._by_type.setdefault(resource.type, []).append(resource)
        self._users: dict[str, list[tuple[Resource, str]]] | None = None
        self._referred: dict[tuple[str, str, tuple[str, ...]], list[Resource]] = {}

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types, in the order they were registered."""
        return [resource for kind in types for resource in self._by_type.get(kind, ())]

    def sources(self, resource: Resource, *properties: str) -> list[Resource]:
        """The resources whose outputs the properties were made from."""
        urns: dict[str, None] = {}
        for name in properties:
            urns.update(dict.fromkeys(resource.property_dependencies.get(name, ())))
        return [self.by_urn[urn] for urn in urns if urn in self.by_urn]

    def users(self, target: Resource, *types: str, through: str = "") -> list[Resource]:
        """The resources of these types that refer to `target`, by any property or by `through`."""
        if self._users is None:
            self._users = {}
            for resource in self.resources:
                for name, urns in resource.property_dependencies.items():
                    for urn in urns:
                        self._users.setdefault(urn, []).append((resource, name))
        found: dict[str, Resource] = {}
        for resource, name in self._users.get(target.urn, ()):
            if (not types or resource.type in types) and (not through or name == through):
                found[resource.urn] = resource
        return list(found.values())

    def referred(self, resource: Resource, path: str, *types: str) -> list[Resource]:
        """The resources of these types that the property at `path` names.

        Found by what it was made from, and by its value: an ARN, an id or a name that is written
        out. This decides at a first preview, where ARNs are not known yet.
        """
        key = (resource.urn, path, types)
        if key not in self._referred:
            self._referred[key] = self._refer(resource, path, types)
        return self._referred[key]

    def _refer(self, resource: Resource, path: str, types: tuple[str, ...]) -> list[Resource]:
        top = _steps(path)[0]
        found = {
            source.urn: source
            for source in self.sources(resource, top)
            if not types or source.type in types
        }
        values = set(_known_strings(resource, path))
        if values:
            for candidate in self.of_type(*types):
                if candidate.urn not in found and _is_named(candidate, values):
                    found[candidate.urn] = candidate
        return list(found.values())


def _is_named(candidate: Resource, values: set[str]) -> bool:
    return bool(values & identities(candidate)) or any(
        value.startswith("arn:") and arn_names(value, candidate) for value in values
    )


def _known_strings(resource: Resource, path: str) -> Iterator[str]:
    value = resource.output(path)
    raw = value if isinstance(value, str) else None
    if raw is not None:
        yield raw
        return
    try:
        for _, text, _ in resource.strings(path):
            yield text
    except UnknownRead:
        return


_IDENTITIES = (
    "id",
    "arn",
    "name",
    "bucket",
    "identifier",
    "clusterIdentifier",
    "clusterId",
    "replicationGroupId",
    "arnSuffix",
    "family",
    "alarmName",
)


def identities(resource: Resource) -> set[str]:
    """What others may call the resource: its id, its ARN, its physical name."""
    return {
        value for key in _IDENTITIES if isinstance(value := resource.output(key), str) and value
    }


# What stands before the name in an ARN, by the type it belongs to.
_ARN_SERVICES = {
    "aws:sns/topic:Topic": "sns",
    "aws:lb/loadBalancer:LoadBalancer": "elasticloadbalancing",
    "aws:wafv2/webAcl:WebAcl": "wafv2",
    "aws:secretsmanager/secret:Secret": "secretsmanager",
    "aws:ecs/cluster:Cluster": "ecs",
    "aws:ecs/taskDefinition:TaskDefinition": "ecs",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch",
    "aws:s3/bucket:Bucket": "s3",
    "aws:s3/bucketV2:BucketV2": "s3",
    "aws:kms/key:Key": "kms",
    "aws:rds/instance:Instance": "rds",
}


def arn_names(arn: str, resource: Resource) -> bool:
    """Whether a written-out ARN names the resource, whose own ARN is not known yet."""
    service = _ARN_SERVICES.get(resource.type)
    parts = arn.split(":", 5)
    if service is None or len(parts) < 6 or parts[2] != service:
        return False
    words = re.split(r"[:/]", parts[5])
    tail = parts[5].partition(":")[2] or parts[5]
    return any(name in words or name == tail for name in identities(resource))
