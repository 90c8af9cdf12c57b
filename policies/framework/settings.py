"""What the pack's config says: the tier, each rule's enforcement, each rule's own numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from policies.framework.rules import TIERS, Rule, Tier

Enforcement: TypeAlias = Literal["mandatory", "advisory", "disabled"]

FROM_STACK = "from-stack"
"""A tier that says: take it from the stack's own config, key `<project>:tier`."""


def camel(name: str) -> str:
    """`minimum_days` as Pulumi's config has it: `minimumDays`."""
    return re.sub(r"_(\w)", lambda match: match.group(1).upper(), name)


@dataclass(frozen=True)
class PackSettings:
    """Prod's rules hold when nothing says otherwise."""

    tier: Tier = "prod"
    enforcement: Mapping[str, Enforcement] = field(default_factory=dict)
    numbers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def level_of(self, rule: Rule) -> Enforcement:
        """What a violation of the rule does."""
        return self.enforcement.get(rule.name, rule.enforcement)

    def numbers_of(self, rule: Rule) -> dict[str, int]:
        """The rule's settings by keyword."""
        given = self.numbers.get(rule.name, {})
        return {name: given.get(name, setting.default) for name, setting in rule.settings.items()}


def read_settings(
    rules: Mapping[str, Rule],
    properties: Mapping[str, Mapping[str, Any]],
    enforcement: Mapping[str, Enforcement],
    stack_config: Mapping[str, str] | None = None,
) -> PackSettings:
    """Settings from the pack's config. Unreadable numbers keep the rule's default, never less.

    :param properties: by rule, in camelCase, as Pulumi passes them.
    :param stack_config: the stack's config by full key (`gonogo:tier`).
    """
    numbers: dict[str, dict[str, int]] = {}
    for name, rule in rules.items():
        given = properties.get(name, {})
        for key in rule.settings:
            value = given.get(camel(key))
            if isinstance(value, int | float) and not isinstance(value, bool):
                numbers.setdefault(name, {})[key] = int(value)
    asked = properties.get("pack-settings", {}).get("tier")
    return PackSettings(_tier(asked, stack_config or {}), dict(enforcement), numbers)


def _tier(asked: Any, stack_config: Mapping[str, str]) -> Tier:
    """A tier that is not one is prod: what is misspelt must not weaken a rule."""
    if asked == FROM_STACK:
        asked = next(
            (value for key, value in stack_config.items() if key.rpartition(":")[2] == "tier"), None
        )
    return next((tier for tier in TIERS if tier == asked), "prod")
