"""What a person reads at the end, from events and a report as engine and pack write them."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operations.cli import summary
from operations.cli.console import Output, counted, duration
from operations.cli.options import Cloud
from operations.cli.places import Place
from operations.cli.session import Session
from operations.cli.violations import blocks
from operations.deployment.backend import FileBackend
from operations.deployment.events import (
    Ended,
    Message,
    StepDone,
    StepStarted,
    Violation,
)
from operations.deployment.pulumi import Pulumi, Ran
from operations.deployment.tally import Tally
from operations.deployment.verdicts import Verdicts, read
from systems.stack import load

CHECKOUT = Path(__file__).parents[3]
STACK = "urn:pulumi:prod::gonogo::pulumi:pulumi:Stack::gonogo-prod"
POSTGRES = "urn:pulumi:prod::gonogo::gonogo:components:Postgres::main"
DATABASE = "urn:pulumi:prod::gonogo::gonogo:components:Postgres$aws:rds/instance:Instance::main"

REPORT: dict[str, Any] = {
    "schema": 1,
    "complete": True,
    "rules": {
        "database-multi-az": {"severity": "critical", "lines": ["001:43"], "outcomes": {"fail": 1}},
        "tls-policy": {"severity": "high", "lines": ["001:64"], "outcomes": {"pass": 2}},
        "log-retention": {"severity": "low", "lines": [], "outcomes": {"undecided": 1, "pass": 9}},
        "rate-limit": {"severity": "low", "lines": [], "outcomes": {"not_applicable": 1}},
        "rotation": {"severity": "low", "lines": [], "outcomes": {"waived": 1, "pass": 1}},
    },
    "verdicts": [
        {
            "rule": "database-multi-az",
            "outcome": "fail",
            "level": "mandatory",
            "urn": DATABASE,
            "type": "aws:rds/instance:Instance",
            "name": "main",
            "findings": [
                {
                    "found": "multiAz: false",
                    "wanted": "true",
                    "path": "multiAz",
                    "fix_yaml": "databases.main.multi_az: true",
                    "fix_raw": "multi_az=True",
                }
            ],
        },
        {
            "rule": "log-retention",
            "outcome": "undecided",
            "level": "silent",
            "urn": DATABASE,
            "type": "aws:cloudwatch/logGroup:LogGroup",
            "name": "logs",
            "reason": "retentionInDays is not known",
        },
    ],
}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(REPORT))
    return path


class Words(Output):
    """An output whose words can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = io.StringIO()
        self.console.file = self.stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    place = Place(Cloud.SANDBOX, "Cloud: sandbox", {}, "000000000000", "us-east-1", "http://x")
    return Session(
        stack=load(CHECKOUT / "Pulumi.prod.yaml"),
        place=place,
        engine=SimpleNamespace(version="3.250.0"),  # type: ignore[arg-type]
        pulumi=Pulumi(tmp_path, tmp_path, {}, tmp_path),
        home=tmp_path,
        backend=FileBackend(tmp_path, "gonogo"),
        output=Words(),
        verbose=False,
        began=time.monotonic(),
    )


def words(session: Session) -> str:
    assert isinstance(session.output, Words)
    return session.output.text


def ran(tally: Tally, code: int = 0, errors: str = "", *, interrupted: bool = False) -> Ran:
    return Ran(tally, code, interrupted, errors, Path("/logs/x.events"))


def deployed() -> Tally:
    tally = Tally()
    tally.take(StepStarted("create", STACK, "pulumi:pulumi:Stack", "", planning=False))
    kind = "gonogo:components:Postgres"
    tally.take(StepStarted("create", POSTGRES, kind, STACK, planning=False))
    alarm = DATABASE.replace("aws:rds/instance:Instance", "aws:cloudwatch/metricAlarm:MetricAlarm")
    for urn in (DATABASE, alarm):
        kind = urn.split("$")[1].split("::")[0]
        for step in (StepStarted, StepDone):
            tally.take(step("create", urn, kind, POSTGRES, planning=False))
    secret = {"4dabf18193072939515e22adb298388d": "x", "ciphertext": "[secret]"}
    tally.take(
        StepDone(
            "create",
            STACK,
            "pulumi:pulumi:Stack",
            "",
            planning=False,
            outputs={
                "databases": {"host": "127.0.0.1", "password": secret, "arn": "a:secret:b"},
                "zones": ["a", "b"],
                "secrets_to_fill": {"atc-prod/tradier": {"fill": "A token from tradier.com"}},
            },
        )
    )
    tally.take(Ended(True, {"create": 4}))
    return tally


def test_a_violation_is_one_block_with_all_that_is_needed(report: Path) -> None:
    assert list(blocks(Tally(), read(report))) == [
        "database-multi-az (critical)\n"
        "  resource   aws:rds/instance:Instance main\n"
        "  found      multiAz: false\n"
        "  wanted     true\n"
        "  YAML key   databases.main.multi_az: true\n"
        "  checklist  001:43"
    ]


def test_a_violation_that_the_report_lacks_is_told_as_the_engine_told_it() -> None:
    tally = Tally()
    tally.take(Violation("their-rule", "mandatory", "not so\nbut so", DATABASE, "theirs"))
    tally.take(Violation("mere-advice", "advisory", "perhaps", DATABASE, "theirs"))
    assert list(blocks(tally, Verdicts())) == [
        "their-rule (mandatory)\n"
        "  resource   aws:rds/instance:Instance main\n"
        "  said       not so\n"
        "             but so"
    ]


