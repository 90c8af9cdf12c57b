"""The provider without its wire: rows, journal and errors put together."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.provider import apply, shapes, table
from sandbox.provider.call import Call
from sandbox.provider.check import Failure, check
from sandbox.provider.clients import Clients
from sandbox.provider.diff import Difference, diff
from sandbox.provider.errors import EmulatorAwayError, ProviderError, scrub
from sandbox.provider.journal import Journal, Record, keepable
from sandbox.provider.resource import Find, ResourceType
from sandbox.provider.schema import resource_schema
from sandbox.provider.values import Path as ValuePath
from sandbox.provider.values import at, same

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Settings:
    """What Configure told: of one provider instance of one engine."""

    region: str = DEFAULT_REGION
    default_tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """Inputs before and after an update, and the outputs as the engine has them."""

    old: dict[str, Any]
    new: dict[str, Any]
    state: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What a request is about: whose settings hold, which resource, of which type."""

    settings: Settings
    urn: str
    pulumi_type: str
    id: str = ""

    @property
    def name(self) -> str:
        """The resource's name in its program."""
        return self.urn.split("::", 3)[3]

    @property
    def row(self) -> ResourceType:
        """Its row. Raises ProviderError when the table has none."""
        return table.row(self.pulumi_type)


@dataclass(frozen=True)
class Outcome:
    """An id and its outputs; of a read also the inputs."""

    id: str
    outputs: dict[str, Any]
    inputs: dict[str, Any] = field(default_factory=dict)


