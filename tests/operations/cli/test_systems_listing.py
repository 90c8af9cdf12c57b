"""`gonogo systems`, `gonogo new`, and the completion of their names, as a person uses them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from operations.failures import ExitCode
from tests.operations.cli.test_command_line import gonogo

ATC = "autonomous-trading-company"


def test_systems_are_listed_with_stacks_and_counts(tmp_path: Path) -> None:
    said = gonogo("systems", home=tmp_path)
    assert said.returncode == ExitCode.DONE, said.stderr
    lines = said.stdout.splitlines()
    heads = lines[0].split()
    assert heads[:4] == ["stack", "at", "region", "databases"]
    heading = next(index for index, line in enumerate(lines) if f"({ATC}, atc)" in line)
    rows = {line.split()[0]: line.split() for line in lines[heading + 1 : heading + 4]}
    prod = dict(zip(heads, rows["prod"], strict=True))
    assert prod == {
        "stack": "prod", "at": "prod", "region": "us-east-1", "databases": "1", "caches": "-",
        "services": "2", "workers": "4", "jobs": "1", "schedules": "1", "alarms": "8",
        "secrets": "8",
    }  # fmt: skip
    assert not list(tmp_path.iterdir()), "nothing is started"


def test_systems_for_programs(tmp_path: Path) -> None:
    said = json.loads(gonogo("systems", ATC, "--json", home=tmp_path).stdout)
    (system,) = said["systems"]
    assert (system["name"], system["code"], system["owner"]) == (ATC, "atc", "trading-engineering")
    stacks = {one["name"]: one for one in system["stacks"]}
    assert set(stacks) == {"prod", "staging", "dev"}
    assert stacks["prod"]["declares"]["workers"] == 4
    assert stacks["dev"]["tier"] == "dev"
    assert {one["phase"] for one in stacks.values()} == {None}


def test_systems_are_listed_quickly(tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        began = time.monotonic()
        gonogo("systems", home=tmp_path)
        times.append(time.monotonic() - began)
    assert min(times) < 3


def test_a_stack_that_is_not_valid_is_told_and_the_others_listed(
    tmp_path: Path, copied: Path
) -> None:
    file = copied / "Pulumi.prod.yaml"
    file.write_text(file.read_text() + "  gonogo:overrides:\n    logs.level: CHATTY\n")
    stray = copied / "Pulumi.stray.yaml"
    stray.write_text("config:\n  gonogo:system: nobody\n")
    said = gonogo("systems", home=tmp_path, checkout=copied)
    assert said.returncode == ExitCode.WRONG_INPUT
    lines = [line.split() for line in said.stdout.splitlines()]
    assert any(" ".join(line) == "prod not valid, 1 problem: ./gonogo check prod" for line in lines)
    assert any(line[:3] == ["staging", "staging", "us-east-1"] for line in lines)
    assert "Stacks whose system cannot be told" in said.stdout
    assert "./gonogo check stray" in said.stdout
    told = json.loads(gonogo("systems", "--json", home=tmp_path, checkout=copied).stdout)
    stacks = {one["name"]: one for system in told["systems"] for one in system["stacks"]}
    assert stacks["prod"] == {"name": "prod", "problems": 1}
    assert stacks["stray"]["problems"] > 0


def test_an_unknown_system_is_refused(tmp_path: Path) -> None:
    said = gonogo("systems", "autonomous-trading-compny", home=tmp_path)
    assert said.returncode == ExitCode.WRONG_INPUT
    assert f"did you mean {ATC}?" in said.stderr


def test_a_system_without_a_stack_is_listed(tmp_path: Path, copied: Path) -> None:
    (copied / "systems" / "lone.yaml").write_text("name: lone\n")
    said = gonogo("systems", "lone", home=tmp_path, checkout=copied)
    assert said.returncode == ExitCode.DONE
    assert said.stdout.splitlines() == [
        "lone", "  no stack: write Pulumi.lone-prod.yaml", "", "1 system, 0 stacks.",
    ]  # fmt: skip


def test_new_writes_what_check_finds_right(tmp_path: Path, copied: Path) -> None:
    said = gonogo("new", "sixth", home=tmp_path, checkout=copied)
    assert said.returncode == ExitCode.DONE, said.stderr
    lines = said.stdout.splitlines()
    assert lines[:4] == [
        "wrote systems/sixth.yaml", "wrote Pulumi.sixth-prod.yaml",
        "wrote Pulumi.sixth-staging.yaml", "wrote Pulumi.sixth-dev.yaml",
    ]  # fmt: skip
    assert lines[4].startswith("Next: fill in systems/sixth.yaml")
    assert "./gonogo up sixth-dev" in lines[4]
    checked = gonogo("check", home=tmp_path, checkout=copied)
    assert checked.returncode == ExitCode.DONE, checked.stderr
    assert "sixth at prod, us-east-1, sandbox" in checked.stdout
    again = gonogo("new", "sixth", home=tmp_path, checkout=copied)
    assert again.returncode == ExitCode.WRONG_INPUT
    assert "There is a system sixth already" in again.stderr
    assert again.stderr.splitlines()[1].startswith("Next: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Sixth!",), "'Sixth!' is no name for a system"),
        (("sixth", "--code", "atc"), f"The code atc is that of {ATC}"),
        (("sixth", "--code", "X"), "'X' is no code"),
    ],
)
def test_new_says_what_is_wrong(
    tmp_path: Path, copied: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = gonogo("new", *arguments, home=tmp_path, checkout=copied)
    assert done.returncode == ExitCode.WRONG_INPUT
    assert said in done.stderr
    assert "Next: " in done.stderr
    assert not (copied / "systems" / "sixth.yaml").exists()


def completing(words: str) -> dict[str, str]:
    """What bash sets when a person presses Tab after these words."""
    return {"_GONOGO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "2"}


@pytest.mark.parametrize("command", ["up", "preview", "destroy", "check"])
def test_the_names_of_all_systems_stacks_complete(
    tmp_path: Path, copied: Path, command: str
) -> None:
    gonogo("new", "sixth", home=tmp_path, checkout=copied)
    said = gonogo(home=tmp_path, checkout=copied, more=completing(f"gonogo {command} sixth"))
    assert said.stdout.split() == ["sixth-dev", "sixth-prod", "sixth-staging"]


def test_the_names_of_systems_complete(tmp_path: Path) -> None:
    said = gonogo(home=tmp_path, more=completing("gonogo systems auto"))
    assert said.stdout.split() == [ATC]
