"""Roles of a database and what they may do. Every statement may be run again.

Two roles: the application's reads and writes rows, the migration's makes tables. What the master
user or the migration's role makes later is open to the application by default privileges, whichever
of the two roles was made first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Any

from pg8000.native import identifier, literal

# One rotation at a time changes roles in a database. The number is ours and means nothing.
_LOCK = 7265_7461
_SCRAM_ITERATIONS = 4096
_ROWS = "SELECT, INSERT, UPDATE, DELETE"
# A migration may take long, but must not make others wait for its locks.
_MIGRATION_SETTINGS = {"statement_timeout": "1h", "lock_timeout": "10s"}


@dataclass(frozen=True)
class Role:
    """A role as it is wanted. `purpose` is `application` or `migration`; `peer` the other role."""

    name: str
    password: str
    purpose: str
    database: str
    peer: str | None = None


def ensure(database: Any, role: Role) -> None:
    """The role exists with this password and these rights; all of it or nothing."""
    if role.purpose not in {"application", "migration"}:
        raise ValueError(f"gonogo:role is {role.purpose!r}, allowed are application, migration")
    database.run("BEGIN")
    try:
        database.run("SELECT pg_advisory_xact_lock(:lock)", lock=_LOCK)
        is_new = not _exists(database, role.name)
        verb = "CREATE" if is_new else "ALTER"
        database.run(
            f"{verb} ROLE {identifier(role.name)} WITH LOGIN PASSWORD "
            f"{literal(scram_verifier(role.password))}"
        )
        if role.purpose == "application":
            _let_work(database, role, is_new=is_new)
        else:
            _let_migrate(database, role)
        database.run("COMMIT")
    except BaseException:
        database.run("ROLLBACK")
        raise


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores of a password (RFC 5803), made here: the server and its logs never
    see the password itself."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    first, second, third = (base64.b64encode(b).decode() for b in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{first}${second}:{third}"


def _exists(database: Any, name: str) -> bool:
    return bool(database.run("SELECT 1 FROM pg_roles WHERE rolname = :name", name=name))


def _let_work(database: Any, role: Role, *, is_new: bool) -> None:
    name = identifier(role.name)
    database.run(f"GRANT CONNECT ON DATABASE {identifier(role.database)} TO {name}")
    database.run(f"GRANT USAGE ON SCHEMA public TO {name}")
    if is_new:
        # Only now: what is made later is open by default, and what was closed since stays closed.
        database.run(f"GRANT {_ROWS} ON ALL TABLES IN SCHEMA public TO {name}")
        database.run(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")
    _open_what_comes(database, None, role.name)
    if role.peer and _exists(database, role.peer):
        _open_what_comes(database, role.peer, role.name)


def _let_migrate(database: Any, role: Role) -> None:
    name = identifier(role.name)
    place = identifier(role.database)
    database.run(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {place} TO {name}")
    database.run(f"GRANT USAGE, CREATE ON SCHEMA public TO {name}")
    for setting, value in _MIGRATION_SETTINGS.items():
        database.run(f"ALTER ROLE {name} SET {setting} = {literal(value)}")
    # To set a role's default privileges one has to be a member of it.
    database.run(f"GRANT {name} TO CURRENT_USER")
    if role.peer and _exists(database, role.peer):
        _open_what_comes(database, role.name, role.peer)


def _open_what_comes(database: Any, maker: str | None, reader: str) -> None:
    """What `maker` (None: the master user) makes in the schema `public`, `reader` may use."""
    whose = f"FOR ROLE {identifier(maker)} " if maker else ""
    start = f"ALTER DEFAULT PRIVILEGES {whose}IN SCHEMA public GRANT"
    database.run(f"{start} {_ROWS} ON TABLES TO {identifier(reader)}")
    database.run(f"{start} USAGE, SELECT ON SEQUENCES TO {identifier(reader)}")
