from __future__ import annotations

from pathlib import Path

import pytest

from operations.deployment.applied import Applied, fingerprint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("systems/tiers", "components/rotation", "policies", "docs"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("__main__.py", "Pulumi.prod.yaml", "systems/a.yaml", "systems/tiers/prod.yaml",
                 "components/rotation/handler.py", "policies/rules.py"):  # fmt: skip
        (tmp_path / name).write_text("1")
    return tmp_path


def digest(project: Path, engine: str = "3.250.0") -> str:
    return fingerprint(project, project / "Pulumi.prod.yaml", engine)


@pytest.mark.parametrize(
    "changed",
    ["__main__.py", "Pulumi.prod.yaml", "systems/a.yaml", "systems/tiers/prod.yaml",
     "components/rotation/handler.py", "policies/rules.py", "components/new.py"],
)  # fmt: skip
def test_any_file_that_a_run_reads_changes_the_digest(project: Path, changed: str) -> None:
    before = digest(project)
    (project / changed).write_text("2")
    assert digest(project) != before


def test_another_engine_changes_the_digest(project: Path) -> None:
    assert digest(project) != digest(project, "3.251.0")


def test_what_no_run_reads_does_not(project: Path) -> None:
    before = digest(project)
    (project / "docs" / "a.md").write_text("2")
    (project / "components" / "x.pyc").write_text("2")
    assert digest(project) == before


def test_a_text_moved_from_one_file_to_the_next_changes_the_digest(project: Path) -> None:
    (project / "systems" / "a.yaml").write_text("ab")
    (project / "systems" / "b.yaml").write_text("c")
    before = digest(project)
    (project / "systems" / "a.yaml").write_text("a")
    (project / "systems" / "b.yaml").write_text("bc")
    assert digest(project) != before


def test_only_a_completed_update_is_remembered(tmp_path: Path) -> None:
    applied = Applied(tmp_path / "stacks")
    assert not applied.is_last("prod", "x")
    applied.keep("prod", "x")
    assert applied.is_last("prod", "x")
    assert not applied.is_last("prod", "y")
    assert not applied.is_last("dev", "x")
    applied.forget("prod")
    assert not applied.is_last("prod", "x")
    applied.forget("prod")
