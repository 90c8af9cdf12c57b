"""Real TLS before a server that was built without it.

A front listens at the endpoint's port, ends TLS there with the sandbox's certificate and passes
the bytes on. For PostgreSQL it speaks the request by which a client asks for TLS (PostgreSQL's
documentation, "SSL Session Encryption"), and refuses a client without TLS where TLS is forced.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from sandbox.stores.process import free_port

T = TypeVar("T")
CHUNK_BYTES = 65536
CONNECT_SECONDS = 10
TLS_REQUEST = 80877103
GSS_REQUEST = 80877104
LARGEST_FIRST_MESSAGE = 10000


@dataclass(frozen=True)
class Front:
    """What a front does: the protocol, the server behind it, its certificate."""

    kind: Literal["postgresql", "redis"]
    backend_port: int
    certificate: Path
    key: Path
    force_tls: bool = True


class Fronts:
    """The fronts of this process; they run in a thread of their own."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: dict[str, tuple[Front, asyncio.Server]] = {}
        self._lock = threading.Lock()

    def open(self, name: str, front: Front, port: int = 0) -> int:
        """Open a front, or leave it when it is open as it is wanted; its port.

        A wanted port that is taken is not waited for: another one is chosen.
        """
        with self._lock:
            known = self._servers.get(name)
            if known is not None:
                if known[0] == front:
                    return _port_of(known[1])
                port = _port_of(known[1])
                self._run(_close(known[1]))
            server = self._run(_listen(front, port))
            self._servers[name] = (front, server)
            return _port_of(server)

    def close(self, name: str) -> None:
        """Close a front; nothing happens when there is none."""
        with self._lock:
            known = self._servers.pop(name, None)
            if known is not None:
                self._run(_close(known[1]))

    def close_all(self) -> None:
        """Close every front."""
        for name in list(self._servers):
            self.close(name)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            thread = threading.Thread(target=self._loop.run_forever, name="fronts", daemon=True)
            thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(CONNECT_SECONDS)


def _port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _listen(front: Front, port: int) -> asyncio.Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(front.certificate, front.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            first: bytes | None = b""
            if front.kind == "postgresql":
                first = await _greet(front, context, reader, writer)
            if first is not None:
                await _pass_on(front.backend_port, first, reader, writer)
        writer.close()

    outer = context if front.kind == "redis" else None
    try:
        return await asyncio.start_server(serve, "127.0.0.1", port or free_port(), ssl=outer)
    except OSError:
        return await asyncio.start_server(serve, "127.0.0.1", free_port(), ssl=outer)


async def _close(server: asyncio.Server) -> None:
    server.close()


async def _greet(
    front: Front,
    context: ssl.SSLContext,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bytes | None:
    """Answer a client's request for TLS; the bytes to pass on first, or None to end."""
    while True:
        head = await reader.readexactly(8)
        length, code = struct.unpack("!ii", head)
        if code == TLS_REQUEST:
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            return b""
        if code != GSS_REQUEST:
            break
        writer.write(b"N")
        await writer.drain()
    if not 8 <= length <= LARGEST_FIRST_MESSAGE:
        return None
    first = head + await reader.readexactly(length - 8)
    if front.force_tls:
        writer.write(_refusal(first[8:]))
        await writer.drain()
        return None
    return first


def _refusal(parameters: bytes) -> bytes:
    """PostgreSQL's own words for a client that came without TLS."""
    words = parameters.split(b"\0")
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    user = pairs.get(b"user", b"").decode("utf-8", "replace")
    database = pairs.get(b"database", user.encode()).decode("utf-8", "replace")
    message = (
        f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", database "{database}",'
        " no encryption"
    )
    fields = {"S": "FATAL", "V": "FATAL", "C": "28000", "M": message}
    body = b"".join(key.encode() + text.encode() + b"\0" for key, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


async def _pass_on(
    port: int, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    backend_reader, backend_writer = await asyncio.wait_for(
        asyncio.open_connection("127.0.0.1", port), CONNECT_SECONDS
    )
    backend_writer.write(first)
    ways = {
        asyncio.create_task(_copy(reader, backend_writer)),
        asyncio.create_task(_copy(backend_reader, writer)),
    }
    _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    backend_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
