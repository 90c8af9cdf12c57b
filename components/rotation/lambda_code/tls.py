"""Connecting to PostgreSQL over TLS.

`PGSSLMODE` and `PGSSLROOTCERT` mean what they mean to libpq: `require` (the default) wants TLS,
`verify-full` also wants a certificate of that authority for that host. `prefer` goes on without TLS
where the server has none; it is for a server on this machine.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

import pg8000.native

MODES = ("prefer", "require", "verify-full")
_TIMEOUT_SECONDS = 15


def connect(*, host: str, port: int, user: str, password: str, database: str) -> Any:
    """A connection; `pg8000.native.Connection`."""
    mode = os.environ.get("PGSSLMODE", "require")
    if mode not in MODES:
        raise ValueError(f"PGSSLMODE is {mode!r}, allowed are {', '.join(MODES)}")
    arguments = {
        "host": host,
        "port": port,
        "user": user,
        "password": password,
        "database": database,
        "timeout": _TIMEOUT_SECONDS,
        "application_name": "gonogo-rotation",
    }
    try:
        return pg8000.native.Connection(ssl_context=_context(mode), **arguments)
    except pg8000.native.InterfaceError as error:
        if mode == "prefer" and "refuses SSL" in str(error):
            return pg8000.native.Connection(ssl_context=None, **arguments)
        raise


def _context(mode: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=os.environ.get("PGSSLROOTCERT"))
    if mode != "verify-full":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
