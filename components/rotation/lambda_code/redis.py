"""The token (AUTH) of an ElastiCache replication group. Tag: `gonogo:cache`, its identifier.

ElastiCache keeps the token before the new one valid until the next rotation, so readers that have
not been deployed anew go on.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from .aws import client
from .randomness import random_text

_TOKEN_LENGTH = 64
_WAIT_SECONDS = 420
_TIMEOUT_SECONDS = 10


def fresh(current: str | None, tags: Mapping[str, str]) -> str:
    """The new value: a new token, and where to connect."""
    before = json.loads(current) if current else {}
    host, port = find_group(tags["gonogo:cache"])
    password = random_text(_TOKEN_LENGTH)
    return json.dumps(
        {
            **before,
            "password": password,
            "host": host,
            "port": port,
            "url": f"rediss://:{password}@{host}:{port}",
        }
    )


def apply(pending: str, tags: Mapping[str, str]) -> None:
    """The group accepts the new token beside the old one."""
    identifier = tags["gonogo:cache"]
    if _accepts(pending):
        return
    client("elasticache").modify_replication_group(
        ReplicationGroupId=identifier,
        AuthToken=json.loads(pending)["password"],
        AuthTokenUpdateStrategy="ROTATE",
        ApplyImmediately=True,
    )
    deadline = time.monotonic() + _WAIT_SECONDS
    while not _accepts(pending):
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"replication group {identifier} does not accept the new token after "
                f"{_WAIT_SECONDS} seconds"
            )
        time.sleep(2)


def check(pending: str, tags: Mapping[str, str]) -> None:
    """The new token opens the group."""
    if not _accepts(pending):
        raise PermissionError(f"replication group {tags['gonogo:cache']} refuses the new token")


def finished(current: str, tags: Mapping[str, str]) -> None:
    """Nothing is left to do."""


def find_group(identifier: str) -> tuple[str, int]:
    """Where the group answers: its configuration endpoint, or the first group's primary."""
    answer = client("elasticache").describe_replication_groups(ReplicationGroupId=identifier)
    group: dict[str, Any] = answer["ReplicationGroups"][0]
    endpoint = group.get("ConfigurationEndpoint") or group["NodeGroups"][0]["PrimaryEndpoint"]
    return str(endpoint["Address"]), int(endpoint["Port"])


def _accepts(value: str) -> bool:
    """True when the group answers `+OK` to AUTH with this token."""
    wanted = json.loads(value)
    command = ("AUTH", wanted["password"])
    request = f"*{len(command)}\r\n" + "".join(f"${len(c)}\r\n{c}\r\n" for c in command)
    try:
        with _connect(wanted["host"], int(wanted["port"])) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).startswith(b"+OK")
    except ConnectionError:
        return False


def _connect(host: str, port: int) -> socket.socket:
    """ElastiCache's certificates are of a public authority; OpenSSL's `SSL_CERT_FILE` names
    another for a server on this machine."""
    raw = socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS)
    return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
