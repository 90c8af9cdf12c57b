"""The policy pack's own report: each rule's verdict on each resource, after a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Verdicts:
    """Rules by their worst verdict, and the verdicts worth reading.

    A report that is missing or was cut off is not complete: then nothing has passed.
    """

    complete: bool = False
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    failures: tuple[Mapping[str, Any], ...] = ()
    open_questions: tuple[Mapping[str, Any], ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many rules the pack has."""
        return len(self.rules)


# From the worst to the best: a rule counts as its worst verdict says.
_ORDER = ("fail", "undecided", "waived", "pass")


def read(path: Path) -> Verdicts:
    """The report at `path`; an empty, incomplete one when there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        rules = document["rules"]
        found = document["verdicts"]
    except (OSError, ValueError, KeyError, TypeError):
        return Verdicts()
    groups: dict[str, list[str]] = {name: [] for name in (*_ORDER, "none")}
    for name, about in rules.items():
        outcomes = about.get("outcomes") or {}
        worst = next((kind for kind in _ORDER if outcomes.get(kind)), "none")
        groups[worst].append(name)
    return Verdicts(
        complete=bool(document.get("complete")),
        passed=tuple(groups["pass"]),
        failed=tuple(groups["fail"]),
        undecided=tuple(groups["undecided"]),
        waived=tuple(groups["waived"]),
        not_applicable=tuple(groups["none"]),
        failures=tuple(
            one
            for one in found
            if one["outcome"] == "fail"
            or (one["outcome"] == "undecided" and one.get("level") == "mandatory")
        ),
        open_questions=tuple(one for one in found if one["outcome"] == "undecided"),
        rules=rules,
    )
