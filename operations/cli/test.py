"""`gonogo test`: the tests of this checkout."""

from __future__ import annotations

from typing import Annotated

import typer

from operations.cli.options import CHECKOUT

EXAMPLES = """Examples:

`gonogo test` everything, the engine and the sandbox included, on all cores.

`gonogo test --fast` what needs no server and no engine.

`gonogo test -k alarms -x` the rest goes to pytest."""


def test(
    context: typer.Context,
    fast: Annotated[
        bool, typer.Option("--fast", help="Leave out what starts servers or the engine.")
    ] = False,
) -> None:
    """Run the tests of this checkout; further arguments go to pytest."""
    import os
    import subprocess
    import sys

    chosen = ["-m", "not slow"] if fast else []
    # A debugger wants the test in the process that has the terminal.
    if not any(word == "--pdb" or word.startswith("-n") for word in context.args):
        chosen += ["-n", "auto"]
    command = [sys.executable, "-m", "pytest", *chosen, *context.args]
    # A shell that was set to the sandbox must not decide where the tests work.
    dropped = ("PULUMI_", "AWS_")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(dropped)
    }
    raise typer.Exit(subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode)
