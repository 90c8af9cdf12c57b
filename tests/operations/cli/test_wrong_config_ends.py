"""Each kind of wrong config ends a command with 2, one clear error at its line, and no traceback.

`tests/systems` tests the words for each kind; here it is the command that a person runs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SYSTEM = "systems/autonomous-trading-company.yaml"
STACK = "Pulumi.prod.yaml"


@dataclass(frozen=True)
class Mistake:
    """`old` becomes `new` in `file`; the error names `at` and says `says`."""

    file: str
    old: str
    new: str
    says: str


MISTAKES = {
    "unknown field": Mistake(
        SYSTEM, "statement_timeout_seconds: 30", "statement_timeout: 30", "statement_timeout"
    ),
    "wrong type": Mistake(SYSTEM, "max_connections: 200", "max_connections: many", "whole number"),
    "bad unit": Mistake(
        SYSTEM, "statement_timeout_seconds: 30", "statement_timeout_seconds: 30s", "30s"
    ),
    "out of range": Mistake(SYSTEM, "connections_percent: 80", "connections_percent: 180", "180"),
    "negative": Mistake(SYSTEM, "rotation_days: 30", "rotation_days: -30", "-30"),
    "unknown tier": Mistake(STACK, "gonogo:tier: prod", "gonogo:tier: production", "production"),
    "unknown system": Mistake(
        STACK,
        "gonogo:system: autonomous-trading-company",
        "gonogo:system: autonomous-trading-co",
        "autonomous-trading-company",
    ),
    "unknown config key": Mistake(STACK, "gonogo:tier: prod", "gonogo:teir: prod", "gonogo:teir"),
    "unknown region": Mistake(
        STACK, "aws:region: us-east-1", "aws:region: us-east-11", "us-east-11"
    ),
    "missing secret": Mistake(
        SYSTEM, "JUPITER_API_KEY: jupiter", "JUPITER_API_KEY: jupyter", "jupyter"
    ),
    "secret with no origin": Mistake(SYSTEM, "    generate_length: 48", "", "generate_length"),
    "secret in clear": Mistake(
        SYSTEM, '  HTTP_RETRIES: "3"', "  API_TOKEN: hunter2hunter2", "API_TOKEN"
    ),
    "duplicate name": Mistake(
        SYSTEM, "  dashboard:\n    image", "  heartbeat:\n    image", "each name once"
    ),
    "one name in two kinds": Mistake(SYSTEM, "  crypto:\n", "  dashboard:\n", "dashboard"),
    "dangling database": Mistake(SYSTEM, "databases: [main]", "databases: [mian]", "mian"),
    "dangling service": Mistake(
        SYSTEM, "      service: heartbeat", "      service: heartbeet", "heartbeet"
    ),
    "Fargate has no such size": Mistake(SYSTEM, "memory_mb: 1024", "memory_mb: 1000", "1000"),
    "wildcard origin": Mistake(SYSTEM, "    - https://trading.example.com", '    - "*"', "*"),
    "missing field": Mistake(SYSTEM, "    missing_data: breaching  ", "    # ", "missing_data"),
    "broken YAML": Mistake(SYSTEM, "databases:\n", "databases: [\n", "YAML"),
    "tab": Mistake(SYSTEM, "  main:\n", "\tmain:\n", "tab"),
    "not a mapping": Mistake(SYSTEM, "name: autonomous-trading-company\n", "- a\n- b\n", "YAML"),
    "version that is a number": Mistake(
        SYSTEM, 'engine_version: "16"', "engine_version: 16.10", '"16.10"'
    ),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `check` reads, and nothing else of the checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("systems", "operations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy2(file, folder)
    return folder


def _check(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "operations.cli", "check", "prod"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nothing_wrong_ends_with_0(checkout: Path) -> None:
    done = _check(checkout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", MISTAKES)
def test_each_mistake_is_one_error_at_its_line(checkout: Path, kind: str) -> None:
    mistake = MISTAKES[kind]
    file = checkout / mistake.file
    whole = file.read_text()
    assert mistake.old in whole
    file.write_text(whole.replace(mistake.old, mistake.new, 1))
    try:
        done = _check(checkout)
    finally:
        file.write_text(whole)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert mistake.says in said
    assert "Traceback" not in said
    assert len(re.findall(rf"^{re.escape(mistake.file)}:\d+", said, re.MULTILINE)) == 1, said


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"\xff\xfe\x00bad", "UTF-8"), (b"# only a comment\n", "empty")],
    ids=["empty file", "not UTF-8", "only a comment"],
)
def test_a_file_that_is_no_document_is_one_error(checkout: Path, content: bytes, says: str) -> None:
    file = checkout / SYSTEM
    whole = file.read_bytes()
    file.write_bytes(content)
    try:
        done = _check(checkout)
    finally:
        file.write_bytes(whole)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert says in said
    assert "Traceback" not in said
    assert said.count(f"{SYSTEM}") == 1
