"""From a system's file, its tier and a stack's overrides to a validated System.

Layers, lowest first: `tiers/<tier>.yaml`, the system's file, its own `tiers: <tier>:` section, its
`phases: <phase>:` section, the stack's overrides. They are checked one by one, merged, and
validated once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from systems.catalogue import tier_names
from systems.document import Entry, Scalar, Table, dotted, leaves, plain
from systems.errors import ConfigError, Place, Problem, did_you_mean, in_order, listing
from systems.merge import Layer, merge
from systems.model import System
from systems.overrides import Override, as_table
from systems.reading import read
from systems.shape import Shape
from systems.structure import check
from systems.suspects import PUBLIC_PREFIXES, looks_like
from systems.translate import problems

ROOT = Shape(System)
TIERS = "tiers"
PHASES = "phases"
_PHASE = re.compile(r"[a-z][a-z0-9]{1,7}")


def load_system(
    directory: Path,
    name: str,
    tier: str,
    overrides: Sequence[Override] = (),
    phase: str | None = None,
) -> System:
    """The system `name` at a tier, in one of its phases, with overrides. `directory` is the folder
    `systems/`.

    Raises ConfigError with every problem of every layer.
    """
    defaults = read(directory / "tiers" / f"{tier}.yaml")
    file = directory / f"{name}.yaml"
    written = read(file)
    found = list(_file_is_named(file, written))
    tiers, phases = written.entries.get(TIERS), written.entries.get(PHASES)
    found += _sections(tiers, TIERS, tier_names(directory)) if tiers else ()
    found += _sections(phases, PHASES) if phases else ()
    layers = [Layer(defaults, declares=False), Layer(_without_sections(written), declares=True)]
    for section in (_section(tiers, tier), _section(phases, phase) if phase else None):
        if section:
            layers.append(Layer(section, declares=True))
    # Paths of overrides have to lead to something that these layers declare.
    merged = merge(ROOT, layers)
    changes, astray = as_table(overrides, merged, ROOT)
    found += astray
    if changes:
        layers.append(Layer(changes, declares=True))
        merged = merge(ROOT, layers)
    for layer in layers:
        found += layer_problems(layer.table)
    return _validated(merged, found)


def layer_problems(table: Table) -> list[Problem]:
    """What is wrong with one layer, whatever the others say."""
    return [*check(table, ROOT), *_secrets(table)]


def _validated(merged: Table, found: list[Problem]) -> System:
    # JSON, because pydantic is strict about it: no number from text, no true for 1.
    system = None
    try:
        system = System.model_validate_json(json.dumps(plain(merged)), strict=True)
    except ValidationError as error:
        found += problems(error, merged, ROOT, {one.place for one in found})
    if system is None or found:
        raise ConfigError(_once(found)) from None
    return system


def _once(found: list[Problem]) -> list[Problem]:
    """In the order of the files; a value that several fields share by an alias only once."""
    unique = {(one.place, one.found, one.allowed, one.todo): one for one in reversed(found)}
    return sorted(unique.values(), key=in_order)


def _without_sections(written: Table) -> Table:
    entries = {key: one for key, one in written.entries.items() if key not in {TIERS, PHASES}}
    return Table(written.place, entries)


def _sections(sections: Entry, field: str, known: list[str] | None = None) -> list[Problem]:
    """What is wrong with `tiers:`, whose names are known, or `phases:`, whose names are its own."""
    if not isinstance(sections.node, Table):
        wanted = f"a mapping with {listing(known) if known else 'a name for each'}"
        return [
            Problem(
                sections.key, field, "no mapping", wanted, f"nest {field} under it, or remove it"
            )
        ]
    found: list[Problem] = []
    for name, entry in sections.node.entries.items():
        what, path = field.removesuffix("s"), f"{field}.{name}"
        if known is not None and name not in known:
            found.append(unknown(entry.key, path, name, known, what))
        elif known is None and not _PHASE.fullmatch(name):
            wanted = "2 to 8 lower-case letters and digits, a letter first: it is in every name"
            found.append(Problem(entry.key, path, f'the name "{name}"', wanted, "rename it"))
        elif not isinstance(entry.node, Table):
            todo = f"nest what is different in this {what} under it, or remove it"
            found.append(Problem(entry.key, path, "no mapping", "a mapping of fields", todo))
    return found


def _section(sections: Entry | None, name: str) -> Table | None:
    if sections is None or not isinstance(sections.node, Table):
        return None
    entry = sections.node.entries.get(name)
    return entry.node if entry and isinstance(entry.node, Table) else None


def _file_is_named(file: Path, written: Table) -> list[Problem]:
    entry = written.entries.get("name")
    if entry is None or not isinstance(entry.node, Scalar) or entry.node.value == file.stem:
        return []
    return [
        Problem(
            entry.node.place,
            "name",
            f'"{entry.node.text}" in the file {file.name}',
            file.stem,
            "give the file and the system the same name",
        )
    ]


PUBLIC_TODO = (
    "; and give it to the server under another name: what is in this variable, bundlers copy into "
    "what every browser downloads"
)


def _secrets(table: Table) -> list[Problem]:
    return [
        Problem(
            scalar.place,
            dotted(path),
            f"what looks like {what}, {len(scalar.text)} characters",
            "no secret in any file: it would stay in the history for ever",
            "declare it under secrets: with fill:, put the value into Secrets Manager, revoke it"
            + (PUBLIC_TODO if str(path[-1]).startswith(PUBLIC_PREFIXES) else ""),
        )
        for path, scalar in leaves(table)
        if isinstance(scalar.value, str) and (what := looks_like(scalar.value))
    ]


def unknown(place: Place, field: str, name: str, known: list[str], what: str) -> Problem:
    """The problem of a name that is none of the known ones."""
    near = did_you_mean(name, known)
    todo = f"did you mean {near}?" if near else f"take one of those, or write that {what}"
    return Problem(place, field, f'the unknown {what} "{name}"', listing(known), todo)
