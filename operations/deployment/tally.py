"""What a run did, gathered from its events while it goes on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.deployment.events import (
    CHANGES,
    Ended,
    Event,
    Message,
    Step,
    StepDone,
    StepFailed,
    StepStarted,
    Violation,
    name_of,
    type_of,
)

STACK_TYPE = "pulumi:pulumi:Stack"
COMPONENTS = "gonogo:components:"
OWN = "stack"
"""Where resources that no component declares are counted."""

_ALARMS = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")
_NOISE = ("pulumi-language-python from $PATH",)


@dataclass
class Tally:
    """Fed with every event of one run."""

    began: float = field(default_factory=time.monotonic)
    ended: Ended | None = None
    messages: list[Message] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    running: dict[str, Step] = field(default_factory=dict)
    failed: dict[str, Step] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    old_outputs: Mapping[str, Any] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    """The operation of each resource, by URN."""
    done: set[str] = field(default_factory=set)
    protected: set[str] = field(default_factory=set)
    protect_changes: set[str] = field(default_factory=set)
    changed: dict[str, Step] = field(default_factory=dict)
    _parents: dict[str, str] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Counts an event."""
        match event:
            case StepStarted():
                self._begin(event)
            case StepDone():
                self._finish(event)
            case StepFailed():
                self.running.pop(event.urn, None)
                self.failed[event.urn] = event
            case Message(severity=severity, text=text) if severity in ("error", "warning"):
                if text and not any(noise in text for noise in _NOISE):
                    self.messages.append(event)
            case Violation():
                self.violations.append(event)
            case Ended():
                self.ended = event
            case _:
                pass

    def _begin(self, step: Step) -> None:
        self._parents[step.urn] = step.parent
        if step.op in CHANGES or step.urn not in self.seen:
            self.seen[step.urn] = step.op
        self.running[step.urn] = step
        if step.protect:
            self.protected.add(step.urn)
        if step.protect_changes:
            self.protect_changes.add(step.urn)
        if step.op in CHANGES and step.type != STACK_TYPE:
            self.changed[step.urn] = step

    def _finish(self, step: Step) -> None:
        self.running.pop(step.urn, None)
        self.done.add(step.urn)
        if step.type == STACK_TYPE:
            self.outputs = step.outputs or self.outputs
            self.old_outputs = step.old_outputs or self.old_outputs

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    @property
    def errors(self) -> list[Message]:
        """What went wrong, in the engine's and the providers' words."""
        return [message for message in self.messages if message.severity == "error"]

    @property
    def blocking(self) -> list[Violation]:
        """Violations that stop the run."""
        return [one for one in self.violations if one.level == "mandatory"]

    def changes(self) -> dict[str, int]:
        """How many resources of providers by what was done to them, without those that stay."""
        counted = Counter(self.seen[urn] for urn in self._changed())
        return {op: counted[op] for op in CHANGES if counted[op]}

    def by_component(self) -> dict[str, dict[str, int]]:
        """The changes of each component, those with most changes first."""
        counted: dict[str, Counter[str]] = {}
        for urn in self._changed():
            counted.setdefault(self.component_of(urn), Counter())[self.seen[urn]] += 1
        ordered = sorted(counted.items(), key=lambda item: (-item[1].total(), item[0]))
        return {name: {op: ops[op] for op in CHANGES if ops[op]} for name, ops in ordered}

    def component_of(self, urn: str) -> str:
        """The outermost component above a resource, as `Postgres main`."""
        found = OWN
        for ancestor in self._ancestors(urn):
            kind = type_of(ancestor)
            if kind.startswith(COMPONENTS) and not kind.endswith(":System"):
                found = f"{kind.removeprefix(COMPONENTS)} {name_of(ancestor)}"
        return found

    def alarms(self) -> int:
        """Alarms that are there after the run."""
        return sum(
            type_of(urn) in _ALARMS and op not in ("delete", "delete-replaced")
            for urn, op in self.seen.items()
        )

    def resources(self) -> int:
        """Resources of providers that are there after the run; components are not counted."""
        return sum(
            not type_of(urn).startswith((COMPONENTS, "pulumi:")) and op != "delete"
            for urn, op in self.seen.items()
        )

    def working_on(self) -> list[Step]:
        """Steps that take time now: what a provider is asked to change."""
        return [
            step
            for step in self.running.values()
            if step.op != "same" and not step.type.startswith((COMPONENTS, "pulumi:"))
        ]

    def _changed(self) -> list[str]:
        """Resources of providers whose change is done."""
        return [
            urn
            for urn in self.changed
            if urn in self.done and not type_of(urn).startswith((COMPONENTS, "pulumi:"))
        ]

    def _ancestors(self, urn: str) -> Iterator[str]:
        seen: set[str] = set()
        while urn and urn not in seen:
            yield urn
            seen.add(urn)
            urn = self._parents.get(urn, "")
