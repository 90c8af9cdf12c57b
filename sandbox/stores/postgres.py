"""One PostgreSQL server on loopback: its files, its start and end, its roles and parameters.

A server's folder has `record.json` (port, administrator's password, process), `data/` and
`log`. The administrator is `rdsadmin`, as on RDS; the master user is no superuser, as on RDS.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from sandbox.stores import certificates
from sandbox.stores.placement import give
from sandbox.stores.postgres_binaries import Installation, run_as, template
from sandbox.stores.postgres_parameters import Translation, render
from sandbox.stores.process import (
    ProcessEndedError,
    ProcessId,
    free_port,
    identify,
    is_port_free,
    is_running,
    spawn,
    stop,
    tail,
    wait_until,
)
from sandbox.stores.recorded_server import RecordedServer, StoreError

START_SECONDS = 30
PORT_ATTEMPTS = 3


@dataclass(frozen=True)
class Master:
    """The first role and database, as CreateDBInstance names them. No database name: none."""

    username: str
    password: str
    database: str = ""


class Server(RecordedServer):
    """A server whose files are in `folder`; `home` has the sandbox's authority for TLS."""

    def __init__(self, folder: Path, home: Path, installation: Installation) -> None:
        super().__init__(folder)
        self.home = home
        self.installation = installation
        self.data = folder / "data"

    def create(self, master: Master, *, port: int = 0) -> None:
        """Make the files: a copy of the template, the roles, the database. Not started yet."""
        self.remove()
        source = template(self.installation, self.folder.parent)
        self.folder.mkdir(mode=0o700)
        give(self.folder, self.installation.user)
        # A thousand small files: `cp` is several times faster than Python here.
        run_as(self.installation.user, ["cp", "-Rp", source, self.data])
        administrator = secrets.token_urlsafe(24)
        if self.installation.has_tls:
            certificates.server(self.home, self.data, "database")
        give(self.folder, self.installation.user)
        self.save(port=port or free_port(), administrator=administrator)
        self._alone(_first_statements(master, administrator))

    def configure(self, translation: Translation) -> None:
        """Write the configuration; `start` or `reload` makes it hold."""
        self._write("parameters.conf", render(translation.applied))
        self._write("pg_hba.conf", _access(translation.force_tls, self.installation.has_tls))

    def start(self) -> None:
        """Start the server and wait until it takes connections; another port if its is taken."""
        if self.is_running():
            return
        self._forget_lock()
        port = int(self.record()["port"])
        for attempt in range(PORT_ATTEMPTS):
            if attempt or not is_port_free(port):
                port = free_port()
            self.save(port=port)
            self._write("postgresql.conf", self._configuration(port))
            try:
                self._launch()
            except (StoreError, ProcessEndedError):
                if attempt == PORT_ATTEMPTS - 1 or is_port_free(port):
                    raise
            else:
                return

    def stop(self, *, fast: bool = True) -> None:
        """End the server: its clients are cut off, its data is written."""
        first = signal.SIGINT if fast else signal.SIGTERM
        if not stop(self.process(), grace_seconds=20, first=first):
            raise StoreError(f"The server in {self.folder} does not end. See {self.log}.")

    def remove(self) -> None:
        """End the server without ceremony and remove every file of it."""
        stop(self.process(), grace_seconds=3, first=signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def reload(self) -> None:
        """Make a changed configuration hold where no restart is needed."""
        process = self.process()
        if process and is_running(process):
            psutil.Process(process.pid).send_signal(signal.SIGHUP)

    def set_password(self, username: str, password: str) -> None:
        """Give a role another password. Raises `StoreError` when there is no such role."""
        from psycopg import Error, sql

        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(username), sql.Literal(password)
        )
        try:
            with self.connect() as connection:
                connection.execute(statement)
        except Error as error:
            raise StoreError(f"The password of {username} was not changed: {error}") from error

    @contextlib.contextmanager
    def connect(self, database: str = "postgres") -> Iterator[Any]:
        """A connection as the administrator."""
        import psycopg

        record = self.record()
        with psycopg.connect(
            host="127.0.0.1",
            port=record["port"],
            user="rdsadmin",
            password=record["administrator"],
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        ) as connection:
            yield connection

    def exists(self) -> bool:
        """True when its files are there and were made to the end."""
        return (self.folder / "record.json").exists() and (self.data / "PG_VERSION").exists()

    def process(self) -> ProcessId | None:
        """The server's process: the recorded one, else the one that holds the data folder."""
        return super().process() or self._holder()

    def _launch(self) -> None:
        start = self.log.stat().st_size if self.log.exists() else 0
        process = spawn(
            [self.installation.program("postgres"), "-D", self.data],
            log=self.log,
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            directory=Path("/"),
            user=self.installation.user,
        )
        self.save(process=process.as_json())
        wait_until(lambda: self._is_ready() or not is_running(process), START_SECONDS)
        if not self._is_ready() or not is_running(process):
            stop(process, grace_seconds=1, first=signal.SIGQUIT)
            said = self.log.read_bytes()[start:].decode("utf-8", "replace") or tail(self.log)
            raise StoreError(f"PostgreSQL did not start: {said.strip()[-600:]}")

    def _is_ready(self) -> bool:
        """PostgreSQL writes its state into the eighth line of its lock file."""
        lines = self._lock_lines()
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _lock_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _holder(self) -> ProcessId | None:
        """A server whose start was never recorded: we were killed in between."""
        lines = self._lock_lines()
        if not lines or not lines[0].isdigit():
            return None
        try:
            process = psutil.Process(int(lines[0]))
            if Path(process.cwd()).resolve() != self.data.resolve():
                return None
        except (psutil.Error, OSError):
            return None
        return identify(process.pid)

    def _forget_lock(self) -> None:
        """Nobody holds the folder, so a lock file is a dead server's whose id may be reused."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _alone(self, statements: list[str]) -> None:
        """Run statements in PostgreSQL's single-user mode: nobody else can be connected."""
        program = self.installation.program("postgres")
        # -F: nobody has been told yet that this data exists, so it need not survive a crash.
        command: list[str | Path] = [program, "--single", "-F", "-j", "-D", self.data, "postgres"]
        # With -j a statement ends with a semicolon and an empty line.
        output = run_as(self.installation.user, command, "\n\n".join(statements) + "\n\n")
        if "ERROR" in output:
            raise StoreError(f"The first roles were not made: {output.strip()[-400:]}")

    def _configuration(self, port: int) -> str:
        tls = (
            "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n"
            "ssl_min_protocol_version = 'TLSv1.2'\n"
            if self.installation.has_tls
            else ""
        )
        return (
            f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n"
            "password_encryption = 'scram-sha-256'\nshared_buffers = '16MB'\n"
            "wal_level = replica\nfsync = on\nmax_wal_size = '128MB'\nmin_wal_size = '8MB'\n"
            f"timezone = 'UTC'\nlog_timezone = 'UTC'\n{tls}include = 'parameters.conf'\n"
        )

    def _write(self, name: str, text: str) -> None:
        path = self.data / name
        certificates.write_private(path, text.encode())
        give(path, self.installation.user)


