"""Writes the program that somebody without Gonogo would have: the same resources, each by hand.

It is made from a preview's steps, so that it has the same types, the same names and the same
properties; references between resources become literals, which only makes it lighter. It is the
measure that `bench.preview` holds Gonogo's own preview against.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Properties whose keys are the user's own words, not names of the provider's schema.
MAPS = {"tags", "dimensions", "variables"}
# Filled in by the provider at Check, not by a person.
COMPUTED = {"tagsAll", "__defaults"}
SIGNATURE = "4dabf18193072939515e22adb298388d"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
PYTHON_NAMES = {"lambda": "lambda_"}


def snake(name: str) -> str:
    """Pulumi's Python name of a property: `kmsKeyId` is `kms_key_id`."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", parted).lower()


# What stands for a value that preview does not know, as a provider's checks want it.
PLACEHOLDER = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000"
PLACEHOLDERS = {"type": "CNAME"}


class Code(str):
    """A piece of source among values."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _mapping(value: Mapping[str, Any], name: str) -> Any:
    if SIGNATURE in value:
        return Code("pulumi.AssetArchive({})") if value[SIGNATURE] == ARCHIVE else "hidden"
    spelled = str if name in MAPS else snake
    return {
        spelled(key): _value(item, "" if name in MAPS else key)
        for key, item in value.items()
        if key not in COMPUTED
    }


def _value(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, name)
    if isinstance(value, list):
        return [_value(item, name) for item in value]
    return PLACEHOLDERS.get(name, PLACEHOLDER) if value == UNKNOWN else value


def program(steps: Iterable[Mapping[str, Any]]) -> str:
    """The Python source of a program with these resources; steps as `pulumi preview --json` has."""
    lines = ["import pulumi", "import pulumi_aws as aws", ""]
    for step in steps:
        state = step.get("newState") or step.get("oldState") or {}
        token = str(state.get("type", ""))
        if not token.startswith("aws:"):
            continue
        _, module, kind = token.split(":")
        package = module.partition("/")[0]
        name = str(state["urn"]).rpartition("::")[2]
        inputs = {
            snake(key): _value(value, key)
            for key, value in state.get("inputs", {}).items()
            if key not in COMPUTED
        }
        lines.append(f"aws.{PYTHON_NAMES.get(package, package)}.{kind}({name!r}, **{inputs!r})")
    return "\n".join(lines) + "\n"


def write_project(preview: Path, folder: Path) -> int:
    """Makes a Pulumi project of the preview's resources in `folder`; returns how many there are."""
    source = program(json.loads(preview.read_text())["steps"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: raw\nruntime: python\n")
    (folder / "__main__.py").write_text(source)
    return source.count("\naws.")
