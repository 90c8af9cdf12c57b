"""Where words go: to standard output, or beside it when a program reads standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


class Output:
    """Lines for a person, and at the end one JSON document when it was asked for."""

    def __init__(self, *, as_json: bool = False) -> None:
        from rich.console import Console

        self.as_json = as_json
        stream = sys.stderr if as_json else sys.stdout
        # soft_wrap: what is copied from here (URNs, endpoints) must come out whole.
        self.console: Console = Console(
            file=stream, highlight=False, soft_wrap=True, emoji=False, markup=False
        )

    @property
    def live(self) -> bool:
        """Whether lines may be redrawn."""
        return self.console.is_terminal

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """One line, taken literally."""
        self.console.print(text, style=style)

    def note(self, text: str) -> None:
        """A line of less weight: what was mended, what is waited for."""
        self.say(text, style="yellow" if self.live else None)

    def document(self, content: dict[str, Any]) -> None:
        """The JSON document, when it was asked for."""
        if self.as_json:
            print(json.dumps(content, indent=2, ensure_ascii=False))


def duration(seconds: float) -> str:
    """A time as people say it: `4.2 s`, `3 min 05 s`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 resource`, `2 resources`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
