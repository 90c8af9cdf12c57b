"""What rules may read, and what reading an unknown value does."""

from __future__ import annotations

from typing import Any

import pytest

from policies.framework import Resource, Stack, UnknownRead
from policies.framework.values import UNKNOWN, Secret


def resource(**properties: Any) -> Resource:
    return Resource("aws:x/y:Y", "it", "urn:it", properties)


def test_paths_lead_through_objects_lists_and_secrets() -> None:
    it = resource(a={"b": [{"c": 1}, {"c": Secret(2)}]})
    assert it.get("a.b[1].c") == 2
    assert it.get("a.b[2].c") is None
    assert it.get("a.x.y", "default") == "default"
    assert it.get("a")["b"][0]["c"] == 1


@pytest.mark.parametrize("path", ["a", "a.b", "a.b[0].c"])
def test_an_unknown_value_raises_with_its_path(path: str) -> None:
    with pytest.raises(UnknownRead) as raised:
        resource(a=UNKNOWN).get(path)
    assert raised.value.path == "a"
    assert raised.value.owner == "urn:it"


def test_reading_on_inside_a_block_raises_too() -> None:
    block = resource(a={"b": [{"c": UNKNOWN, "d": 1}]}).get("a")
    assert "c" in block["b"][0]
    assert block["b"][0]["d"] == 1
    with pytest.raises(UnknownRead) as raised:
        block["b"][0].get("c")
    assert raised.value.path == "a.b[0].c"


def test_a_list_gives_what_is_known_before_it_raises() -> None:
    items = resource(a=[UNKNOWN, "x", Secret(UNKNOWN), "y"]).get("a")
    seen = []
    with pytest.raises(UnknownRead) as raised:
        for item in items:
            seen.append(item)
    assert seen == ["x", "y"]
    assert raised.value.path == "a[0]"
    assert len(items) == 4


def test_what_is_set_is_told_from_what_is_known() -> None:
    it = resource(a=UNKNOWN, b=1)
    assert it.has("a")
    assert it.has("a.inside")
    assert it.is_unknown("a")
    assert not it.has("c")
    assert it.known("a", "fallback") == "fallback"


@pytest.mark.parametrize(
    ("path", "marked"),
    [("plain", False), ("whole", True), ("whole.a", True), ("part.a", True), ("part.b", False)],
)
def test_secret_marks_are_found_at_any_depth(path: str, marked: bool) -> None:
    it = resource(plain="x", whole=Secret({"a": "x"}), part={"a": Secret("x"), "b": "y"})
    assert it.is_secret(path) is marked


def test_strings_come_with_path_and_mark_and_the_unknown_one_last() -> None:
    it = resource(a={"x": "1", "y": [UNKNOWN, Secret("2")]}, s=Secret({"z": UNKNOWN, "w": "3"}))
    found = []
    with pytest.raises(UnknownRead) as raised:
        for entry in it.strings():
            found.append(entry)
    assert found == [("a.x", "1", False), ("a.y[1]", "2", True), ("s.w", "3", True)]
    assert raised.value.path == "a.y[0]"


ARN = "arn:aws:sns:us-east-1:000000000000:atc-prod-critical"
TOPIC = "aws:sns/topic:Topic"


@pytest.mark.parametrize(
    ("value", "depends", "refers"),
    [
        (UNKNOWN, ("urn:topic",), True),
        (UNKNOWN, (), False),
        (ARN, (), True),
        (ARN.replace("critical", "warning"), (), False),
        (ARN.replace(":sns:", ":sqs:"), (), False),
        ("arn:known", (), True),
    ],
)
def test_a_reference_is_found_by_dependency_arn_or_name(
    value: Any, depends: tuple[str, ...], refers: bool
) -> None:
    topic = Resource(TOPIC, "t", "urn:topic", {"name": "atc-prod-critical"}, {"arn": "arn:known"})
    user = Resource(
        "x", "u", "urn:u", {"actions": [value]}, property_dependencies={"actions": depends}
    )
    stack = Stack([topic, user])
    assert stack.referred(user, "actions", TOPIC) == ([topic] if refers else [])
    assert stack.referring(topic, "actions", "x") == ([user] if refers else [])
