"""`gonogo sandbox start|stop|reset|status`: the cloud on this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from operations.cli.options import Json, Yes

if TYPE_CHECKING:
    from sandbox.lifecycle import Status

EXAMPLES = """Examples:

`gonogo sandbox status` what runs, and what is recorded instead of emulated.

`gonogo sandbox reset --yes` begin again from nothing."""

app = typer.Typer(
    help="The cloud on this machine: AWS's APIs, real PostgreSQL and Valkey behind them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.command()
def start(as_json: Json = False) -> None:
    """Start it, or mend one that was killed. Other commands do so by themselves."""
    from sandbox import lifecycle

    lifecycle.start()
    status(as_json=as_json)


@app.command()
def stop() -> None:
    """Stop its processes. Its data stays."""
    from sandbox import lifecycle

    lifecycle.stop()
    print("The sandbox is stopped; its data stays for the next start.")


@app.command()
def reset(yes: Yes = False) -> None:
    """Stop it and remove all its data: the emulated cloud, databases, caches, Pulumi's state."""
    import sys

    from operations.cli.endings import home
    from operations.failures import ExitCode, Failure
    from sandbox import lifecycle

    if not yes:
        if not sys.stdin.isatty():
            raise Failure(
                "This would remove the sandbox's data, and there is nobody to ask.",
                next_step="add --yes.",
                code=ExitCode.WRONG_INPUT,
            )
        typer.confirm("Remove all data of the sandbox, Pulumi's state included?", abort=True)
    lifecycle.reset(state=True)
    for kind in ("*.applied", "*.doubt", "Pulumi.*.yaml"):
        for path in (home() / "stacks").glob(kind):
            path.unlink(missing_ok=True)
    print("The sandbox is empty. Next: ./gonogo up prod")


@app.command()
def status(as_json: Json = False) -> None:
    """What runs, with endpoints; what is recorded, not emulated. Ends with 4 when it is down."""
    import json

    from operations.failures import ExitCode
    from sandbox import lifecycle

    found = lifecycle.status()
    if as_json:
        print(json.dumps(as_document(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(as_lines(found)))
    if not found.running:
        raise typer.Exit(ExitCode.NOT_READY)


def as_lines(found: Status) -> list[str]:
    """The status for a person."""
    running = "running" if found.running else "not running"
    lines = [f"Sandbox: {running}  ({found.home})"]
    if found.running and found.emulator:
        lines.append(f"  AWS API     {found.emulator_url}  process {found.emulator.process.pid}")
    if found.provider:
        lines.append(
            f"  provider    127.0.0.1:{found.provider.port}  process {found.provider.process.pid}"
        )
    lines += [f"  {_store(store)}" for store in found.stores]
    recorded = Counter(
        f"{one.get('service', '')} {one.get('operation', '')}" for one in found.recorded
    )
    if recorded:
        lines.append("Recorded, not emulated (--json shows each call):")
        lines += [f"  {count:4} times {what}" for what, count in sorted(recorded.items())]
    lines += [f"Note: {note}" for note in found.notes]
    lines += [f"Problem: {problem}" for problem in found.problems]
    if not found.running:
        lines.append("Next: ./gonogo sandbox start, or any command that needs it")
    return lines


def _store(store: Mapping[str, Any]) -> str:
    """A database or a cache: what it is, where, and whether it speaks TLS."""
    tls = "TLS" if store.get("tls") else "no TLS"
    version = store.get("version") or "unknown version"
    asked = store.get("asked_version")
    instead = f" for {asked}" if asked and asked != version else ""
    return (
        f"{store.get('kind', 'store'):11} {store.get('address')}:{store.get('port')}  "
        f"{store.get('name')}, {store.get('status')}, {version}{instead}, {tls}, "
        f"process {store.get('pid')}"
    )


def as_document(found: Status) -> dict[str, Any]:
    """The status for programs."""
    return {
        "home": str(found.home),
        "running": found.running,
        "emulator": found.emulator.as_json() if found.emulator else None,
        "emulator_url": found.emulator_url,
        "provider": found.provider.as_json() if found.provider else None,
        "stores": found.stores,
        "recorded": found.recorded,
        "notes": found.notes,
        "problems": found.problems,
    }
