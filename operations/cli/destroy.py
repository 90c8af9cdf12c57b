"""`gonogo destroy`: takes a stack down, and says which protection it lifts to do so."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from operations.cli.options import CloudOption, Json, Stack, Verbose, Yes

EXAMPLES = """Examples:

`gonogo destroy prod --yes` in the sandbox: lifts every protection, says which, deletes all.

`gonogo destroy prod --cloud aws --unprotect URN --unprotect URN` in AWS each protected resource
has to be named."""


def destroy(
    stack: Stack = None,
    *,
    cloud: CloudOption = None,
    unprotect: Annotated[
        Optional[list[str]],  # noqa: UP045  Typer reads it
        typer.Option(
            "--unprotect",
            metavar="URN",
            help="A protected resource that may be deleted. Needed for each one in AWS; repeat it.",
            show_default=False,
        ),
    ] = None,
    remove_stack: Annotated[
        bool, typer.Option("--remove-stack", help="Forget the stack and its history as well.")
    ] = False,
    as_json: Json = False,
    yes: Yes = False,
    verbose: Verbose = False,
) -> None:
    """Delete everything a stack has made. Run again, it goes on where it was stopped."""
    from operations.cli.console import Output
    from operations.cli.session import open_session
    from operations.cli.teardown import tear_down

    session = open_session(stack, cloud, Output(as_json=as_json), verbose=verbose)
    with session.turn():
        tear_down(session, unprotect or [], yes=yes, remove_stack=remove_stack)
