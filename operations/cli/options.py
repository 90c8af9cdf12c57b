"""Arguments and options that several commands share, and the completion of stack names."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

CHECKOUT = Path(__file__).resolve().parents[2]
"""The project: its Pulumi.yaml, stacks and systems are found here."""


class Cloud(StrEnum):
    """Where a command works."""

    SANDBOX = "sandbox"
    AWS = "aws"


def stack_names(project: Path = CHECKOUT) -> list[str]:
    """The stacks that have a file, by name."""
    files = project.glob("Pulumi.*.yaml")
    return sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files)


def _complete(incomplete: str) -> list[str]:
    return [name for name in stack_names() if name.startswith(incomplete)]


Stack = Annotated[
    Optional[str],  # noqa: UP045  Typer reads it
    typer.Argument(
        metavar="STACK",
        help="The stack: the part of Pulumi.STACK.yaml between the dots.",
        autocompletion=_complete,
        show_default=False,
    ),
]
Stacks = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Argument(
        metavar="STACK",
        help="Stacks to check; all when none is named.",
        autocompletion=_complete,
        show_default=False,
    ),
]
CloudOption = Annotated[
    Optional[Cloud],  # noqa: UP045
    typer.Option(
        "--cloud",
        help="Where: the sandbox on this machine, or your AWS account. Default: what the stack's "
        "config says under gonogo:cloud, else the sandbox.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show each resource as it is worked on.")
]
