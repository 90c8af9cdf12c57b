"""The pack's own settings."""

from __future__ import annotations

from policies.framework import STACK_TYPE, Findings, Fix, Resource, Stack, rule


@rule(
    "pack-settings",
    section="settings",
    severity="high",
    types=(STACK_TYPE,),
    scope="stack",
    lines=(),
    why="Carries the tier whose rules hold; with none given, prod's do.",
    fix=Fix("tier in policies/tiers/<tier>.json", '{"pack-settings": {"tier": "prod"}}'),
    reference="https://www.pulumi.com/docs/iac/using-pulumi/crossguard/configuration/",
)
def pack_settings(_stack_resource: Resource, _stack: Stack) -> Findings:
    """Pulumi itself refuses a tier that is not one; there is nothing else to find yet."""
    yield from ()
