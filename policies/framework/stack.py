"""What a rule sees of a stack: its resources, and what refers to what.

Everything that is looked up is indexed once, so that the pack's cost grows with the stack and not
with its square.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

from policies.framework.views import Resource, UnknownRead, steps

T = TypeVar("T")


class Stack:
    """All resources of the stack, with what depends on what."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)
        self.by_urn = {resource.urn: resource for resource in self.resources}
        self._by_type: dict[str, list[Resource]] = {}
        for resource in self.resources:
            self._by_type.setdefault(resource.type, []).append(resource)
        self._memory: dict[Hashable, Any] = {}

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types, in the order they were registered."""
        return [resource for kind in types for resource in self._by_type.get(kind, ())]

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for this stack: a rule's own index."""
        if key not in self._memory:
            self._memory[key] = make()
        value: T = self._memory[key]
        return value

    def sources(self, resource: Resource, *properties: str) -> list[Resource]:
        """The resources whose outputs the properties were made from."""
        urns: dict[str, None] = {}
        for name in properties:
            urns.update(dict.fromkeys(resource.property_dependencies.get(name, ())))
        return [self.by_urn[urn] for urn in urns if urn in self.by_urn]

    def users(self, target: Resource, *types: str) -> list[Resource]:
        """The resources of these types any of whose properties was made from `target`."""
        index = self.once("users", self._index_users)
        return [user for user in index.get(target.urn, ()) if user.type in types]

    def _index_users(self) -> dict[str, list[Resource]]:
        index: dict[str, dict[str, Resource]] = {}
        for resource in self.resources:
            for urns in resource.property_dependencies.values():
                for urn in urns:
                    index.setdefault(urn, {})[resource.urn] = resource
        return {urn: list(users.values()) for urn, users in index.items()}

    def referred(self, resource: Resource, path: str, *types: str) -> list[Resource]:
        """The resources of these types that the property at `path` names.

        Found by what it was made from, and by its value: an ARN, an id or a name that is written
        out. This decides at a first preview, where ARNs are not known yet.
        """
        return self.once(
            ("referred", resource.urn, path, types), lambda: self._refer(resource, path, types)
        )

    def referring(
        self, target: Resource, path: str, *types: str, among: tuple[str, ...] = ()
    ) -> list[Resource]:
        """The resources of these types whose property at `path` names `target`.

        :param among: the types that the property may name; the target's own when left out.
        """
        named = among or (target.type,)
        index = self.once(
            ("referring", path, types, named), lambda: self._index_referring(path, types, named)
        )
        return index.get(target.urn, [])

    def _index_referring(
        self, path: str, types: tuple[str, ...], named: tuple[str, ...]
    ) -> dict[str, list[Resource]]:
        index: dict[str, list[Resource]] = {}
        for resource in self.of_type(*types):
            for target in self.referred(resource, path, *named):
                index.setdefault(target.urn, []).append(resource)
        return index

    def _refer(self, resource: Resource, path: str, types: tuple[str, ...]) -> list[Resource]:
        found = {
            source.urn: source
            for source in self.sources(resource, steps(path)[0])
            if source.type in types
        }
        names = self.once(("names", types), lambda: self._index_names(types))
        for value in _known_strings(resource, path):
            for candidate in names.get(value, ()):
                found.setdefault(candidate.urn, candidate)
            if value.startswith("arn:"):
                for word in arn_words(value):
                    for candidate in names.get(word, ()):
                        if _is_service_of(value, candidate):
                            found.setdefault(candidate.urn, candidate)
        return list(found.values())

    def _index_names(self, types: tuple[str, ...]) -> dict[str, list[Resource]]:
        index: dict[str, list[Resource]] = {}
        for resource in self.of_type(*types):
            for name in identities(resource):
                index.setdefault(name, []).append(resource)
        return index


def _known_strings(resource: Resource, path: str) -> Iterator[str]:
    value = resource.output(path)
    if isinstance(value, str):
        yield value
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


# The service in an ARN, by the type whose ARN may be written out before it is known.
_ARN_SERVICES = {
    "aws:sns/topic:Topic": "sns",
    "aws:lb/loadBalancer:LoadBalancer": "elasticloadbalancing",
    "aws:wafv2/webAcl:WebAcl": "wafv2",
    "aws:secretsmanager/secret:Secret": "secretsmanager",
    "aws:ecs/taskDefinition:TaskDefinition": "ecs",
    "aws:s3/bucket:Bucket": "s3",
    "aws:s3/bucketV2:BucketV2": "s3",
    "aws:rds/instance:Instance": "rds",
}


def arn_words(arn: str) -> set[str]:
    """What in an ARN may be a resource's name: its parts, and all that follows the type."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return set()
    return {*re.split(r"[:/]", parts[5]), parts[5], parts[5].partition(":")[2]} - {""}


def _is_service_of(arn: str, resource: Resource) -> bool:
    return arn.split(":", 3)[2] == _ARN_SERVICES.get(resource.type)
