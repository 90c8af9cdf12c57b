"""What services, workers and jobs share: one Fargate task definition and what it needs to start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from components import containers
from components.alarms import Topics
from components.base import Component, Context, known
from components.cluster import Cluster, Role, Store, declare_role
from components.network import Network
from components.postgres import Postgres
from components.redis import Redis
from components.secret import Entry, Secret
from systems.model import ContainerHealth, Logs, Tracing, Workload

if TYPE_CHECKING:
    from components.ingress import Ingress


@dataclass(frozen=True)
class Platform:
    """Where a workload runs, and what it may name. `environment` reaches every container."""

    network: Network
    cluster: Cluster
    topics: Topics | None = None
    ingress: Ingress | None = None
    databases: Mapping[str, Postgres] = field(default_factory=dict)
    caches: Mapping[str, Redis] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    logs: Logs = field(default_factory=Logs)
    tracing: Tracing = field(default_factory=Tracing)


@dataclass(frozen=True)
class Task:
    """A declared task definition. `ready` is what has to exist before a task can start;
    `log_group` is the name of the containers' log, known at preview."""

    definition: aws.ecs.TaskDefinition
    family: str
    execution_role: Role
    access_group_id: pulumi.Output[str]
    log_group: pulumi.Output[str]
    ready: list[pulumi.Resource]


def declare_task(
    parent: Component,
    name: str,
    args: Workload,
    platform: Platform,
    *,
    port: int | None = None,
    health: ContainerHealth | None = None,
    health_command: str | None = None,
    owns_tables: bool = False,
) -> Task:
    """The log group, the execution role and the task definition of one workload.

    The task definition is known at preview: secrets are in it by ARN, and ARNs are computed.
    `owns_tables`: it connects as the role that may change tables, not as the application's.
    """
    context = parent.context
    log_group = aws.cloudwatch.LogGroup(
        name,
        name=context.path(name),
        retention_in_days=platform.logs.retention_days,
        tags=parent.tagged(context.path(name)),
        opts=parent.child(),
    )
    execution_role = declare_role(
        parent,
        f"{name}-execution",
        "ecs-tasks",
        list(_execution_statements(name, args, context, platform, owns_tables)),
    )

    def definitions(addresses: Mapping[str, str]) -> str:
        plain = environment_of(name, args, context, platform, port)
        application = containers.application(
            name,
            args,
            context,
            environment={**addresses, **plain},
            secrets=secrets_of(args, platform, owns_tables=owns_tables),
            port=port,
            health=health,
            health_command=health_command,
        )
        beside = [containers.collector(name, context)] if platform.tracing.enabled else []
        return json.dumps([application, *beside])

    addresses = open_caches(args, platform)
    family = context.name(name)
    definition = aws.ecs.TaskDefinition(
        name,
        family=family,
        cpu=str(args.cpu_units),
        memory=str(args.memory_mb),
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
            cpu_architecture=args.architecture, operating_system_family="LINUX"
        ),
        execution_role_arn=execution_role.granted,
        task_role_arn=platform.cluster.task_role.granted,
        container_definitions=(
            pulumi.Output.all(**addresses).apply(definitions) if addresses else definitions({})
        ),
        volumes=[aws.ecs.TaskDefinitionVolumeArgs(name=containers.SCRATCH_VOLUME)],
        tags=parent.tagged(family),
        opts=parent.child(depends_on=[log_group]),
    )
    return Task(
        definition=definition,
        family=family,
        execution_role=execution_role,
        access_group_id=platform.cluster.access(list(_stores(args, platform))),
        log_group=known(context.path(name), log_group),
        ready=[
            *(platform.databases[database] for database in args.databases),
            *(platform.caches[cache] for cache in args.caches),
            *(platform.secrets[secret].version for secret in _secrets(args)),
        ],
    )


