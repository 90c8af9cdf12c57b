"""`python -m bench.preview [STACK] [--runs N]`: our preview against the naive raw program's.

Both run in the sandbox, one after the other, in turns, from an empty stack each: the same resources
by the same engine and provider. Ours has the policy pack in force and goes through `./gonogo`; the
raw one is plain `pulumi preview` of a plain program, without a pack.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.raw_program import write_project

ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    """What `gonogo env` sets, on top of this process's environment."""
    from operations.cli.plain import plain_environment

    chosen = {**os.environ, **plain_environment(), **more}
    # The naive program is somebody else's: no pack, and Python as it comes.
    for name in ("PULUMI_OPTION_POLICY_PACK", "PULUMI_OPTION_POLICY_PACK_CONFIG"):
        chosen.pop(name, None)
    return chosen


def timed(command: list[str], folder: Path, env: dict[str, str]) -> float:
    """Seconds that a command takes. Raises SystemExit with its output when it fails."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def raw_project(stack: str, folder: Path, env: dict[str, str]) -> int:
    """Writes the raw project of a stack's resources and makes its stack; how many resources."""
    preview = folder / "preview.json"
    with preview.open("w") as target:
        subprocess.run(
            ["pulumi", "preview", "--stack", stack, "--json", "--non-interactive"],
            cwd=ROOT, env=env, stdout=target, check=True, timeout=300,
        )  # fmt: skip
    count = write_project(preview, folder / "raw")
    timed(["pulumi", "stack", "init", "raw", "--non-interactive"], folder / "raw", env)
    return count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stack", nargs="?", default="prod")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["GONOGO_HOME"] = str(folder / "home")
        env = environment()
        try:
            count = raw_project(options.stack, folder, env)
            ours = [str(ROOT / "gonogo"), "preview", options.stack]
            raw = ["pulumi", "preview", "--stack", "raw", "--non-interactive"]
            timed(ours, ROOT, dict(os.environ))
            timed(raw, folder / "raw", env)
            taken: dict[str, list[float]] = {"gonogo preview, 45 rules": [], "raw, no pack": []}
            for _ in range(options.runs):
                taken["gonogo preview, 45 rules"].append(timed(ours, ROOT, dict(os.environ)))
                taken["raw, no pack"].append(timed(raw, folder / "raw", env))
        finally:
            subprocess.run([str(ROOT / "gonogo"), "sandbox", "stop"], check=False)
    print(f"{count} resources, {options.runs} runs each in turns")
    medians = {}
    for what, seconds in taken.items():
        medians[what] = statistics.median(seconds)
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"{what:28} median {medians[what]:.2f} s ({spread})")
    first, second = medians.values()
    print(f"ratio {first / second:.2f}")
    json.dump({"resources": count, "seconds": taken}, sys.stderr)


if __name__ == "__main__":
    main()
