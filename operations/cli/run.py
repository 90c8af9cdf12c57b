"""The order of things in `up` and `preview`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from operations.cli import summary
from operations.cli.console import Output, counted
from operations.cli.images import require_built
from operations.cli.options import CHECKOUT, Cloud
from operations.cli.session import Session, open_session
from operations.deployment import recovery, stacks
from operations.deployment.applied import Applied, fingerprint, shows_no_change
from operations.deployment.pulumi import Ran
from operations.deployment.target import Target
from operations.deployment.verdicts import Verdicts
from operations.deployment.verdicts import read as read_verdicts
from operations.failures import ExitCode, Failure


def deploy(
    name: str | None, cloud: Cloud | None, output: Output, *, yes: bool, verbose: bool
) -> None:
    """`up`. Raises Failure, or typer.Exit with the exit code after a summary."""
    session = open_session(name, cloud, output, verbose=verbose, admit=require_built)
    if session.place.cloud is Cloud.AWS and not yes and not output.live:
        raise Failure(
            "This would change an AWS account, and there is nobody to ask.",
            next_step="add --yes, or run it in a terminal.",
            code=ExitCode.WRONG_INPUT,
        )
    with session.turn():
        _deploy(session, yes=yes)


def _deploy(session: Session, *, yes: bool) -> None:
    output = session.output
    target, refreshed = prepare(session)
    ahead, said = _preview(session, target)
    applied = Applied(session.home / "stacks")
    files = fingerprint(CHECKOUT, session.stack.file, session.engine.version)
    if shows_no_change(ahead) and applied.is_last(session.stack.name, files):
        # The verdicts on the preview are those on what is there.
        target.report.write_bytes(target.preview_report.read_bytes())
        _finish(session, ahead, said, "unchanged", refreshed=refreshed)
        return
    if session.place.cloud is Cloud.AWS and not yes:
        summary.changes(ahead.tally, output, planned=True)
        typer.confirm(f"Apply to AWS account {session.place.account}?", abort=True)
    applied.forget(session.stack.name)
    expected = sum(ahead.tally.changes().values())
    with session.progress("Applying", expected=expected or None) as shown:
        ran = target.update(shown)
    said = read_verdicts(target.report)
    _end_unless_good(session, ran, said, "update")
    applied.keep(session.stack.name, files)
    _finish(session, ran, said, "applied", refreshed=refreshed)


def look_ahead(name: str | None, cloud: Cloud | None, output: Output, *, verbose: bool) -> None:
    """`preview`."""
    session = open_session(name, cloud, output, verbose=verbose)
    target, refreshed = prepare(session, refresh=False)
    ahead, said = _preview(session, target)
    _finish(session, ahead, said, "previewed", refreshed=refreshed)


def prepare(session: Session, *, refresh: bool = True) -> tuple[Target, bool]:
    """The stack made where it is missing, and what a killed run left put right.

    `refresh=False` only tells of a state that may be behind: a preview changes nothing.
    Returns the target and whether its state was refreshed.
    """
    name, backend, output = session.stack.name, session.backend, session.output
    if backend is None:
        return session.target(), False
    found = recovery.recover(backend, session.pulumi, name, session.doubts, output.note)
    for note in found.notes:
        output.note(note)
    if stacks.create(session.pulumi, backend, name, session.home / "stacks"):
        output.say(f"Made the stack {name}.")
    target = session.target()
    if found.refresh and refresh:
        refresh_state(session, target)
    elif found.refresh:
        output.note(f"`./gonogo up {name}` brings it in line first; this preview may be off.")
    return target, found.refresh and refresh


def refresh_state(session: Session, target: Target) -> None:
    """Brings the state in line with what is there. Raises Failure when it cannot."""
    Applied(session.home / "stacks").forget(session.stack.name)
    with session.progress("Comparing the state with what is there") as shown:
        ran = target.refresh(shown)
    if ran.interrupted:
        raise Failure(
            "Stopped.", next_step="run the same command again.", code=ExitCode.INTERRUPTED
        )
    if not ran.succeeded:
        raise Failure(
            f"The state could not be compared with what is there: {ran.complaint()[0].text}",
            next_step=f"run the same command again; the engine's log is {ran.events_log}.",
        )
    changed = sum(ran.tally.changes().values())
    session.output.note(f"The state was brought in line: {counted(changed, 'resource')} differed.")
    session.doubts.settle(session.stack.name)


def _preview(session: Session, target: Target) -> tuple[Ran, Verdicts]:
    """A preview that ended well, and the pack's verdicts on it. Otherwise tells why and exits."""
    with session.progress("Previewing") as shown:
        ran = target.preview(shown)
    said = read_verdicts(target.preview_report)
    _end_unless_good(session, ran, said, "preview")
    return ran, said


def _end_unless_good(session: Session, ran: Ran, said: Verdicts, phase: str) -> None:
    """Tells why a run did not end well, and exits; does nothing when it did."""
    if ran.succeeded and said.complete:
        return
    code, show = _ending(ran)
    show(session, ran, said, phase)
    session.output.document(
        {**summary.document(session, ran, said, code.name.lower()), "phase": phase}
    )
    raise typer.Exit(code)


def _ending(ran: Ran) -> tuple[ExitCode, Callable[[Session, Ran, Verdicts, str], Any]]:
    if ran.interrupted:
        return ExitCode.INTERRUPTED, summary.interrupted
    if ran.tally.blocking:
        return ExitCode.BLOCKED, summary.blocked
    if not ran.succeeded:
        return ExitCode.FAILED, summary.failed
    # The engine is content, but the pack's report is missing or cut off: unknown is not a pass.
    return ExitCode.FAILED, summary.unjudged


def _finish(session: Session, ran: Ran, said: Verdicts, result: str, *, refreshed: bool) -> None:
    summary.show(session, ran, said, result)
    document = summary.document(session, ran, said, result)
    session.output.document({**document, "refreshed": refreshed})
