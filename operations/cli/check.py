"""`gonogo check`: are the systems and stacks right? Without the engine, within a second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from operations.cli.options import CHECKOUT, Json, Stacks

if TYPE_CHECKING:
    from systems.check import CheckResult
    from systems.errors import Problem

EXAMPLES = """Examples:

`gonogo check` all tiers, systems and stacks.

`gonogo check prod` one stack."""


def check(names: Stacks = None, as_json: Json = False) -> None:
    """Validate systems and stack files. Starts nothing; ends with 2 when something is wrong."""
    import json
    import sys

    import typer

    from operations.cli.endings import config_failure
    from operations.failures import ExitCode
    from systems.check import all_problems
    from systems.errors import ConfigError

    results = run_checks(names or [])
    problems = all_problems(results)
    if as_json:
        checked = [{"subject": one.subject, "ok": one.ok} for one in results]
        told = [as_document(one) for one in problems]
        print(json.dumps({"checked": checked, "problems": told}, indent=2, ensure_ascii=False))
    else:
        utf8 = "utf" in (sys.stdout.encoding or "").lower()
        good, bad = ("✓", "✗") if utf8 else ("ok  ", "FAIL")
        width = max(len(one.subject) for one in results)
        for one in results:
            print(f"{good if one.ok else bad} {one.subject:{width}}  {describe(one)}")
        if not problems:
            print(f"{len(results)} checked, nothing is wrong.")
        sys.stdout.flush()
    if problems:
        if not as_json:
            config_failure(ConfigError(problems))
        raise typer.Exit(ExitCode.WRONG_INPUT)


def run_checks(names: list[str], project: Path = CHECKOUT) -> list[CheckResult]:
    """The results for the named stacks, or for everything. Raises Failure for an unknown name."""
    from operations.cli.session import require_known
    from systems.check import CheckResult
    from systems.check import check as check_all
    from systems.errors import ConfigError
    from systems.stack import load

    if not names:
        return check_all(project)
    results = []
    for name in dict.fromkeys(names):
        file = require_known(name, project)
        try:
            results.append(CheckResult(f"stack {name}", file, stack=load(file)))
        except ConfigError as error:
            results.append(CheckResult(f"stack {name}", file, error.problems))
    return results


def describe(result: CheckResult) -> str:
    """What a result is about, beside its subject: a stack's system and where it goes, or a file."""
    if result.stack is None:
        return result.file.name
    stack = result.stack
    return f"{stack.system.name} at {stack.at}, {stack.region}, {stack.cloud or 'sandbox'}"


def as_document(problem: Problem) -> dict[str, object]:
    """A problem for programs."""
    return {
        "file": str(problem.place.file),
        "line": problem.place.line,
        "column": problem.place.column,
        "field": problem.field,
        "found": problem.found,
        "allowed": problem.allowed,
        "do": problem.todo,
    }
