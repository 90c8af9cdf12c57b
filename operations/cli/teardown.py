"""The order of things in `destroy`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import typer

from operations.cli import summary
from operations.cli.console import counted, duration
from operations.cli.options import Cloud
from operations.cli.run import prepare
from operations.cli.session import Session
from operations.deployment.applied import Applied
from operations.deployment.protection import ClientOf, Protection, protections, sweep
from operations.deployment.pulumi import Ran
from operations.deployment.target import Target
from operations.deployment.verdicts import Verdicts
from operations.failures import ExitCode, Failure


def tear_down(session: Session, named: list[str], *, yes: bool, remove_stack: bool) -> None:
    """`destroy`. Raises Failure, or typer.Exit after a summary."""
    name, output = session.stack.name, session.output
    if session.backend is not None and not session.backend.exists(name):
        output.say(f"{name}: there is nothing to destroy.")
        output.document({"stack": name, "result": "nothing", "lifted": [], "deleted": 0})
        return
    target, _ = prepare(session)
    resources = exported(session)
    guards = protections(resources)
    if session.place.cloud is Cloud.AWS:
        require_named(guards, named)
    if not resources:
        output.say(f"{name}: there is nothing to destroy.")
        output.document({"stack": name, "result": "nothing", "lifted": [], "deleted": 0})
        return
    _confirm(session, resources, guards, yes=yes)
    Applied(session.home / "stacks").forget(name)
    client = clients(session)
    _lift(session, guards, client)
    ran = _destroy(session, target, expected=len(_of_providers(resources)))
    if session.place.cloud is Cloud.SANDBOX:
        for line in sweep(resources, client):
            output.say(f"  removed for good: {line}")
    keys = sum(one["type"] == "aws:kms/key:Key" for one in resources)
    if keys:
        output.say(
            f"  {counted(keys, 'key')} of KMS wait for their deletion: AWS has no faster way"
        )
    if remove_stack:
        _forget(session)
    deleted = ran.tally.changes().get("delete", 0)
    output.say()
    output.say(f"{name}: {counted(deleted, 'resource')} deleted.", style="bold green")
    output.say(f"Time         {duration(session.seconds)}")
    output.say(f"Next         ./gonogo up {name} deploys it again")
    output.document(
        {
            "stack": name,
            "cloud": session.place.cloud.value,
            "result": "destroyed",
            "deleted": deleted,
            "lifted": [{"urn": one.urn, "protection": one.what} for one in guards],
            "seconds": round(session.seconds, 2),
            "log": str(ran.events_log),
        }
    )


def exported(session: Session) -> list[Mapping[str, Any]]:
    """The resources in the stack's state, of whatever backend. Secrets stay encrypted."""
    said = session.pulumi.ask("stack", "export", "--stack", session.stack.name)
    if said.returncode != 0:
        raise Failure(
            f"The state of {session.stack.name} cannot be read: {said.stderr.strip()}",
            next_step="`pulumi stack ls` shows the stacks of the backend.",
            code=ExitCode.NOT_READY,
        )
    deployment = json.loads(said.stdout).get("deployment") or {}
    resources: list[Mapping[str, Any]] = deployment.get("resources") or []
    return resources


def clients(session: Session) -> ClientOf:
    """Makes boto3 clients for the session's cloud; an empty region is the stack's own."""
    import boto3
    from botocore.config import Config

    place = session.place
    made: dict[tuple[str, str], Any] = {}
    own: dict[str, Any] = {}
    if place.cloud is Cloud.SANDBOX:
        own = {
            "aws_access_key_id": place.environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": place.environment["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": place.endpoint,
        }
    limits = Config(retries={"total_max_attempts": 4, "mode": "standard"})

    def client(service: str, region: str) -> Any:
        key = service, region or place.region
        if key not in made:
            made[key] = boto3.client(service, region_name=key[1], config=limits, **own)
        return made[key]

    return client


def require_named(guards: list[Protection], named: list[str]) -> None:
    """In AWS nothing loses its protection that was not named."""
    urns = list(dict.fromkeys(one.urn for one in guards))
    unknown = [urn for urn in named if urn not in urns]
    if unknown:
        raise Failure(
            f"--unprotect names what is not protected or not there: {', '.join(unknown)}.",
            next_step="run it without --unprotect to see what is protected.",
            code=ExitCode.WRONG_INPUT,
        )
    missing = [urn for urn in urns if urn not in named]
    if missing:
        listed = "\n".join(
            f"  --unprotect '{urn}'  ({', '.join(one.what for one in guards if one.urn == urn)})"
            for urn in missing
        )
        raise Failure(
            f"{counted(len(missing), 'resource')} of this stack are protected, and were not "
            f"named:\n{listed}",
            next_step="name each one that may be deleted.",
            code=ExitCode.WRONG_INPUT,
        )


def _confirm(
    session: Session,
    resources: list[Mapping[str, Any]],
    guards: list[Protection],
    *,
    yes: bool,
) -> None:
    output, name = session.output, session.stack.name
    output.say(f"To be deleted: {counted(len(_of_providers(resources)), 'resource')} of {name}.")
    if guards:
        output.say("Protection that is lifted first:")
        for what in dict.fromkeys(one.what for one in guards):
            held = [one.name for one in guards if one.what == what]
            output.say(f"  {what}: {', '.join(held)}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(
            "This would delete all of that, and there is nobody to ask.",
            next_step="add --yes.",
            code=ExitCode.WRONG_INPUT,
        )
    typer.confirm(f"Delete everything of {name}?", abort=True)


def _lift(session: Session, guards: list[Protection], client: ClientOf) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    name = session.stack.name
    marked = [one.urn for one in guards if one.lift is None]
    if marked:
        chosen = ["--all"] if session.place.cloud is Cloud.SANDBOX else marked
        said = session.pulumi.ask("state", "unprotect", *chosen, "--yes", "--stack", name)
        if said.returncode != 0:
            raise Failure(f"Pulumi's protect could not be lifted: {said.stderr.strip()}")
    for one in guards:
        if one.lift is None:
            continue
        try:
            one.lift(client)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if not any(word in code for word in ("NotFound", "NoSuch", "DoesNotExist")):
                raise _not_lifted(one, error) from error
        except BotoCoreError as error:
            raise _not_lifted(one, error) from error


def _not_lifted(one: Protection, error: Exception) -> Failure:
    return Failure(
        f"{one.what} of {one.name} could not be lifted: {error}",
        next_step="mend that and run it again: it goes on from here.",
    )


def _destroy(session: Session, target: Target, *, expected: int) -> Ran:
    with session.progress("Deleting", expected=expected) as shown:
        ran = target.destroy(shown)
    if ran.succeeded:
        return ran
    code = ExitCode.INTERRUPTED if ran.interrupted else ExitCode.FAILED
    show = summary.interrupted if ran.interrupted else summary.failed
    show(session, ran, Verdicts(), "destroy")
    document = summary.document(session, ran, Verdicts(), code.name.lower())
    session.output.document({**document, "phase": "destroy"})
    raise typer.Exit(code)


def _forget(session: Session) -> None:
    said = session.pulumi.ask("stack", "rm", session.stack.name, "--yes", "--preserve-config")
    if said.returncode != 0:
        raise Failure(f"The stack could not be forgotten: {said.stderr.strip()}")
    session.doubts.settle(session.stack.name)


def _of_providers(resources: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        one
        for one in resources
        if one.get("custom") and not one["type"].startswith("pulumi:") and not one.get("external")
    ]
