"""What runs: services (with a port), workers (without), and jobs (once)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import (
    EnvironmentName,
    Misfit,
    MisfitError,
    Model,
    Name,
    Percent,
    Says,
    Severity,
    misfit,
)
from systems.suspects import PUBLIC_PREFIXES, looks_like, names_a_secret

ImageReference = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$"),
    Says("an image: ecr:<repository>@sha256:<64 hexadecimal digits>, or <registry>/<name>@..."),
]
"""`ecr:<repository>@sha256:<digest>` is the account's own ECR; others are taken as written."""

SecretReference = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}(:[A-Za-z0-9_]+)?$"),
    Says("the name of a secret, or one key of its JSON: alpaca or alpaca:api_key"),
]

UrlPath = Annotated[str, StringConstraints(pattern=r"^/"), Says("a path that begins with /")]
"""A secret of this system, or one key of its JSON: `alpaca` or `alpaca:api_key`."""

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
FARGATE_MEMORY_MB: dict[int, range | tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}


class ContainerHealth(Model):
    """The container's own health check; a task that fails it is replaced.

    A service may leave `command` out: its liveness path is asked over loopback.
    """

    command: str | None = Field(default=None, min_length=1)
    interval_seconds: int = Field(default=15, ge=5, le=300)
    timeout_seconds: int = Field(default=5, ge=2, le=60)
    retries: int = Field(default=3, ge=1, le=10)
    start_period_seconds: int = Field(default=30, ge=0, le=300)


class QueueScaling(Model):
    """Scale on the depth of the worker's queue, a metric that the application publishes.

    It is in the system's own namespace, with these `dimensions` and no others.
    """

    metric: str = Field(min_length=1)
    dimensions: dict[str, str] = {}
    target_per_task: float = Field(gt=0)


class Autoscaling(Model):
    """How many tasks, and what makes them more."""

    max_count: int = Field(ge=1, le=1000)
    cpu_percent: Percent | None = 60
    queue: QueueScaling | None = None
    scale_in_cooldown_seconds: int = Field(default=300, ge=0)
    scale_out_cooldown_seconds: int = Field(default=60, ge=0)


class Deployment(Model):
    """A rolling deployment that ECS itself takes back when the new tasks do not get healthy."""

    minimum_healthy_percent: int = Field(default=100, ge=0, le=100)
    maximum_percent: int = Field(default=200, ge=100, le=400)
    circuit_breaker: bool = True
    rollback: bool = True


class WorkloadAlarms(Model):
    """Thresholds of the alarms every service and worker has. `None` leaves one out."""

    cpu_percent: Percent | None = 85
    memory_percent: Percent | None = 90
    cpu_minutes: int = Field(default=5, ge=1, le=60)
    memory_minutes: int = Field(default=5, ge=1, le=60)
    load_severity: Severity = Field(
        default="warning", description="of CPU, memory and response time: whom they wake"
    )
    errors_logged_per_minute: int | None = Field(default=None, ge=0)


class ServiceAlarms(WorkloadAlarms):
    """And those of a service behind the load balancer.

    The last two are objectives over a day, told as warnings: the share of failed requests, and of
    minutes with a target that is ready.
    """

    error_rate_percent: Percent | None = 1
    error_rate_period_seconds: int = Field(default=300, ge=60)
    response_p95_ms: float | None = Field(default=2000, gt=0)
    down_minutes: int | None = Field(
        default=None, ge=1, le=60, description="no target ready for so long: the service is down"
    )
    daily_error_rate_percent: Percent | None = None
    daily_uptime_percent: float | None = Field(default=None, gt=0, lt=100)


class Workload(Model):
    """What services, workers and jobs have in common: an image, a size, its configuration."""

    image: ImageReference
    cpu_units: Literal[256, 512, 1024, 2048, 4096, 8192, 16384] = 256
    memory_mb: int = 512
    command: tuple[str, ...] = ()
    environment: dict[EnvironmentName, str] = {}
    secrets: dict[EnvironmentName, SecretReference] = {}
    databases: tuple[Name, ...] = ()
    caches: tuple[Name, ...] = ()
    stop_timeout_seconds: int = Field(default=30, ge=2, le=120)
    read_only_root: bool = True
    architecture: Literal["ARM64", "X86_64"] = "X86_64"

    @model_validator(mode="after")
    def _fargate_size(self) -> Self:
        allowed = FARGATE_MEMORY_MB[self.cpu_units]
        if self.memory_mb not in allowed:
            near = min(allowed, key=lambda size: abs(size - self.memory_mb))
            raise misfit(
                "memory_mb",
                f"{self.memory_mb} with cpu_units {self.cpu_units}, which Fargate does not have",
                _sizes(allowed),
                f"take {near}, or other cpu_units",
            )
        return self

    @model_validator(mode="after")
    def _nothing_secret_in_public(self) -> Self:
        public = [name for name in self.secrets if name.startswith(PUBLIC_PREFIXES)]
        if public:
            raise MisfitError(_published("secrets", name, "a secret") for name in public)
        doubled = sorted(set(self.secrets) & set(self.environment))
        if doubled:
            raise MisfitError(
                Misfit(
                    ("environment", name),
                    f"{name} under environment and under secrets",
                    "a variable in one of the two",
                    "remove it here if it is a secret",
                )
                for name in doubled
            )
        refuse_secrets(self.environment)
        return self


