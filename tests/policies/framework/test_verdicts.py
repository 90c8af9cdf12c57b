"""What becomes of a verdict: levels, tiers, config, waivers, messages, the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policies.catalogue import catalogue, load
from policies.framework import Finding, Findings, Fix, Resource, rules
from policies.framework.judge import Judge
from policies.framework.report import Report
from policies.framework.rules import Rule, rule
from policies.framework.settings import read_settings
from policies.framework.verdicts import Level, Outcome
from policies.testing import UNKNOWN, Plan

DB = "aws:rds/instance:Instance"
KEY = "aws:kms/key:Key"
TIERS = Path(__file__).parents[3] / "policies" / "tiers"


def make(check: Any, **changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "name": "thing-good",
        "section": "things",
        "severity": "critical",
        "types": ("t",),
        "lines": ("001:1",),
        "why": "because",
        "fix": Fix("a.b: true", "aws.T(b=True)"),
        "reference": "https://docs.aws.amazon.com/x",
        "check": check,
    }
    return Rule(**{**fields, **changes})


def bad(_resource: Resource) -> Findings:
    yield Finding("b: false", "true", "b")


def stumbles(_resource: Resource) -> Findings:
    yield from [1 / 0]  # type: ignore[misc]


IT = Resource("t", "it", "urn:it", {})


def test_a_rule_that_stumbles_has_not_seen_a_pass() -> None:
    (verdict,) = Judge([make(stumbles)]).resource(IT)
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.level is Level.MANDATORY
    assert "ZeroDivisionError" in verdict.reason


def test_a_message_says_all_that_is_to_be_known() -> None:
    (verdict,) = Judge([make(bad)]).resource(IT)
    assert verdict.messages() == [
        "thing-good: t 'it' — found b: false; wanted true.\n"
        "Fix: a.b: true (raw: aws.T(b=True)).\n"
        "Checklist 001:1. https://docs.aws.amazon.com/x"
    ]


def test_a_waiver_is_a_verdict_of_its_own_and_silent() -> None:
    judge = Judge([make(bad)], waive=lambda _rule, resource: f"known: {resource.name}")
    (verdict,) = judge.resource(IT)
    assert (verdict.outcome, verdict.reason) == (Outcome.WAIVED, "known: it")
    assert verdict.messages() == []


@pytest.mark.parametrize(
    ("severity", "tier", "blocks"),
    [("critical", "prod", True), ("critical", "staging", False), ("high", "prod", False)],
)
def test_undecided_blocks_for_critical_rules_in_prod(
    severity: str, tier: str, blocks: bool
) -> None:
    settings = read_settings({}, {"pack-settings": {"tier": tier}}, {})
    (verdict,) = Judge([make(stumbles, severity=severity)], settings).resource(IT)
    assert (verdict.level is Level.MANDATORY) is blocks


@pytest.mark.parametrize("asked", [None, "", "production", "PROD", 7])
def test_a_tier_that_is_none_is_prod(asked: Any) -> None:
    assert read_settings({}, {"pack-settings": {"tier": asked}}, {}).tier == "prod"


def test_the_stack_names_its_tier_only_when_the_pack_asks_for_it() -> None:
    config = {"gonogo:tier": "dev"}
    assert read_settings({}, {}, {}, config).tier == "prod"
    asked = {"pack-settings": {"tier": "from-stack"}}
    assert read_settings({}, asked, {}, config).tier == "dev"
    assert read_settings({}, asked, {}, {}).tier == "prod"


def test_config_switches_a_rule_off_or_to_advice() -> None:
    plan = Plan().add(KEY, "key", {})
    assert plan.judge("kms-key-rotated").blocks
    advice = plan.judge(
        "kms-key-rotated", config={"kms-key-rotated": {"enforcementLevel": "advisory"}}
    )
    assert advice.outcome("key") == "fail"
    assert advice.messages
    assert not advice.blocks
    off = plan.judge(
        "kms-key-rotated", config={"kms-key-rotated": {"enforcementLevel": "disabled"}}
    )
    assert off.outcome("key") is None


def test_undecided_says_where_the_value_will_come_from() -> None:
    plan = (
        Plan()
        .add(KEY, "key", {})
        .add(DB, "db", {"storageEncrypted": UNKNOWN}, depends={"storageEncrypted": "key"})
    )
    judged = plan.judge("database-encrypted-at-rest")
    (verdict,) = judged.verdicts
    assert verdict["path"] == "storageEncrypted"
    assert verdict["waiting_for"] == ["aws:kms/key:Key 'key'"]
    assert "its value will come from aws:kms/key:Key 'key'" in judged.messages[0]


def test_the_report_is_whole_or_absent(tmp_path: Path) -> None:
    rule_ = make(bad)
    path = tmp_path / "deep" / "report.json"
    report = Report(path, [rule_])
    report.add(Judge([rule_]).resource(IT))
    report.write()
    content = json.loads(path.read_text())
    assert content["counts"]["fail"] == 1
    assert content["rules"]["thing-good"]["outcomes"] == {"fail": 1}
    assert content["verdicts"][0]["findings"][0]["fix_yaml"] == "a.b: true"
    assert [found.name for found in path.parent.iterdir()] == ["report.json"]


def test_a_report_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Report(tmp_path / "file" / "report.json", []).write()
    Report(None, []).write()


@pytest.mark.parametrize("changes", [{"name": "one"}, {"name": "Two-Words"}, {"lines": ("1:2",)}])
def test_a_misspelt_rule_is_refused(changes: dict[str, Any]) -> None:
    fields = {**vars(make(bad)), **changes}
    name, _ = fields.pop("name"), fields.pop("check")
    before = dict(rules.REGISTRY)
    with pytest.raises(ValueError, match=r"subject-expectation|001:326"):
        rule(name, **fields)
    assert before == rules.REGISTRY


def test_two_rules_of_one_name_are_refused() -> None:
    fields = {**vars(make(bad))}
    del fields["name"], fields["check"]
    load()
    with pytest.raises(ValueError, match="two rules are called database-multi-az"):
        rule("database-multi-az", **fields)


def test_the_catalogue_is_complete() -> None:
    listed = catalogue()
    assert len(listed) == len(load()) >= 40
    for entry in listed:
        assert entry["why"].endswith(".")
        assert entry["fix_raw"]
        assert entry["reference"].startswith("https://")
        assert entry["lines"] or entry["name"] == "pack-settings"
        assert entry["section"]


@pytest.mark.parametrize("path", sorted(TIERS.glob("*.json")), ids=lambda path: path.stem)
def test_tier_files_name_rules_and_settings_that_exist(path: Path) -> None:
    known = {entry["name"]: entry for entry in catalogue()}
    content = json.loads(path.read_text())
    assert content.pop("pack-settings")["tier"] in {path.stem, "from-stack"}
    for name, given in content.items():
        assert {key.lower() for key in given} <= {
            key.replace("_", "") for key in known[name]["settings"]
        }
