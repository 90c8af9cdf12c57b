"""A random token. Tags: `gonogo:length` (characters), and `gonogo:connection`: the EventBridge
connection that sends the token as `Authorization: Bearer …`.

The order is chosen for the callers: first the services that check the token are deployed anew with
it (`finishSecret`, before `finished` is called), then the connection sends it. Between the two a
call may meet the wrong one of both and gets 401, which EventBridge tries again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from .aws import client
from .randomness import random_text

_SETTLED = {"AUTHORIZED", "DEAUTHORIZED", "ACTIVE"}
_WAIT_SECONDS = 30
_SHORTEST = 32


def fresh(current: str | None, tags: Mapping[str, str]) -> str:
    """A new token, as long as the tag says, else as the one before."""
    default = len(current) if current else _SHORTEST
    return random_text(max(_SHORTEST, int(tags.get("gonogo:length", default))))


def apply(pending: str, tags: Mapping[str, str]) -> None:
    """Nothing has to accept a token before it is used."""


def check(pending: str, tags: Mapping[str, str]) -> None:
    """A token is good when it is long enough and fit for a header."""
    if len(pending) < _SHORTEST or not pending.isascii() or not pending.isalnum():
        raise ValueError("the new token is too short or has characters unfit for a header")


def finished(current: str, tags: Mapping[str, str]) -> None:
    """The connection sends the token that is current now."""
    name = tags.get("gonogo:connection")
    if not name:
        return
    events = client("events")
    events.update_connection(
        Name=name,
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {
                "ApiKeyName": "Authorization",  # pragma: allowlist secret
                "ApiKeyValue": f"Bearer {current}",
            }
        },
    )
    deadline = time.monotonic() + _WAIT_SECONDS
    while (state := events.describe_connection(Name=name)["ConnectionState"]) not in _SETTLED:
        if time.monotonic() > deadline:
            raise TimeoutError(f"connection {name} is still {state} after {_WAIT_SECONDS} seconds")
        time.sleep(1)
