"""Every production stack of every system deploys under the full pack, and goes again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from systems.check import all_problems, check
from systems.errors import ConfigError
from systems.settings import read_settings
from systems.stack import load, stack_name, stacks
from tests.e2e.conftest import ROOT, Gonogo
from tests.e2e.leftovers import left_in


def _is_production(file: Path) -> bool:
    try:
        return read_settings(file, ROOT / "systems").tier == "prod"
    except ConfigError:
        return True  # a broken file is no reason to leave a stack out


PRODUCTION = [stack_name(file) for file in stacks(ROOT) if _is_production(file)]


def test_there_are_production_stacks() -> None:
    assert "prod" in PRODUCTION
    assert "staging" not in PRODUCTION


def test_all_stacks_check_clean_and_quickly() -> None:
    """Twice: the first also pays for imports, which `gonogo check` pays for in parallel."""
    times = []
    for _ in range(2):
        began = time.process_time()
        results = check(ROOT)
        times.append(time.process_time() - began)
        assert all_problems(results) == []
    assert {one.stack.name for one in results if one.stack} == set(map(stack_name, stacks(ROOT)))
    assert min(times) < 3


@pytest.fixture(params=PRODUCTION, scope="module")
def deployed(request: pytest.FixtureRequest, gonogo: Gonogo) -> Iterator[dict[str, Any]]:
    """One production stack, up; only one at a time."""
    yield gonogo.document("up", request.param)
    gonogo("destroy", request.param, "--yes")


@pytest.mark.slow
@pytest.mark.xdist_group("systems")
def test_a_production_stack_deploys_is_steady_and_goes(
    gonogo: Gonogo, deployed: dict[str, Any]
) -> None:
    name, endpoint = deployed["stack"], deployed["endpoint"]
    assert deployed["result"] == "applied"
    assert deployed["rules"]["complete"]
    assert deployed["rules"]["failed"] == []
    assert deployed["rules"]["undecided"] == []
    assert len(deployed["rules"]["passed"]) >= 20

    again = gonogo.document("up", name)
    assert again["changes"] == {}
    assert again["resources"] == deployed["resources"]
    assert again["rules"]["failed"] == []
    assert again["rules"]["undecided"] == []

    prefix = _prefix(name)
    assert len(left_in(gonogo, endpoint, prefix)) >= 10, "what is looked for is there before"
    destroyed = gonogo("destroy", name, "--yes")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert left_in(gonogo, endpoint, prefix) == {}


def _prefix(name: str) -> str:
    """What every name of a stack begins with: its system's code, and its phase or tier."""
    stack = load(ROOT / f"Pulumi.{name}.yaml")
    return f"{stack.system.code}-{stack.phase or stack.tier}"
