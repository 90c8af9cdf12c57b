"""Every rule against its table of cases, through the wire and the analyzer."""

from __future__ import annotations

import pytest

from policies.catalogue import load
from tests.policies.rules import alarms, data, identity, ingress, secrets, workloads
from tests.policies.rules.cases import Case

CASES: list[Case] = [
    *data.CASES,
    *secrets.CASES,
    *workloads.CASES,
    *ingress.CASES,
    *alarms.CASES,
    *identity.CASES,
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    judged = case.plan.judge(case.rule, tier=case.tier, config=case.config)
    assert judged.outcome(case.name) == case.outcome, judged.messages
    if case.outcome == "fail":
        text = "\n".join(judged.messages)
        assert judged.blocks
        assert case.rule in text
        assert f"'{case.name}'" in text
        assert case.found in text
        assert case.found, "a failing case says what is found"
        assert "Fix: " in text
        assert all(line in text for line in load()[case.rule].lines)
    elif case.outcome == "undecided":
        assert judged.blocks is (load()[case.rule].severity == "critical")
        assert "undecided" in judged.messages[0]
    else:
        assert judged.messages == []


@pytest.mark.parametrize("outcome", ["pass", "fail"])
def test_every_rule_has_a_case(outcome: str) -> None:
    without = set(load()) - {case.rule for case in CASES if case.outcome == outcome}
    assert without == ({"pack-settings"} if outcome == "fail" else set())


def test_every_rule_that_reads_a_property_has_an_unknown_case() -> None:
    # What is there or not there is known; these rules read no value that could be unknown.
    structural = {"pack-settings"}
    without = set(load()) - {case.rule for case in CASES if case.outcome == "undecided"}
    assert without - structural == EXPECTED_WITHOUT_UNKNOWN


EXPECTED_WITHOUT_UNKNOWN = {
    # They ask whether something refers to the resource, which dependencies always tell.
    "alarm-topic-has-subscription",
    "cache-has-alarms",
    "database-connections-alarm",
    "database-has-alarms",
    "load-balancer-has-alarms",
    "service-has-alarms",
    # They ask whether Pulumi has marked a value, which is known of an unknown one.
    "secret-value-marked",
}
