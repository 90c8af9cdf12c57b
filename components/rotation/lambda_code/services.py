"""Deploying anew what reads a value only when it starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from .aws import client

# What finishing takes after the wait: the connection, a retry, the answer.
_RESERVE_SECONDS = 60
_PAUSE_SECONDS = 5


def restart(names: Sequence[str], seconds_left: Callable[[], float]) -> None:
    """A new deployment of each `<cluster>/<service>`, and a wait until it is done.

    A service that is gone, or that is told to run nothing, has nobody to tell. One that is not
    done in time goes on by itself: its own circuit breaker and alarms watch it.
    """
    started = [name.split("/", 1) for name in names if _deploy(*name.split("/", 1))]
    while started and seconds_left() > _RESERVE_SECONDS:
        started = [pair for pair in started if _is_rolling(*pair)]
        if started:
            time.sleep(_PAUSE_SECONDS)


def _deploy(cluster: str, service: str) -> bool:
    ecs = client("ecs")
    if not _active(cluster, service):
        return False
    ecs.update_service(cluster=cluster, service=service, forceNewDeployment=True)
    return True


def _is_rolling(cluster: str, service: str) -> bool:
    return any(
        len(found.get("deployments", [])) > 1
        or any(d.get("rolloutState") == "IN_PROGRESS" for d in found.get("deployments", []))
        for found in _active(cluster, service)
    )


def _active(cluster: str, service: str) -> list[dict[str, Any]]:
    ecs = client("ecs")
    try:
        answer = ecs.describe_services(cluster=cluster, services=[service])
    except ecs.exceptions.ClusterNotFoundException:
        return []
    return [
        found
        for found in answer["services"]
        if found["status"] == "ACTIVE" and found["desiredCount"] > 0
    ]
