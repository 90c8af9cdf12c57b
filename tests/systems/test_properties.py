"""Whatever a file holds, reading it gives a stack or a ConfigError, and nothing else."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from systems.document import Scalar, Table, leaves, plain
from systems.errors import ConfigError, Problem, render
from systems.reading import read

if TYPE_CHECKING:
    from tests.systems.conftest import Project

RELAXED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def kept(new_project: Callable[[], Project]) -> Project:
    return new_project()


def assert_clean(project: Project) -> None:
    """Every problem has a place in a file of the project, and reads in four lines."""
    try:
        project.load()
        problems: tuple[Problem, ...] = ()
    except ConfigError as error:
        problems = error.problems
        assert problems
    for problem in problems:
        raw = problem.place.file.read_bytes()
        lines = re.split(rb"\r\n|\r|\n", raw)
        assert 0 <= problem.place.line <= len(lines)
        assert len(render(problem).split("\n")) == 4


@RELAXED
@given(raw=st.binary(max_size=200))
@pytest.mark.parametrize("which", ["system", "stack"])
def test_any_bytes(raw: bytes, which: str, kept: Project) -> None:
    file = getattr(kept, which)
    before = file.read_bytes()
    try:
        file.write_bytes(raw)
        assert_clean(kept)
    finally:
        file.write_bytes(before)


YAML_PIECES = st.lists(
    st.sampled_from(
        ["a", "name", ":", ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", "'", '"', "&x ", "*x", "!",
         "!!str ", "|", ">", "#", "---", "?", "<<: ", "1", "1e999", "0x1", "~", "true", "\t", "%",
         "\u2028", "\ufeff", "é", "@", "`", ",", "\\", "config", "gonogo:tier", "databases", "*"]
    ),
    max_size=40,
)  # fmt: skip


@RELAXED
@given(pieces=YAML_PIECES)
@pytest.mark.parametrize("which", ["system", "stack"])
def test_anything_like_yaml(pieces: list[str], which: str, kept: Project) -> None:
    file = getattr(kept, which)
    before = file.read_bytes()
    try:
        file.write_text("".join(pieces), encoding="utf-8")
        assert_clean(kept)
    finally:
        file.write_bytes(before)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=20),
    st.sampled_from(["30s", "*", "us-east-1", "main", "a.b", "${x}", "-1", "", " "]),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=5), st.integers()),
    st.just([[[]]]), st.just({"*": {"*": None}}), st.just({"0": {"1": 2}}),
)  # fmt: skip


def _every_path(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path, *(one for key, below in items for one in _every_path(below, (*path, key)))]


@RELAXED
@given(value=VALUES, pick=st.integers(min_value=0), rename=st.booleans())
@pytest.mark.parametrize("which", ["system", "stack", "tier"])
def test_any_value_anywhere(
    value: object, pick: int, rename: bool, which: str, kept: Project
) -> None:
    file = kept.tier("prod") if which == "tier" else getattr(kept, which)
    before = file.read_bytes()
    data = plain(read(file))
    paths = _every_path(data)[1:]
    *above, last = paths[pick % len(paths)]
    parent: Any = data
    for key in above:
        parent = parent[key]
    if rename and isinstance(parent, dict):
        parent[str(value)] = parent.pop(last)
    else:
        parent[last] = value
    try:
        file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        assert_clean(kept)
    finally:
        file.write_bytes(before)


@RELAXED
@given(
    path=st.lists(
        st.sampled_from(
            ["databases", "main", "*", "0", "", "services", "dashboard", "environment", "X",
             "storage_gb", "notifications", "critical", "endpoint", "-1", "backup", "99"]
        ),
        min_size=1,
        max_size=5,
    ),
    value=VALUES,
)  # fmt: skip
def test_any_override(path: list[str], value: object, kept: Project) -> None:
    before = kept.stack.read_bytes()
    data: Any = plain(read(kept.stack))
    data["config"]["gonogo:overrides"] = {".".join(path): value}
    try:
        kept.stack.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        assert_clean(kept)
    finally:
        kept.stack.write_bytes(before)


def test_any_line_removed_or_indented(kept: Project) -> None:
    lines = kept.system.read_text().splitlines(keepends=True)
    chosen = random.Random(3).sample(range(len(lines)), 20)
    before = kept.system.read_bytes()
    try:
        for number in chosen:
            for line in ("", f" {lines[number]}", lines[number] * 2):
                kept.system.write_text("".join([*lines[:number], line, *lines[number + 1 :]]))
                assert_clean(kept)
    finally:
        kept.system.write_bytes(before)


class _Quoting(yaml.SafeDumper):  # type: ignore[misc]
    """All text in quotes, so that YAML 1.1 and 1.2 agree on what is written: to one `0E0` is text,
    to the other a number."""


_Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@RELAXED
@given(
    data=st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=6), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_what_is_read(data: dict[str, Any], kept: Project) -> None:
    assume("<<" not in str(data))
    file = kept.root / "some.yaml"
    file.write_text(yaml.dump(data, Dumper=_Quoting, allow_unicode=False))
    try:
        table = read(file)
    except ConfigError as error:
        raise AssertionError(str(error)) from error
    assert _as_text(plain(table)) == _as_text(data)
    source = file.read_text().splitlines()
    for _, scalar in leaves(table):
        assert isinstance(scalar, Scalar)
        if isinstance(scalar.value, int) and not isinstance(scalar.value, bool):
            line = source[scalar.place.line - 1]
            assert line[scalar.place.column - 1 :].startswith(scalar.text)


def _as_text(value: Any) -> Any:
    """Keys as text, as every reader of a config wants them."""
    if isinstance(value, dict):
        return {str(key): _as_text(below) for key, below in value.items()}
    return [_as_text(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("02:00", "02:00"), ("0o17", "0o17"), ("1_000", "1_000"),
        ("12", 12), ("-3", -3), ("012", 12), ("1.50", 1.5), ("1e3", 1000.0), (".inf", ".inf"),
        (".nan", ".nan"), ("1e999", "1e999"), ("true", True), ("TRUE", True), ("null", None),
        ("~", None), ('"12"', "12"), ("'true'", "true"), ("! 12", "12"),
    ],
)  # fmt: skip
def test_plain_values(text: str, value: object, kept: Project) -> None:
    file = kept.root / "one.yaml"
    file.write_text(f"a: {text}\n")
    table = read(file)
    assert isinstance(table, Table)
    node = table.entries["a"].node
    assert isinstance(node, Scalar)
    assert node.value == value
    assert type(node.value) is type(value)
    assert re.sub(r"[\"'! ]", "", text) == node.text
