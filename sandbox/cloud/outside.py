"""The emulator reaches nothing outside this machine.

Alarms, topics and schedules name real webhooks; an emulated alarm must not page a person. An
audit hook sees every connection of this process and refuses those that leave loopback.
"""

from __future__ import annotations

import ipaddress
import logging
import sys
from typing import Any

logger = logging.getLogger("gonogo.outside")
refused: set[str] = set()
MAX_REMEMBERED = 200


class OutsideError(OSError):
    """A connection out of this machine was refused."""


def forbid() -> None:
    """Refuse, from now on and for ever in this process, to reach another machine."""
    sys.addaudithook(_watch)


def is_inside(host: Any) -> bool:
    """True for loopback, by address or by name."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost") or (isinstance(host, str) and host.endswith(".localhost")):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        _judge(arguments[0])
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple):  # a path is a socket of this machine
            _judge(address[0])


def _judge(host: Any) -> None:
    if is_inside(host):
        return
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name not in refused and len(refused) < MAX_REMEMBERED:
        refused.add(name)
        logger.warning("not called, for it is outside this machine: %s", name)
    raise OutsideError(f"The sandbox calls nothing outside this machine: {name}")
