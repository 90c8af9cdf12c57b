"""Pulumi's CLI for one project: short questions, and operations whose events are followed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from operations.deployment.child import Child
from operations.deployment.events import Event, Message, parse
from operations.deployment.tally import Tally
from operations.failures import ExitCode, Failure

_ENVIRONMENT = {
    "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_SUPPRESS_NEO_LINK": "true",
}
_KEPT_LOGS = 40


@dataclass(frozen=True)
class Ran:
    """How an operation ended. `exit_code` is the CLI's; `errors` what it wrote beside events."""

    tally: Tally
    exit_code: int
    interrupted: bool
    errors: str
    events_log: Path

    @property
    def succeeded(self) -> bool:
        """The CLI and the engine's own summary both say so."""
        ended = self.tally.ended
        return self.exit_code == 0 and ended is not None and ended.succeeded

    def complaint(self) -> list[Message]:
        """Why it failed: the engine's errors, else what the CLI wrote to standard error."""
        if self.tally.errors:
            return self.tally.errors
        lines = [line.removeprefix("error: ") for line in self.errors.splitlines() if line.strip()]
        kept = [line for line in lines if "pulumi-language-python from $PATH" not in line]
        if kept:
            return [Message("error", "\n".join(kept))]
        if self.exit_code < 0:
            return [Message("error", f"the Pulumi CLI was ended by signal {-self.exit_code}")]
        return [Message("error", f"the Pulumi CLI ended with exit code {self.exit_code}")]


@dataclass(frozen=True)
class Pulumi:
    """The CLI at `executable`, on the project in folder `project`; its logs go to `logs`."""

    executable: Path
    project: Path
    environment: Mapping[str, str]
    logs: Path

    def ask(
        self, *arguments: str, folder: Path | None = None, timeout_seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """A short command and what it answered. Raises Failure when it hangs."""
        try:
            return subprocess.run(
                [str(self.executable), *arguments, "--non-interactive", "--color=never"],
                cwd=folder or self.project,
                env={**self.environment, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as hung:
            raise Failure(
                f"`pulumi {arguments[0]}` did not answer within {timeout_seconds:g} seconds.",
                next_step="see whether the state backend can be reached, then run it again.",
                code=ExitCode.NOT_READY,
            ) from hung

    def run(
        self,
        operation: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        on_event: Callable[[Event, Tally], None] | None = None,
        on_tick: Callable[[Tally], None] | None = None,
        on_interrupt: Callable[[int], None] | None = None,
    ) -> Ran:
        """An operation (`preview`, `up`, `refresh`, `destroy`) to its end.

        `on_event` and `on_tick` are called from this thread, the latter a few times a second.
        """
        log = self._log(operation)
        errors = log.with_suffix(".stderr")
        command = [str(self.executable), operation, "--json", "--non-interactive", "--color=never"]
        child = Child(
            [*command, *arguments],
            folder=self.project,
            environment={**self.environment, **_ENVIRONMENT, **(environment or {})},
            output=log,
            errors=errors,
            on_interrupt=on_interrupt,
        )
        tally = Tally()
        with child:
            for line in child.lines(None if on_tick is None else lambda: on_tick(tally)):
                event = parse(line)
                if event is not None:
                    tally.take(event)
                    if on_event is not None:
                        on_event(event, tally)
            code = child.wait()
        said = errors.read_text(encoding="utf-8", errors="replace")
        return Ran(tally, code, child.interrupts > 0, said, log)

    def _log(self, operation: str) -> Path:
        """A fresh log of events; the oldest beyond some forty are removed."""
        self.logs.mkdir(parents=True, exist_ok=True)
        old = sorted(self.logs.glob("*.events"), key=lambda path: path.name)
        for path in old[: max(0, len(old) - _KEPT_LOGS + 1)]:
            path.unlink(missing_ok=True)
            path.with_suffix(".stderr").unlink(missing_ok=True)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        return self.logs / f"{stamp}.{time.time_ns() % 10**9:09d}.{operation}.events"
