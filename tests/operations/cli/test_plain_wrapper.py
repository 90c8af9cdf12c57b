"""The wrapper of plain `pulumi`, around a program that writes down how it was called."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from operations.cli.plain import wrapper_text

CALLED = """#!/bin/sh
if [ "$1 $2" = "stack --show-name" ]; then echo staging; exit 0; fi
echo "$PULUMI_OPTION_POLICY_PACK_CONFIG"
printf '<%s>' "$@"
trap 'echo stopped; exit 42' INT
[ "$1" = up ] && { sleep 20 >/dev/null 2>&1 & wait $!; }
exit "${STATUS:-0}"
"""


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    project = tmp_path / "a project"
    (project / "policies/tiers").mkdir(parents=True)
    for stack, tier in (("shop", "dev"), ("staging", "staging"), ("odd", "none-such")):
        (project / f"Pulumi.{stack}.yaml").write_text(f"config:\n  gonogo:tier: {tier} # so\n")
    for tier in ("dev", "staging", "prod", "stack"):
        (project / f"policies/tiers/{tier}.json").write_text("{}")
    called = tmp_path / "called"
    called.write_text(CALLED)
    called.chmod(0o755)
    path = tmp_path / "pulumi"
    path.write_text(wrapper_text(called, project, project / "policies/tiers/stack.json"))
    path.chmod(0o755)
    return path


def run(wrapper: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    tiers = wrapper.parent / "a project/policies/tiers"
    environment = {
        "PATH": os.environ["PATH"],
        "PULUMI_OPTION_POLICY_PACK_CONFIG": str(tiers / "stack.json"),
        **more,
    }
    return subprocess.run(
        [str(wrapper), *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "more", "tier"),
    [
        (["preview", "-s", "shop"], {}, "dev"),
        (["preview", "--stack", "shop", "--diff"], {}, "dev"),
        (["pre", "--stack=shop"], {}, "dev"),
        (["preview"], {}, "staging"),
        (["preview"], {"PULUMI_STACK": "shop"}, "dev"),
        (["preview", "-s", "odd"], {}, "stack"),
        (["preview", "-s", "not-there"], {}, "stack"),
        (["destroy", "-s", "shop"], {}, "stack"),
    ],
)
def test_the_packs_config_is_that_of_the_stacks_tier(
    wrapper: Path, arguments: list[str], more: dict[str, str], tier: str
) -> None:
    said = run(wrapper, *arguments, **more)
    assert said.stderr == ""
    assert Path(said.stdout.splitlines()[0]).name == f"{tier}.json"


def test_a_config_of_the_users_own_is_kept(wrapper: Path) -> None:
    said = run(wrapper, "preview", "-s", "shop", PULUMI_OPTION_POLICY_PACK_CONFIG="/mine.json")
    assert said.stdout.splitlines()[0] == "/mine.json"


def test_arguments_and_exit_code_pass_through(wrapper: Path) -> None:
    said = run(wrapper, "config", "set", "a b", "it's", "", STATUS="7")
    assert said.stdout.splitlines()[1] == "<config><set><a b><it's><>"
    assert said.returncode == 7


def test_an_interrupt_is_the_engines_to_handle(wrapper: Path) -> None:
    running = subprocess.Popen(
        [str(wrapper), "up", "-s", "shop"], stdout=subprocess.PIPE, text=True,
        start_new_session=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    time.sleep(1)
    os.killpg(running.pid, signal.SIGINT)
    said, _ = running.communicate(timeout=20)
    assert said.endswith("stopped\n")
    assert running.returncode == 42
