"""Compute: how services are deployed, and that what they need is there."""

from __future__ import annotations

import re

from policies.framework import Finding, Findings, Fix, Resource, expect, rule, skip
from policies.framework.documents import container_environment, containers

SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


@rule(
    "service-deployment-rolls-back",
    section="compute",
    severity="high",
    types=(SERVICE,),
    lines=("001:258", "001:262", "001:265"),
    why="A deployment whose tasks do not get healthy is taken back by ECS itself, within minutes.",
    fix=Fix(
        "services.<name>.deployment: {circuit_breaker: true, rollback: true}",
        "aws.ecs.Service(deployment_circuit_breaker={'enable': True, 'rollback': True})",
    ),
    reference="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html",
)
def service_rolls_back(service: Resource) -> Findings:
    """The deployment circuit breaker, with rollback."""
    controller = str(service.get("deploymentController.type", "ECS"))
    if controller != "ECS":
        skip(f"deployed by {controller}, which has its own way back")
    if not service.has("deploymentCircuitBreaker"):
        yield Finding(
            "deploymentCircuitBreaker: not set (AWS's default is off)",
            "enable: true, rollback: true",
            "deploymentCircuitBreaker",
        )
        return
    yield from expect(service, "deploymentCircuitBreaker.enable", True, default=False)
    yield from expect(service, "deploymentCircuitBreaker.rollback", True, default=False)


_ORIGINS = re.compile(r"(?i)cors.*origin|allow(ed)?_?origins?")


@rule(
    "cors-no-wildcard",
    section="compute",
    severity="high",
    types=(
        TASK,
        "aws:lambda/functionUrl:FunctionUrl",
        "aws:apigatewayv2/api:Api",
    ),
    lines=("001:149", "001:150"),
    why="With `*` every site that a user visits may call the API from the user's browser.",
    fix=Fix("ingress.cors_origins: [https://...]", "the origins by name instead of '*'"),
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html",
)
def cors_no_wildcard(resource: Resource) -> Findings:
    """Origins allowed to call: in containers' environments and in APIs' own CORS settings."""
    wanted = "origins by name"
    if resource.type == TASK:
        for container in containers(resource):
            for name, value in container_environment(container):
                if _ORIGINS.search(name) and "*" in re.split(r"[\s,;\[\]\"']+", value):
                    where = f"{container.get('name', 'container')}.environment.{name}"
                    yield Finding(f"{where}: *", wanted, "containerDefinitions")
        return
    block = "cors" if resource.type.endswith("FunctionUrl") else "corsConfiguration"
    if not resource.has(block):
        skip("it sets no CORS headers")
    for origin in resource.get(f"{block}.allowOrigins") or ():
        if origin == "*":
            yield Finding(f"{block}.allowOrigins: *", wanted, f"{block}.allowOrigins")
