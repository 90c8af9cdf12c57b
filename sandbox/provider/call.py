"""One request at work: a row, its inputs, and the calls it leads to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sandbox.provider import shapes
from sandbox.provider.clients import ACCOUNT, Clients, operation_model
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.schema import ResourceSchema, resource_schema
from sandbox.provider.shapes import MISSING

PARTITION = "aws"
_FIELD = re.compile(r"\{(\w+)\}")
_OWN = ("region", "tags", "tagsAll", "__defaults")


@dataclass(frozen=True)
class Mapped:
    """What an Op takes by name: property → member path."""

    members: Mapping[str, str]


# Rows and Ops hold dicts and so cannot be hashed; their identity is stable, they live for ever.
_MAPPED: dict[tuple[str, int], Mapped] = {}


def mapped(row: ResourceType, op: Op) -> Mapped:
    """Which properties an Op sends, and where they go."""
    key = (row.pulumi_type, id(op))
    known = _MAPPED.get(key)
    if known is None:
        known = _MAPPED[key] = _map(row, op)
    return known


def _map(row: ResourceType, op: Op) -> Mapped:
    shape = operation_model(op.service or row.service, op.name).input_shape
    rename = {**row.rename, **op.rename}
    hidden = {*_OWN, *row.local, *row.handled, *op.skip}
    for step in row.steps:
        if isinstance(step, Step):
            hidden.update(step.takes)
    members: dict[str, str] = {}
    for name in resource_schema(row.pulumi_type).inputs:
        if name in hidden or (op.take is not None and name not in op.take):
            continue
        target = rename.get(name)
        if target not in (None, "-") and shapes.member_shape(shape, target) is None:
            # one rename serves several calls, and not every one takes all
            target = None
        target = target or shapes.member(shape, name)
        if target and target != "-" and target not in op.params:
            members[name] = target
    return Mapped(members)


def carried(row: ResourceType) -> frozenset[str]:
    """The input properties that the row carries out."""
    names = {*_OWN, *row.local, *row.handled}
    for step in row.steps:
        names.update(properties_of(row, step))
    if row.tags is None:
        names -= {"tags"}
    return frozenset(names)


def properties_of(row: ResourceType, step: Op | Step) -> frozenset[str]:
    """The properties that one step carries out."""
    if isinstance(step, Step):
        based = properties_of(row, step.base) if step.base else frozenset()
        return based.union(step.takes)
    return frozenset({*mapped(row, step).members, *_template_fields(step.params)})


def _template_fields(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_FIELD.findall(value))
    if isinstance(value, Mapping):
        return set().union(*(_template_fields(item) for item in value.values()), set())
    if isinstance(value, list):
        return set().union(*(_template_fields(item) for item in value), set())
    return set()


@cache
def arn(service: str, region: str, rest: str) -> str:
    """An ARN of the sandbox's account."""
    return f"arn:{PARTITION}:{service}:{region}:{ACCOUNT}:{rest}"


@dataclass
class Call:
    """The state of one Create, Read, Update or Delete.

    Attributes:
        inputs: the checked inputs (for a Delete: those it was made with).
        old: the inputs before an update.
        state: the outputs as the engine has them.
        id: Pulumi's id; "" before the create's answer.
        changed: at an update, the top-level properties that changed.
        response: the create's answer.
        found: what the last read told.
    """

    row: ResourceType
    clients: Clients
    region: str
    urn: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    old: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    changed: frozenset[str] = frozenset()
    response: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] | None = None

    #: whether the create took the tags along
    is_tagged: bool = False
    account: str = ACCOUNT
    partition: str = PARTITION

    @property
    def schema(self) -> ResourceSchema:
        """The schema of the row's type."""
        return resource_schema(self.row.pulumi_type)

    @property
    def physical_name(self) -> str:
        """The name AWS knows it by, or its id: for errors."""
        name = self.value(self.row.name) if self.row.name else None
        return str(name or self.id or self.urn.rsplit("::", 1)[-1])

    def value(self, name: str) -> Any:
        """A property: as given, else as known, else None."""
        given = self.inputs.get(name)
        return self.state.get(name) if given is None else given

    def given(self, name: str) -> bool:
        """Whether the inputs have the property with something in it."""
        return not shapes_empty(self.inputs.get(name))

    def aws(
        self, operation: str, params: Mapping[str, Any] | None = None, service: str = ""
    ) -> dict[str, Any]:
        """A call of AWS's API in the resource's region."""
        service = service or self.row.service
        return self.clients.call(service, self.region, operation, params or {})

    def run(self, op: Op, *, only: frozenset[str] | None = None) -> Any:
        """Run an Op; answer what ``result`` names (MISSING when it is not there)."""
        answer = self.aws(op.name, self.build(op, only=only), op.service)
        return shapes.lookup(answer, op.result) if op.result else answer

    def build(self, op: Op, *, only: frozenset[str] | None = None) -> dict[str, Any]:
        """The parameters of an Op."""
        shape = operation_model(op.service or self.row.service, op.name).input_shape
        rename = {**self.row.rename, **op.rename}
        params: dict[str, Any] = {}
        for name, target in mapped(self.row, op).members.items():
            value = self.inputs.get(name)
            if only is not None and name not in only:
                continue
            if value is None or value == "":
                continue
            target_shape = shapes.member_shape(shape, target)
            shapes.put(params, target, shapes.to_aws(value, target_shape, rename, name))
        for target, template in op.params.items():
            filled = self.fill(template)
            if filled is not MISSING:
                # a row states ids as texts; the member may want a list or another kind
                shapes.put(
                    params,
                    target,
                    shapes.to_aws(filled, shapes.member_shape(shape, target), rename, target),
                )
        return params

    def fill(self, template: Any) -> Any:
        """A template with its ``{property}`` filled in; MISSING when a lone one is not there."""
        if isinstance(template, str):
            lone = _FIELD.fullmatch(template)
            if lone:
                value = self.lookup(lone.group(1))
                return MISSING if value is None else value
            return _FIELD.sub(lambda match: str(self.lookup(match.group(1))), template)
        if isinstance(template, Mapping):
            filled = {key: self.fill(value) for key, value in template.items()}
            return {key: value for key, value in filled.items() if value is not MISSING}
        if isinstance(template, list):
            return [item for item in map(self.fill, template) if item is not MISSING]
        return template

    def lookup(self, name: str) -> Any:
        """What a template's field stands for."""
        if name in ("id", "region", "account", "partition"):
            own = getattr(self, name)
            return own or None
        return self.value(name)

    def tagged(self, params: dict[str, Any]) -> dict[str, Any]:
        """A create's parameters with the tags, where the create takes them."""
        tags = self.row.tags
        if tags is None or not tags.create or not self.tags():
            return params
        self.is_tagged = True
        return {**params, tags.create: shapes.tags_to(self.tags(), tags.form)}

    def tags(self) -> dict[str, str]:
        """All tags the resource is to have, the provider's defaults among them."""
        tags = self.inputs.get("tagsAll", self.inputs.get("tags")) or {}
        return {key: str(value) for key, value in tags.items()}


def shapes_empty(value: Any) -> bool:
    """None, an empty text, list or dict."""
    return value is None or value in ("", [], {})
