"""A real Valkey: users, settings, start and end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.retry import Retry

from sandbox.stores import valkey
from sandbox.stores.process import is_running

pytestmark = pytest.mark.slow
NO_RETRY = Retry(NoBackoff(), 0)
ALL = "on ~* &* +@all"
TOKEN = "a token of some length"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[valkey.Server]:
    found = valkey.Server(tmp_path / "cache", valkey.find())
    found.create()
    found.start([valkey.User("default", ALL, [TOKEN])], {"maxmemory-policy": "allkeys-lru"})
    yield found
    found.remove()


def client(server: valkey.Server, **words: str) -> redis.Redis:
    return redis.Redis(
        host="127.0.0.1", port=server.port, decode_responses=True, retry=NO_RETRY,
        **words,  # type: ignore[arg-type]
    )  # fmt: skip


def test_only_the_token_is_let_in(server: valkey.Server) -> None:
    assert client(server, password=TOKEN).ping()
    for wrong in ({}, {"password": "wrong"}):
        with pytest.raises(AuthenticationError):
            client(server, **wrong).ping()


def test_settings_hold_and_administration_is_taken_away(server: valkey.Server) -> None:
    assert client(server, password=TOKEN).info("memory")["maxmemory_policy"] == "allkeys-lru"
    for command in (["CONFIG", "GET", "*"], ["SHUTDOWN"], ["ACL", "SETUSER", "x"]):
        with pytest.raises(NoPermissionError):
            client(server, password=TOKEN).execute_command(*command)  # type: ignore[no-untyped-call]


def test_users_change_while_it_runs(server: valkey.Server) -> None:
    reader = valkey.User("reader", "on ~* -@all +get", ["the reader's own words"])
    server.apply([reader], {"maxmemory-policy": "noeviction"})
    with pytest.raises(AuthenticationError):
        client(server, password=TOKEN).ping()
    found = client(server, username="reader", password="the reader's own words")
    assert found.get("missing") is None
    with pytest.raises(NoPermissionError):
        found.set("a", "b")


def test_data_outlives_a_stop(server: valkey.Server) -> None:
    client(server, password=TOKEN).set("kept", "yes")
    port, process = server.port, server.process()
    server.stop()
    assert not is_running(process)
    server.start([valkey.User("default", ALL, [TOKEN])], {})
    assert server.port == port
    assert client(server, password=TOKEN).get("kept") == "yes"


def test_remove_leaves_nothing(server: valkey.Server) -> None:
    process = server.process()
    server.remove()
    assert not is_running(process)
    assert not server.folder.exists()


def test_settings_that_are_not_taken_are_named() -> None:
    assert set(valkey.left_out({"maxmemory-policy": "x", "reserved-memory-percent": "25"})) == {
        "reserved-memory-percent"
    }
