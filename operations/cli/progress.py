"""What a run looks like while it goes on: live counts on a terminal, else a line now and then."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from operations.cli.console import Output, duration
from operations.deployment.events import CHANGES, Event, StepDone, StepFailed, name_of
from operations.deployment.tally import COMPONENTS, Tally

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

QUIET_SECONDS = 5.0
REDRAWS_PER_SECOND = 8
_SHOWN = 6


class Progress:
    """Shows one operation. `expected` is how many resources will change, when that is known."""

    def __init__(
        self, doing: str, output: Output, *, expected: int | None = None, verbose: bool = False
    ) -> None:
        self._doing = doing
        self._output = output
        self._expected = expected
        self._verbose = verbose
        self._began = time.monotonic()
        self._last_line = self._began
        self._last_count = -1
        self._last_drawn = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if self._output.live:
            from rich.live import Live

            self._live = Live(
                self._drawing(Tally()),
                console=self._output.console,
                auto_refresh=False,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def event(self, event: Event, tally: Tally) -> None:
        """With --verbose, a line for each resource that was worked on."""
        if not self._verbose or not isinstance(event, StepDone | StepFailed):
            return
        if event.op not in CHANGES or event.type.startswith(("pulumi:", COMPONENTS)):
            return
        word = "FAILED" if isinstance(event, StepFailed) else CHANGES[event.op]
        if event.planning and not isinstance(event, StepFailed):
            word = f"to be {word}"
        keys = f" ({', '.join(event.changed_keys)})" if event.changed_keys else ""
        component = tally.component_of(event.urn)
        self._output.say(f"  {word:10} {component:28} {event.type} {name_of(event.urn)}{keys}")

    def tick(self, tally: Tally) -> None:
        """Redraws, or writes a line when some seconds have gone by."""
        now = time.monotonic()
        if self._live is not None:
            if now - self._last_drawn >= 1 / REDRAWS_PER_SECOND:
                self._last_drawn = now
                self._live.update(self._drawing(tally), refresh=True)
        elif now - self._last_line >= QUIET_SECONDS:
            self._last_line = now
            self._output.say(self._sentence(tally))

    def interrupted(self, times: int) -> None:
        """Says what an interrupt does."""
        self._output.note(
            (
                "Stopping after the present step; interrupt again to stop at once.",
                "Stopping at once. What was being made may be left behind; the next run finds it.",
                "Killed. The next run recovers.",
            )[min(times, 3) - 1]
        )

    def _sentence(self, tally: Tally) -> str:
        seconds = duration(time.monotonic() - self._began)
        done = sum(tally.changes().values())
        if done == 0 and not tally.running:
            return f"{self._doing} … {seconds}"
        of = f" of {self._expected}" if self._expected else ""
        busy = [name_of(step.urn) for step in tally.working_on()[:3]]
        waiting = f", working on {', '.join(busy)}" if busy else ""
        return f"{self._doing} … {done}{of} done, {seconds}{waiting}"

    def _drawing(self, tally: Tally) -> RenderableType:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        lines: list[RenderableType] = [Spinner("dots", text=self._sentence(tally))]
        counted = tally.by_component()
        busy: dict[str, int] = {}
        for step in tally.working_on():
            component = tally.component_of(step.urn)
            busy[component] = busy.get(component, 0) + 1
        ordered = sorted({*counted, *busy}, key=lambda name: (-busy.get(name, 0), name))
        for name in ordered[:_SHOWN]:
            ops = ", ".join(f"{count} {CHANGES[op]}" for op, count in counted.get(name, {}).items())
            under_way = f"{busy[name]} under way" if name in busy else ""
            lines.append(Text(f"  {name:30} " + ", ".join(one for one in (ops, under_way) if one)))
        if len(ordered) > _SHOWN:
            lines.append(Text(f"  and {len(ordered) - _SHOWN} more"))
        return Group(*lines)
