"""A call's parameters against botocore's model, as AWS's front end checks them.

botocore itself checks kinds, required members and smallest lengths; AWS also checks sets of
allowed values, patterns and largest lengths, which the models carry.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

from sandbox.cloud.errors import AwsError


def check(operation: OperationModel, parameters: dict[str, Any]) -> None:
    """Raise AWS's ValidationException for parameters that the model does not allow."""
    shape = operation.input_shape
    if shape is None:
        return
    unknown = sorted(set(parameters) - set(shape.members))
    if unknown:
        raise AwsError("ValidationException", f"Unknown parameter: {', '.join(unknown)}")
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise AwsError("ValidationException", str(report.generate_report()))
    problems = list(_problems(shape, parameters, ""))
    if problems:
        count = len(problems)
        noun = "error" if count == 1 else "errors"
        raise AwsError(
            "ValidationException", f"{count} validation {noun} detected: {'; '.join(problems)}"
        )


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                yield from _problems(member, value[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _length(shape, value, path)
        for index, each in enumerate(value):
            yield from _problems(shape.member, each, f"{path}.{index + 1}.member")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, each in value.items():
            yield from _problems(shape.value, each, f"{path}.{key}")
    else:
        yield from _scalar(shape, value, path)


def _scalar(shape: Shape, value: Any, path: str) -> Iterator[str]:
    start = f"Value '{value}' at '{path[:1].lower()}{path[1:]}' failed to satisfy constraint:"
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        yield f"{start} Member must satisfy enum value set: [{', '.join(allowed)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str):
        expression = _compiled(str(pattern))
        if expression is not None and not expression.fullmatch(value):
            yield f"{start} Member must satisfy regular expression pattern: {pattern}"
    yield from _length(shape, value, path)


def _length(shape: Shape, value: Any, path: str) -> Iterator[str]:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    sized = isinstance(value, str | bytes | list)
    measured = len(value) if sized else value
    if isinstance(measured, bool) or not isinstance(measured, int | float):
        return
    what = "have length" if sized else "have value"
    start = f"Value at '{path[:1].lower()}{path[1:]}' failed to satisfy constraint: Member must"
    if smallest is not None and measured < smallest:
        yield f"{start} {what} greater than or equal to {smallest}"
    if largest is not None and measured > largest:
        yield f"{start} {what} less than or equal to {largest}"


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The model's expressions are Java's; the few that Python does not read are not checked."""
    try:
        return re.compile(pattern)
    except re.error:
        return None
