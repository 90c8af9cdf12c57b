"""The engine's event stream, typed.

`pulumi up|refresh|destroy --json`, and `pulumi preview --json` with
PULUMI_ENABLE_STREAMING_JSON_PREVIEW, write one event a line (`apitype.EngineEvent` of Pulumi's
sdk/go/common/apitype/events.go). Secret values arrive as `[secret]`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

SECRET = "[secret]"  # noqa: S105  what stands for a secret
UNKNOWN = "(known after the apply)"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_DEBUG = '"severity":"debug"'

CHANGES = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "import": "imported",
    "read": "read",
}
"""Operations that change something, and how a summary calls them. `create-replacement` and
`delete-replaced` are steps of a `replace`, which is announced as well."""


@dataclass(frozen=True)
class Step:
    """What happens to one resource. `protect_changes`: the program and the state disagree."""

    op: str
    urn: str
    type: str
    parent: str
    planning: bool
    protect: bool = False
    protect_changes: bool = False
    changed_keys: tuple[str, ...] = ()
    replacing_keys: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    old_outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepStarted(Step):
    """The engine begins a step."""


@dataclass(frozen=True)
class StepDone(Step):
    """A step has succeeded."""


@dataclass(frozen=True)
class StepFailed(Step):
    """A step has failed; why is in a `Message` with the same URN before it."""


@dataclass(frozen=True)
class Message:
    """What the engine, the program or a provider says. Severity: error, warning, info."""

    severity: str
    text: str
    urn: str = ""


@dataclass(frozen=True)
class Violation:
    """A rule is broken. Level: mandatory or advisory."""

    rule: str
    level: str
    text: str
    urn: str = ""
    pack: str = ""


@dataclass(frozen=True)
class Ended:
    """The engine's own count at the end of an operation."""

    succeeded: bool
    changes: Mapping[str, int]


Event: TypeAlias = StepStarted | StepDone | StepFailed | Message | Violation | Ended


def parse(line: str) -> Event | None:
    """One line of the stream; None for what nobody reads (debug messages are most of it)."""
    if _DEBUG in line or not line.startswith("{"):
        return None
    try:
        document = json.loads(line)
    except ValueError:  # cut off by a kill
        return None
    for name, read in _READERS.items():
        if name in document:
            return read(document[name])
    return None


def name_of(urn: str) -> str:
    """The name that a program gave the resource: the last part of its URN."""
    return urn.rpartition("::")[2]


def type_of(urn: str) -> str:
    """The resource's type, without its parents'."""
    parts = urn.split("::")
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""


def readable(value: Any) -> Any:
    """An output as a person or a JSON reader wants it: secrets hidden, the unknown said so."""
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return SECRET
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    return UNKNOWN if value == _UNKNOWN_VALUE else value


def _step(
    kind: type[StepStarted] | type[StepDone] | type[StepFailed],
) -> Callable[[Mapping[str, Any]], Event]:
    def read(said: Mapping[str, Any]) -> Event:
        about = said["metadata"]
        new, old = about.get("new") or {}, about.get("old") or {}
        present = new or old
        return kind(
            op=about["op"],
            urn=about["urn"],
            type=about["type"],
            parent=present.get("parent", ""),
            planning=bool(said.get("planning")),
            protect=bool(present.get("protect")),
            protect_changes=bool(new and old) and new.get("protect") != old.get("protect"),
            changed_keys=tuple(about.get("diffs") or ()),
            replacing_keys=tuple(about.get("keys") or ()),
            outputs=new.get("outputs") or {},
            old_outputs=old.get("outputs") or {},
        )

    return read


def _message(said: Mapping[str, Any]) -> Event | None:
    if said.get("ephemeral"):
        return None
    text = (said.get("prefix") or "") + said["message"]
    return Message(said["severity"], _without_prefix(text), said.get("urn", ""))


def _violation(said: Mapping[str, Any]) -> Event:
    return Violation(
        rule=said["policyName"],
        level=said["enforcementLevel"],
        text=said["message"].strip(),
        urn=said.get("resourceUrn", ""),
        pack=said.get("policyPackName", ""),
    )


def _ended(said: Mapping[str, Any]) -> Event:
    changes = {op: int(count) for op, count in (said.get("resourceChanges") or {}).items()}
    return Ended(said.get("result") == "succeeded", changes)


def _without_prefix(text: str) -> str:
    cleaned = text.strip()
    for prefix in ("error: ", "warning: "):
        cleaned = cleaned.removeprefix(prefix)
    return cleaned


_READERS: dict[str, Callable[[Mapping[str, Any]], Event | None]] = {
    "resourcePreEvent": _step(StepStarted),
    "resOutputsEvent": _step(StepDone),
    "resOpFailedEvent": _step(StepFailed),
    "diagnosticEvent": _message,
    "stdoutEvent": lambda said: Message("info", said["message"].strip()),
    "errorEvent": lambda said: Message("error", said["error"].strip()),
    "policyEvent": _violation,
    "summaryEvent": _ended,
}
