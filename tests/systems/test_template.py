"""The file that `gonogo new` writes is the schema's documentation: whole, true, and a system."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic.fields import FieldInfo

from systems.document import Listing, Node, Scalar, Table, plain
from systems.loading import PHASES
from systems.loading import TIERS as SECTION_OF_TIERS
from systems.model import Model, System
from systems.model.workload import FARGATE_MEMORY_MB
from systems.new import TEMPLATES, rendered
from systems.reading import read
from systems.settings import KEYS
from systems.shape import Shape, bound, fields
from systems.structure import check as check_structure
from systems.yaml_events import build

ROOT = Path(__file__).parents[2]
TIERS = ("prod", "staging", "dev")
NAME, CODE = "order-desk", "desk"
SECTIONS = {SECTION_OF_TIERS, PHASES}

# A line whose # is followed by no space is a field that is switched off.
_OFF = re.compile(r"^(\s*)#(?=[^\s#])")
_PROSE = re.compile(r"^\s*#(\s|$)")
_TRAILING = re.compile(r"\s#\s(.*)$")


@dataclass
class Mention:
    """One place where the template has a field."""

    model: type[Model]
    name: str
    shape: Shape
    info: FieldInfo
    path: tuple[str, ...]
    node: Node
    line: int
    comment: str = ""
    off: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return (self.model.__name__, self.name)


@dataclass
class Template:
    """The template for one name, and with everything in it switched on."""

    lines: list[str]
    mentions: list[Mention] = field(default_factory=list)

    @property
    def switched_on(self) -> str:
        return "\n".join(_OFF.sub(r"\1", line) for line in self.lines) + "\n"

    def comment(self, line: int) -> str:
        """What is said of the field in that line: above it, and behind it."""
        behind = _TRAILING.search(_OFF.sub(r"\1", self.lines[line - 1]))
        said = [behind[1]] if behind else []
        above = line - 2
        while above >= 0 and _PROSE.match(self.lines[above]):
            said.insert(0, self.lines[above].strip().removeprefix("#").strip())
            above -= 1
        return " ".join(said)


def _template() -> Template:
    text = rendered(ROOT, NAME, CODE)[ROOT / "systems" / f"{NAME}.yaml"]
    template = Template(text.splitlines())
    root = build(TEMPLATES / "system.yaml", template.switched_on)
    assert isinstance(root, Table)
    entries = {key: entry for key, entry in root.entries.items() if key not in SECTIONS}
    template.mentions += _mentions(template, Table(root.place, entries), System, ())
    return template


def _mentions(
    template: Template, table: Table, model: type[Model], path: tuple[str, ...]
) -> Iterator[Mention]:
    for name, entry in table.entries.items():
        shape = fields(model)[name]
        owner = _declaring(model, name)
        line = entry.key.line
        yield Mention(
            owner, name, shape, owner.model_fields[name], (*path, name), entry.node, line,
            template.comment(line), bool(_OFF.match(template.lines[line - 1])),
        )  # fmt: skip
        yield from _within(template, entry.node, shape, (*path, name))


def _within(
    template: Template, node: Node, shape: Shape, path: tuple[str, ...]
) -> Iterator[Mention]:
    if isinstance(node, Table) and shape.model:
        yield from _mentions(template, node, shape.model, path)
    elif isinstance(node, Table) and shape.is_mapping:
        for name, entry in node.entries.items():
            yield from _within(template, entry.node, shape.value(), (*path, name))
    elif isinstance(node, Listing):
        for index, item in enumerate(node.items):
            yield from _within(template, item, shape.value(), (*path, str(index)))


def _declaring(model: type[Model], name: str) -> type[Model]:
    """The model that declares a field, where several inherit it."""
    for one in model.__mro__:
        if name in inspect.get_annotations(one):
            assert issubclass(one, Model)
            return one
    raise AssertionError(f"{model} has no {name}")


@cache
def template() -> Template:
    return _template()


def _models(model: type[Model]) -> Iterator[type[Model]]:
    """A model and all that stand below it."""
    yield model
    for shape in fields(model).values():
        inner: Shape = shape
        while inner.is_mapping or inner.is_list:
            inner = inner.value()
        if inner.model:
            yield from _models(inner.model)


def test_every_field_of_every_model_is_in_the_template() -> None:
    wanted = {
        (_declaring(model, name).__name__, name)
        for model in _models(System)
        for name in model.model_fields
    }
    assert len(wanted) > 150
    missing = wanted - {one.key for one in template().mentions}
    assert not missing, f"systems/templates/system.yaml says nothing of {sorted(missing)}"


def test_every_field_is_explained() -> None:
    """In its own line or above it; a field that occurs several times, at least once."""
    explained = {one.key for one in template().mentions if one.comment}
    mute = {one.key for one in template().mentions} - explained
    assert not mute, f"without a comment: {sorted(mute)}"


def _phrases(shape: Shape) -> Iterator[str]:
    """What a comment has to say of the values that are allowed."""
    inner = shape.value() if shape.is_list else shape
    if get_origin(inner.kind) is Literal:
        for option in get_args(inner.kind):
            yield str(option)
    elif inner.kind in (int, float):
        least, above, most = (bound(inner, name) for name in ("ge", "gt", "le"))
        if least is not None and most is not None:
            yield f"{least:.12g} to {most:.12g}"
        elif least is not None:
            yield f"at least {least:g}"
        if above is not None:
            yield f"above {above:g}"
        if above is not None and most is not None:
            yield f"at most {most:g}"


def test_allowed_values_are_named() -> None:
    by_key: dict[tuple[str, str], list[Mention]] = {}
    for one in template().mentions:
        by_key.setdefault(one.key, []).append(one)
    wrong = []
    for key, mentions in by_key.items():
        phrases = list(_phrases(mentions[0].shape))
        # The value that is shown need not be repeated.
        if not any(all(_says(one, phrase) for phrase in phrases) for one in mentions):
            wrong.append((key, phrases, [one.comment for one in mentions]))
    assert not wrong, "\n".join(map(str, wrong))


def _says(mention: Mention, phrase: str) -> bool:
    shown = _shown(plain(mention.node))
    return bool(re.search(rf"(?<![\w.]){re.escape(phrase)}(?![\w])", f"{mention.comment} {shown}"))


def _default(tier: str, mention: Mention) -> Any:
    """What holds at a tier when the system says nothing."""
    node: Any = plain(read(ROOT / "systems" / "tiers" / f"{tier}.yaml"))
    for part in mention.path:
        if not isinstance(node, dict):
            break
        node = node.get(part, node.get("*", _NOTHING))
    else:
        if node is not _NOTHING:
            return node
    return mention.info.get_default(call_default_factory=True)


_NOTHING = object()
_EMPTY: tuple[Any, ...] = ((), [], {}, "")


def _shown(value: Any) -> str:
    if value is None or value in ((), [], {}, ""):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if value < 1e6 else str(value)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def test_defaults_are_those_of_the_models_and_tiers() -> None:
    """What is switched off and explained shows production's default, and its comment where a tier
    has another; where a value is shown that is no default, the comment says the default. Lines
    without a comment are examples of what is explained elsewhere."""
    wrong, right, all_keys = [], set(), set()
    for one in _all():
        default = {tier: _default(tier, one) for tier in TIERS}
        nested = one.shape.model or one.shape.is_collection
        if one.info.is_required() or nested or default["prod"] in _EMPTY:
            continue
        all_keys.add(one.key)
        if _tells(one, {tier: _shown(value) for tier, value in default.items()}):
            right.add(one.key)
        elif one.off and one.comment:
            wrong.append((".".join(one.path), _shown(plain(one.node)), default, one.comment))
    wrong += [(key,) for key in all_keys - right]  # type: ignore[misc]
    assert not wrong, "\n".join(map(str, wrong))
    assert len(right) > 100


def _tells(mention: Mention, default: dict[str, str]) -> bool:
    value, comment = _shown(plain(mention.node)), mention.comment.lower()
    every = default["prod"] == _shown(get_args(mention.shape.value().kind)) if (
        mention.shape.is_list
    ) else False  # fmt: skip
    if value == default["prod"] or mention.off:
        for tier in TIERS[1:]:
            other = re.escape(default[tier].lower())
            if default[tier] != default["prod"] and not re.search(
                rf"\b{tier} {other}(?![\w-])", comment
            ):
                return False
    shown = value == default["prod"]
    return shown or f"default {default['prod'].lower()}" in comment or (
        every and "default all" in comment
    )  # fmt: skip


def _all() -> list[Mention]:
    return template().mentions


def test_everything_switched_on_is_of_the_right_shape() -> None:
    root = build(TEMPLATES / "system.yaml", template().switched_on)
    assert isinstance(root, Table)
    entries = {key: entry for key, entry in root.entries.items() if key not in SECTIONS}
    assert list(check_structure(Table(root.place, entries), Shape(System))) == []


def test_sizes_of_memory_are_fargates() -> None:
    said = next(one.comment for one in _all() if one.key == ("Workload", "cpu_units"))
    for units in (256, 512, 1024):
        sizes = FARGATE_MEMORY_MB[units]
        assert f"{sizes[0]} to {sizes[-1]} with {units}" in said


def test_what_is_switched_off_is_told_from_what_is_explained() -> None:
    """No line is both: after # comes a space, or a field."""
    for number, line in enumerate(template().lines, 1):
        if line.lstrip().startswith("#") and not _PROSE.match(line):
            on = _OFF.sub(r"\1", line).strip()
            assert re.match(r'^(- )?(\{|["\w*-]+:)', on), f"line {number}: {line}"
        assert len(line) <= 100, f"line {number}"


