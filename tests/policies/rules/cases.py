"""One table for all rules: what passes, fails, is missing, unknown, secret or not applicable.

A case is a plan and the verdict that its subject gets. `test_cases.py` runs them, and sees to it
that no rule is without a pass and a fail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.testing import Plan

DIGEST = "@sha256:" + "a" * 64


@dataclass(frozen=True)
class Case:
    """The verdict of `rule` on the resource `name` of `plan`. `found` stands in its message."""

    rule: str
    outcome: str
    name: str
    plan: Plan
    note: str
    found: str = ""
    tier: str | None = None
    config: Mapping[str, Mapping[str, Any]] | None = None

    def __str__(self) -> str:
        return f"{self.rule}/{self.outcome}/{self.note}"


def one(
    rule: str, outcome: str, kind: str, properties: Mapping[str, Any], note: str, **more: Any
) -> Case:
    """A case of one resource alone, called `it`."""
    return Case(rule, outcome, "it", Plan().add(kind, "it", properties), note, **more)


def container(**more: Any) -> dict[str, Any]:
    """A container definition that no rule has anything against."""
    return {
        "name": "web",
        "image": f"registry.example/web{DIGEST}",
        "essential": True,
        "healthCheck": {"command": ["CMD-SHELL", "wget -q -O- localhost:8080/health"]},
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "web"}},
        **more,
    }


def task(*containers: Mapping[str, Any]) -> dict[str, Any]:
    """A task definition's properties, containers as JSON text."""
    return {"family": "web", "containerDefinitions": json.dumps(list(containers))}


def policy(*statements: Mapping[str, Any]) -> str:
    """An IAM policy document as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    """One statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}
