"""Asks rules about resources and makes verdicts of what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from policies.framework.rules import Finding, NotApplicable, Rule, Undecidable
from policies.framework.settings import PackSettings
from policies.framework.stack import Stack
from policies.framework.verdicts import Level, Outcome, Verdict
from policies.framework.views import Resource, UnknownRead

Waive: TypeAlias = Callable[[Rule, Resource], str | None]
"""Gives the reason why a rule is waived for a resource, or None."""


def _no_waivers(_rule: Rule, _resource: Resource) -> str | None:
    return None


class Judge:
    """The rules that are in force, by the types they are asked about."""

    def __init__(
        self,
        rules: Iterable[Rule],
        settings: PackSettings | None = None,
        waive: Waive = _no_waivers,
    ) -> None:
        self.settings = settings or PackSettings()
        self.rules = tuple(rules)
        self._waive = waive
        self._asked: dict[tuple[str, str], tuple[Rule, ...]] = {}

    def rules_for(self, resource: Resource, scope: str) -> tuple[Rule, ...]:
        """The enabled rules of this scope that concern the resource's type."""
        key = (scope, resource.type)
        if key not in self._asked:
            self._asked[key] = tuple(
                rule
                for rule in self.rules
                if rule.scope == scope
                and self.settings.level_of(rule) != "disabled"
                and rule.concerns(resource)
            )
        return self._asked[key]

    def resource(self, resource: Resource) -> list[Verdict]:
        """Verdicts of the rules on single resources."""
        return [self._ask(rule, resource, None) for rule in self.rules_for(resource, "resource")]

    def stack(self, stack: Stack) -> list[Verdict]:
        """Verdicts of the rules on the stack, for each resource they concern."""
        return [
            self._ask(rule, resource, stack)
            for resource in stack.resources
            for rule in self.rules_for(resource, "stack")
        ]

    def _ask(self, rule: Rule, resource: Resource, stack: Stack | None) -> Verdict:
        if self.settings.tier not in rule.tiers:
            return Verdict(
                rule,
                resource,
                Outcome.NOT_APPLICABLE,
                reason=f"asked of {' and '.join(rule.tiers)} only, this is {self.settings.tier}",
            )
        verdict = self._run(rule, resource, stack)
        if verdict.outcome in {Outcome.FAIL, Outcome.UNDECIDED}:
            reason = self._waive(rule, resource)
            if reason is not None:
                return replace(verdict, outcome=Outcome.WAIVED, reason=reason, level=Level.SILENT)
        return verdict

    def _run(self, rule: Rule, resource: Resource, stack: Stack | None) -> Verdict:
        findings: list[Finding] = []
        subjects = (resource,) if stack is None else (resource, stack)
        try:
            for finding in rule.check(*subjects, **self.settings.numbers_of(rule)) or ():
                findings.append(finding)  # what came before an exception counts
        except NotApplicable as why:
            if not findings:
                return Verdict(rule, resource, Outcome.NOT_APPLICABLE, reason=why.reason)
        except UnknownRead as unknown:
            if not findings:
                return self._unknown(rule, resource, unknown, stack)
        except Undecidable as why:
            if not findings:
                return self._undecided(rule, resource, why.reason, why.path)
        except Exception as error:
            # Programs write things no rule expects. A rule that stumbles has not seen a pass.
            if not findings:
                return self._undecided(
                    rule,
                    resource,
                    f"the rule could not read this resource ({type(error).__name__}: {error})",
                )
        if not findings:
            return Verdict(rule, resource, Outcome.PASS)
        level = Level.MANDATORY if self._blocks(rule) else Level.ADVISORY
        return Verdict(rule, resource, Outcome.FAIL, level, tuple(findings))

    def _unknown(
        self, rule: Rule, resource: Resource, unknown: UnknownRead, stack: Stack | None
    ) -> Verdict:
        """Undecided, with whose property it is when it is another resource's."""
        other = stack.by_urn.get(unknown.owner) if stack and unknown.owner != resource.urn else None
        whose = f"{other.type} '{other.name}' " if other else ""
        verdict = self._undecided(
            rule, resource, f"{whose}{unknown.path} is not known at preview", unknown.path
        )
        return explain(verdict, stack, other or resource) if stack else verdict

    def _undecided(self, rule: Rule, resource: Resource, reason: str, path: str = "") -> Verdict:
        strict = rule.severity == "critical" and self.settings.tier == "prod" and self._blocks(rule)
        level = Level.MANDATORY if strict else Level.ADVISORY
        return Verdict(rule, resource, Outcome.UNDECIDED, level, reason=reason, path=path)

    def _blocks(self, rule: Rule) -> bool:
        return self.settings.level_of(rule) == "mandatory"


def explain(verdict: Verdict, stack: Stack, owner: Resource | None = None) -> Verdict:
    """An undecided verdict with what its unknown property will come from.

    :param owner: whose property it is, when it is not the judged resource's.
    """
    resource = owner or stack.by_urn.get(verdict.resource.urn)
    top = verdict.path.partition(".")[0].partition("[")[0]
    if resource is None or not top:
        return verdict
    sources = tuple(f"{source.type} '{source.name}'" for source in stack.sources(resource, top))
    if not sources:
        return verdict
    return replace(
        verdict,
        waiting_for=sources,
        reason=f"{verdict.reason}; its value will come from {', '.join(sources)}",
    )
