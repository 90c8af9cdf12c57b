"""A whole system, and the references between its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.alarm import Alarm, Dashboard, Notifications
from systems.model.base import ClockTime, EnvironmentName, LogRetentionDays, Model, Name
from systems.model.cache import Cache
from systems.model.database import Backup, Database
from systems.model.ingress import Ingress
from systems.model.network import Network
from systems.model.schedule import Schedule
from systems.model.secret import Secret
from systems.model.workload import Job, Service, Worker, Workload

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
    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,7}$")]
    title: str = Field(min_length=1)
    description: str = ""
    owner: str = Field(min_length=1)
    network: Network = Network()
    databases: dict[Name, Database] = {}
    caches: dict[Name, Cache] = {}
    secrets: dict[Name, Secret] = {}
    environment: dict[EnvironmentName, str] = {}
    services: dict[Name, Service] = {}
    workers: dict[Name, Worker] = {}
    jobs: dict[Name, Job] = {}
    ingress: Ingress | None = None
    schedules: dict[Name, Schedule] = {}
    alarms: dict[Name, Alarm] = {}
    notifications: Notifications
    dashboards: dict[Name, Dashboard] = {}
    backup: Backup | None = None
    logs: Logs = Logs()
    tracing: Tracing = Tracing()
    windows: dict[Name, Window] = {}
    runbook_base_url: Annotated[str, StringConstraints(pattern=r"^https://")]
    tags: dict[str, str] = {}
    protect: bool = True

    def workloads(self) -> Iterator[tuple[str, str, Workload]]:
        """Each workload as (collection, name, workload)."""
        for collection in ("services", "workers", "jobs"):
            for name, workload in getattr(self, collection).items():
                yield collection, name, workload

    @model_validator(mode="after")
    def _references_lead_somewhere(self) -> Self:
        problems = [*self._workload_problems(), *self._schedule_problems(), *self._route_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _workload_problems(self) -> Iterator[str]:
        seen: dict[str, str] = {}
        for collection, name, workload in self.workloads():
            where = f"{collection}.{name}"
            if name in seen:
                yield f"{where} has the name of {seen[name]}"
            seen[name] = where
            for variable, reference in workload.secrets.items():
                if reference.partition(":")[0] not in self.secrets:
                    yield _dangling(
                        f"{where}.secrets.{variable}", reference, "secrets", self.secrets
                    )
            for database in workload.databases:
                if database not in self.databases:
                    yield _dangling(f"{where}.databases", database, "databases", self.databases)
            for cache in workload.caches:
                if cache not in self.caches:
                    yield _dangling(f"{where}.caches", cache, "caches", self.caches)

    def _schedule_problems(self) -> Iterator[str]:
        for name, schedule in self.schedules.items():
            if schedule.http:
                call = schedule.http
                if call.service not in self.services:
                    yield _dangling(
                        f"schedules.{name}.http.service", call.service, "services", self.services
                    )
                if call.bearer_secret not in self.secrets:
                    yield _dangling(
                        f"schedules.{name}.http.bearer_secret",
                        call.bearer_secret,
                        "secrets",
                        self.secrets,
                    )
                if self.ingress is None:
                    yield f"schedules.{name}.http needs an ingress to call through"
            if schedule.job and schedule.job not in self.jobs:
                yield _dangling(f"schedules.{name}.job", schedule.job, "jobs", self.jobs)

    def _route_problems(self) -> Iterator[str]:
        if self.services and self.ingress is None:
            yield "services need an ingress: declare one, or make them workers"
        defaults = [name for name, service in self.services.items() if service.default_route]
        if self.services and len(defaults) != 1:
            yield f"exactly one service takes default_route: true, found {defaults or 'none'}"
        priorities: dict[int, str] = {}
        for name, service in self.services.items():
            if not service.routes and not service.default_route:
                yield f"services.{name} has neither routes nor default_route: nothing reaches it"
            for route in service.routes:
                if route.priority in priorities:
                    yield (
                        f"services.{name}.routes: priority {route.priority} is taken by "
                        f"{priorities[route.priority]}"
                    )
                priorities[route.priority] = name


def _dangling(where: str, found: str, kind: str, declared: dict[str, object] | object) -> str:
    names = ", ".join(sorted(declared)) if isinstance(declared, dict) and declared else "none"
    return f"{where}: {found!r} is not declared under {kind} (declared: {names})"
