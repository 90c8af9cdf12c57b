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

ANY_TIER = CHECKOUT / "policies" / "tiers" / "stack.json"
"""The pack's config that takes the tier from the stack, for what runs without the wrapper."""

_WRAPPER = r"""#!/bin/sh
# Made by `gonogo env`: Pulumi's CLI with two things that its environment cannot say.
# The policy pack's config is that of the stack's tier, and the salt of this checkout's passphrase
# is taken out of the stack files again: Pulumi writes it there, and it fits no other checkout.
pulumi={pulumi}
project={project}
stack=${{PULUMI_STACK:-}}
before=
for argument in "$@"; do
  case "$before" in -s | --stack) stack=$argument ;; esac
  case "$argument" in --stack=*) stack=${{argument#--stack=}} ;; esac
  before=$argument
done
case "${{1:-}}" in up | update | preview | pre)
  if [ "${{PULUMI_OPTION_POLICY_PACK_CONFIG:-}}" = {any_tier} ]; then
    [ -n "$stack" ] || stack=$("$pulumi" stack --show-name --non-interactive 2>/dev/null)
    tier=$(sed -n 's/^ *gonogo:tier: *\([a-z]*\).*/\1/p' "$project/Pulumi.$stack.yaml" 2>/dev/null)
    if [ -n "$tier" ] && [ -f "$project/policies/tiers/$tier.json" ]; then
      PULUMI_OPTION_POLICY_PACK_CONFIG=$project/policies/tiers/$tier.json
    fi
  fi ;;
esac
trap : INT
"$pulumi" "$@"
status=$?
if grep -qs '^encryptionsalt' "$project"/Pulumi.*.yaml; then
  PYTHONPATH=$project {python} -P -m operations.cli.unsalt
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
        "PULUMI_OPTION_POLICY_PACK_CONFIG": str(ANY_TIER),
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
    text = wrapper_text(pulumi, CHECKOUT, ANY_TIER)
    wrapper = folder / "pulumi"
    if not wrapper.exists() or wrapper.read_text(encoding="utf-8") != text:
        fresh = folder / f".pulumi.{os.getpid()}"
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(wrapper)
    return folder


def wrapper_text(pulumi: Path, project: Path, any_tier: Path) -> str:
    """The wrapper of one CLI for one project."""
    return _WRAPPER.format(
        pulumi=shlex.quote(str(pulumi)),
        python=shlex.quote(sys.executable),
        project=shlex.quote(str(project)),
        any_tier=shlex.quote(str(any_tier)),
    )
