"""Each violation as one block: rule, resource, found, wanted, the key that mends it, the line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from operations.deployment.events import Violation, name_of, type_of
from operations.deployment.tally import Tally
from operations.deployment.verdicts import Verdicts


def blocks(tally: Tally, said: Verdicts) -> Iterator[str]:
    """The blocking violations, from the pack's report; what only the engine told, as it told it."""
    told: set[str] = set()
    for one in said.failures:
        if one.get("level") != "mandatory":
            continue
        told.add(str(one["rule"]))
        yield from _of_verdict(one, said.rules.get(str(one["rule"]), {}))
    for violation in tally.blocking:
        if violation.rule not in told:
            yield _of_event(violation)


def _of_verdict(one: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    head = f"{one['rule']} ({rule.get('severity', 'severity unknown')})"
    resource = f"  resource   {one['type']} {one['name']}"
    lines = f"  checklist  {', '.join(rule.get('lines') or ()) or 'none'}"
    if not one.get("findings"):
        yield "\n".join(
            (
                head,
                resource,
                f"  found      undecided: {one.get('reason', 'a value that is not known yet')}",
                "  wanted     a value that is known at preview",
                lines,
            )
        )
    for finding in one.get("findings") or ():
        yield "\n".join(
            (
                head,
                resource,
                f"  found      {finding['found']}",
                f"  wanted     {finding['wanted']}",
                f"  YAML key   {finding['fix_yaml']}",
                lines,
            )
        )


def _of_event(violation: Violation) -> str:
    about = f"{type_of(violation.urn)} {name_of(violation.urn)}" if violation.urn else "the stack"
    text = violation.text.replace("\n", "\n             ")
    return f"{violation.rule} ({violation.level})\n  resource   {about}\n  said       {text}"
