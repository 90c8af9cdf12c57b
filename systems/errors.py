"""What is wrong with a config file: where, what was found, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file. Lines and columns count from 1; line 0 is the file as a whole."""

    file: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{_shown(self.file)}:{self.line}" if self.line else _shown(self.file)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in words for the person who has to mend it.

    `field` is the path in the system (`databases.main.storage_gb`), or empty for a whole file.
    """

    place: Place
    field: str
    found: str
    allowed: str
    todo: str


class ConfigError(Exception):
    """Systems, tiers or stack files that cannot be used. Carries every problem, each once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(dict.fromkeys(problems))
        super().__init__("\n\n".join(render(problem) for problem in self.problems))


# Terminal escapes: bold for the place, red for what was found, green for what is allowed.
_BOLD, _RED, _GREEN, _END = "\033[1m", "\033[31m", "\033[32m", "\033[0m"


def render(problem: Problem, colour: bool = False) -> str:
    """One problem as a block of text, four lines, without a newline at its end."""
    bold, red, green, end = (_BOLD, _RED, _GREEN, _END) if colour else ("", "", "", "")
    head = f"{problem.place}: {problem.field}" if problem.field else f"{problem.place}"
    return "\n".join(
        (
            f"{bold}{printable(head)}{end}",
            f"  found: {red}{printable(problem.found)}{end}",
            f"  allowed: {green}{printable(problem.allowed)}{end}",
            f"  do: {printable(problem.todo)}",
        )
    )


def printable(text: str) -> str:
    """The text without what would upset a terminal: control characters are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def in_order(problem: Problem) -> tuple[str, int, int, str]:
    """The key to sort problems by: file, line, column, field."""
    place = problem.place
    return str(place.file), place.line, place.column, problem.field


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The known name that is meant, if one is near enough; swapped letters are nearest."""
    names = list(known)
    swapped = [one for one in names if sorted(one) == sorted(name)]
    near = swapped or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return near[0] if near else None


def listing(names: Iterable[str], nothing: str = "nothing") -> str:
    """Names for a sentence, in order: `a, b, c`."""
    return ", ".join(names) or nothing


def _shown(file: Path) -> str:
    """The path as a person standing in the project would write it."""
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(file)
