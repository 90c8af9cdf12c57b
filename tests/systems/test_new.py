"""A new system is whole, valid at every tier, and takes nothing that is another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from systems.catalogue import system_names
from systems.check import all_problems, check
from systems.new import NewSystemError, code_of, codes, rendered, write_system
from systems.stack import load

if TYPE_CHECKING:
    from tests.systems.conftest import Project

TIERS = ("prod", "staging", "dev")


def refused(project: Project, name: str, code: str | None = None) -> NewSystemError:
    before = {file: file.read_bytes() for file in project.root.rglob("*.yaml")}
    with pytest.raises(NewSystemError) as caught:
        write_system(project.root, name, code)
    after = {file: file.read_bytes() for file in project.root.rglob("*.yaml")}
    assert after == before, "a refusal leaves everything as it was"
    return caught.value


def test_a_new_system_is_valid_in_every_tier(project: Project) -> None:
    files = write_system(project.root, "sixth")
    assert [file.name for file in files] == [
        "sixth.yaml",
        *(f"Pulumi.sixth-{tier}.yaml" for tier in TIERS),
    ]
    results = check(project.root)
    assert all_problems(results) == []
    assert {f"stack sixth-{tier}" for tier in TIERS} <= {one.subject for one in results}


@pytest.mark.parametrize("tier", TIERS)
def test_it_has_what_a_person_starts_from(project: Project, tier: str) -> None:
    write_system(project.root, "sixth")
    stack = load(project.root / f"Pulumi.sixth-{tier}.yaml")
    system = stack.system
    assert (stack.tier, system.name, system.code) == (tier, "sixth", "sixth")
    assert len(system.databases) == 1
    assert len(system.services) == 2
    assert len(system.workers) == 1
    assert [one.expression[:5] for one in system.schedules.values()] == ["cron("]
    assert system.caches == {}
    assert system.protect is (tier != "dev")


def test_the_templates_are_no_systems(project: Project) -> None:
    write_system(project.root, "sixth")
    names = system_names(project.root / "systems")
    assert "system" not in names
    assert "stack" not in names
    assert "sixth" in names


@pytest.mark.parametrize(
    "name",
    ["", "Sixth", "6th", "a_b", "a b", "-a", "a-", "a--b", "../a", "a/b", "ä", "a" * 31, "a\n"],
)
def test_a_bad_name_is_refused_with_an_example(project: Project, name: str) -> None:
    error = refused(project, name, "okay")
    assert "lower case, digits and single hyphens" in error.what
    example = error.next_step.rpartition(" ")[2]
    write_system(project.root, example, "okay")


def test_the_name_of_a_system_is_taken(project: Project) -> None:
    error = refused(project, "autonomous-trading-company")
    assert "systems/autonomous-trading-company.yaml" in error.what


def test_a_stack_file_that_is_there_is_not_overwritten(project: Project) -> None:
    (project.root / "Pulumi.sixth-staging.yaml").write_text("# mine\n")
    error = refused(project, "sixth")
    assert "Pulumi.sixth-staging.yaml is there already" in error.what


@pytest.mark.parametrize("code", ["a", "9a", "A1", "toolongcode", "a-b", ""])
def test_a_bad_code_is_refused(project: Project, code: str) -> None:
    error = refused(project, "sixth", code)
    assert f"{code!r} is no code: 2 to 8" in error.what
    assert "--code" in error.next_step


def test_the_code_of_another_is_refused_whether_given_or_made(project: Project) -> None:
    for name, code in (("sixth", "atc"), ("atc", None), ("all-the-cats", None)):
        error = refused(project, name, code)
        assert "The code atc is that of autonomous-trading-company" in error.what
        assert f"gonogo new {name} --code" in error.next_step


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("sixth", "sixth"), ("order-desk", "od"), ("a-b", "ab"), ("go-2", "go2"),
        ("marketmaker", "marketma"), ("one-two-three", "ott"),
    ],
)  # fmt: skip
def test_a_code_is_made_from_the_name(name: str, code: str) -> None:
    assert code_of(name) == code


def test_codes_of_files_that_cannot_be_read_are_left_out(project: Project) -> None:
    (project.root / "systems" / "broken.yaml").write_text("code: [")
    (project.root / "systems" / "odd.yaml").write_text("code: 3")
    found = codes(project.root / "systems")
    assert found["atc"] == "autonomous-trading-company"
    assert not {"broken", "odd"} & set(found.values())


def test_nothing_is_left_half_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last file cannot be written: a folder appears there after the check."""
    files = rendered(project.root, "sixth", "sixth")
    last = list(files)[-1]
    monkeypatch.setattr(type(last), "exists", lambda self: False)
    last.mkdir()
    with pytest.raises(NewSystemError) as caught:
        write_system(project.root, "sixth")
    assert last.name in caught.value.what
    monkeypatch.undo()
    assert [file for file in files if file.exists()] == [last]
    assert last.is_dir()


def test_check_finds_two_systems_of_one_code(project: Project) -> None:
    write_system(project.root, "sixth")
    file = project.root / "systems" / "sixth.yaml"
    project.edit(file, "code: sixth", "code: atc")
    (problem,) = all_problems(check(project.root))
    assert (problem.place.file, problem.place.line) == (file, project.line_of(file, "code: atc"))
    assert problem.found.startswith('"atc", which autonomous-trading-company has')
