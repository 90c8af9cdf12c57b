"""What properties a resource type has, read from the installed ``pulumi_aws``.

The SDK's classes are generated from the official provider's schema, so they are that schema. They
are read as text: importing one module of ``wafv2`` takes 0.3 s and 100 MB, finding a class in its
text takes a few milliseconds.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Final

_SIMPLE: Final = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "Any": "any",
    "pulumi.Asset": "asset",
    "pulumi.Archive": "archive",
}
_SIGNATURE: Final = r"class %s:\n    def __init__\(__self__(?:, \*)?,?\s*(.*?)\):\n"
#: a deprecation may stand between the decorator and the method
_GETTER: Final = re.compile(
    r'@pulumi\.getter\(name="(\w+)"\)\n(?:(?!    def ).*\n)*?    def (\w+)\('
)
_SECRETS: Final = re.compile(r"additional_secret_outputs=\[([^\]]*)\]")


class UnknownTypeError(LookupError):
    """The installed ``pulumi_aws`` has no such resource type."""


@dataclass(frozen=True)
class PropertyType:
    """string, integer, number, boolean, any, asset, archive, list, map, object or document.

    A ``document`` is a JSON text that may also be given as an object.
    """

    kind: str
    element: PropertyType | None = None
    owner: _Module | None = field(default=None, repr=False, compare=False)
    object_name: str = ""

    @cached_property
    def fields(self) -> Mapping[str, Property]:
        """The properties of an object type; empty for the others."""
        if self.owner is None:
            return {}
        return self.owner.object(self.object_name)


@dataclass(frozen=True)
class Property:
    """One property: its name in Pulumi's wire form, its type, whether it has to be given."""

    name: str
    type: PropertyType
    required: bool


@dataclass(frozen=True)
class ResourceSchema:
    """Inputs, all properties (inputs and outputs) and always-secret outputs of a type."""

    token: str
    inputs: Mapping[str, Property]
    properties: Mapping[str, Property]
    secrets: frozenset[str]


def snake(name: str) -> str:
    """``securityGroup`` as ``security_group``: how the SDK names its files."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def camel(name: str) -> str:
    """``security_group`` as ``securityGroup``."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


@lru_cache(maxsize=1)
def _sdk_folder() -> Path:
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise UnknownTypeError("pulumi_aws is not installed beside the sandbox's provider")
    return Path(spec.origin).parent


@cache
def _module(folder: str) -> _Module:
    return _Module(folder)


class _Module:
    """One folder of the SDK, read lazily."""

    def __init__(self, folder: str) -> None:
        self.folder = _sdk_folder() / ("lambda_" if folder == "lambda" else folder)
        self._objects: dict[str, Mapping[str, Property]] = {}

    @cached_property
    def _inputs_text(self) -> str:
        path = self.folder / "_inputs.py"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @cached_property
    def _starts(self) -> dict[str, int]:
        found = re.finditer(r"^class (\w+):$", self._inputs_text, re.MULTILINE)
        return {match.group(1): match.start() for match in found}

    def object(self, name: str) -> Mapping[str, Property]:
        known = self._objects.get(name)
        if known is None:
            start = self._starts.get(name)
            if start is None:
                known = {}
            else:
                end = self._inputs_text.find("\n\n\n", start)
                known = self.parse(name, self._inputs_text[start:end])
            self._objects[name] = known
        return known

    def parse(self, name: str, text: str) -> Mapping[str, Property]:
        """The properties in the constructor of one class; ``text`` begins at or before it."""
        found = re.search(_SIGNATURE % re.escape(name), text, re.DOTALL)
        if found is None:
            return {}
        wire_names = {match.group(2): match.group(1) for match in _GETTER.finditer(text)}
        properties = {}
        for line in found.group(1).split("\n"):
            argument = line.strip().rstrip(",")
            if not argument:
                continue
            python_name, annotation = argument.split(":", 1)
            wire = wire_names.get(python_name, python_name.rstrip("_"))
            optional = annotation.endswith("= None")
            kind = self._type(annotation.removesuffix("= None").strip())
            properties[wire] = Property(wire, kind, not optional)
        return properties

    def _type(self, annotation: str) -> PropertyType:
        text = annotation.strip()
        for wrapper in ("pulumi.Input[", "Optional["):
            if text.startswith(wrapper):
                return self._type(text[len(wrapper) : -1])
        if text.startswith("Union["):
            document = "DocumentArgs" in text
            return PropertyType("document" if document else "string")
        if text.startswith("Sequence["):
            return PropertyType("list", self._type(text[len("Sequence[") : -1]))
        if text.startswith("Mapping["):
            return PropertyType("map", self._type(text.split(",", 1)[1][:-1]))
        text = text.strip("'\"").removeprefix("_builtins.")
        if text in _SIMPLE:
            return PropertyType(_SIMPLE[text])
        return PropertyType("object", owner=self, object_name=text.rsplit(".", 1)[-1])


@cache
def resource_schema(token: str) -> ResourceSchema:
    """The schema of ``aws:rds/instance:Instance`` and its like.

    Raises:
        UnknownTypeError: the installed SDK has no such type.
    """
    try:
        _, path, name = token.split(":")
        folder, file = path.split("/")
    except ValueError:
        raise UnknownTypeError(f"{token} is not a token of a resource type") from None
    module = _module(folder)
    source = module.folder / f"{snake(file)}.py"
    if not source.exists():
        raise UnknownTypeError(f"pulumi_aws has no resource type {token}")
    text = source.read_text(encoding="utf-8")
    # "InitArgs" where "Args" is the name of an object type of the same module
    inputs = module.parse(f"{name}Args", text) or module.parse(f"{name}InitArgs", text)
    state = module.parse(f"_{name}State", text)
    marked = _SECRETS.search(text)
    secrets = frozenset(re.findall(r'"(\w+)"', marked.group(1))) if marked else frozenset()
    return ResourceSchema(token, inputs, {**state, **inputs}, secrets)
