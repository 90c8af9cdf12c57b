"""Load what the first preview would wait for, in the background, right after the start."""

from __future__ import annotations

import threading

from sandbox.provider import table
from sandbox.provider.call import carried
from sandbox.provider.provider import DEFAULT_REGION, Provider


def warm(provider: Provider) -> threading.Thread:
    """Read schemas and models of all rows, then make a client for each service."""

    def work() -> None:
        for row in table.rows():
            carried(row)
        provider.clients.warm(sorted({row.service for row in table.rows()}), DEFAULT_REGION)

    thread = threading.Thread(target=work, name="warm", daemon=True)
    thread.start()
    return thread
