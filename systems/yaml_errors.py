"""What the YAML parser has to say, in people's words."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from systems.errors import Place, Problem

LINE_BREAK = re.compile(r"\r\n|\r|\n")

_ALLOWED = "YAML: `field: value`, nested by two spaces"

# A part of the parser's words, and what to do; the first that fits is taken.
_ADVICE = (
    (
        "mapping values are not allowed",
        "put a text that has `: ` in it in quotes, or mend the indentation",
    ),
    ("scanning an alias", "put a text that begins with * in quotes"),
    ("quoted scalar", "close the quotes"),
    ("flow", "close the bracket or brace that was opened"),
    ("block mapping", "line this up with its neighbours"),
    ("block end", "line this up with its neighbours"),
    ("':'", "write a colon and a space after the field's name"),
    ("", "mend this line; quotes around a text with special characters often do"),
)


def broken(
    file: Path, text: str, error: yaml.YAMLError, long_quote: tuple[Place, int] | None
) -> Problem:
    """The problem that stopped the parser.

    `long_quote` is the last quoted text over several lines: where it begins, the line it ends in.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        return _unreadable(file, text, error)
    what = ", ".join(str(part) for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    if error.context_mark and "quoted scalar" in what:
        mark = error.context_mark  # where the quotes were opened, not where the file ends
    lines = LINE_BREAK.split(text)
    # The parser counts one line more where the last one has no line break.
    place = Place(file, min(mark.line + 1, len(lines)), mark.column + 1) if mark else Place(file)
    line = lines[place.line - 1] if place.line else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in str(error.problem):
        allowed = "spaces: YAML does not indent with tabs"
        return Problem(place, "", "a tab character", allowed, "replace the tab by spaces")
    if long_quote and long_quote[1] == place.line:
        found = f"broken YAML: quotes opened here, and closed in line {place.line}"
        return Problem(long_quote[0], "", found, _ALLOWED, "close the quotes")
    advice = next(todo for part, todo in _ADVICE if part in what)
    return Problem(place, "", f"broken YAML: {what}", _ALLOWED, advice)


def _unreadable(file: Path, text: str, error: yaml.YAMLError) -> Problem:
    position, code = getattr(error, "position", None), getattr(error, "character", None)
    if not isinstance(position, int):
        return Problem(Place(file), "", "broken YAML", _ALLOWED, _ADVICE[-1][1])
    place = place_of(file, text, position)
    number = code if isinstance(code, int) else ord(str(code)[:1] or "\0")
    found = f"the character U+{number:04X}"
    return Problem(place, "", found, "printable characters", "remove that character")


def place_of(file: Path, text: str, position: int) -> Place:
    """The place of the character at `position`, counted from 0."""
    before = LINE_BREAK.split(text[:position])
    return Place(file, len(before), len(before[-1]) + 1)
