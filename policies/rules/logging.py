"""Logs: written somewhere, kept long enough, not for ever."""

from __future__ import annotations

from policies.framework import Finding, Findings, Fix, Resource, Setting, number, rule, show
from policies.framework.documents import containers

TASK = "aws:ecs/taskDefinition:TaskDefinition"
GROUP = "aws:cloudwatch/logGroup:LogGroup"


@rule(
    "log-group-retention",
    section="logging",
    severity="medium",
    types=(GROUP,),
    lines=("001:92", "001:318"),
    why="An incident is often found weeks later; logs kept for ever are a cost and a liability.",
    fix=Fix("logs.retention_days: 30", "aws.cloudwatch.LogGroup(retention_in_days=30)"),
    reference="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    settings={"minimum_days": Setting(30, 1, "Days that logs are kept, at least.")},
)
def log_group_retention(group: Resource, *, minimum_days: int) -> Findings:
    """Days set, and enough of them. Not set, or 0, means for ever."""
    path = "retentionInDays"
    value = group.get(path)
    days = number(value)
    wanted = f"{minimum_days} days or more, and an end"
    if not days:
        yield Finding(f"{path}: {show(value)} (AWS keeps them for ever)", wanted, path)
    elif days < minimum_days:
        yield Finding(f"{path}: {show(value)}", wanted, path)


@rule(
    "container-logs-shipped",
    section="logging",
    severity="high",
    types=(TASK,),
    lines=("001:91",),
    why="What a container writes is gone with it, unless it is sent somewhere.",
    fix=Fix(
        "logs (Gonogo ships every container's)",
        'aws.ecs.TaskDefinition(container_definitions=[{"logConfiguration": {"logDriver": '
        '"awslogs", ...}}])',
    ),
    reference="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html",
)
def container_logs_shipped(task: Resource) -> Findings:
    """Every container of a task has a log driver that leads out of it."""
    for container in containers(task):
        driver = (container.get("logConfiguration") or {}).get("logDriver")
        if driver in {None, "none", "json-file"}:
            yield Finding(
                f"{container.get('name', 'container')}.logConfiguration: {show(driver)}",
                "a driver that ships logs: awslogs, awsfirelens, splunk ...",
                "containerDefinitions",
            )
