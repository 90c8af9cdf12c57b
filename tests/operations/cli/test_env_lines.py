from __future__ import annotations

import shutil
import subprocess

import pytest

from operations.cli.env import Shell, lines

AWKWARD = {
    "PLAIN": "/usr/bin",
    "SPACES": "/home/a b/c",
    "QUOTES": 'it\'s "so"',
    "DOLLARS": "$HOME `id` $(id) \\n",
    "LINES": "a\nb",
}


def test_a_posix_shell_reads_back_every_value() -> None:
    script = "\n".join(
        [*lines(AWKWARD, ["GONE"], Shell.BASH), *(f'printf "%s\\0" "${name}"' for name in AWKWARD)]
    )
    script += '\nprintf "%s" "${GONE-unset}"'
    said = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, env={"GONE": "x"}
    )
    assert said.stdout.split("\0") == [*AWKWARD.values(), "unset"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not on this machine")
def test_fish_reads_back_every_value() -> None:
    script = "\n".join(
        [*lines(AWKWARD, [], Shell.FISH), *(f'printf "%s\\0" "${name}"' for name in AWKWARD)]
    )
    said = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.split("\0")[:-1] == list(AWKWARD.values())


def test_fish_gets_quotes_and_backslashes_escaped() -> None:
    told = lines({"A": "it's \\ $HOME"}, ["B"], Shell.FISH)
    assert told == ["set -e B;", "set -gx A 'it\\'s \\\\ $HOME';"]
