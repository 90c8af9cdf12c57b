"""The command line as a person uses it: a process of its own, its streams and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from operations.failures import ExitCode

CHECKOUT = Path(__file__).parents[3]
COMMANDS = ("up", "preview", "destroy", "check", "systems", "new", "env", "test", "sandbox")


def gonogo(
    *arguments: str,
    home: Path,
    checkout: Path = CHECKOUT,
    more: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PULUMI_", "AWS_", "GONOGO_"))
    }
    environment = {**kept, "GONOGO_HOME": str(home), "PYTHONPATH": str(checkout), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-P", "-m", "operations.cli", *arguments],
        cwd=home, env={**environment, **(more or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def listed(text: str) -> set[str]:
    """The stacks that an error's next step names."""
    return set(text.rsplit("name one of: ", 1)[1].strip().rstrip(".").split(", "))


def test_help_names_every_command_and_exit_code_and_is_quick(tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        began = time.monotonic()
        said = gonogo("--help", home=tmp_path)
        times.append(time.monotonic() - began)
    assert said.returncode == ExitCode.DONE
    for command in COMMANDS:
        assert f" {command} " in said.stdout
    for code in ExitCode:
        assert f" {int(code)} " in said.stdout.replace("\n", " ").replace("Exit codes:", " ")
    assert min(times) < 2, "help must not import what only a run needs"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_examples(tmp_path: Path, command: str) -> None:
    said = gonogo(command, "--help", home=tmp_path)
    assert said.returncode == ExitCode.DONE
    assert "Examples" in said.stdout
    assert f"gonogo {command}" in said.stdout


def test_the_command_line_imports_nothing_heavy_before_it_is_needed() -> None:
    code = "import sys, operations.cli.app; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    loaded = set(said.stdout.split())
    assert "operations.cli.app" in loaded
    assert not loaded & {"boto3", "botocore", "pulumi", "pydantic", "rich.console", "yaml", "grpc"}


def test_no_stack_lists_them(tmp_path: Path) -> None:
    for command in ("up", "preview", "destroy"):
        said = gonogo(command, home=tmp_path)
        assert said.returncode == ExitCode.WRONG_INPUT
        assert "Which stack?" in said.stderr
        assert listed(said.stderr) >= {"dev", "prod", "staging"}
    assert not (tmp_path / "sandbox.json").exists()


def test_an_unknown_stack_lists_the_known(tmp_path: Path) -> None:
    for command in ("up", "check"):
        said = gonogo(command, "production", home=tmp_path)
        assert said.returncode == ExitCode.WRONG_INPUT
        assert "'production'" in said.stderr
        assert listed(said.stderr) >= {"dev", "prod", "staging"}


def test_an_unknown_option_is_wrong_input(tmp_path: Path) -> None:
    assert gonogo("up", "prod", "--clowd", home=tmp_path).returncode == ExitCode.WRONG_INPUT


def test_check_ticks_what_is_right(tmp_path: Path) -> None:
    said = gonogo("check", home=tmp_path, more={"PYTHONIOENCODING": "utf-8"})
    assert said.returncode == ExitCode.DONE, said.stdout + said.stderr
    lines = said.stdout.splitlines()
    assert lines[-1] == f"{len(lines) - 1} checked, nothing is wrong."
    assert all(line.startswith("✓ ") for line in lines[:-1])
    said_of = dict(line[2:].rsplit("  ", 1) for line in lines[:-1])
    prod = next(about for subject, about in said_of.items() if subject.rstrip() == "stack prod")
    assert prod == "autonomous-trading-company at prod, us-east-1, sandbox"
    assert len({len(subject) for subject in said_of}) == 1, "what is said of each is in a column"
    assert not list(tmp_path.iterdir()), "check starts nothing"


def test_check_does_with_ascii(tmp_path: Path) -> None:
    said = gonogo("check", "prod", home=tmp_path, more={"PYTHONIOENCODING": "ascii"})
    assert said.stdout.startswith("ok ")


def test_a_wrong_config_is_told_by_check_and_stops_up_before_anything(
    tmp_path: Path, copied: Path
) -> None:
    file = copied / "Pulumi.prod.yaml"
    file.write_text(file.read_text().replace("gonogo:tier: prod", "gonogo:tier: prd"))
    for command in (("check",), ("check", "prod"), ("up", "prod"), ("preview", "prod")):
        home = tmp_path / "-".join(command)
        home.mkdir()
        said = gonogo(*command, home=home, checkout=copied)
        assert said.returncode == ExitCode.WRONG_INPUT, said.stderr
        assert "Pulumi.prod.yaml:" in said.stderr
        assert "did you mean prod?" in said.stderr
        assert "Traceback" not in said.stderr
        assert not list(home.iterdir()), "nothing was started"


def test_check_tells_programs_the_same(tmp_path: Path, copied: Path) -> None:
    file = copied / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("gonogo:tier: dev", "gonogo:tier: 3"))
    said = gonogo("check", "--json", home=tmp_path, checkout=copied)
    assert said.returncode == ExitCode.WRONG_INPUT
    told = json.loads(said.stdout)
    assert {"subject": "stack dev", "ok": False} in told["checked"]
    assert {"subject": "stack prod", "ok": True} in told["checked"]
    assert [one["field"] for one in told["problems"]] == ["gonogo:tier"]
    assert told["problems"][0]["line"] > 0


