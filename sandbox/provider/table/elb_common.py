"""What the rows of load balancing share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.table.common import arn_tags, named

TAGS: Final = arn_tags(
    "ResourceArns",
    "AddTags",
    "RemoveTags",
    "DescribeTags",
    path="TagDescriptions[0].Tags",
    resource="{id}",
)
NAME: Final = named(
    r"(?!internal-)(?!-)[A-Za-z0-9-]+(?<!-)",
    32,
    "expected letters, digits and -, none at the ends, not beginning with internal-",
)


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def attributes(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


def suffix(kind: str) -> Any:
    """What CloudWatch's dimensions want: the ARN after ``loadbalancer/``, or from
    ``targetgroup/`` on."""

    def source(found: Any, call: Call) -> Any:
        tail = call.id.rpartition(":")[2]
        return tail.removeprefix("loadbalancer/") if kind == "loadbalancer" else tail

    return source