def test_rules_count_by_their_worst_verdict(report: Path) -> None:
    said = read(report)
    assert said.failed == ("database-multi-az",)
    assert said.passed == ("tls-policy",)
    assert said.undecided == ("log-retention",)
    assert said.waived == ("rotation",)
    assert said.not_applicable == ("rate-limit",)
    assert (said.total, said.complete) == (5, True)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"rules": 3}'])
def test_a_report_that_cannot_be_read_passes_nothing(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    said = read(path)
    assert not said.complete
    assert said.passed == ()


def test_the_summary_says_what_was_made_and_what_to_do(session: Session, report: Path) -> None:
    summary.show(session, ran(deployed()), read(report), "applied")
    text = words(session)
    assert "prod: 2 created" in text
    assert "Postgres main                      2 created" in text
    assert "databases.host                     127.0.0.1" in text
    assert "databases.password                 [secret]" in text
    assert "databases.arn                      a:secret:b" in text, "not an emoji"
    assert "zones" not in text
    assert "and 1 output more with --verbose" in text
    assert "2 resources, 1 alarm" in text
    assert "1 passed, 1 failed, 1 undecided, 1 waived, 1 without a resource" in text
    assert "undecided  log-retention on logs: retentionInDays is not known" in text
    assert "./gonogo destroy prod" in text
    assert "atc-prod/tradier                   A token from tradier.com" in text


def test_images_that_nobody_has_built_are_noted(session: Session, report: Path) -> None:
    summary.show(session, ran(deployed()), read(report), "applied")
    note = next(line for line in words(session).splitlines() if line.startswith("Images"))
    assert "not built yet: heartbeat, dashboard, crypto" in note
    assert note.endswith("(a digest of zeros)")
    told = summary.document(session, ran(deployed()), read(report), "applied")
    assert "workers.crypto.image" in told["images_not_built"]


def test_verbose_shows_every_output(session: Session, report: Path) -> None:
    summary.show(replace(session, verbose=True), ran(deployed()), read(report), "applied")
    assert "zones                              a, b" in words(session)


def test_a_preview_promises_and_does_not_claim(session: Session, report: Path) -> None:
    summary.show(session, ran(deployed()), read(report), "previewed")
    text = words(session)
    assert "prod: to be 2 created" in text
    assert "./gonogo up prod" in text
    assert "127.0.0.1" not in text


def test_nothing_changed_is_said_in_words(session: Session, report: Path) -> None:
    summary.show(session, ran(Tally()), read(report), "unchanged")
    assert "prod: nothing changed" in words(session)


def test_a_block_says_that_nothing_was_applied(session: Session, report: Path) -> None:
    tally = Tally()
    tally.take(Violation("database-multi-az", "mandatory", "x", DATABASE))
    summary.blocked(session, ran(tally, 255), read(report), "preview")
    assert "Blocked by 1 violation: nothing was applied." in words(session)
    assert "databases.main.multi_az: true" in words(session)


def test_a_failure_is_told_in_the_providers_words(session: Session) -> None:
    tally = deployed()
    for _ in range(2):
        tally.take(Message("error", "creating RDS DB Instance: AccessDenied", DATABASE))
    summary.failed(session, ran(tally, 255), Verdicts(), "update")
    text = words(session)
    assert "aws:rds/instance:Instance main: creating RDS DB Instance: AccessDenied" in text
    assert text.count("AccessDenied") == 1, "what is said twice is read once"
    assert "prod: failed after 2 created." in text
    assert "/logs/x.events" in text
    # Nothing runs at this home: then the sandbox itself is what failed.
    assert "The sandbox was ended during this run." in text


def test_a_failure_in_aws_says_nothing_of_a_sandbox(session: Session) -> None:
    there = replace(session, place=replace(session.place, cloud=Cloud.AWS))
    summary.failed(there, ran(deployed(), 255), Verdicts(), "update")
    assert "sandbox" not in words(there)
    assert "mend what is said above" in words(there)


@pytest.mark.parametrize(
    ("code", "errors", "told"),
    [
        (255, "error: no stack named 'x' found\n", "no stack named 'x' found"),
        (-9, "", "ended by signal 9"),
        (3, "", "ended with exit code 3"),
    ],
)
def test_without_an_event_the_cli_itself_is_quoted(code: int, errors: str, told: str) -> None:
    assert told in ran(Tally(), code, errors).complaint()[0].text


def test_a_missing_report_is_not_a_pass(session: Session) -> None:
    summary.unjudged(session, ran(deployed()), Verdicts(), "preview")
    assert "nothing counts as passed" in words(session)


def test_the_document_holds_the_same_for_programs(session: Session, report: Path) -> None:
    told = summary.document(session, ran(deployed()), read(report), "applied")
    assert json.loads(json.dumps(told)) == told
    assert told["changes"] == {"create": 2}
    assert told["outputs"]["databases"]["password"] == "[secret]"
    assert told["secrets_to_fill"] == {"atc-prod/tradier": "A token from tradier.com"}
    assert told["rules"]["failed"] == ["database-multi-az"]
    assert told["errors"] == []
    assert told["components"] == {"Postgres main": {"create": 2}}


def test_an_aws_summary_says_where_to_go_on(session: Session, report: Path) -> None:
    there = replace(session, place=replace(session.place, cloud=Cloud.AWS))
    summary.show(there, ran(deployed()), read(report), "previewed")
    assert "./gonogo up prod --cloud aws" in words(there)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (59.96, "1 min 00 s"), (185, "3 min 05 s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counting() -> None:
    assert [counted(0, "rule"), counted(1, "rule"), counted(2, "entry", "entries")] == [
        "0 rules", "1 rule", "2 entries",
    ]  # fmt: skip
