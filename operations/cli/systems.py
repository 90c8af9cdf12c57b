"""`gonogo systems`: what systems there are, their stacks, and what each declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from operations.cli.options import CHECKOUT, Json

if TYPE_CHECKING:
    from systems.overview import StackLine, SystemLine

EXAMPLES = """Examples:

`gonogo systems` every system with its stacks, and what each declares.

`gonogo systems autonomous-trading-company` one of them.

`gonogo systems --json` for a program."""

_HEADS = ("stack", "at", "region")


def _complete(incomplete: str) -> list[str]:
    names = (file.stem for file in (CHECKOUT / "systems").glob("*.yaml"))
    return sorted(name for name in names if name.startswith(incomplete))


def systems(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045  Typer reads it
        typer.Argument(
            metavar="SYSTEM",
            help="Systems to list; all when none is named.",
            autocompletion=_complete,
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List systems and stacks, and count what each declares. Starts nothing.

    The alarms are the system's own; those of databases, caches, workloads and schedules come on
    top. Ends with 2 when a stack is not valid.
    """
    import json

    from operations.failures import ExitCode
    from systems.overview import overview

    require_systems(names or [])
    found = overview(CHECKOUT, names or [])
    if as_json:
        print(json.dumps(as_document(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(as_lines(found)))
    if any(stack.stack is None for one in found for stack in one.stacks):
        raise typer.Exit(ExitCode.WRONG_INPUT)


def require_systems(names: Sequence[str]) -> None:
    """Raises Failure, which lists the systems, for a name that is none."""
    from operations.failures import ExitCode, Failure
    from systems.catalogue import system_names
    from systems.errors import did_you_mean, listing

    known = system_names(CHECKOUT / "systems")
    for name in names:
        if name not in known:
            near = did_you_mean(name, known)
            raise Failure(
                f"There is no system {name!r}.",
                next_step=f"did you mean {near}?"
                if near
                else f"name one of: {listing(known, 'none is there yet, gonogo new makes one')}.",
                code=ExitCode.WRONG_INPUT,
            )


def as_lines(found: Sequence[SystemLine]) -> list[str]:
    """The systems for a person: a heading above all, and a line for each stack."""
    from systems.overview import KINDS

    heads = (*_HEADS, *KINDS)
    rows = {one.name: [_row(stack) for stack in one.stacks] for one in found}
    everything = [heads, *(row for of_one in rows.values() for row in of_one if len(row) > 2)]
    widths = [max(len(row[column]) for row in everything) for column in range(len(heads))]
    lines = [_aligned(heads, widths)] if len(everything) > 1 else []
    for one in found:
        lines.append(_heading(one))
        if not one.stacks:
            lines.append(f"  no stack: write Pulumi.{one.name}-prod.yaml")
        lines += [
            _aligned(row, widths) if len(row) > 2 else f"  {row[0]:{widths[0]}}  {row[1]}"
            for row in rows[one.name]
        ]
    stacks = sum(len(one.stacks) for one in found)
    named = sum(bool(one.name) for one in found)
    lines += ["", f"{_count(named, 'system')}, {_count(stacks, 'stack')}."]
    if not named:
        lines.append("Next: gonogo new NAME writes one to start from.")
    return lines


def as_document(found: Sequence[SystemLine]) -> dict[str, Any]:
    """The systems for programs."""
    from systems.overview import declared

    return {
        "systems": [
            {
                "name": one.name or None,
                "code": one.system.code if one.system else None,
                "title": one.system.title if one.system else None,
                "owner": one.system.owner if one.system else None,
                "stacks": [
                    {
                        "name": line.name,
                        "tier": line.stack.tier,
                        "phase": line.stack.phase,
                        "region": line.stack.region,
                        "cloud": line.stack.cloud or "sandbox",
                        "declares": declared(line.stack.system),
                        "problems": 0,
                    }
                    if line.stack
                    else {"name": line.name, "problems": len(line.problems)}
                    for line in one.stacks
                ],
            }
            for one in found
        ]
    }


def _heading(one: SystemLine) -> str:
    if not one.name:
        return "Stacks whose system cannot be told"
    system = one.system
    return f"{system.title}  ({one.name}, {system.code})" if system else one.name


def _row(line: StackLine) -> tuple[str, ...]:
    from systems.overview import declared

    if line.stack is None:
        problems = _count(len(line.problems), "problem")
        return line.name, f"not valid, {problems}: ./gonogo check {line.name}"
    stack = line.stack
    counts = declared(stack.system).values()
    where = stack.region if stack.cloud in (None, "sandbox") else f"{stack.region}, {stack.cloud}"
    return line.name, stack.at, where, *(str(count or "-") for count in counts)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, counts to the right."""
    first = len(_HEADS)
    words = [f"{text:{width}}" for text, width in zip(row[:first], widths, strict=False)]
    counts = [f"{text:>{width}}" for text, width in zip(row[first:], widths[first:], strict=True)]
    return f"  {'  '.join([*words, *counts])}".rstrip()


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
