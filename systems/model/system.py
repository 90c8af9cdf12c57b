"""A whole system, and the references between its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.alarm import Alarm, Dashboard, Notifications
from systems.model.base import (
    ClockTime,
    EnvironmentName,
    LogRetentionDays,
    MisfitError,
    Model,
    Name,
    Says,
)
from systems.model.cache import Cache
from systems.model.criteria import Criterion
from systems.model.database import Backup, Database
from systems.model.ingress import Ingress
from systems.model.network import Network
from systems.model.parameter import Parameter
from systems.model.references import misfits
from systems.model.schedule import Schedule
from systems.model.secret import Secret
from systems.model.workload import Job, Service, Worker, Workload, refuse_secrets

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Window(Model):
    """When a change may be made, UTC. Ends on the next day when `end` is before `start`."""

    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    start: ClockTime
    end: ClockTime


class Logs(Model):
    """The containers' logs: JSON, one event a line, kept so long."""

    retention_days: LogRetentionDays = 30
    level: Literal["ERROR", "WARN", "INFO", "DEBUG"] = "INFO"
    format: Literal["json", "pretty"] = "json"


class Tracing(Model):
    """OpenTelemetry traces to X-Ray through a collector beside each task."""

    enabled: bool = False
    sample_percent: float = Field(default=5, ge=0, le=100)


class System(Model):
    """A system with its tier's defaults and its stack's overrides applied.

    `code` begins the names of what is made in AWS (`<code>-<tier>-<part>`), where some names may
    have 32 characters only.
    """

    name: Name
    code: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z][a-z0-9]{1,7}$"),
        Says("2 to 8 lower-case letters and digits, a letter first"),
    ]
    title: str = Field(min_length=1)
    description: str = ""
    owner: str = Field(min_length=1)
    network: Network = Network()
    databases: dict[Name, Database] = {}
    caches: dict[Name, Cache] = {}
    secrets: dict[Name, Secret] = {}
    parameters: dict[Name, Parameter] = {}
    environment: dict[EnvironmentName, str] = {}
    services: dict[Name, Service] = {}
    workers: dict[Name, Worker] = {}
    jobs: dict[Name, Job] = {}
    ingress: Ingress | None = None
    schedules: dict[Name, Schedule] = {}
    alarms: dict[Name, Alarm] = {}
    criteria: dict[Name, Criterion] = {}
    notifications: Notifications
    dashboards: dict[Name, Dashboard] = {}
    backup: Backup | None = None
    logs: Logs = Logs()
    tracing: Tracing = Tracing()
    windows: dict[Name, Window] = {}
    runbook_base_url: Annotated[
        str, StringConstraints(pattern=r"^https://"), Says("an address that begins with https://")
    ]
    tags: dict[str, str] = {}
    protect: bool = True

    def workloads(self) -> Iterator[tuple[str, str, Workload]]:
        """Each workload as (collection, name, workload)."""
        for collection in ("services", "workers", "jobs"):
            for name, workload in getattr(self, collection).items():
                yield collection, name, workload

    @model_validator(mode="after")
    def _references_lead_somewhere(self) -> Self:
        problems = tuple(misfits(self.model_dump()))
        if problems:
            raise MisfitError(problems)
        return self

    @model_validator(mode="after")
    def _no_secret_in_environment(self) -> Self:
        refuse_secrets(self.environment)
        return self
