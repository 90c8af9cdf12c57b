"""JSON inside properties: container definitions and IAM policies, as text or as structures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policies.framework.rules import Undecidable
from policies.framework.views import Resource


def document(resource: Resource, path: str) -> Any:
    """The parsed JSON at `path`; None when it is not set. Raises when it is unknown or broken."""
    value = resource.get(path)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise Undecidable(f"{path} is not valid JSON ({error})", path) from error


def containers(task: Resource) -> list[dict[str, Any]]:
    """The containers of an ECS task definition, keys in camelCase as the ECS API has them."""
    found = document(task, "containerDefinitions")
    if found is None:
        return []
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise Undecidable("containerDefinitions is not a list", "containerDefinitions")
    return [_lowered(container) for container in found if isinstance(container, Mapping)]


def _lowered(container: Mapping[str, Any]) -> dict[str, Any]:
    """AWS takes `Name` for `name`; so does the provider."""
    return {key[:1].lower() + key[1:]: value for key, value in container.items()}


def container_environment(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A container's plain environment as (name, value)."""
    for entry in container.get("environment") or ():
        lowered = _lowered(entry)
        yield str(lowered.get("name", "")), str(lowered.get("value", ""))


def as_list(value: Any) -> list[Any]:
    """IAM takes one where it takes many."""
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [value]
    return list(value)


def statements(policy: Any) -> list[Mapping[str, Any]]:
    """The statements of an IAM policy document."""
    if not isinstance(policy, Mapping):
        return []
    return [item for item in as_list(policy.get("Statement")) if isinstance(item, Mapping)]
