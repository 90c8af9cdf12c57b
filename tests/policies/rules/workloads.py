"""Cases of containers, services, health checks and images."""

from __future__ import annotations

from typing import Any

from policies.testing import UNKNOWN, Plan
from tests.policies.rules.cases import DIGEST, Case, container, one, task

TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
FUNCTION = "aws:lambda/function:Function"
FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
REPOSITORY = "aws:ecr/repository:Repository"
TARGETS = "aws:lb/targetGroup:TargetGroup"


def running(*containers: dict[str, Any], definitions: Any = None) -> Plan:
    """A task that a service runs for long."""
    properties = {"containerDefinitions": definitions} if definitions else task(*containers)
    return (
        Plan()
        .add(TASK, "it", properties)
        .add(SERVICE, "service", {"taskDefinition": UNKNOWN}, depends={"taskDefinition": "it"})
    )


def cors(value: str) -> dict[str, Any]:
    return task(container(environment=[{"name": "CORS_ORIGINS", "value": value}]))


BREAKER = "service-deployment-rolls-back"
TARGET = "target-group-health-check"
PINNED = "image-pinned-by-digest"
ON = {"enable": True, "rollback": True}
CASES: list[Case] = [
    one("pack-settings", "pass", "pulumi:pulumi:Stack", {}, "nothing said"),
    one(BREAKER, "pass", SERVICE, {"deploymentCircuitBreaker": ON}, "on"),
    one(
        BREAKER,
        "fail",
        SERVICE,
        {"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
        "no rollback",
        found="rollback: false",
    ),
    one(BREAKER, "fail", SERVICE, {}, "missing", found="deploymentCircuitBreaker: not set"),
    one(BREAKER, "undecided", SERVICE, {"deploymentCircuitBreaker": UNKNOWN}, "unknown"),
    one(
        BREAKER,
        "not_applicable",
        SERVICE,
        {"deploymentController": {"type": "CODE_DEPLOY"}},
        "CodeDeploy",
    ),
    one("cors-no-wildcard", "pass", TASK, cors("https://app.example.com"), "by name"),
    one("cors-no-wildcard", "fail", TASK, cors("*"), "all", found="CORS_ORIGINS: *"),
    one("cors-no-wildcard", "fail", TASK, cors("https://a.example,*"), "and all", found=": *"),
    one("cors-no-wildcard", "undecided", TASK, {"containerDefinitions": UNKNOWN}, "unknown"),
    one(
        "cors-no-wildcard",
        "fail",
        FUNCTION_URL,
        {"cors": {"allowOrigins": ["*"]}},
        "function URL",
        found="cors.allowOrigins: *",
    ),
    one("cors-no-wildcard", "not_applicable", FUNCTION_URL, {}, "no CORS"),
    Case("container-health-check", "pass", "it", running(container()), "there"),
    Case(
        "container-health-check",
        "pass",
        "it",
        running(container(), container(name="side", essential=False, healthCheck=None)),
        "a side-car need not",
    ),
    Case(
        "container-health-check",
        "fail",
        "it",
        running(container(healthCheck=None)),
        "missing",
        found="web.healthCheck: not set",
    ),
    Case(
        "container-health-check",
        "fail",
        "it",
        running(container(healthCheck={"command": ["NONE"]})),
        "switched off",
        found="command: NONE",
    ),
    Case("container-health-check", "undecided", "it", running(definitions=UNKNOWN), "unknown"),
    one("container-health-check", "not_applicable", TASK, task({"name": "job"}), "a one-off task"),
    one(
        TARGET, "pass", TARGETS, {"protocol": "HTTP", "healthCheck": {"path": "/health"}}, "a path"
    ),
    one(
        TARGET, "fail", TARGETS, {"protocol": "HTTP"}, "missing", found="healthCheck.path: not set"
    ),
    one(
        TARGET,
        "fail",
        TARGETS,
        {"healthCheck": {"enabled": False, "path": "/health"}},
        "off",
        found="healthCheck.enabled: false",
    ),
    one(
        TARGET,
        "fail",
        TARGETS,
        {"healthCheck": {"path": "/health", "matcher": "200-499"}},
        "errors taken for success",
        found="matcher: 200-499",
    ),
    one(TARGET, "undecided", TARGETS, {"healthCheck": UNKNOWN}, "unknown"),
    one(TARGET, "not_applicable", TARGETS, {"protocol": "TCP"}, "TCP"),
    one(TARGET, "not_applicable", TARGETS, {"targetType": "lambda"}, "function"),
    one("container-logs-shipped", "pass", TASK, task(container()), "awslogs"),
    one(
        "container-logs-shipped",
        "fail",
        TASK,
        task(container(logConfiguration=None)),
        "missing",
        found="web.logConfiguration: not set",
    ),
    one("container-logs-shipped", "undecided", TASK, {"containerDefinitions": UNKNOWN}, "unknown"),
    one(PINNED, "pass", TASK, task(container()), "digest"),
    one(PINNED, "fail", TASK, task(container(image="nginx:latest")), "tag", found="nginx:latest"),
    one(PINNED, "fail", TASK, task(container(image="nginx")), "nothing", found="image: nginx"),
    one(PINNED, "undecided", TASK, {"containerDefinitions": UNKNOWN}, "unknown"),
    one(PINNED, "not_applicable", FUNCTION, {"runtime": "python3.12"}, "an archive"),
    one(PINNED, "pass", FUNCTION, {"packageType": "Image", "imageUri": f"r/w{DIGEST}"}, "function"),
    one(
        PINNED,
        "fail",
        FUNCTION,
        {"packageType": "Image", "imageUri": "r/w:1"},
        "tag",
        found="r/w:1",
    ),
    one(PINNED, "not_applicable", TASK, task(container(image="nginx")), "dev", tier="dev"),
    one("image-tags-immutable", "pass", REPOSITORY, {"imageTagMutability": "IMMUTABLE"}, "on"),
    one("image-tags-immutable", "fail", REPOSITORY, {}, "missing", found="default is MUTABLE"),
    one(
        "image-tags-immutable", "undecided", REPOSITORY, {"imageTagMutability": UNKNOWN}, "unknown"
    ),
    one(
        "image-scanned-on-push",
        "pass",
        REPOSITORY,
        {"imageScanningConfiguration": {"scanOnPush": True}},
        "on",
    ),
    one("image-scanned-on-push", "fail", REPOSITORY, {}, "missing", found="scanOnPush: not set"),
    one(
        "image-scanned-on-push",
        "undecided",
        REPOSITORY,
        {"imageScanningConfiguration": {"scanOnPush": UNKNOWN}},
        "unknown",
    ),
]
