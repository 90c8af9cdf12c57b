"""The test kit: gives a rule what Pulumi's engine gives it.

Properties are put into the engine's own wire messages (numbers as floats, unknown marks, secret
marks, camelCase) and go through the pack's own analyzer. A rule that holds here holds under the
engine; a rule is never handed plain dictionaries.

    plan = Plan()
    plan.add("aws:rds/instance:Instance", "db", {"engine": "postgres", "multiAz": UNKNOWN})
    assert plan.judge("database-multi-az").outcome("db") == "undecided"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as messages

from policies.catalogue import load
from policies.framework.analyzer import Analyzer
from policies.framework.report import Report
from policies.framework.rules import STACK_TYPE, Rule
from policies.framework.values import (
    SECRET_SIGNATURE,
    SIGNATURE,
    UNKNOWN,
    Secret,
)

__all__ = ["UNKNOWN", "Judged", "Plan", "Secret", "wire"]

UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_PROJECT, _STACK = "project", "prod"


def wire(properties: Mapping[str, Any]) -> Any:
    """Properties as the engine sends them: a protobuf `Struct` with Pulumi's marks."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        struct.fields[key].CopyFrom(_wire_value(value))
    return struct


def _wire_value(value: Any) -> Any:
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=UNKNOWN_STRING)
    if isinstance(value, Secret):
        marked = wire({SIGNATURE: SECRET_SIGNATURE, "value": value.value})
        return struct_pb2.Value(struct_value=marked)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=wire(value))
    if isinstance(value, list | tuple):
        elements = [_wire_value(element) for element in value]
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=elements))
    return struct_pb2.Value(**_scalar(value))


def _scalar(value: Any) -> dict[str, Any]:
    if value is None:
        return {"null_value": struct_pb2.NULL_VALUE}
    if isinstance(value, bool):
        return {"bool_value": value}
    if isinstance(value, int | float):
        return {"number_value": float(value)}
    if isinstance(value, str):
        return {"string_value": value}
    raise TypeError(f"the engine has no value of type {type(value).__name__}")


@dataclass
class _Planned:
    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    depends: Mapping[str, list[str]]


@dataclass(frozen=True)
class Judged:
    """What the pack said of a plan: the report's verdicts and the messages that Pulumi shows."""

    verdicts: list[dict[str, Any]]
    diagnostics: list[Any] = field(default_factory=list)

    def outcome(self, name: str, rule: str | None = None) -> str | None:
        """The verdict on the resource of this name; None when no rule was asked about it.

        :raises ValueError: when several rules judged it and `rule` does not choose one.
        """
        found = {
            verdict["outcome"]
            for verdict in self.verdicts
            if verdict["name"] == name and rule in {None, verdict["rule"]}
        }
        if len(found) > 1:
            raise ValueError(f"several verdicts on {name}: {sorted(found)}; name the rule")
        return next(iter(found), None)

    def failed(self) -> set[str]:
        """The rules that something fails."""
        return {v["rule"] for v in self.verdicts if v["outcome"] == "fail"}

    def undecided(self) -> set[str]:
        """The rules that could not decide on something."""
        return {v["rule"] for v in self.verdicts if v["outcome"] == "undecided"}

    @property
    def blocks(self) -> bool:
        """Whether Pulumi would make preview exit non-zero."""
        return any(d.enforcementLevel == messages.MANDATORY for d in self.diagnostics)

    @property
    def messages(self) -> list[str]:
        """What Pulumi shows, one block a finding."""
        return [diagnostic.message for diagnostic in self.diagnostics]


class Plan:
    """A stack as a program declares it, to be judged."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._exports: Mapping[str, Any] = {}

    def add(
        self,
        kind: str,
        name: str,
        properties: Mapping[str, Any],
        *,
        outputs: Mapping[str, Any] | None = None,
        depends: Mapping[str, str | list[str]] | None = None,
    ) -> Plan:
        """Declares a resource.

        :param properties: inputs in camelCase; `UNKNOWN` and `Secret(...)` anywhere inside.
        :param outputs: what the provider adds (`{"arn": UNKNOWN}`); inputs are outputs too.
        :param depends: names of the resources a property was made from, by property.
        """
        urn = f"urn:pulumi:{_STACK}::{_PROJECT}::{kind}::{name}"
        needs = {
            key: [names] if isinstance(names, str) else list(names)
            for key, names in (depends or {}).items()
        }
        self._planned.append(
            _Planned(kind, name, urn, properties, {**properties, **(outputs or {})}, needs)
        )
        return self

    def export(self, **outputs: Any) -> Plan:
        """The stack's outputs."""
        self._exports = outputs
        return self

    def judge(
        self,
        *rules: str,
        tier: str | None = None,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        dry_run: bool = True,
    ) -> Judged:
        """Runs the rules of these names, or all, as the engine would: one resource after another,
        then the stack.

        :param config: the pack's config by rule, in camelCase.
        """
        catalogue = load()
        chosen: dict[str, Rule] = {name: catalogue[name] for name in rules or catalogue}
        report = Report(None, chosen.values())
        analyzer = Analyzer(chosen, report)
        analyzer.ConfigureStack(
            messages.AnalyzerStackConfigureRequest(project=_PROJECT, stack=_STACK, dry_run=dry_run),
            None,
        )
        self._configure(analyzer, {"pack-settings": {"tier": tier}} if tier else {}, config or {})
        diagnostics = []
        root = _Planned(STACK_TYPE, "stack", self._root_urn(), {}, self._exports, {})
        everything = [root, *self._planned]
        for item in everything:
            request = messages.AnalyzeRequest(
                type=item.type, name=item.name, urn=item.urn, properties=wire(item.inputs)
            )
            diagnostics += list(analyzer.Analyze(_sent(request), None).diagnostics)
        urns = {item.name: item.urn for item in everything}
        request = messages.AnalyzeStackRequest(
            resources=[self._stack_message(item, urns) for item in everything]
        )
        diagnostics += list(analyzer.AnalyzeStack(_sent(request), None).diagnostics)
        return Judged(report.as_json()["verdicts"], diagnostics)

    def _configure(self, analyzer: Analyzer, *configs: Mapping[str, Mapping[str, Any]]) -> None:
        request = messages.ConfigureAnalyzerRequest()
        for config in configs:
            for name, properties in config.items():
                given = dict(properties)
                rule = analyzer.rules.get(name)
                default = rule.enforcement if rule else "mandatory"
                level = given.pop("enforcementLevel", default)
                request.policyConfig[name].enforcementLevel = getattr(messages, level.upper())
                request.policyConfig[name].properties.update(given)
        analyzer.Configure(request, None)

    def _root_urn(self) -> str:
        return f"urn:pulumi:{_STACK}::{_PROJECT}::{STACK_TYPE}::stack"

    def _stack_message(self, item: _Planned, urns: Mapping[str, str]) -> Any:
        message = messages.AnalyzerResource(
            type=item.type,
            name=item.name,
            urn=item.urn,
            properties=wire(item.outputs),
            parent="" if item.type == STACK_TYPE else self._root_urn(),
        )
        for key, names in item.depends.items():
            message.propertyDependencies[key].urns.extend(urns[name] for name in names)
            message.dependencies.extend(urns[name] for name in names)
        return message


def _sent(message: Any) -> Any:
    """The message after the way over the wire."""
    return type(message).FromString(message.SerializeToString())
