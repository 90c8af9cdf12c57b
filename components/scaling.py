"""How many tasks of a service or worker run, and what makes them more."""

from __future__ import annotations

import pulumi_aws as aws

from components.base import Component, known
from systems.model import QueueScaling, Running

_DIMENSION = "ecs:service:DesiredCount"


def declare_scaling(
    parent: Component, name: str, args: Running, cluster_name: str, service: aws.ecs.Service
) -> None:
    """Target tracking on CPU, and on the queue's depth for each running task.

    Never fewer tasks than `desired_count`. Of several policies ECS follows the one that wants
    most tasks, and goes down only when all agree.
    """
    scaling = args.autoscaling
    if scaling is None:
        return
    context = parent.context
    service_name = context.name(name)
    resource_id = f"service/{cluster_name}/{service_name}"
    target = aws.appautoscaling.Target(
        name,
        service_namespace="ecs",
        scalable_dimension=_DIMENSION,
        resource_id=known(resource_id, service),
        min_capacity=args.desired_count,
        max_capacity=scaling.max_count,
        tags=parent.tagged(service_name),
        opts=parent.child(),
    )
    if scaling.cpu_percent is not None:
        aws.appautoscaling.Policy(
            f"{name}-cpu",
            name=f"{service_name}-cpu",
            policy_type="TargetTrackingScaling",
            service_namespace="ecs",
            scalable_dimension=_DIMENSION,
            resource_id=known(resource_id, target),
            target_tracking_scaling_policy_configuration={
                "target_value": scaling.cpu_percent,
                "predefined_metric_specification": {
                    "predefined_metric_type": "ECSServiceAverageCPUUtilization"
                },
                "scale_in_cooldown": scaling.scale_in_cooldown_seconds,
                "scale_out_cooldown": scaling.scale_out_cooldown_seconds,
            },
            opts=parent.child(),
        )
    if scaling.queue is not None:
        aws.appautoscaling.Policy(
            f"{name}-queue",
            name=f"{service_name}-queue",
            policy_type="TargetTrackingScaling",
            service_namespace="ecs",
            scalable_dimension=_DIMENSION,
            resource_id=known(resource_id, target),
            target_tracking_scaling_policy_configuration={
                "target_value": scaling.queue.target_per_task,
                "customized_metric_specification": backlog_per_task(
                    scaling.queue, context.namespace, cluster_name, service_name
                ),
                "scale_in_cooldown": scaling.scale_in_cooldown_seconds,
                "scale_out_cooldown": scaling.scale_out_cooldown_seconds,
            },
            opts=parent.child(),
        )


_Specification = aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationArgsDict  # noqa: E501


def backlog_per_task(
    queue: QueueScaling, namespace: str, cluster_name: str, service_name: str
) -> _Specification:
    """The queue's depth over the number of running tasks, as one metric to track.

    https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-metric-math.html
    """
    return {
        "metrics": [
            {
                "id": "depth",
                "metric_stat": {
                    "metric": {
                        "namespace": namespace,
                        "metric_name": queue.metric,
                        "dimensions": [
                            {"name": key, "value": value}
                            for key, value in sorted(queue.dimensions.items())
                        ],
                    },
                    "stat": "Average",
                },
                "return_data": False,
            },
            {
                "id": "tasks",
                "metric_stat": {
                    "metric": {
                        "namespace": "ECS/ContainerInsights",
                        "metric_name": "RunningTaskCount",
                        "dimensions": [
                            {"name": "ClusterName", "value": cluster_name},
                            {"name": "ServiceName", "value": service_name},
                        ],
                    },
                    "stat": "Average",
                },
                "return_data": False,
            },
            {
                "id": "backlog",
                "label": "Queue depth per running task",
                "expression": "depth / IF(tasks > 0, tasks, 1)",
                "return_data": True,
            },
        ]
    }