class Provider:
    """Carries out what the engine asks for, against one emulator."""

    def __init__(self, endpoint: str, home: Path) -> None:
        self.clients = Clients(endpoint)
        self.journal = Journal(home)
        self._urns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def check(
        self, asked: Asked, news: Mapping[str, Any], olds: Mapping[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[Failure]]:
        """See ``sandbox.provider.check``."""
        tags = asked.settings.default_tags
        return check(asked.row, news, olds, urn_name=asked.name, seed=seed, default_tags=tags)

    def diff(
        self,
        asked: Asked,
        old: Mapping[str, Any],
        state: Mapping[str, Any],
        new: Mapping[str, Any],
        ignore: tuple[str, ...] = (),
    ) -> Difference:
        """Old inputs against new ones; the engine knows the id, then."""
        self.journal.known(asked.urn, asked.id)
        is_at = str(state.get("region") or "")
        to_be = _region(asked, new)
        return diff(asked.row, old, new, ignore, (is_at, to_be))

    def create(
        self,
        asked: Asked,
        inputs: dict[str, Any],
        secrets: frozenset[ValuePath],
        *,
        preview: bool,
    ) -> Outcome:
        """Make it; what a killed run left of it goes first."""
        call = self._call(asked, inputs)
        if preview:
            return Outcome("", apply.preview_outputs(call))
        with self._urns[asked.urn], self._errors("creating", call, inputs, secrets):
            adopted = self._clear_leftovers(call)
            return adopted or self._make(call, secrets)

    def _make(self, call: Call, secrets: frozenset[ValuePath]) -> Outcome:
        secret_names = {str(path[0]) for path in secrets} | call.schema.secrets
        key = self.journal.begin(
            call.urn,
            call.row.pulumi_type,
            call.region,
            keepable(call.inputs, frozenset(secret_names)),
            _foreseen_id(call),
        )
        try:
            apply.begin(call)
        except EmulatorAwayError:
            raise  # nobody knows whether it was made: the journal keeps it in mind
        except Exception:
            self._begun_in_vain(call, key)
            raise
        self.journal.made(key, call.id)
        try:
            return Outcome(call.id, apply.finish(call))
        except ProviderError:
            self._undo(call, key)
            raise

    def _begun_in_vain(self, call: Call, key: str) -> None:
        """A create of several calls may have got as far as an id."""
        if call.id:
            self.journal.made(key, call.id)
            self._undo(call, key)
        else:
            self.journal.gone(key)

    def _undo(self, call: Call, key: str) -> None:
        """A half-made thing is taken away; if that fails the journal keeps it in mind."""
        try:
            apply.delete(call)
        except ProviderError:
            return
        self.journal.gone(key)

    def _clear_leftovers(self, call: Call) -> Outcome | None:
        for record in self.journal.leftovers(call.urn):
            left = Call(
                call.row,
                self.clients,
                record.region,
                call.urn,
                inputs={**call.inputs, **record.inputs},
                id=record.id,
            )
            if not record.id:
                self._search_and_delete(left, record)
            elif apply.read(left):
                if call.row.adopt and record.region == call.region and _same_name(call, record):
                    return self._adopt(call, record)
                apply.delete(left)
            self.journal.gone(record.key)
        return None

    def _adopt(self, call: Call, record: Record) -> Outcome:
        call.id = record.id
        call.changed = frozenset(call.inputs)
        outputs = apply.update(call)
        self.journal.made(record.key, record.id)
        return Outcome(record.id, outputs)

    def _search_and_delete(self, left: Call, record: Record) -> None:
        """The answer to the create was never seen: look for what it may have made."""
        find = left.row.find
        if find is None:
            return
        known = self.journal.ids()
        listed = left.run(find.op)
        for item in listed if isinstance(listed, list) else []:
            id_ = shapes.lookup(item, find.id)
            if id_ is not shapes.MISSING and str(id_) not in known and _matches(left, find, item):
                left.id = str(id_)
                if apply.read(left):
                    apply.delete(left)
        left.id = record.id

    def read(self, asked: Asked, inputs: dict[str, Any], state: dict[str, Any]) -> Outcome:
        """How it is now; an empty id when it is gone."""
        self.journal.known(asked.urn, asked.id)
        call = self._call(asked, inputs, state)
        with self._errors("reading", call, inputs, frozenset()):
            if not apply.read(call):
                return Outcome("", {})
            fresh = apply.refreshed_inputs(call)
            call.inputs = fresh
            return Outcome(asked.id, apply.outputs(call), fresh)

    def update(
        self,
        asked: Asked,
        change: Change,
        secrets: frozenset[ValuePath],
        *,
        preview: bool,
    ) -> dict[str, Any]:
        """Send what changed; the new outputs."""
        self.journal.known(asked.urn, asked.id)
        call = self._call(asked, change.new, change.state)
        call.old = change.old
        if preview:
            return apply.preview_update(call)
        call.changed = frozenset(diff(asked.row, change.old, change.new).properties)
        with self._urns[asked.urn], self._errors("updating", call, change.new, secrets):
            return apply.update(call)

    def delete(self, asked: Asked, inputs: dict[str, Any], state: dict[str, Any]) -> None:
        """Take it away."""
        call = self._call(asked, inputs, state)
        with self._errors("deleting", call, inputs, frozenset()):
            apply.delete(call)
        self.journal.deleted(asked.urn, asked.id)

    def _call(
        self, asked: Asked, inputs: dict[str, Any], state: dict[str, Any] | None = None
    ) -> Call:
        state = state or {}
        region = str(state.get("region") or _region(asked, inputs))
        return Call(
            asked.row, self.clients, region, asked.urn, inputs=inputs, state=state, id=asked.id
        )

    @contextmanager
    def _errors(
        self,
        doing: str,
        call: Call,
        inputs: Mapping[str, Any],
        secrets: frozenset[ValuePath],
    ) -> Iterator[None]:
        try:
            yield
        except ProviderError as error:
            hidden = [at(inputs, path) for path in secrets]
            hidden += [inputs.get(name) for name in call.schema.secrets]
            text = f"{doing} {call.row.title} ({call.physical_name}): {error}"
            words = [value for value in hidden if isinstance(value, str)]
            raise ProviderError(scrub(text, words)) from None


def _region(asked: Asked, inputs: Mapping[str, Any]) -> str:
    """The resource's own region, else its provider's."""
    if "region" not in resource_schema(asked.pulumi_type).properties:
        return asked.row.global_region or asked.settings.region
    return str(inputs.get("region") or asked.settings.region)


def _foreseen_id(call: Call) -> str:
    if not call.row.id.startswith("="):
        return ""
    template = call.row.id[1:]
    if "{id}" in template:
        return ""
    return str(call.fill(template))


def _same_name(call: Call, record: Record) -> bool:
    name = call.row.name
    return not name or call.inputs.get(name) == record.inputs.get(name)


def _matches(call: Call, find: Find, item: Mapping[str, Any]) -> bool:
    for name in find.match:
        raw = shapes.read(item, name, call.row.rename, name)
        if raw is shapes.MISSING or not same(raw, call.inputs.get(name)):
            return False
    raw = shapes.lookup(item, "Tags")
    if raw is shapes.MISSING:
        return bool(find.match)
    return same(shapes.tags_from(raw), call.tags())
