"""`gonogo env`: what makes plain `pulumi preview` and `pulumi up` work on the sandbox."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

import typer

EXAMPLES = """Examples:

`eval "$(gonogo env)"; pulumi stack select prod; pulumi preview`

`gonogo env --shell fish | source`"""


class Shell(StrEnum):
    """What the lines are written for; bash's do for every POSIX shell."""

    BASH = "bash"
    FISH = "fish"


def env(
    shell: Annotated[
        Shell, typer.Option("--shell", help="The shell that reads the lines.")
    ] = Shell.BASH,
) -> None:
    """Print lines that set a shell to the sandbox: engine, state, credentials, policy pack.

    Starts the sandbox and makes its missing stacks. Nothing secret is printed: the passphrase is
    named by its file.
    """
    from operations.cli.plain import plain_environment
    from sandbox.lifecycle import UNSET

    print("\n".join(lines(plain_environment(), UNSET, shell)))


def lines(values: Mapping[str, str], unset: Iterable[str], shell: Shell) -> list[str]:
    """The lines for one shell. Each value is quoted: a path may hold anything."""
    if shell is Shell.FISH:
        gone = [f"set -e {name};" for name in unset]
        return [*gone, *(f"set -gx {name} {_fish(value)};" for name, value in values.items())]
    gone = [f"unset {name}" for name in unset]
    return [*gone, *(f"export {name}={shlex.quote(value)}" for name, value in values.items())]


def _fish(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
