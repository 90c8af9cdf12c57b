"""What rules are made of: the decorator, views of resources, verdicts, and the server."""

from policies.framework.rules import (
    ANY_AWS,
    NOT_DEV,
    STACK_TYPE,
    Finding,
    Findings,
    Fix,
    Rule,
    Setting,
    Undecidable,
    expect,
    number,
    rule,
    same,
    show,
    skip,
)
from policies.framework.stack import Stack
from policies.framework.views import Block, Items, Resource, UnknownRead

__all__ = [
    "ANY_AWS",
    "NOT_DEV",
    "STACK_TYPE",
    "Block",
    "Finding",
    "Findings",
    "Fix",
    "Items",
    "Resource",
    "Rule",
    "Setting",
    "Stack",
    "Undecidable",
    "UnknownRead",
    "expect",
    "number",
    "rule",
    "same",
    "show",
    "skip",
]
