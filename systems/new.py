"""Writing a new system: its commented YAML, and a stack file for each tier."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from systems.catalogue import system_names, tier_names
from systems.document import Scalar
from systems.errors import ConfigError, listing
from systems.reading import read

TEMPLATES = Path(__file__).with_name("templates")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 30
CODE = re.compile(r"[a-z][a-z0-9]{1,7}")
LONGEST_CODE = 8


class NewSystemError(Exception):
    """A system that cannot be written: what is in the way, and what to do."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


def write_system(project: Path, name: str, code: str | None = None) -> list[Path]:
    """Write `systems/<name>.yaml` and `Pulumi.<name>-<tier>.yaml` for every tier; their paths.

    Without `code` one is made from the name. Nothing that exists is touched, and nothing is left
    half written. Raises NewSystemError.
    """
    _require_name(project, name)
    chosen = _code(name, code, codes(project / "systems"))
    files = rendered(project, name, chosen)
    there = [file.name for file in files if file.exists()]
    if there:
        raise NewSystemError(
            f"{listing(there)} {'is' if len(there) == 1 else 'are'} there already.",
            "take another name, or remove what is left of the old one.",
        )
    _write(files)
    return list(files)


def rendered(project: Path, name: str, code: str) -> dict[Path, str]:
    """What is written for a new system, by file."""
    values = {"name": name, "code": code, "title": name.replace("-", " ").title()}
    files = {project / "systems" / f"{name}.yaml": _filled("system.yaml", values)}
    for tier in sorted(tier_names(project / "systems"), key=_production_first):
        stack = project / f"Pulumi.{name}-{tier}.yaml"
        files[stack] = _filled("stack.yaml", {**values, "tier": tier})
    return files


def codes(directory: Path) -> dict[str, str]:
    """The systems of the folder `systems/` by their code; those without a readable one left out."""
    found: dict[str, str] = {}
    for name in system_names(directory):
        try:
            entry = read(directory / f"{name}.yaml").entries.get("code")
        except ConfigError:
            continue
        if entry and isinstance(entry.node, Scalar) and isinstance(entry.node.value, str):
            found.setdefault(entry.node.value, name)
    return found


def code_of(name: str) -> str:
    """A code made from a name: the name itself, the first letters of its words, or its beginning.

    May be too short, or taken.
    """
    words = name.split("-")
    whole = "".join(words)
    if len(whole) <= LONGEST_CODE:
        return whole
    return "".join(word[0] for word in words) if len(words) > 1 else whole[:LONGEST_CODE]


def _require_name(project: Path, name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        suggestion = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:LONGEST_NAME]
        raise NewSystemError(
            f"{name!r} is no name for a system: lower case, digits and single hyphens, a letter "
            f"first, {LONGEST_NAME} characters at most.",
            f"for example: gonogo new {suggestion.strip('-') or 'order-desk'}",
        )
    if name in system_names(project / "systems"):
        raise NewSystemError(
            f"There is a system {name} already: systems/{name}.yaml.",
            "edit that file, or take another name.",
        )


def _code(name: str, given: str | None, taken: Mapping[str, str]) -> str:
    code = given if given is not None else code_of(name)
    again = f"gonogo new {name} --code <code>"
    if not CODE.fullmatch(code):
        origin = f"{code!r} is no code" if given is not None else f"No code comes of {name!r}"
        raise NewSystemError(
            f"{origin}: 2 to {LONGEST_CODE} lower-case letters and digits, a letter first.", again
        )
    if code in taken:
        raise NewSystemError(
            f"The code {code} is that of {taken[code]}: names in AWS begin with it, and would "
            f"be the same. Taken: {listing(sorted(taken))}.",
            again,
        )
    return code


def _production_first(tier: str) -> tuple[int, str]:
    known = ("prod", "staging", "dev")
    return (known.index(tier) if tier in known else len(known), tier)


def _filled(template: str, values: Mapping[str, str]) -> str:
    return Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)


def _write(files: Mapping[Path, str]) -> None:
    written: list[Path] = []
    try:
        for file, text in files.items():
            # "x": what appeared since it was looked for is not overwritten either.
            with file.open("x", encoding="utf-8") as stream:
                written.append(file)
                stream.write(text)
    except OSError as error:
        _remove(written)
        raise NewSystemError(
            f"{error.filename or 'A file'} cannot be written: {error.strerror or error}.",
            "mend that and run it again: nothing was left behind.",
        ) from error


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
