"""Each rule has a mutant that it alone blocks, under the real engine, before anything is made."""

from __future__ import annotations

import pytest

from policies.catalogue import load
from tests.policies.conftest import EngineRun
from tests.policies.sound_program import SOURCE

pytestmark = pytest.mark.slow

# A database without any alarm has none on its connections either.
ALSO = {"database-has-alarms": {"database-connections-alarm"}}


def test_the_sound_program_is_sound(shared_engine: EngineRun) -> None:
    shared_engine.program(f"MUTANT = None\n{SOURCE}")
    ran = shared_engine.run("preview")
    assert ran.code == 0, ran.output
    assert ran.report["counts"]["fail"] == ran.report["counts"]["undecided"] == 0
    asked = {v["rule"] for v in ran.report["verdicts"] if v["outcome"] == "pass"}
    assert asked == set(load())


@pytest.mark.parametrize("rule", sorted(set(load()) - {"pack-settings"}))
def test_the_mutant_is_blocked_by_its_rule_alone(shared_engine: EngineRun, rule: str) -> None:
    shared_engine.program(f"MUTANT = {rule!r}\n{SOURCE}")
    ran = shared_engine.run("up", "--yes")
    failed = {v["rule"] for v in ran.report["verdicts"] if v["outcome"] == "fail"}
    assert failed == {rule} | ALSO.get(rule, set())
    assert ran.code != 0
    assert f"{rule}: " in ran.output
    assert shared_engine.provider.created == []
