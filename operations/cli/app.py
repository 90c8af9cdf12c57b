"""The app: its commands, its help, and what catches everything else."""

from __future__ import annotations

from typing import Annotated

import typer

from operations.cli import check, destroy, env, new, preview, sandbox, systems, test, up
from operations.cli.endings import ended

PROGRAM = "gonogo"

HELP = """Production checklists that deploy themselves.

Without an AWS account everything runs in the sandbox, a cloud on this machine. The first line a
command prints says where it works.
"""

EPILOG = """Examples:

`gonogo up prod` deploys production into the sandbox; `gonogo up prod --cloud aws` into AWS.

`gonogo new order-desk` begins another system; `gonogo systems` lists what there is.

`gonogo up --help` says more; so does every command.

Exit codes: 0 done; 1 the engine or a provider failed; 2 wrong input or config, nothing
was started; 3 blocked by a policy, nothing was applied; 4 the engine, the sandbox or the cloud is
missing or busy; 70 a mistake in Gonogo itself; 130 interrupted."""

app = typer.Typer(
    name=PROGRAM,
    help=HELP,
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from operations.cli.version import print_version

        print_version()
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the versions and exit."
        ),
    ] = False,
) -> None:
    pass


_STACKS, _SYSTEMS, _HERE = "Stacks", "Systems", "This machine"

app.command("up", epilog=up.EXAMPLES, rich_help_panel=_STACKS)(up.up)
app.command("preview", epilog=preview.EXAMPLES, rich_help_panel=_STACKS)(preview.preview)
app.command("destroy", epilog=destroy.EXAMPLES, rich_help_panel=_STACKS)(destroy.destroy)
app.command("check", epilog=check.EXAMPLES, rich_help_panel=_SYSTEMS)(check.check)
app.command("systems", epilog=systems.EXAMPLES, rich_help_panel=_SYSTEMS)(systems.systems)
app.command("new", epilog=new.EXAMPLES, rich_help_panel=_SYSTEMS)(new.new)
app.add_typer(sandbox.app, name="sandbox", epilog=sandbox.EXAMPLES, rich_help_panel=_HERE)
app.command("env", epilog=env.EXAMPLES, rich_help_panel=_HERE)(env.env)
app.command(
    "test",
    epilog=test.EXAMPLES,
    rich_help_panel=_HERE,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(test.test)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; its exit code. No traceback reaches a user."""
    return ended(lambda: app(args=arguments, prog_name=PROGRAM, standalone_mode=True))
