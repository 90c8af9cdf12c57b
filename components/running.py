"""What services and workers share beyond the task: the ECS service, its scaling, its alarms."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.alarms import metric_alarm
from components.base import Component
from components.log_lines import log_line_alarm
from components.scaling import declare_scaling
from components.task import Platform, Task
from systems.model import Running, Service, Worker

FARGATE_PLATFORM = "1.4.0"
"""Pinned: `LATEST` would change under a running system."""

_RUNNING_MINUTES = 5
"""Tasks may be missing so long before it is an alarm: a task takes a few minutes to replace."""


def declare_running(
    parent: Component,
    name: str,
    args: Running,
    platform: Platform,
    task: Task,
    *,
    security_groups: list[pulumi.Input[str]],
    target_group_arn: pulumi.Input[str] | None = None,
    port: int | None = None,
    grace_seconds: int | None = None,
    rollback_alarms: list[pulumi.Input[str]] | None = None,
    registry_arn: pulumi.Input[str] | None = None,
    after: list[pulumi.Resource] | None = None,
) -> aws.ecs.Service:
    """An ECS service on Fargate that rolls back by itself.

    Pulumi waits until the new tasks are steady, so an update that ECS took back is a failure and
    not a success. `rollback_alarms` are the names of alarms that also take a deployment back;
    tasks write themselves into the registry of `registry_arn` (components/discovery.py).
    """
    context = parent.context
    physical = context.name(name)
    deployment = args.deployment
    service = aws.ecs.Service(
        name,
        name=physical,
        cluster=platform.cluster.arn,
        task_definition=task.definition.arn,
        desired_count=args.desired_count,
        launch_type="FARGATE",
        platform_version=FARGATE_PLATFORM,
        scheduling_strategy="REPLICA",
        availability_zone_rebalancing=(
            "ENABLED" if deployment.maximum_percent > 100 else "DISABLED"
        ),
        deployment_minimum_healthy_percent=deployment.minimum_healthy_percent,
        deployment_maximum_percent=deployment.maximum_percent,
        deployment_circuit_breaker={
            "enable": deployment.circuit_breaker,
            "rollback": deployment.rollback,
        },
        alarms=(
            {"alarm_names": rollback_alarms, "enable": True, "rollback": deployment.rollback}
            if rollback_alarms
            else None
        ),
        network_configuration={
            "subnets": platform.network.workload_subnet_ids,
            "security_groups": security_groups,
            "assign_public_ip": platform.network.workloads_are_public,
        },
        load_balancers=(
            [{"container_name": name, "container_port": port, "target_group_arn": target_group_arn}]
            if target_group_arn is not None and port is not None
            else None
        ),
        service_registries={"registry_arn": registry_arn} if registry_arn is not None else None,
        health_check_grace_period_seconds=grace_seconds,
        enable_ecs_managed_tags=True,
        enable_execute_command=False,
        propagate_tags="SERVICE",
        wait_for_steady_state=True,
        tags=parent.tagged(physical),
        opts=parent.child(
            depends_on=[*task.ready, *(after or [])],
            ignore_changes=["desiredCount"] if args.autoscaling else None,
        ),
    )
    declare_scaling(parent, name, args, platform.cluster.cluster_name, service)
    return service


def declare_task_alarms(
    parent: Component,
    name: str,
    args: Service | Worker,
    platform: Platform,
    task: Task,
    *,
    runbook: str,
) -> None:
    """CPU, memory, and fewer tasks running than wanted; logged errors when a limit is given."""
    topics = platform.topics
    dimensions: dict[str, pulumi.Input[str]] = {
        "ClusterName": platform.cluster.cluster_name,
        "ServiceName": parent.context.name(name),
    }
    for metric, percent, minutes in (
        ("CPUUtilization", args.alarms.cpu_percent, args.alarms.cpu_minutes),
        ("MemoryUtilization", args.alarms.memory_percent, args.alarms.memory_minutes),
    ):
        if percent is None:
            continue
        kind = metric.removesuffix("Utilization")
        metric_alarm(
            parent,
            f"{name}-{kind.lower()}",
            topics=topics,
            severity=args.alarms.load_severity,
            description=f"{kind} of {name} above {percent:g} % for {minutes} minutes.",
            runbook=runbook,
            namespace="AWS/ECS",
            metric=metric,
            dimensions=dimensions,
            threshold=percent,
            evaluation_periods=minutes,
            missing_data="missing",
        )
    if args.desired_count:
        metric_alarm(
            parent,
            f"{name}-tasks",
            topics=topics,
            severity="critical",
            description=(
                f"Fewer than {args.desired_count} tasks of {name} running "
                f"for {_RUNNING_MINUTES} minutes."
            ),
            runbook=runbook,
            namespace="ECS/ContainerInsights",
            metric="RunningTaskCount",
            statistic="Minimum",
            dimensions=dimensions,
            comparison="LessThanThreshold",
            threshold=args.desired_count,
            evaluation_periods=_RUNNING_MINUTES,
            missing_data="breaching",
        )
    if args.alarms.errors_logged_per_minute is not None:
        limit = args.alarms.errors_logged_per_minute
        _logged_errors(parent, name, limit, platform, task, runbook=runbook)


def _logged_errors(
    parent: Component, name: str, limit: int, platform: Platform, task: Task, *, runbook: str
) -> None:
    log_line_alarm(
        parent,
        f"{name}-errors-logged",
        log_group=task.log_group,
        # pino writes its levels as numbers: 50 is error, 60 fatal. Python has CRITICAL for fatal.
        pattern=(
            '{ ($.level = "ERROR") || ($.level = "error") || ($.level = "CRITICAL")'
            " || ($.level >= 50) }"
        ),
        limit_per_minute=limit,
        topics=platform.topics,
        description=f"More than {limit} errors a minute in the log of {name}.",
        runbook=runbook,
    )
