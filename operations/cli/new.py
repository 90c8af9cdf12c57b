"""`gonogo new`: a commented system to start from, and its stacks."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from operations.cli.options import CHECKOUT

EXAMPLES = """Examples:

`gonogo new order-desk` writes systems/order-desk.yaml, Pulumi.order-desk-prod.yaml and so on.

`gonogo new order-desk --code desk` names in AWS begin with desk-prod, desk-staging, desk-dev."""


def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The system's name: lower case, digits and hyphens. Its stacks are NAME-prod, "
            "NAME-staging and NAME-dev.",
            show_default=False,
        ),
    ],
    code: Annotated[
        Optional[str],  # noqa: UP045  Typer reads it
        typer.Option(
            "--code",
            metavar="CODE",
            help="What names in AWS begin with: 2 to 8 lower-case letters and digits. Made from "
            "the name when left out.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a new system: a commented YAML with every field, and a stack for each tier.

    Overwrites nothing and starts nothing. What it writes is valid, and can be deployed as it is.
    """
    from operations.failures import ExitCode, Failure
    from systems.new import NewSystemError, write_system

    try:
        files = write_system(CHECKOUT, name, code)
    except NewSystemError as error:
        raise Failure(error.what, next_step=error.next_step, code=ExitCode.WRONG_INPUT) from None
    for file in files:
        print(f"wrote {file.relative_to(CHECKOUT)}")
    print(
        f"Next: fill in systems/{name}.yaml (docs/writing-a-system.md), then ./gonogo check, "
        f"then ./gonogo up {name}-dev"
    )
