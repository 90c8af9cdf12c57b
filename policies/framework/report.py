"""The machine-readable report: every verdict, written where GONOGO_POLICY_REPORT says."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from policies.framework.rules import Rule
from policies.framework.verdicts import Outcome, Verdict

VARIABLE = "GONOGO_POLICY_REPORT"
SCHEMA = 1
_SPACING_SECONDS = 0.25


class Report:
    """Verdicts by rule and resource; a later one replaces an earlier one.

    Written atomically: now and then while the run goes on, so that a killed run leaves what it
    knew, and at its end, when `complete` becomes true. Without a path it only counts.
    """

    def __init__(self, path: Path | None, rules: Iterable[Rule]) -> None:
        self._path = path
        self._rules = {rule.name: rule for rule in rules}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._lock = threading.Lock()
        self._written_at = 0.0
        self._dirty = False
        self.header: dict[str, Any] = {}
        self.complete = False

    @classmethod
    def from_environment(cls, rules: Iterable[Rule]) -> Report:
        """A report at the path that the environment names, if it names one."""
        path = os.environ.get(VARIABLE, "").strip()
        return cls(Path(path) if path else None, rules)

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Takes verdicts in."""
        with self._lock:
            for verdict in verdicts:
                self._verdicts[verdict.rule.name, verdict.resource.urn] = verdict
                self._dirty = True

    def counts(self) -> dict[str, int]:
        """How many verdicts of each kind there are."""
        found = Counter(verdict.outcome.value for verdict in self._verdicts.values())
        return {outcome.value: found[outcome.value] for outcome in Outcome}

    def as_json(self) -> dict[str, Any]:
        """The report's content."""
        by_rule: dict[str, Counter[str]] = {name: Counter() for name in self._rules}
        for verdict in self._verdicts.values():
            by_rule[verdict.rule.name][verdict.outcome.value] += 1
        return {
            "schema": SCHEMA,
            "complete": self.complete,
            **self.header,
            "counts": self.counts(),
            "rules": {
                name: _describe(rule, by_rule[name]) for name, rule in sorted(self._rules.items())
            },
            "verdicts": [
                verdict.as_json()
                for _, verdict in sorted(self._verdicts.items(), key=lambda item: item[0])
            ],
        }

    def write_if_due(self) -> None:
        """Writes when something is new and the last writing is a while ago."""
        if self._dirty and time.monotonic() - self._written_at >= _SPACING_SECONDS:
            self.write()

    def write(self) -> None:
        """Writes atomically. A report that cannot be written must not stop a deployment: the
        reader sees that it is missing."""
        if self._path is None:
            return
        with self._lock:
            content = json.dumps(self.as_json(), ensure_ascii=False)
            part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                part.write_text(content, encoding="utf-8")
                part.replace(self._path)
            except OSError:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
            self._written_at = time.monotonic()
            self._dirty = False


def _describe(rule: Rule, outcomes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "section": rule.section,
        "severity": rule.severity,
        "lines": list(rule.lines),
        "outcomes": dict(sorted(outcomes.items())),
    }
