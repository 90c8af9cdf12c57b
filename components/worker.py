"""A workload that goes on running and that nobody calls."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component, Context
from components.running import declare_running, declare_task_alarms
from components.task import Platform, declare_task
from systems import model


class Worker(Component):
    """Fargate tasks without a port, scaled on their queue.

    A task that is told to stop (SIGTERM) has `stop_timeout_seconds` to finish its step. A step
    that takes longer holds itself with ECS task scale-in protection: that is the application's
    to ask for (docs/application-contract.md).
    """

    service: aws.ecs.Service

    def __init__(
        self,
        name: str,
        args: model.Worker,
        context: Context,
        platform: Platform,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Worker", name, context, opts)
        self.service_name = context.name(name)
        task = declare_task(
            self, name, args, platform, health=args.health, health_command=args.health.command
        )
        self.service = declare_running(
            self, name, args, platform, task, security_groups=[task.access_group_id]
        )
        declare_task_alarms(self, name, args, platform, task, runbook="worker-failure")
        self.register_outputs({"service": self.service_name})