def environment_of(
    name: str, args: Workload, context: Context, platform: Platform, port: int | None
) -> dict[str, str]:
    """The plain variables of a container; the workload's own win over the system's.

    docs/application-contract.md says what each of ours means to the application.
    """
    ours = {
        "SYSTEM": context.code,
        "TIER": context.tier,
        **({"PHASE": context.phase} if context.phase else {}),
        "WORKLOAD": name,
        "LOG_LEVEL": platform.logs.level,
        "LOG_FORMAT": platform.logs.format,
        "METRICS_NAMESPACE": context.namespace,
        **containers.tracing_environment(name, context, platform.tracing),
    }
    if port is not None:
        ours["PORT"] = str(port)
    return {**ours, **platform.environment, **args.environment}


def secrets_of(args: Workload, platform: Platform, *, owns_tables: bool = False) -> dict[str, str]:
    """Variables that ECS fills from Secrets Manager when a task starts, by reference.

    The first database is `DATABASE_URL`, each further one `<NAME>_DATABASE_URL`; caches likewise
    with `REDIS_URL`. `DATABASE_READERS` is where a database's read replicas are, from SSM. A
    secret's key in its JSON follows its ARN as `:key::`.
    """
    found: dict[str, str] = {}
    for index, name in enumerate(args.databases):
        database = platform.databases[name]
        arn = database.migration_secret_arn if owns_tables else database.application_secret_arn
        found[_variable(name, "DATABASE_URL", index)] = f"{arn}:url::"
        if database.readers and not owns_tables:
            found[_variable(name, "DATABASE_READERS", index)] = database.readers.parameter_arn
    for index, name in enumerate(args.caches):
        token_arn = platform.caches[name].secret_arn
        if token_arn:
            found[_variable(name, "REDIS_URL", index)] = f"{token_arn}:url::"
    for variable, reference in args.secrets.items():
        name, _, key = reference.partition(":")
        arn = platform.secrets[name].arn
        found[variable] = f"{arn}:{key}::" if key else arn
    return found


def open_caches(args: Workload, platform: Platform) -> dict[str, pulumi.Output[str]]:
    """The addresses of caches without a password. They are no secret, and only AWS knows them."""
    found: dict[str, pulumi.Output[str]] = {}
    for index, name in enumerate(args.caches):
        cache = platform.caches[name]
        if cache.secret_arn is None:
            scheme = "rediss" if cache.args.transit_encryption else "redis"
            address = pulumi.Output.concat(scheme, "://", cache.endpoint, f":{cache.port}")
            found[_variable(name, "REDIS_URL", index)] = address
    return found


def _variable(name: str, suffix: str, index: int) -> str:
    return suffix if index == 0 else f"{name.upper().replace('-', '_')}_{suffix}"


def _secrets(args: Workload) -> list[str]:
    return sorted({reference.partition(":")[0] for reference in args.secrets.values()})


def _stores(args: Workload, platform: Platform) -> Iterator[Store]:
    yield from (platform.databases[name] for name in args.databases)
    yield from (platform.caches[name] for name in args.caches)


def _execution_statements(
    name: str, args: Workload, context: Context, platform: Platform, owns_tables: bool
) -> Iterator[dict[str, Any]]:
    """What ECS itself needs to start the task: its image, its log group, exactly its secrets."""
    repository = containers.repository_arn(args.image, context)
    if repository:
        yield {
            "Sid": "RegistryLogin",
            "Effect": "Allow",
            "Action": "ecr:GetAuthorizationToken",
            "Resource": "*",  # the call takes no resource
        }
        yield {
            "Sid": "PullImage",
            "Effect": "Allow",
            "Action": [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            "Resource": repository,
        }
    yield {
        "Sid": "WriteLogs",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": context.arn("logs", f"log-group:{context.path(name)}:*"),
    }
    seen: list[dict[str, Any]] = []
    readable: list[Secret | Store | Entry] = [platform.secrets[name] for name in _secrets(args)]
    for database in (platform.databases[name] for name in args.databases):
        readable.append(database.migration if owns_tables else database)
    readable.extend(platform.caches[name] for name in args.caches)
    statements = [statement for one in readable for statement in one.read_statements()]
    if not owns_tables:
        for database in (platform.databases[name] for name in args.databases):
            statements.extend(database.reader_statements())
    for statement in statements:
        if statement not in seen:
            seen.append(statement)
            yield statement
