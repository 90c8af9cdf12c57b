"""`gonogo up`: previews, is judged, applies, and says what there is now."""

from __future__ import annotations

from operations.cli.options import CloudOption, Json, Stack, Verbose, Yes

EXAMPLES = """Examples:

`gonogo up prod` deploys into the sandbox; run again, nothing changes.

`gonogo up prod --cloud aws` deploys into your AWS account, after asking.

`gonogo up staging --json` one JSON document at the end, for a pipeline."""


def up(
    stack: Stack = None,
    *,
    cloud: CloudOption = None,
    as_json: Json = False,
    yes: Yes = False,
    verbose: Verbose = False,
) -> None:
    """Deploy a stack: preview it, judge it by the policy pack, apply it, sum it up."""
    from operations.cli.console import Output
    from operations.cli.run import deploy

    deploy(stack, cloud, Output(as_json=as_json), yes=yes, verbose=verbose)
