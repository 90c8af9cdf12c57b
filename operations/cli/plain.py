"""The environment of plain `pulumi` on the sandbox, and the small wrapper that it needs."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from pathlib import Path

from operations.cli.console import Output
from operations.cli.endings import home
from operations.cli.options import CHECKOUT, stack_names
from operations.deployment import stacks
from operations.deployment.backend import FileBackend
from operations.deployment.pulumi import Pulumi

_WRAPPER = """#!/bin/sh
# Made by `gonogo env`. Runs Pulumi's CLI, then takes the salt of this checkout's passphrase out of
# the stack files again: Pulumi writes it there on each run, and it fits no other checkout.
trap : INT
{pulumi} "$@"
status=$?
if grep -qs '^encryptionsalt' {project}/Pulumi.*.yaml; then
  PYTHONPATH={project} {python} -P -m operations.cli.unsalt
fi
exit $status
"""


def plain_environment() -> dict[str, str]:
    """The variables, after the sandbox was started and missing stacks were made.

    Raises SandboxError, EngineError or Failure. What it says goes to standard error: standard
    output is read by a shell.
    """
    from operations.cli.session import ensure_engine, note_unclean_end, project_name, with_engine
    from operations.deployment.recovery import Doubts
    from sandbox import lifecycle

    output = Output(as_json=True)
    running = lifecycle.start()
    running.own_hosted_zones(_hosted_zones())
    output.say(f"Cloud: sandbox ({running.emulator_url}, account {lifecycle.ACCOUNT})")
    engine = ensure_engine(output)
    place = running.environment()
    environment = with_engine(running.applied_to(os.environ), engine)
    backend = FileBackend.at(place["PULUMI_BACKEND_URL"], project_name(CHECKOUT))
    pulumi = Pulumi(engine.pulumi, CHECKOUT, environment, home() / "logs")
    note_unclean_end(Doubts(home() / "stacks"), backend, output)
    for name in stack_names():
        if stacks.create(pulumi, backend, name, home() / "stacks"):
            output.say(f"Made the stack {name}.")
    folder = write_wrapper(engine.pulumi)
    pack = CHECKOUT / "policies"
    return {
        **place,
        "PATH": os.pathsep.join([str(folder), environment["PATH"]]),
        "PULUMI_OPTION_POLICY_PACK": str(pack),
        # The tier is the stack's own, whichever is selected.
        "PULUMI_OPTION_POLICY_PACK_CONFIG": str(pack / "tiers" / "stack.json"),
    }


def _hosted_zones() -> dict[str, str]:
    """What all stacks count on; one that is not valid says so when it is run."""
    from operations.cli.places import hosted_zones
    from systems.errors import ConfigError
    from systems.stack import load

    found: dict[str, str] = {}
    for name in stack_names():
        with contextlib.suppress(ConfigError):
            found.update(hosted_zones(load(CHECKOUT / f"Pulumi.{name}.yaml").system))
    return found


def write_wrapper(pulumi: Path) -> Path:
    """Writes the wrapper; the folder to put on PATH before the engine's own."""
    folder = home() / "plain"
    folder.mkdir(parents=True, exist_ok=True)
    text = _WRAPPER.format(
        pulumi=shlex.quote(str(pulumi)),
        python=shlex.quote(sys.executable),
        project=shlex.quote(str(CHECKOUT)),
    )
    wrapper = folder / "pulumi"
    if not wrapper.exists() or wrapper.read_text(encoding="utf-8") != text:
        fresh = folder / f".pulumi.{os.getpid()}"
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(wrapper)
    return folder