def literal(value: str) -> str:
    """A string as SQL reads it back."""
    escaped = value.replace("'", "''").replace("\\", "\\\\")
    return f" E'{escaped}'" if "\\" in value else f"'{escaped}'"


def identifier(value: str) -> str:
    """A name as SQL reads it back."""
    return '"' + value.replace('"', '""') + '"'


def _first_statements(master: Master, administrator: str) -> list[str]:
    """As RDS leaves a new instance: a master user with `rds_superuser`, not a superuser."""
    user = identifier(master.username)
    statements = [
        f"ALTER ROLE rdsadmin PASSWORD {literal(administrator)};",
        "CREATE ROLE rds_superuser;",
        "GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION;",
        f"CREATE ROLE {user} LOGIN CREATEDB CREATEROLE PASSWORD {literal(master.password)};",
        f"GRANT rds_superuser TO {user};",
    ]
    if master.database and master.database != "postgres":
        statements.append(f"CREATE DATABASE {identifier(master.database)} OWNER {user};")
    return statements


def _access(force_tls: bool, has_tls: bool) -> str:
    kind = "hostssl" if force_tls and has_tls else "host"
    return (
        "host all rdsadmin 127.0.0.1/32 scram-sha-256\n"
        "host replication rdsadmin 127.0.0.1/32 scram-sha-256\n"
        f"{kind} all all 127.0.0.1/32 scram-sha-256\n"
    )
