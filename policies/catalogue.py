"""All rules of the pack with what is to be known of them. Needs no Pulumi: quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from policies.framework.rules import REGISTRY, Rule

SECTIONS = (
    "settings",
    "secrets",
    "rotation",
    "database",
    "cache",
    "compute",
    "health",
    "ingress",
    "logging",
    "alarms",
    "network",
    "images",
    "identity",
    "storage",
)
"""The modules of `policies.rules`, in the order in which rules are listed."""


def load() -> Mapping[str, Rule]:
    """Every rule by name."""
    for section in SECTIONS:
        import_module(f"policies.rules.{section}")
    return REGISTRY


def catalogue() -> list[dict[str, Any]]:
    """Every rule as plain data, for listings and documentation."""
    return [
        {
            "name": rule.name,
            "section": rule.section,
            "severity": rule.severity,
            "scope": rule.scope,
            "types": list(rule.types),
            "tiers": list(rule.tiers),
            "lines": list(rule.lines),
            "why": rule.why,
            "fix_yaml": rule.fix.yaml,
            "fix_raw": rule.fix.raw,
            "reference": rule.reference,
            "settings": {
                name: {
                    "default": setting.default,
                    "minimum": setting.minimum,
                    "description": setting.description,
                }
                for name, setting in rule.settings.items()
            },
        }
        for rule in load().values()
    ]
