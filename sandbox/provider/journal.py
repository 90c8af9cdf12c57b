"""What the provider has begun to make and the engine may not know of.

A run can be killed between AWS's answer and the engine's checkpoint: the thing is there, Pulumi's
state does not have it, and the next run asks for it once more. Without a memory it would be made
twice, or its fixed name would be refused for ever. So every create leaves lines here, under the
URN, which names stack and project:

``begun``      before the call. The provider may die before the answer.
``made``       after the answer, with the id. The engine may die before it saves.
``known``      the engine has shown the id back (Diff, Read, Update): it is in the state.
``gone``       deleted, or the create failed and left nothing.

A Create of a URN that has a record which is not ``known`` finds a leftover of a killed run: the
provider deletes it first, or takes it over where it holds data (``adopt`` in the row). A record
that is ``known`` is left alone: then the Create is a replacement that stands beside the old one,
or the state was thrown away by hand, and AWS's own answer (AlreadyExists) is the right one.

The lines are appended in one write each. They are not fsynced: a killed process loses nothing
that it has written, and a machine that loses its power loses the emulator as well. Of the inputs
only what is short and not secret is kept: enough to delete by.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

FILE: Final = "provider/journal.jsonl"
_LONGEST_KEPT = 200


@dataclass(frozen=True)
class Record:
    """One create. ``id`` is "" as long as AWS's answer was not seen."""

    key: str
    urn: str
    token: str
    region: str
    id: str = ""
    known: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)


def keepable(inputs: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """The inputs that may be written down: short scalars that nobody marked secret."""
    return {
        key: value
        for key, value in inputs.items()
        if key not in secret
        and (isinstance(value, bool | int) or (isinstance(value, str) and _short(value)))
    }


def _short(text: str) -> bool:
    return len(text) <= _LONGEST_KEPT and text[:1] not in "{["


class Journal:
    """The journal of one sandbox's provider. Safe for many threads, one process."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._count = 0
        self._load()
        self._file = self._compact()

    def begin(
        self, urn: str, token: str, region: str, inputs: Mapping[str, Any], id_: str = ""
    ) -> str:
        """Note that a create begins (``id_`` if it is known beforehand); answer its key."""
        with self._lock:
            self._count += 1
            key = f"{os.getpid()}-{os.urandom(4).hex()}-{self._count}"
            record = Record(key, urn, token, region, id_, inputs=dict(inputs))
            self._records[key] = record
            self._write(
                {
                    "begun": key,
                    "urn": urn,
                    "type": token,
                    "region": region,
                    "id": id_,
                    "inputs": record.inputs,
                }
            )
            return key

    def made(self, key: str, id_: str) -> None:
        """Note AWS's answer."""
        with self._lock:
            record = replace(self._records[key], id=id_)
            self._records[key] = record
            self._ids[record.urn, id_] = key
            self._write({"made": key, "id": id_})

    def known(self, urn: str, id_: str) -> None:
        """The engine knows this id of this URN. Cheap when it was known before."""
        key = self._ids.get((urn, id_))
        if key is None or self._records[key].known:
            return
        with self._lock:
            self._records[key] = replace(self._records[key], known=True)
            self._write({"known": key})

    def gone(self, key: str) -> None:
        """What was begun is not there any more."""
        with self._lock:
            record = self._records.pop(key, None)
            if record is not None:
                self._ids.pop((record.urn, record.id), None)
                self._write({"gone": key})

    def deleted(self, urn: str, id_: str) -> None:
        """The engine had it deleted."""
        key = self._ids.get((urn, id_))
        if key is not None:
            self.gone(key)

    def leftovers(self, urn: str) -> list[Record]:
        """What a killed run left under this URN, oldest first."""
        with self._lock:
            return [
                record
                for record in self._records.values()
                if record.urn == urn and not record.known
            ]

    def ids(self) -> frozenset[str]:
        """All ids that somebody's create has answered."""
        with self._lock:
            return frozenset(record.id for record in self._records.values() if record.id)

    def _load(self) -> None:
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                self._apply(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # the last line of a process that was killed while writing

    def _apply(self, entry: dict[str, Any]) -> None:
        if "begun" in entry:
            key = entry["begun"]
            self._records[key] = Record(
                key,
                entry["urn"],
                entry["type"],
                entry["region"],
                entry.get("id", ""),
                bool(entry.get("known")),
                entry.get("inputs", {}),
            )
            self._index(key)
        elif "made" in entry:
            key = entry["made"]
            self._records[key] = replace(self._records[key], id=entry["id"])
            self._index(key)
        elif "known" in entry:
            key = entry["known"]
            self._records[key] = replace(self._records[key], known=True)
        elif "gone" in entry:
            record = self._records.pop(entry["gone"])
            self._ids.pop((record.urn, record.id), None)

    def _index(self, key: str) -> None:
        record = self._records[key]
        if record.id:
            self._ids[record.urn, record.id] = key

    def _compact(self) -> int:
        fresh = self.path.with_suffix(".new")
        lines = [
            json.dumps(
                {
                    "begun": record.key,
                    "urn": record.urn,
                    "type": record.token,
                    "region": record.region,
                    "id": record.id,
                    "known": record.known,
                    "inputs": record.inputs,
                }
            )
            for record in self._records.values()
        ]
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.write(descriptor, "".join(line + "\n" for line in lines).encode())
        fresh.replace(self.path)
        return descriptor

    def _write(self, entry: Mapping[str, Any]) -> None:
        os.write(self._file, (json.dumps(entry) + "\n").encode())

    def close(self) -> None:
        """Close the file; the journal must not be used afterwards."""
        os.close(self._file)
