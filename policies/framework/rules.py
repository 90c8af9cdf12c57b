"""The decorator that makes a rule of a function, and the rule itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeAlias

from policies.framework.views import Resource

Severity: TypeAlias = Literal["critical", "high", "medium", "low"]
Tier: TypeAlias = Literal["prod", "staging", "dev"]
Scope: TypeAlias = Literal["resource", "stack"]

TIERS: tuple[Tier, ...] = ("prod", "staging", "dev")
NOT_DEV: tuple[Tier, ...] = ("prod", "staging")

STACK_TYPE = "pulumi:pulumi:Stack"
ANY_AWS = "aws:*"
"""In place of a type: every resource of AWS."""


@dataclass(frozen=True)
class Fix:
    """What mends a violation: the key in a Gonogo system's YAML, and the raw `pulumi_aws` call.

    `yaml` is empty where no key can break the rule, since the components see to it.
    """

    yaml: str
    raw: str

    def __str__(self) -> str:
        return f"{self.yaml} (raw: {self.raw})" if self.yaml else self.raw


@dataclass(frozen=True)
class Finding:
    """One violation. `path` is the property it is about; `fix` overrides the rule's."""

    found: str
    wanted: str
    path: str = ""
    fix: Fix | None = None


Findings: TypeAlias = Iterator[Finding]


class NotApplicable(Exception):  # noqa: N818  a verdict, not an error
    """The rule does not concern this resource. Raised by a rule through `skip`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Undecidable(Exception):  # noqa: N818  a verdict, not an error
    """The rule cannot tell, for a reason other than one unknown property."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


def skip(reason: str) -> NoReturn:
    """Ends a rule: it does not concern this resource, and why."""
    raise NotApplicable(reason)


@dataclass(frozen=True)
class Setting:
    """A number of a rule that the pack's config may set, per tier. Whole, with its unit in its
    name."""

    default: int
    minimum: int
    description: str


@dataclass(frozen=True)
class Rule:
    """A rule: one function and what is to be known of it.

    A rule on the stack is called for each resource of its types with (resource, stack); a rule on
    a resource with (resource). Its settings are passed by keyword.
    """

    name: str
    section: str
    severity: Severity
    types: tuple[str, ...]
    lines: tuple[str, ...]
    why: str
    fix: Fix
    reference: str
    check: Callable[..., Findings | None]
    scope: Scope = "resource"
    tiers: tuple[Tier, ...] = TIERS
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def concerns(self, resource: Resource) -> bool:
        """Whether the rule is asked about resources of this type."""
        return resource.type in self.types or (
            ANY_AWS in self.types and resource.type.startswith("aws:")
        )

    @property
    def enforcement(self) -> Literal["mandatory", "advisory"]:
        """What a violation does when the pack's config says nothing: low severity only informs."""
        return "advisory" if self.severity == "low" else "mandatory"


REGISTRY: dict[str, Rule] = {}

_NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)+$")
_LINE = re.compile(r"^00[0-4]:\d+$")


def rule(
    name: str,
    *,
    section: str,
    severity: Severity,
    types: tuple[str, ...],
    lines: tuple[str, ...],
    why: str,
    fix: Fix,
    reference: str,
    scope: Scope = "resource",
    tiers: tuple[Tier, ...] = TIERS,
    settings: Mapping[str, Setting] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a rule of a function.

    :param name: `subject-expectation`, stable: waivers and reports name it.
    :param lines: the checklist lines it answers, as `001:326` (seed and line).
    :param tiers: where it holds; elsewhere it is not applicable, and the report says so.
    :raises ValueError: for a name taken or misspelt, or a line that is not one.
    """
    if not _NAME.match(name):
        raise ValueError(f"a rule's name is subject-expectation in lower case, not {name!r}")
    if name in REGISTRY:
        raise ValueError(f"two rules are called {name}")
    if wrong := [line for line in lines if not _LINE.match(line)]:
        raise ValueError(f"{name}: checklist lines are written 001:326, not {wrong}")

    def register(check: Callable[..., Any]) -> Callable[..., Any]:
        REGISTRY[name] = Rule(
            name=name,
            section=section,
            severity=severity,
            types=types,
            lines=lines,
            why=why,
            fix=fix,
            reference=reference,
            check=check,
            scope=scope,
            tiers=tiers,
            settings=settings or {},
        )
        return check

    return register


def show(value: Any) -> str:
    """A value as a message shows it: as YAML would, short."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def same(value: Any, wanted: Any) -> bool:
    """Whether a property is what is wanted. Providers take `"true"` for `true` and `"7"` for 7."""
    if isinstance(value, str) and not isinstance(wanted, str):
        return value.strip().lower() == show(wanted)
    return bool(value == wanted)


def expect(resource: Resource, path: str, wanted: Any, *, default: Any = None) -> Findings:
    """The commonest rule: this property must be that. `default` is what AWS takes when it is not
    set."""
    value = resource.get(path)
    if value is None:
        if default != wanted:
            meaning = f" (AWS's default is {show(default)})" if default is not None else ""
            yield Finding(f"{path}: not set{meaning}", show(wanted), path)
    elif not same(value, wanted):
        yield Finding(f"{path}: {show(value)}", show(wanted), path)


def number(value: Any) -> float | None:
    """A number that may have come as text; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(str(value))
    except ValueError:
        return None
