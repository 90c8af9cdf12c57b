"""What stands at the end of a run: worth reading, and the same as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from operations.cli.console import Output, counted, duration
from operations.cli.images import unbuilt
from operations.cli.options import Cloud
from operations.cli.violations import blocks
from operations.deployment.events import CHANGES, name_of, readable, type_of
from operations.deployment.pulumi import Ran
from operations.deployment.tally import Tally
from operations.deployment.verdicts import Verdicts

if TYPE_CHECKING:
    from operations.cli.session import Session

_FEW = 8
TO_FILL = "secrets_to_fill"
"""The output that names secrets to be filled in, each with what belongs there."""
_REACHED = ("url", "load_balancer", "databases", "caches", "dashboard")
"""The outputs that are endpoints."""


def show(session: Session, ran: Ran, said: Verdicts, result: str) -> None:
    """A run that went well."""
    name, tally, output = session.stack.name, ran.tally, session.output
    planned = result == "previewed"
    output.say()
    if tally.changed:
        output.say(f"{name}: {_counts(tally.changes(), planned)}", style="bold green")
        changes(tally, output, planned=planned)
    else:
        what = "nothing would change" if planned else "nothing changed"
        output.say(f"{name}: {what}", style="bold green")
    if not planned:
        _outputs(session, tally)
        there = f"{counted(tally.resources(), 'resource')}, {counted(tally.alarms(), 'alarm')}"
        output.say(f"There are    {there}")
    _rules(said, output)
    missing = list(unbuilt(session.stack.system))
    if missing:
        output.note(f"Images       not built yet: {_workloads(missing)} (a digest of zeros)")
    for message in _warnings(tally):
        output.note(f"Warning      {message}")
    fill = {} if planned else to_fill(tally)
    if fill:
        output.say("Secrets that a person fills in")
        for secret, what in fill.items():
            output.say(f"  {secret:34} {what}")
    output.say(f"Time         {duration(session.seconds)}")
    output.say(f"Next         {_next(session, result, tally)}")


def changes(tally: Tally, output: Output, *, planned: bool) -> None:
    """What is done, by component."""
    for component, ops in tally.by_component().items():
        output.say(f"  {component:34} {_counts(ops, planned)}")


def blocked(session: Session, ran: Ran, said: Verdicts, phase: str) -> None:
    """A run that a rule stopped."""
    output, told = session.output, list(blocks(ran.tally, said))
    for block in told:
        output.say()
        output.say(block)
    output.say()
    where = "nothing was applied" if phase == "preview" else "the update was stopped"
    output.say(f"Blocked by {counted(len(told), 'violation')}: {where}.", style="bold red")
    output.say("Next: mend the YAML keys above and run it again.")


def failed(session: Session, ran: Ran, said: Verdicts, phase: str) -> None:
    """A run that the engine, the program or a provider ended."""
    name, output = session.stack.name, session.output
    output.say()
    complaints = list(dict.fromkeys(ran.complaint()))
    for message in complaints[:_FEW]:
        about = f"{type_of(message.urn)} {name_of(message.urn)}: " if message.urn else ""
        output.say(f"{about}{message.text}", style="red" if output.live else None)
    if len(complaints) > _FEW:
        output.say(f"… and {len(complaints) - _FEW} more, in {ran.events_log}")
    output.say()
    if phase == "preview":
        output.say(f"{name}: the preview failed; nothing was applied.", style="bold red")
    else:
        output.say(f"{name}: failed after {_counts(ran.tally.changes(), False)}.", style="bold red")
        changes(ran.tally, output, planned=False)
        _rules(said, output)
    if session.sandbox_is_gone():
        output.note("The sandbox was ended during this run.")
        output.say(f"Next: run it again: it mends the sandbox and goes on. "
                   f"The engine's log is {ran.events_log}.")  # fmt: skip
        return
    output.say(f"Next: mend what is said above and run it again: it goes on from here. "
               f"The engine's log is {ran.events_log}.")  # fmt: skip


def interrupted(session: Session, ran: Ran, _said: Verdicts, phase: str) -> None:
    """A run that a person stopped."""
    output = session.output
    output.say()
    done = "nothing was applied" if phase == "preview" else _counts(ran.tally.changes(), False)
    output.say(f"{session.stack.name}: stopped; {done}.", style="bold yellow")
    output.say("Next: run the same command again: it goes on from here.")


def unjudged(session: Session, ran: Ran, said: Verdicts, phase: str) -> None:
    """A run whose verdicts are missing."""
    output = session.output
    what = "is missing" if not said.total else "was cut off"
    output.say()
    output.say(f"{session.stack.name}: the policy pack's report {what}, so nothing counts as "
               f"passed.", style="bold red")  # fmt: skip
    done = "nothing was applied" if phase == "preview" else "the update itself was completed"
    output.say(f"Next: run it again; {done}. The engine's log is {ran.events_log}.")


def document(session: Session, ran: Ran, said: Verdicts, result: str) -> dict[str, Any]:
    """Everything of the above, for programs."""
    tally = ran.tally
    return {
        "stack": session.stack.name,
        "cloud": session.place.cloud.value,
        "account": session.place.account,
        "region": session.place.region,
        "endpoint": session.place.endpoint,
        "result": result,
        "changes": tally.changes(),
        "components": tally.by_component(),
        "resources": tally.resources(),
        "alarms": tally.alarms(),
        "outputs": readable(tally.outputs or tally.old_outputs),
        "rules": {
            "complete": said.complete,
            "passed": list(said.passed),
            "failed": list(said.failed),
            "undecided": list(said.undecided),
            "waived": list(said.waived),
            "not_applicable": list(said.not_applicable),
        },
        "violations": [
            {"rule": one.rule, "level": one.level, "urn": one.urn, "message": one.text}
            for one in tally.violations
        ],
        "errors": [] if ran.succeeded else [
            {"urn": one.urn, "message": one.text} for one in ran.complaint()
        ],
        "warnings": _warnings(tally),
        "secrets_to_fill": to_fill(tally),
        "images_not_built": list(unbuilt(session.stack.system)),
        "seconds": round(session.seconds, 2),
        "log": str(ran.events_log),
    }  # fmt: skip


def _counts(ops: Mapping[str, int], planned: bool) -> str:
    said = ", ".join(f"{count} {CHANGES[op]}" for op, count in ops.items())
    if not said:
        return "nothing to change" if planned else "nothing was changed"
    return f"to be {said}" if planned else said


def _rules(said: Verdicts, output: Output) -> None:
    if not said.total:
        output.note("Rules        no report of the policy pack: nothing counts as passed")
        return
    parts = [f"{len(said.passed)} passed", f"{len(said.failed)} failed",
             f"{len(said.undecided)} undecided"]  # fmt: skip
    parts += [f"{len(said.waived)} waived"] if said.waived else []
    parts += [f"{len(said.not_applicable)} without a resource"] if said.not_applicable else []
    output.say(f"Rules        {', '.join(parts)}")
    for one in said.open_questions[:_FEW]:
        output.say(f"  undecided  {one['rule']} on {one['name']}: {one.get('reason', '')}")
    if len(said.open_questions) > _FEW:
        output.say(f"  … and {len(said.open_questions) - _FEW} more verdicts")


def _workloads(paths: Iterable[str]) -> str:
    """`heartbeat, crypto` of `services.heartbeat.image` and `workers.crypto.image`."""
    return ", ".join(path.split(".")[1] for path in paths)


def _warnings(tally: Tally) -> list[str]:
    found = [one.text for one in tally.messages if one.severity == "warning"]
    advisory = [f"{one.rule}: {one.text}" for one in tally.violations if one.level == "advisory"]
    return list(dict.fromkeys([*found, *advisory]))


def _outputs(session: Session, tally: Tally) -> None:
    """What a person wants to reach; the rest with --verbose."""
    outputs = dict(readable(tally.outputs or tally.old_outputs))
    outputs.pop(TO_FILL, None)
    chosen = outputs if session.verbose else {
        key: value for key, value in outputs.items() if key in _REACHED
    } or outputs  # fmt: skip
    if not outputs:
        return
    session.output.say("Endpoints")
    for key, value in _flat(chosen):
        session.output.say(f"  {key:34} {value}")
    rest = len(outputs) - len(chosen)
    if rest:
        session.output.say(f"  and {counted(rest, 'output')} more with --verbose or --json")


def to_fill(tally: Tally) -> dict[str, str]:
    """The secrets whose values only a person has, and what belongs in each."""
    found = readable(tally.outputs or tally.old_outputs).get(TO_FILL) or {}
    return {str(name): str(what["fill"]) for name, what in found.items()}


def _next(session: Session, result: str, tally: Tally) -> str:
    name = session.stack.name
    cloud = " --cloud aws" if session.place.cloud is Cloud.AWS else ""
    if result == "previewed":
        return f"./gonogo up {name}{cloud}" if tally.changed else "nothing to do"
    if to_fill(tally) and result == "applied" and cloud:
        return "fill in the secrets above (AWS console, Secrets Manager), then watch the alarms"
    return f"./gonogo destroy {name}{cloud} takes it down; ./gonogo preview {name} shows changes"


def _flat(outputs: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key in sorted(outputs):
        value = outputs[key]
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", ", ".join(str(item) for item in value)
        else:
            yield f"{prefix}{key}", str(value)
