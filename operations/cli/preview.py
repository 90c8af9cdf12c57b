"""`gonogo preview`: what an update would change, and what the policy pack says of it."""

from __future__ import annotations

from operations.cli.options import CloudOption, Json, Stack, Verbose

EXAMPLES = """Examples:

`gonogo preview prod` in a pull request: what would change, which rules fail, and why.

`gonogo preview prod --verbose` each resource, with the properties that change."""


def preview(
    stack: Stack = None,
    *,
    cloud: CloudOption = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show what an update would change and which rules it breaks. Changes nothing."""
    from operations.cli.console import Output
    from operations.cli.run import look_ahead

    look_ahead(stack, cloud, Output(as_json=as_json), verbose=verbose)
