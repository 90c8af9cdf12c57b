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
from sandbox.provider.errors import ProviderError, scrub
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
        self,
        settings: Settings,
        token: str,
        news: Mapping[str, Any],
        olds: Mapping[str, Any],
        name: str,
        seed: bytes,
    ) -> tuple[dict[str, Any], list[Failure]]:
        """See ``sandbox.provider.check``."""
        row = table.row(token)
        return check(
            row, news, olds, urn_name=name, seed=seed, default_tags=settings.default_tags
        )

    def diff(  # noqa: PLR0913, PLR0917
        self,
        settings: Settings,
        urn: str,
        token: str,
        id_: str,
        old: Mapping[str, Any],
        state: Mapping[str, Any],
        new: Mapping[str, Any],
        ignore: tuple[str, ...] = (),
    ) -> Difference:
        """Old inputs against new ones; the engine knows the id, then."""
        self.journal.known(urn, id_)
        row = table.row(token)
        is_at = str(state.get("region") or "")
        to_be = self._region(settings, row, new)
        return diff(row, old, new, ignore, (is_at, to_be))

    def create(
        self,
        settings: Settings,
        urn: str,
        token: str,
        inputs: dict[str, Any],
        secrets: frozenset[ValuePath],
        *,
        preview: bool,
    ) -> Outcome:
        """Make it; what a killed run left of it goes first."""
        row = table.row(token)
        call = self._call(settings, row, urn, inputs)
        if preview:
            return Outcome("", apply.preview_outputs(call))
        with self._urns[urn], self._errors("creating", call, inputs, secrets):
            adopted = self._clear_leftovers(call)
            if adopted is not None:
                return adopted
            secret_names = {str(path[0]) for path in secrets} | call.schema.secrets
            key = self.journal.begin(
                urn, token, call.region, keepable(inputs, frozenset(secret_names)),
                _foreseen_id(call),
            )
            try:
                apply.begin(call)
            except Exception:
                self.journal.gone(key)
                raise
            self.journal.made(key, call.id)
            try:
                return Outcome(call.id, apply.finish(call))
            except ProviderError:
                self._undo(call, key)
                raise

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

    def read(
        self,
        settings: Settings,
        urn: str,
        token: str,
        id_: str,
        inputs: dict[str, Any],
        state: dict[str, Any],
    ) -> Outcome:
        """How it is now; an empty id when it is gone."""
        self.journal.known(urn, id_)
        row = table.row(token)
        call = self._call(settings, row, urn, inputs, state, id_)
        with self._errors("reading", call, inputs, frozenset()):
            if not apply.read(call):
                return Outcome("", {})
            fresh = apply.refreshed_inputs(call)
            call.inputs = fresh
            return Outcome(id_, apply.outputs(call), fresh)

    def update(  # noqa: PLR0913, PLR0917
        self,
        settings: Settings,
        urn: str,
        token: str,
        id_: str,
        old: dict[str, Any],
        state: dict[str, Any],
        new: dict[str, Any],
        secrets: frozenset[ValuePath],
        *,
        preview: bool,
    ) -> dict[str, Any]:
        """Send what changed."""
        self.journal.known(urn, id_)
        row = table.row(token)
        call = self._call(settings, row, urn, new, state, id_)
        call.old = old
        if preview:
            return apply.preview_update(call)
        call.changed = frozenset(diff(row, old, new).properties)
        with self._urns[urn], self._errors("updating", call, new, secrets):
            return apply.update(call)

    def delete(
        self,
        settings: Settings,
        urn: str,
        token: str,
        id_: str,
        inputs: dict[str, Any],
        state: dict[str, Any],
    ) -> None:
        """Take it away."""
        row = table.row(token)
        call = self._call(settings, row, urn, inputs, state, id_)
        with self._errors("deleting", call, inputs, frozenset()):
            apply.delete(call)
        self.journal.deleted(urn, id_)

    def _call(
        self,
        settings: Settings,
        row: ResourceType,
        urn: str,
        inputs: dict[str, Any],
        state: dict[str, Any] | None = None,
        id_: str = "",
    ) -> Call:
        state = state or {}
        region = str(state.get("region") or self._region(settings, row, inputs))
        return Call(row, self.clients, region, urn, inputs=inputs, state=state, id=id_)

    def _region(self, settings: Settings, row: ResourceType, inputs: Mapping[str, Any]) -> str:
        if "region" not in resource_schema(row.token).properties:
            return row.global_region or settings.region
        return str(inputs.get("region") or settings.region)

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
