from __future__ import annotations

from operations.deployment.events import Ended, Message, StepDone, StepFailed, StepStarted
from operations.deployment.tally import OWN, Tally

STACK = "urn:pulumi:prod::gonogo::pulumi:pulumi:Stack::gonogo-prod"
SYSTEM = "urn:pulumi:prod::gonogo::gonogo:components:System::atc"
POSTGRES = "urn:pulumi:prod::gonogo::gonogo:components:Postgres::main"
KEY = "urn:pulumi:prod::gonogo::gonogo:components:Postgres$gonogo:components:Key::main-key"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::gonogo::{kind}::{name}"


def run(tally: Tally, op: str, at: str, parent: str = STACK, *, done: bool = True) -> None:
    kind = at.split("::")[2].rpartition("$")[2]
    tally.take(StepStarted(op, at, kind, parent, planning=False))
    if done:
        tally.take(StepDone(op, at, kind, parent, planning=False))


def test_resources_are_counted_under_the_outermost_component() -> None:
    tally = Tally()
    run(tally, "create", STACK, "")
    run(tally, "create", SYSTEM)
    run(tally, "create", POSTGRES, SYSTEM, done=False)  # components have no end of their own
    run(tally, "create", KEY, POSTGRES, done=False)
    run(tally, "create", urn("aws:kms/key:Key", "k"), KEY)
    run(tally, "update", urn("aws:rds/instance:Instance", "db"), POSTGRES)
    run(tally, "create", urn("aws:sns/topic:Topic", "t"))
    assert tally.by_component() == {
        "Postgres main": {"create": 1, "update": 1},
        OWN: {"create": 1},
    }


def test_what_was_begun_but_not_finished_is_not_counted_as_done() -> None:
    tally = Tally()
    run(tally, "create", urn("aws:kms/key:Key", "a"))
    run(tally, "create", urn("aws:kms/key:Key", "b"), done=False)
    assert tally.changes() == {"create": 1}
    assert [step.urn for step in tally.working_on()] == [urn("aws:kms/key:Key", "b")]


def test_the_steps_of_a_replacement_count_once() -> None:
    tally = Tally()
    key = urn("aws:kms/key:Key", "a")
    for op in ("create-replacement", "replace", "delete-replaced"):
        run(tally, op, key)
    assert tally.changes() == {"replace": 1}
    assert tally.resources() == 1


def test_what_stays_is_there_but_no_change() -> None:
    tally = Tally()
    run(tally, "same", urn("aws:cloudwatch/metricAlarm:MetricAlarm", "a"))
    run(tally, "same", urn("aws:cloudwatch/compositeAlarm:CompositeAlarm", "b"))
    run(tally, "delete", urn("aws:cloudwatch/metricAlarm:MetricAlarm", "c"))
    run(tally, "same", POSTGRES)
    assert (tally.alarms(), tally.resources()) == (2, 2)
    assert tally.changes() == {"delete": 1}


def test_failures_and_errors_are_kept() -> None:
    tally = Tally()
    key = urn("aws:kms/key:Key", "a")
    run(tally, "create", key, done=False)
    tally.take(Message("error", "AccessDenied", key))
    tally.take(Message("info", "hello"))
    tally.take(StepFailed("create", key, "aws:kms/key:Key", STACK, planning=False))
    tally.take(Ended(False, {}))
    assert list(tally.failed) == [key]
    assert [error.text for error in tally.errors] == ["AccessDenied"]
    assert not tally.running
    assert tally.ended == Ended(False, {})


def test_outputs_are_those_of_the_stack_before_and_after() -> None:
    tally = Tally()
    done = StepDone(
        "same", STACK, "pulumi:pulumi:Stack", "", planning=False,
        outputs={"url": "b"}, old_outputs={"url": "a"},
    )  # fmt: skip
    tally.take(done)
    assert (tally.outputs, tally.old_outputs) == ({"url": "b"}, {"url": "a"})


def test_a_ring_of_parents_does_not_hang() -> None:
    tally = Tally()
    a, b = urn("x:y:Z", "a"), urn("x:y:Z", "b")
    run(tally, "create", a, b)
    run(tally, "create", b, a)
    assert tally.component_of(a) == OWN
