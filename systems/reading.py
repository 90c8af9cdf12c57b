"""Reading a YAML file: what cannot be read is told with its line."""

from __future__ import annotations

import re
from pathlib import Path

from systems.document import Listing, Table
from systems.errors import ConfigError, Place, Problem
from systems.yaml_errors import place_of
from systems.yaml_events import build

MAX_BYTES = 1_000_000

# YAML ends a line at these, editors do not: lines would be counted differently.
_UNUSUAL_BREAK = re.compile("[\x85\u2028\u2029]")


def read(file: Path) -> Table:
    """The file's mapping.

    Raises ConfigError if it cannot be read, is not YAML, or is not one mapping.
    """
    text = _text(file)
    node = build(file, text)
    if isinstance(node, Table):
        return node
    wanted = "a mapping of fields"
    if node is None:
        problem = Problem(Place(file), "", "an empty file", wanted, "fill it, or remove it")
    else:
        kind = "a list" if isinstance(node, Listing) else "a single value"
        todo = "begin the file with `field: value` lines"
        problem = Problem(node.place, "", f"{kind} where the file begins", wanted, todo)
    raise ConfigError([problem])


def _text(file: Path) -> str:
    def broken(found: str, todo: str, line: int = 0, column: int = 0) -> ConfigError:
        allowed = f"a YAML file in UTF-8 of at most {MAX_BYTES} bytes"
        return ConfigError([Problem(Place(file, line, column), "", found, allowed, todo)])

    try:
        # Size first: a device or a huge file is not read to be refused.
        if file.is_dir():
            raise broken("a directory", "name a file")
        if file.exists() and not file.is_file():
            raise broken("not a regular file", "name a file")
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise broken("no such file", "check the name, or write the file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise broken(f"a file that cannot be read: {reason}", "mend that and try again") from None
    if len(raw) > MAX_BYTES:
        raise broken(
            f"more than {MAX_BYTES} bytes", "split it, or see whether it is the right file"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = place_of(file, raw[: error.start].decode("utf-8", "replace"), error.start)
        found = f"byte 0x{raw[error.start]:02x}, which is not UTF-8"
        raise broken(found, "save the file as UTF-8", place.line, place.column) from None
    strange = _UNUSUAL_BREAK.search(text)
    if strange:
        place = place_of(file, text, strange.start())
        found = f"the character U+{ord(strange[0]):04X}, a line break that editors do not show"
        raise broken(found, "remove that character", place.line, place.column)
    return text
