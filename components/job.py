"""A workload that runs once when it is told to: migrations, clean-ups."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component, Context, known
from components.cluster import Role
from components.task import Platform, declare_task
from systems import model


class Job(Component):
    """A task definition that operations or a schedule run. `family` names its latest revision.

    Its databases let it change tables: migrations are what jobs are for.
    """

    family: str
    arn: str
    definition: aws.ecs.TaskDefinition

    def __init__(
        self,
        name: str,
        args: model.Job,
        context: Context,
        platform: Platform,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Job", name, context, opts)
        task = declare_task(self, name, args, platform, owns_tables=True)
        self.family = task.family
        self.definition = task.definition
        self.access_group_id = task.access_group_id
        self.roles: tuple[Role, Role] = (task.execution_role, platform.cluster.task_role)
        # Without a revision: whoever runs it runs the latest.
        self.arn = context.arn("ecs", f"task-definition/{self.family}")
        self.register_outputs({"family": self.family})

    @property
    def latest(self) -> pulumi.Output[str]:
        """The ARN of the family, made only after its first revision."""
        return known(self.arn, self.definition)
