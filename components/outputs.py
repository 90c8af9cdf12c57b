"""What a stack exports of its system."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pulumi

from components.postgres import Postgres
from components.redis import Redis


@dataclass(frozen=True)
class Outputs:
    """What the stack exports: where things are, and what a person has to do next."""

    system: str
    tier: str
    phase: str | None
    region: str
    url: str | None
    load_balancer: pulumi.Output[str] | None
    cluster: str
    databases: dict[str, dict[str, Any]]
    caches: dict[str, dict[str, Any]]
    workloads: dict[str, dict[str, Any]]
    jobs: dict[str, dict[str, Any]]
    # What belongs there is not under the secret's own name, where it would look like its value.
    secrets_to_fill: dict[str, dict[str, str]]
    parameters: dict[str, str]
    topics: dict[str, pulumi.Output[str]]
    alarms: dict[str, int]
    health_alarm: str
    dashboard: str

    def export(self) -> None:
        """Export each of them from the stack."""
        for field in dataclasses.fields(self):
            pulumi.export(field.name, getattr(self, field.name))


def of_database(database: Postgres) -> dict[str, Any]:
    """Where clients reach a database, and which secrets let them in."""
    return {
        "endpoint": database.endpoint,
        "address": database.instance_address,
        "port": database.instance_port,
        "identifier": database.identifier,
        "secret": database.application_secret_name,
        "master_secret_arn": database.master_secret_arn,
    }


def of_cache(cache: Redis) -> dict[str, Any]:
    """Where clients reach a cache, and which secret lets them in."""
    return {
        "endpoint": cache.endpoint,
        "port": cache.group.port.apply(lambda port: port or cache.port),
        "identifier": cache.identifier,
        "secret": cache.secret_name,
    }
