"""Every row against a real emulator: made, diffed, refreshed, changed, replaced, taken away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.sandbox.provider.cases import CASES
from tests.sandbox.provider.driver import Engine, Resource

NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME
pytestmark = pytest.mark.slow


#: what another example does to this one
CHANGED_BY_OTHERS = {
    ("policy", "attachmentCount"),
    ("dead-letters", "policy"),
    ("db", "latestRestorableTime"),
}


def fill(value: Any, known: Mapping[str, str]) -> Any:
    """Texts with ``{alias}`` filled in."""
    if isinstance(value, str):
        for alias, text in known.items():
            value = value.replace(f"{{{alias}}}", text)
        return value
    if isinstance(value, Mapping):
        return {key: fill(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    return value


class World:
    """What the examples have made so far; each is made when first asked for."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.made: dict[str, Resource] = {}

    def known(self, name: str) -> dict[str, str]:
        known = {}
        for alias, (other, output) in CASES[name].needs.items():
            resource = self.get(other)
            known[alias] = resource.id if output == "id" else str(resource.outputs[output])
        return known

    def inputs(self, name: str) -> dict[str, Any]:
        return dict(fill(dict(CASES[name].inputs), self.known(name)))

    def get(self, name: str) -> Resource:
        if name not in self.made:
            case = CASES[name]
            self.made[name] = self.engine.create(case.token, name, self.inputs(name))
        return self.made[name]

    def take_away(self) -> None:
        for name in reversed(list(self.made)):
            self.engine.delete(self.made.pop(name))


@pytest.fixture(scope="module")
def world(provider_port: int) -> Iterator[World]:
    engine = Engine(provider_port, stack="rows")
    yield World(engine)
    engine.close()


@pytest.mark.parametrize("name", list(CASES))
def test_made_and_clean(world: World, name: str) -> None:
    resource = world.get(name)
    assert resource.id
    for output in CASES[name].outputs:
        assert resource.outputs.get(output), f"{output} is missing: {resource.outputs}"
    difference = world.engine.diff(resource, world.inputs(name))
    assert difference.changes == NONE, dict(difference.detailedDiff)


@pytest.mark.parametrize("name", list(CASES))
def test_refresh_shows_no_drift(world: World, name: str) -> None:
    resource = world.get(name)
    fresh = world.engine.read(resource)
    assert fresh.id == resource.id
    assert fresh.inputs == resource.inputs
    changed = {
        key: (resource.outputs.get(key), fresh.outputs.get(key))
        for key in {*resource.outputs, *fresh.outputs}
        if resource.outputs.get(key) != fresh.outputs.get(key)
        and (name, key) not in CHANGED_BY_OTHERS
    }
    assert not changed


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.replace])
def test_replacements_are_flagged(world: World, name: str) -> None:
    resource = world.get(name)
    known = world.known(name)
    for changed, value in CASES[name].replace.items():
        inputs = {**world.inputs(name), changed: fill(value, known)}
        if changed == "cpu":
            inputs["memory"] = "1024"
        difference = world.engine.diff(resource, inputs)
        assert any(path.split(".")[0] == changed for path in difference.replaces), changed


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.update])
def test_updated_in_place(world: World, name: str) -> None:
    resource = world.get(name)
    inputs = {**world.inputs(name), **fill(dict(CASES[name].update), world.known(name))}
    difference = world.engine.diff(resource, inputs)
    assert difference.changes == SOME
    assert not difference.replaces
    world.engine.update(resource, inputs)
    assert world.engine.diff(resource, inputs).changes == NONE
    fresh = world.engine.read(resource)
    assert fresh.inputs == resource.inputs
    world.engine.update(resource, world.inputs(name))
    assert world.engine.read(resource).inputs == resource.inputs


def test_taken_away(world: World) -> None:
    made = dict(world.made)
    world.take_away()
    left = []
    for name, resource in made.items():
        try:
            if world.engine.read(resource).id:
                left.append(name)
        except grpc.RpcError as error:  # a parent that is gone may be an error: not here
            left.append(f"{name}: {error.details()}")
    assert not left
