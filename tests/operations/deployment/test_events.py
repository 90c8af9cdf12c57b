"""Lines as Pulumi 3.250 wrote them, shortened."""

from __future__ import annotations

import json

import pytest

from operations.deployment.events import (
    SECRET,
    UNKNOWN,
    Ended,
    Message,
    StepDone,
    StepFailed,
    StepStarted,
    Violation,
    name_of,
    parse,
    readable,
    type_of,
)

URN = "urn:pulumi:prod::gonogo::gonogo:components:Postgres$aws:rds/instance:Instance::main"
PARENT = "urn:pulumi:prod::gonogo::gonogo:components:Postgres::main"


def line(kind: str, **content: object) -> str:
    return json.dumps({"sequence": 7, "timestamp": 1795403532, kind: content})


def step(op: str = "create", **more: object) -> dict[str, object]:
    return {
        "op": op,
        "urn": URN,
        "type": "aws:rds/instance:Instance",
        "old": None,
        "new": {"parent": PARENT, "protect": True, "outputs": {"port": 5432}},
        **more,
    }


def test_a_step_says_what_happens_to_which_resource() -> None:
    event = parse(line("resourcePreEvent", metadata=step(), planning=True))
    assert isinstance(event, StepStarted)
    assert (event.op, event.urn, event.parent) == ("create", URN, PARENT)
    assert event.planning and event.protect and not event.protect_changes
    assert event.outputs == {"port": 5432}


def test_each_kind_of_step_has_its_own_class() -> None:
    assert isinstance(parse(line("resOutputsEvent", metadata=step())), StepDone)
    assert isinstance(parse(line("resOpFailedEvent", metadata=step())), StepFailed)


def test_a_deleted_resource_is_described_by_what_it_was() -> None:
    gone = step("delete", old={"parent": PARENT, "protect": False}, new=None)
    event = parse(line("resourcePreEvent", metadata=gone))
    assert isinstance(event, StepStarted)
    assert event.parent == PARENT


def test_a_protect_that_differs_from_the_state_is_seen() -> None:
    same = step("same", old={"parent": PARENT, "protect": False})
    event = parse(line("resourcePreEvent", metadata=same))
    assert isinstance(event, StepStarted)
    assert event.protect_changes


def test_changed_and_replacing_properties_are_kept() -> None:
    event = parse(line("resourcePreEvent", metadata=step("replace", keys=["az"], diffs=["az"])))
    assert isinstance(event, StepStarted)
    assert event.replacing_keys == event.changed_keys == ("az",)


def test_messages_come_without_pulumis_prefix() -> None:
    said = {"prefix": "error: ", "message": "update failed\n", "severity": "error", "urn": URN}
    assert parse(line("diagnosticEvent", **said)) == Message("error", "update failed", URN)


def test_debug_and_ephemeral_messages_are_nobodys() -> None:
    debug = json.dumps(
        {"diagnosticEvent": {"message": "m", "severity": "debug"}}, separators=(",", ":")
    )
    assert parse(debug) is None
    fleeting = {"message": "m", "severity": "info", "ephemeral": True}
    assert parse(line("diagnosticEvent", **fleeting)) is None


def test_a_violation_keeps_rule_level_and_resource() -> None:
    said = {
        "resourceUrn": URN,
        "message": "no\n",
        "policyName": "database-multi-az",
        "policyPackName": "gonogo",
        "enforcementLevel": "mandatory",
    }
    event = parse(line("policyEvent", **said))
    assert event == Violation("database-multi-az", "mandatory", "no", URN, "gonogo")


def test_the_end_says_whether_it_succeeded() -> None:
    said = {"resourceChanges": {"create": 15, "same": 2}, "result": "failed"}
    assert parse(line("summaryEvent", **said)) == Ended(False, {"create": 15, "same": 2})


@pytest.mark.parametrize("text", ["", "not JSON", '{"sequence":1,"resOutp', '{"sequence":1}'])
def test_what_is_cut_off_or_unknown_is_nothing(text: str) -> None:
    assert parse(text) is None


def test_names_and_types_come_out_of_a_urn() -> None:
    assert name_of(URN) == "main"
    assert type_of(URN) == "aws:rds/instance:Instance"
    assert type_of(PARENT) == "gonogo:components:Postgres"
    assert type_of("not a urn") == ""


def test_secrets_and_unknowns_are_named_and_not_shown() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
              "ciphertext": "[secret]"}  # fmt: skip
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    shown = readable({"a": secret, "b": [unknown, 1], "c": {"d": "plain"}})
    assert shown == {"a": SECRET, "b": [UNKNOWN, 1], "c": {"d": "plain"}}
