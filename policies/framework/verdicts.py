"""What a rule says of a resource, and how it is worded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from policies.framework.rules import Finding, Rule
from policies.framework.views import Resource


class Outcome(StrEnum):
    """The five verdicts."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    WAIVED = "waived"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not_applicable"


class Level(StrEnum):
    """What Pulumi does with a verdict: a mandatory one makes preview and up exit non-zero."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    SILENT = "silent"


@dataclass(frozen=True)
class Verdict:
    """One rule's verdict on one resource. `path` is the unknown property of an undecided one, and
    `waiting_for` what its value comes from."""

    rule: Rule
    resource: Resource
    outcome: Outcome
    level: Level = Level.SILENT
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    path: str = ""
    waiting_for: tuple[str, ...] = ()

    def messages(self) -> list[str]:
        """One readable block for each thing to be said."""
        subject = f"{self.rule.name}: {self.resource.type} '{self.resource.name}'"
        asked = f"Checklist {', '.join(self.rule.lines)}. {self.rule.reference}"
        if self.outcome is Outcome.FAIL:
            return [
                f"{subject} — found {finding.found}; wanted {finding.wanted}.\n"
                f"Fix: {finding.fix or self.rule.fix}.\n"
                f"{asked}"
                for finding in self.findings
            ]
        if self.outcome is Outcome.UNDECIDED:
            blocked = (
                "A critical rule of this tier does not let what it cannot see pass: make the value "
                "known at preview (a name decided by the program, not an output).\n"
                if self.level is Level.MANDATORY
                else "It is decided at apply.\n"
            )
            return [f"{subject} — undecided: {self.reason}.\n{blocked}{asked}"]
        return []

    def as_json(self) -> dict[str, Any]:
        """The verdict in the report."""
        entry: dict[str, Any] = {
            "rule": self.rule.name,
            "outcome": self.outcome.value,
            "level": self.level.value,
            "urn": self.resource.urn,
            "type": self.resource.type,
            "name": self.resource.name,
        }
        if self.findings:
            entry["findings"] = [
                {
                    "found": finding.found,
                    "wanted": finding.wanted,
                    "path": finding.path,
                    "fix_yaml": (finding.fix or self.rule.fix).yaml,
                    "fix_raw": (finding.fix or self.rule.fix).raw,
                }
                for finding in self.findings
            ]
            entry["messages"] = self.messages()
        for key in ("reason", "path"):
            if getattr(self, key):
                entry[key] = getattr(self, key)
        if self.waiting_for:
            entry["waiting_for"] = list(self.waiting_for)
        return entry
