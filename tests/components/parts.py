"""Small parts that the tests of workloads declare around what they test."""

from __future__ import annotations

import json
from typing import Any

from components.alarms import Topics
from components.cluster import Cluster
from components.encryption import Key
from components.ingress import Ingress
from components.network import Network
from components.postgres import Postgres
from components.rotation import RotationFunction
from components.secret import Secret
from components.task import Platform
from systems import model
from tests.components.recording import CONTEXT, Record, Records

DIGEST = "sha256:" + "ab" * 32
IMAGE = f"ecr:atc/app@{DIGEST}"
NOTIFICATIONS = model.Notifications(
    critical=(model.Subscription(protocol="email", endpoint="on-call@example.com"),),
    warning=(model.Subscription(protocol="email", endpoint="team@example.com"),),
)
INGRESS = model.Ingress(
    domain="trading.example.com",
    hosted_zone_id="Z0123456789EXAMPLE",
    rate_limits={"api": model.RateLimit(requests=100, path_prefix="/api/")},
)
SERVICE = model.Service(
    image=IMAGE,
    port=8080,
    databases=("main",),
    secrets={"TOKEN": "token", "PROVIDER_KEY": "provider:api_key"},
    environment={"NODE_ENV": "production"},
    routes=(model.Route(paths=("/api/*",), priority=10),),
    autoscaling=model.Autoscaling(max_count=4),
)
WORKER = model.Worker(
    image=IMAGE,
    databases=("main",),
    health=model.ContainerHealth(command="node healthcheck.js"),
    autoscaling=model.Autoscaling(
        max_count=10,
        cpu_percent=70,
        queue=model.QueueScaling(
            metric="QueueDepth", dimensions={"Worker": "crypto"}, target_per_task=10
        ),
    ),
)
JOB = model.Job(image=IMAGE, command=("npm", "run", "migrate"), databases=("main",))
SECRETS = {
    "token": model.Secret(description="Token", generate_length=64, rotation_days=30),
    "provider": model.Secret(description="Provider", fill="a key"),
}
STORES = {"main": model.Database()}

TASK = "aws:ecs/taskDefinition:TaskDefinition"
ECS_SERVICE = "aws:ecs/service:Service"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


def topics() -> Topics:
    return Topics("alerts", NOTIFICATIONS, CONTEXT)


def platform(*, tracing: bool = False, ingress: bool = True, **more: Any) -> Platform:
    """A network, a cluster, a database called main, and two secrets."""
    alerts = topics()
    network = Network("network", model.Network(), CONTEXT)
    cluster = Cluster("cluster", CONTEXT, network, alerts, tracing=tracing)
    rotation = RotationFunction("rotation", CONTEXT, network)
    key = Key("secrets", "Secrets", CONTEXT)
    return Platform(
        network=network,
        cluster=cluster,
        topics=alerts,
        ingress=Ingress("ingress", INGRESS, CONTEXT, network, alerts) if ingress else None,
        databases={
            name: Postgres(
                name, database, CONTEXT, network=network, topics=alerts, rotation=rotation
            )
            for name, database in STORES.items()
        },
        secrets={name: Secret(name, secret, CONTEXT, key=key) for name, secret in SECRETS.items()},
        tracing=model.Tracing(enabled=tracing),
        **more,
    )


def containers(records: Records, name: str) -> dict[str, dict[str, Any]]:
    """The containers of a task definition, by name."""
    definitions = json.loads(records.one(TASK, name).inputs["containerDefinitions"])
    return {container["name"]: container for container in definitions}


def variables(container: dict[str, Any]) -> dict[str, str]:
    """The plain variables of a container."""
    return {one["name"]: one["value"] for one in container["environment"]}


def references(container: dict[str, Any]) -> dict[str, str]:
    """The variables of a container that ECS fills from Secrets Manager."""
    return {one["name"]: one["valueFrom"] for one in container["secrets"]}


def statements(record: Record, key: str = "policy") -> list[dict[str, Any]]:
    """The statements of a policy, which has to be known."""
    found: list[dict[str, Any]] = json.loads(record.inputs[key])["Statement"]
    return found
