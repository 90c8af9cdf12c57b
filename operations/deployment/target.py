"""One stack to run on: the arguments that its operations share, and the operations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from operations.deployment.events import Event
from operations.deployment.pulumi import Pulumi, Ran
from operations.deployment.tally import Tally

REPORT_VARIABLE = "GONOGO_POLICY_REPORT"


class View(Protocol):
    """What shows an operation while it runs."""

    def event(self, event: Event, tally: Tally) -> None:
        """An event came."""

    def tick(self, tally: Tally) -> None:
        """A twentieth of a second has gone by."""

    def interrupted(self, times: int) -> None:
        """The person asked to stop, for the nth time."""


@dataclass(frozen=True)
class Pack:
    """A policy pack and its config."""

    folder: Path
    config: Path

    def arguments(self) -> list[str]:
        """The flags that put it in force."""
        return ["--policy-pack", str(self.folder), "--policy-pack-config", str(self.config)]


@dataclass(frozen=True)
class Target:
    """A stack, and what runs on it have in common."""

    pulumi: Pulumi
    stack: str
    config_file: Path | None
    pack: Pack
    reports: Path

    @property
    def preview_report(self) -> Path:
        """The pack's verdicts on the last preview."""
        return self.reports / f"{self.stack}.preview-policies.json"

    @property
    def report(self) -> Path:
        """The pack's verdicts on what was last applied."""
        return self.reports / f"{self.stack}.policies.json"

    def preview(self, view: View) -> Ran:
        """What an update would do, judged by the pack. Nothing is changed."""
        return self._run("preview", [*self._common(), *self.pack.arguments()], view,
                         report=self.preview_report)  # fmt: skip

    def update(self, view: View) -> Ran:
        """Applies the program. Its preview was judged before by `preview`.

        `--skip-preview`: the program ran and was judged a moment ago, so a second preview within
        `pulumi up` would only take its time again. The resource rules judge each resource once
        more before it is made, the stack rules at the end.
        """
        arguments = ["--yes", "--skip-preview", *self._common(), *self.pack.arguments()]
        return self._run("up", arguments, view, report=self.report)

    def refresh(self, view: View) -> Ran:
        """Brings the state in line with what is there; forgets creations that were cut off."""
        arguments = ["--yes", "--skip-preview", "--clear-pending-creates", *self._common()]
        return self._run("refresh", arguments, view)

    def destroy(self, view: View) -> Ran:
        """Deletes everything in the state."""
        return self._run("destroy", ["--yes", "--skip-preview", *self._common()], view)

    def _common(self) -> list[str]:
        chosen = ["--stack", self.stack]
        if self.config_file is not None:
            chosen += ["--config-file", str(self.config_file)]
        return chosen

    def _run(
        self, operation: str, arguments: list[str], view: View, *, report: Path | None = None
    ) -> Ran:
        environment = {}
        if report is not None:
            report.parent.mkdir(parents=True, exist_ok=True)
            # What is not written by this run must not be taken for its verdict.
            report.unlink(missing_ok=True)
            environment[REPORT_VARIABLE] = str(report)
        return self.pulumi.run(
            operation,
            arguments,
            environment=environment,
            on_event=view.event,
            on_tick=view.tick,
            on_interrupt=view.interrupted,
        )