NO_CREDENTIALS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.mark.parametrize("command", ["preview", "destroy"])
def test_without_credentials_aws_is_refused_in_one_line(tmp_path: Path, command: str) -> None:
    said = gonogo(command, "prod", "--cloud", "aws", "--yes" if command != "preview" else "-v",
                  home=tmp_path, more=NO_CREDENTIALS)  # fmt: skip
    assert said.returncode == ExitCode.NOT_READY
    assert said.stderr.splitlines()[0] == "gonogo: No AWS credentials were found."
    assert "aws sso login" in said.stderr
    assert not (tmp_path / "sandbox.json").exists(), "the sandbox is never touched"


def test_a_stack_of_aws_needs_no_option(tmp_path: Path, copied: Path) -> None:
    file = copied / "Pulumi.prod.yaml"
    file.write_text(file.read_text() + "  gonogo:cloud: aws\n")
    said = gonogo("preview", "prod", home=tmp_path, checkout=copied, more=NO_CREDENTIALS)
    assert said.returncode == ExitCode.NOT_READY
    assert "No AWS credentials" in said.stderr


def test_an_sts_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    # A port of loopback that nobody listens on stands for an account that cannot be reached.
    began = time.monotonic()
    said = gonogo(
        "preview",
        "prod",
        "--cloud",
        "aws",
        home=tmp_path,
        more={
            **NO_CREDENTIALS,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "y",
            "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        },
    )
    assert said.returncode == ExitCode.NOT_READY
    assert "AWS cannot be reached" in said.stderr
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("mark", ["AWS_ENDPOINT_URL", "PULUMI_DEBUG_PROVIDERS"])
def test_a_shell_that_is_set_to_the_sandbox_is_not_taken_for_aws(tmp_path: Path, mark: str) -> None:
    said = gonogo(
        "preview", "prod", "--cloud", "aws", home=tmp_path, more={mark: "http://127.0.0.1"}
    )
    assert said.returncode == ExitCode.NOT_READY
    assert f"({mark} is set)" in said.stderr


def test_what_nobody_foresaw_is_one_line_and_a_log(tmp_path: Path, copied: Path) -> None:
    (copied / "systems" / "check.py").write_text("raise RuntimeError('oh')\n")
    said = gonogo("check", home=tmp_path, checkout=copied)
    assert said.returncode == ExitCode.CRASHED
    assert "Traceback" not in said.stderr
    assert "a mistake in Gonogo itself stopped this (RuntimeError: oh)" in said.stderr
    logs = list((tmp_path / "logs").iterdir())
    assert len(logs) == 1
    assert str(logs[0]) in said.stderr
    assert "raise RuntimeError" in logs[0].read_text()


def test_versions_are_told_without_getting_an_engine(tmp_path: Path) -> None:
    said = gonogo(
        "--version", home=tmp_path, more={"GONOGO_CACHE": str(tmp_path / "cache"), "PATH": "/none"}
    )
    assert said.returncode == ExitCode.DONE
    assert said.stdout.splitlines()[0] == "gonogo 0.1.0"
    assert "Pulumi CLI: none yet" in said.stdout
    assert not (tmp_path / "cache").exists()


def test_stack_names_complete(tmp_path: Path) -> None:
    asked = {
        "_GONOGO_COMPLETE": "complete_bash",
        "COMP_WORDS": "gonogo up p",
        "COMP_CWORD": "2",
    }
    said = gonogo(home=tmp_path, more=asked)
    assert "prod" in said.stdout.split()
    assert all(name.startswith("p") for name in said.stdout.split())


def test_status_of_a_sandbox_that_was_never_started(tmp_path: Path) -> None:
    said = gonogo("sandbox", "status", home=tmp_path)
    assert said.returncode == ExitCode.NOT_READY
    assert "not running" in said.stdout
    told = json.loads(gonogo("sandbox", "status", "--json", home=tmp_path).stdout)
    assert told["running"] is False


@pytest.mark.parametrize("command", [("sandbox", "reset")])
def test_nothing_is_removed_without_being_asked(tmp_path: Path, command: tuple[str, ...]) -> None:
    kept = tmp_path / "state" / "precious"
    kept.parent.mkdir()
    kept.write_text("x")
    said = gonogo(*command, home=tmp_path)
    assert said.returncode == ExitCode.WRONG_INPUT
    assert "--yes" in said.stderr
    assert kept.exists()