def test_there_is_no_second_template() -> None:
    names = {file.name for file in TEMPLATES.iterdir()}
    assert names == {"system.yaml", "stack.yaml"}
    leaf = build(TEMPLATES / "system.yaml", template().switched_on)
    assert not [one for one in _scalars(leaf) if "$" in one.text]


def _scalars(node: Node | None) -> Iterator[Scalar]:
    if isinstance(node, Table):
        for entry in node.entries.values():
            yield from _scalars(entry.node)
    elif isinstance(node, Listing):
        for item in node.items:
            yield from _scalars(item)
    elif node is not None:
        yield node


@pytest.mark.parametrize("tier", TIERS)
def test_the_stack_file_names_what_it_is_for(tier: str) -> None:
    text = rendered(ROOT, NAME, CODE)[ROOT / f"Pulumi.{NAME}-{tier}.yaml"]
    assert f"gonogo:system: {NAME}" in text
    assert f"gonogo:tier: {tier}" in text
    on = "\n".join(_OFF.sub(r"\1", line) for line in text.splitlines())
    root = build(TEMPLATES / "stack.yaml", on)
    assert isinstance(root, Table)
    assert set(plain(root)["config"]) == {  # type: ignore[index]
        "aws:region", *KEYS,
    }  # fmt: skip
