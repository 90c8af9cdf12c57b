"""Health checks: of containers and of the load balancer's targets."""

from __future__ import annotations

from policies.framework import Finding, Findings, Fix, Resource, Stack, number, rule, skip
from policies.framework.documents import containers

TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
TARGET_GROUPS = ("aws:lb/targetGroup:TargetGroup", "aws:alb/targetGroup:TargetGroup")


@rule(
    "container-health-check",
    section="health",
    severity="high",
    types=(TASK,),
    scope="stack",
    lines=("001:74", "001:79"),
    why="ECS replaces a container that hangs only when it has a way to notice.",
    fix=Fix(
        "services.<name>.health (for workers: workers.<name>.health.command)",
        'aws.ecs.TaskDefinition(container_definitions=[{"healthCheck": {"command": [...]}}])',
    ),
    reference="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html",
)
def container_health_check(task: Resource, stack: Stack) -> Findings:
    """Every essential container of a long-running task. One-off tasks end by themselves."""
    if not stack.referring(task, "taskDefinition", SERVICE):
        skip("no service of this stack runs it for long")
    for container in containers(task):
        if container.get("essential") is False:
            continue
        name = container.get("name", "container")
        command = [str(word) for word in (container.get("healthCheck") or {}).get("command") or ()]
        if not command or command == ["NONE"]:
            found = "command: NONE" if command else "not set"
            yield Finding(
                f"{name}.healthCheck: {found}",
                "a command that fails when the service does",
                "containerDefinitions",
            )


@rule(
    "target-group-health-check",
    section="health",
    severity="high",
    types=TARGET_GROUPS,
    lines=("001:70", "001:76", "001:327"),
    why="Traffic goes to targets that say they are ready, so they must be asked the right thing.",
    fix=Fix(
        "services.<name>.readiness_path: /health/ready",
        'aws.lb.TargetGroup(health_check={"path": "/health/ready", "matcher": "200"})',
    ),
    reference="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
)
def target_group_health_check(group: Resource) -> Findings:
    """A path of its own, asked, and only success taken for success."""
    if str(group.get("targetType", "instance")) in {"lambda", "alb"}:
        skip("its targets are not servers")
    if str(group.get("healthCheck.enabled", True)).lower() == "false":
        yield Finding("healthCheck.enabled: false", "true", "healthCheck.enabled")
        return
    # Health checks of a TCP group are TCP unless they say otherwise; those of HTTP groups HTTP.
    spoken = str(group.get("protocol", "HTTP")).upper()
    asked = str(
        group.get("healthCheck.protocol", spoken if spoken.startswith("HTTP") else "TCP")
    ).upper()
    if not asked.startswith("HTTP"):
        if spoken.startswith("HTTP"):
            yield Finding(f"healthCheck.protocol: {asked}", "HTTP", "healthCheck.protocol")
            return
        skip(f"a {spoken} target group, checked by connecting")
    if not group.has("healthCheck.path"):
        yield Finding(
            "healthCheck.path: not set (AWS asks /)",
            "the path of the readiness check",
            "healthCheck.path",
        )
    matcher = str(group.get("healthCheck.matcher", "200"))
    for part in matcher.replace(" ", "").split(","):
        last = number(part.rpartition("-")[2])
        if last is not None and last >= 400:
            yield Finding(
                f"healthCheck.matcher: {matcher}",
                "success codes only (200-399)",
                "healthCheck.matcher",
            )
