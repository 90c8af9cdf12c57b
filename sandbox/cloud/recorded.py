"""What the emulator lacks: validated by botocore's model, kept, and listed as recorded.

*Recorded, not emulated*: the call was well formed and is remembered; nothing acts on it.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sandbox.cloud.answer import Response
from sandbox.cloud.dispatch import Call
from sandbox.cloud.errors import AwsError
from sandbox.cloud.validation import check

READING = ("Describe", "List", "Get", "Head", "BatchGet", "Search")
KEPT_CALLS = 2000


class Recorded:
    """The calls that were recorded."""

    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Response:
        """Validate and keep a call; a minimal valid answer. A reading call is refused.

        A read has no answer here that would not be invented, so it is refused in plain words.
        """
        check(call.operation, call.parameters)
        name = call.operation.name
        if name.startswith(READING):
            raise AwsError(
                "NotImplemented",
                f"{call.service.service_name} {name} is not emulated by the sandbox: what was set"
                " is recorded and can be seen with ./gonogo sandbox status.",
                501,
            )
        self.remember(call)
        shape = call.operation.output_shape
        return call.result(minimal(shape, call.parameters) if shape else {})

    def remember(self, call: Call) -> None:
        """Keep a call whose effect is not emulated."""
        with self._lock:
            self._calls.append({
                "service": call.service.service_name,
                "operation": call.operation.name,
                "account": call.account,
                "region": call.region,
                "at": time.time(),
                "parameters": plain(call.parameters),
            })  # fmt: skip
            del self._calls[:-KEPT_CALLS]

    def listed(self) -> list[dict[str, Any]]:
        """Every recorded call, oldest first."""
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._calls.clear()

    def state(self) -> dict[str, Any]:
        """For saving."""
        return {"calls": self.listed()}

    def restore(self, state: dict[str, Any]) -> None:
        """After loading."""
        with self._lock:
            self._calls = list(state.get("calls", []))


def minimal(shape: Shape, given: dict[str, Any], depth: int = 0) -> Any:
    """The smallest value of a shape that holds: the caller's own values where names agree."""
    if isinstance(shape, StructureShape):
        members: dict[str, Any] = {}
        for name, member in shape.members.items():
            if name in given and _fits(member, given[name]):
                members[name] = given[name]
            elif name in shape.required_members and depth < 4:
                members[name] = minimal(member, given, depth + 1)
        return members
    if isinstance(shape, ListShape):
        return []
    if isinstance(shape, MapShape):
        return {}
    enum = getattr(shape, "enum", None)
    if enum:
        return enum[0]
    defaults: dict[str, Any] = {
        "boolean": False, "integer": 0, "long": 0, "float": 0.0, "double": 0.0,
        "timestamp": time.time(), "blob": b"",
    }  # fmt: skip
    return defaults.get(shape.type_name, "recorded")


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _fits(shape: Shape, value: Any) -> bool:
    kinds: dict[str, type | tuple[type, ...]] = {
        "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
        "integer": int, "long": int, "float": (int, float), "double": (int, float),
    }  # fmt: skip
    kind = kinds.get(shape.type_name)
    return kind is not None and isinstance(value, kind)
