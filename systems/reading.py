"""Reading a YAML file: what cannot be read is told with its line."""

from __future__ import annotations

from pathlib import Path

from systems.document import Listing, Table
from systems.errors import ConfigError, Place, Problem
from systems.yaml_events import build

MAX_BYTES = 1_000_000


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
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        byte = raw[error.start]
        raise broken(
            f"byte 0x{byte:02x}, which is not UTF-8",
            "save the file as UTF-8",
            line,
            column,
        ) from None
