"""From a stack's name to everything a run on it needs, in the order in which it can fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from operations.cli.console import Output
from operations.cli.endings import home
from operations.cli.options import CHECKOUT, Cloud, stack_names
from operations.cli.places import (
    Place,
    aws_place,
    hosted_zones,
    require_plugin,
    sandbox_place,
)
from operations.cli.progress import Progress
from operations.deployment.backend import FileBackend
from operations.deployment.pulumi import Pulumi
from operations.deployment.recovery import WAIT_SECONDS, Doubts
from operations.deployment.target import Pack, Target
from operations.deployment.turn import turn
from operations.failures import ExitCode, Failure

if TYPE_CHECKING:
    from sandbox.engine import Engine
    from systems.stack import Stack


@dataclass(frozen=True)
class Session:
    """A stack that can be run on, and how to speak of it.

    `backend` is the sandbox's; None away from it.
    """

    stack: Stack
    place: Place
    engine: Engine
    pulumi: Pulumi
    home: Path
    backend: FileBackend | None
    output: Output
    verbose: bool
    began: float

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return time.monotonic() - self.began

    def progress(self, doing: str, *, expected: int | None = None) -> Progress:
        """What shows an operation of this session."""
        return Progress(doing, self.output, expected=expected, verbose=self.verbose)

    def turn(self) -> AbstractContextManager[None]:
        """Holds the stack while a command changes it. Raises Failure when another does not end."""
        return turn(
            self.home / "stacks", self.stack.name, self.output.note, wait_seconds=WAIT_SECONDS
        )

    def sandbox_is_gone(self) -> bool:
        """Whether this works in the sandbox, and a part of it does not run any more."""
        if self.place.cloud is not Cloud.SANDBOX:
            return False
        from sandbox import lifecycle

        status = lifecycle.status(self.home)
        return not status.running or status.provider is None

    @property
    def doubts(self) -> Doubts:
        """Stacks of the sandbox whose state may be behind."""
        return Doubts(self.home / "stacks")

    def target(self) -> Target:
        """The stack with the pack of its tier; in the sandbox it must have been made."""
        from operations.deployment import stacks

        copied = None
        if self.backend is not None:
            salt = self.backend.salt(self.stack.name)
            copied = stacks.config_file(CHECKOUT, self.stack.name, salt, self.home / "stacks")
        pack = CHECKOUT / "policies"
        return Target(
            pulumi=self.pulumi,
            stack=self.stack.name,
            config_file=copied,
            pack=Pack(pack, pack / "tiers" / f"{self.stack.tier}.json"),
            reports=self.home / "reports",
        )


def load_stack(name: str | None) -> Stack:
    """The stack of that name, validated. Raises Failure, or ConfigError of its problems."""
    from systems.stack import load

    return load(require_known(name))


def require_known(name: str | None, project: Path = CHECKOUT) -> Path:
    """The stack's file. Raises Failure, which lists the stacks, when there is none."""
    known = stack_names(project)
    if name in known:
        return project / f"Pulumi.{name}.yaml"
    listed = ", ".join(known) or "(there is none: write a Pulumi.<stack>.yaml)"
    what = "Which stack?" if name is None else f"There is no stack {name!r}."
    raise Failure(what, next_step=f"name one of: {listed}.", code=ExitCode.WRONG_INPUT)


def open_session(
    name: str | None,
    cloud: Cloud | None,
    output: Output,
    *,
    verbose: bool = False,
    admit: Callable[[Stack, Cloud], None] | None = None,
) -> Session:
    """Checks the config, then the cloud, then the engine. Prints the first line.

    `admit` may refuse a stack for a cloud before that cloud is asked anything. Raises Failure,
    ConfigError, SandboxError or EngineError.
    """
    began = time.monotonic()
    stack = load_stack(name)
    if admit is not None:
        admit(stack, chosen_cloud(stack, cloud))
    place = choose_place(stack, cloud)
    output.say(place.headline, style="bold")
    engine = ensure_engine(output)
    folder = home()
    environment = with_engine(place.environment, engine)
    if place.cloud is Cloud.AWS:
        require_plugin(engine.pulumi, environment)
    pulumi = Pulumi(engine.pulumi, CHECKOUT, environment, folder / "logs")
    backend = None
    if place.cloud is Cloud.SANDBOX:
        backend = FileBackend.at(environment["PULUMI_BACKEND_URL"], project_name(CHECKOUT))
    session = Session(
        stack, place, engine, pulumi, folder, backend, output, verbose=verbose, began=began
    )
    if backend is not None:
        note_unclean_end(session.doubts, backend, output)
    return session


def chosen_cloud(stack: Stack, cloud: Cloud | None) -> Cloud:
    """The command line decides, else the stack's config, else it is the sandbox."""
    return cloud or Cloud(stack.cloud or Cloud.SANDBOX)


def choose_place(stack: Stack, cloud: Cloud | None) -> Place:
    """The chosen cloud, when it answers. Raises Failure or SandboxError."""
    if chosen_cloud(stack, cloud) is Cloud.AWS:
        return aws_place(stack.region)
    return sandbox_place(stack.region, hosted_zones(stack.system))


def ensure_engine(output: Output) -> Engine:
    """The Pulumi CLI, obtained with progress where there is none. Raises EngineError."""
    from sandbox.engine import ensure
    from sandbox.engine.running import Reporter

    reporter = Reporter("", output.console.file)  # type: ignore[arg-type]
    engine = ensure(reporter)
    reporter.close()
    return engine


def with_engine(environment: Mapping[str, str], engine: Engine) -> dict[str, str]:
    """An environment whose PATH begins with the engine and with this Python."""
    import os
    import sys

    own = str(Path(sys.executable).parent)
    rest = os.pathsep.join([own, environment.get("PATH", os.defpath)])
    return {**environment, "PATH": engine.path(rest)}


def project_name(project: Path) -> str:
    """The name in Pulumi.yaml. Raises Failure when it has none."""
    import re

    try:
        text = (project / "Pulumi.yaml").read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(
            f"Pulumi.yaml cannot be read: {error}.",
            next_step="`git restore Pulumi.yaml`.",
            code=ExitCode.WRONG_INPUT,
        ) from error
    found = re.search(r"^name:[ \t]*[\"']?([A-Za-z0-9_.-]+)", text, re.MULTILINE)
    if found is None:
        raise Failure(
            "Pulumi.yaml has no name.",
            next_step="its first line should be `name: gonogo`.",
            code=ExitCode.WRONG_INPUT,
        )
    return found[1]


def note_unclean_end(doubts: Doubts, backend: FileBackend, output: Output) -> None:
    """Takes the sandbox's note of an unclean end, and doubts every stack's state from then on."""
    from sandbox import lifecycle

    note = lifecycle.take_recovery_note()
    if note is None:
        return
    for line in note.notes or ["The sandbox had ended without being stopped; it was mended."]:
        output.note(line)
    made = [name for name in stack_names() if backend.exists(name)]
    doubts.raise_for(made, "the sandbox had ended without being stopped")
