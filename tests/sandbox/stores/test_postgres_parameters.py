"""A DB parameter group as a real PostgreSQL takes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stores import postgres_binaries
from sandbox.stores.placement import data_root, remove_data_root
from sandbox.stores.postgres_binaries import Installation
from sandbox.stores.postgres_parameters import is_static, problem, render, translate


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    home: Path = tmp_path_factory.mktemp("home")
    yield postgres_binaries.find(data_root(home))
    remove_data_root(home)


@pytest.mark.parametrize(
    ("name", "value", "trouble"),
    [
        ("statement_timeout", "30000", None),
        ("statement_timeout", "-1", "allowed values are: 0-2147483647"),
        ("statement_timeout", "half a minute", "allowed values are: 0-2147483647"),
        ("log_connections", "1", None),
        ("log_connections", "perhaps", "allowed values are: 0,1"),
        ("rds.force_ssl", "2", "allowed values are: 0,1"),
        ("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", None),
        ("rds.logical_replication", "1", None),
    ],
)
def test_values_that_aws_refuses(
    installation: Installation, name: str, value: str, trouble: str | None
) -> None:
    if name == "log_connections" and installation.major >= 18:
        pytest.skip("a list since PostgreSQL 18")
    assert problem(installation, name, value) == trouble


def test_what_is_not_applied_is_named_with_its_reason(installation: Installation) -> None:
    given = {
        "statement_timeout": "30000", "shared_buffers": "262144", "no_such": "1",
        "max_connections": "5000", "shared_preload_libraries": "no_such_library",
    }  # fmt: skip
    found = translate(installation, given, 16)
    assert found.applied == {"statement_timeout": "30000", "shared_preload_libraries": ""}
    assert set(found.left_out) == set(given) - {"statement_timeout"}
    assert "no_such_library" in found.left_out["shared_preload_libraries"]


def test_tls_is_forced_by_default_since_major_version_15(installation: Installation) -> None:
    assert translate(installation, {}, 15).force_tls
    assert not translate(installation, {}, 14).force_tls
    assert translate(installation, {"rds.force_ssl": "1"}, 14).force_tls
    assert not translate(installation, {"rds.force_ssl": "0"}, 16).force_tls


def test_static_parameters_are_known(installation: Installation) -> None:
    assert is_static(installation, "max_connections")
    assert is_static(installation, "shared_preload_libraries")
    assert not is_static(installation, "statement_timeout")


def test_a_value_cannot_end_its_line() -> None:
    assert render({"search_path": "a'b\nport = 1"}) == "search_path = 'a''b port = 1'\n"