def refuse_secrets(environment: Mapping[str, str]) -> None:
    """Raise MisfitError for every plain variable that holds a secret, or is named as if."""
    suspects: list[Misfit] = []
    for name, value in environment.items():
        what = looks_like(value)
        if not value or not (what or names_a_secret(name)):
            continue
        if name.startswith(PUBLIC_PREFIXES):
            found = f"what looks like {what}" if what else "what its name says is a secret"
            suspects.append(_published("environment", name, found))
            continue
        suspects.append(
            Misfit(
                ("environment", name),
                f"what looks like {what}" if what else f"a value for {name}",
                "plain values that are not secret",
                "declare it under secrets: at the top, and name it in the workload's "
                f"secrets: {name}",
            )
        )
    if suspects:
        raise MisfitError(suspects)


def _published(field: str, name: str, found: str) -> Misfit:
    """A secret in a public variable. Moving it to secrets: would publish it all the same."""
    return Misfit(
        (field, name),
        f"{found} in {name}, which bundlers copy into what every browser downloads",
        f"secrets in variables that do not begin with {', '.join(PUBLIC_PREFIXES)}",
        "call the provider from the server, and give it the secret under another name",
    )


def _sizes(allowed: range | tuple[int, ...]) -> str:
    if isinstance(allowed, range):
        return f"{allowed[0]} to {allowed[-1]} in steps of {allowed.step}"
    return f"one of {', '.join(map(str, allowed))}"


class Running(Workload):
    """A workload that goes on running."""

    desired_count: int = Field(default=2, ge=0, le=1000)
    autoscaling: Autoscaling | None = None
    deployment: Deployment = Deployment()

    @model_validator(mode="after")
    def _room_to_scale(self) -> Self:
        if self.autoscaling and self.autoscaling.max_count < self.desired_count:
            raise misfit(
                "autoscaling.max_count",
                f"{self.autoscaling.max_count}, under desired_count ({self.desired_count})",
                f"a whole number from {self.desired_count} to 1000",
                "raise it, or lower desired_count",
            )
        return self


class Route(Model):
    """What of the load balancer's traffic a service gets."""

    paths: tuple[str, ...] = Field(min_length=1, max_length=5)
    priority: int = Field(ge=1, le=50000)


class Service(Running):
    """Long-running, with a port, behind the load balancer."""

    port: int = Field(ge=1, le=65535)
    liveness_path: UrlPath = "/health"
    readiness_path: UrlPath = "/health/ready"
    readiness_timeout_seconds: int = Field(default=5, ge=2, le=120)
    health: ContainerHealth = ContainerHealth()
    routes: tuple[Route, ...] = ()
    default_route: bool = False
    calls: tuple[Name, ...] = Field(
        default=(), description="services it asks inside the network, past the load balancer"
    )
    sticky_seconds: int | None = Field(default=None, ge=1, le=604800)
    deregistration_delay_seconds: int = Field(default=60, ge=0, le=3600)
    alarms: ServiceAlarms = ServiceAlarms()


class Worker(Running):
    """Long-running, without a port. Its health check is a command of its own."""

    health: ContainerHealth
    stop_timeout_seconds: int = Field(default=120, ge=2, le=120)
    alarms: WorkloadAlarms = WorkloadAlarms()

    @model_validator(mode="after")
    def _has_a_health_command(self) -> Self:
        if self.health.command is None:
            raise misfit(
                "health.command",
                "nothing",
                "a command that exits 0 while the worker is well",
                "add command: to its health: a worker has no port to ask",
            )
        return self


class Job(Workload):
    """Runs once when it is told to: migrations, clean-ups."""

    timeout_seconds: int = Field(default=900, ge=1, le=86400)
