"""How workloads reach a database's read replicas.

RDS Proxy has no endpoint for the replicas of an instance, so clients call them themselves, with the
user and the password that they have. Where they are is in a parameter of SSM: AWS decides the
addresses, and a container's definition names the parameter, so that it is known at preview.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.base import Component
from components.encryption import Statement


class Readers:
    """The security group that guards a database's replicas, and the list of their addresses.

    `parameter_arn` is the list's: `host:port` of each replica, separated by commas. The number of
    replicas is in its name, so that another number deploys the workloads anew.
    """

    def __init__(self, parent: Component, name: str, count: int, vpc_id: pulumi.Input[str]) -> None:
        self._parent = parent
        self.name = f"{name}-readers"
        context = parent.context
        # A name in levels has to begin with a slash.
        self._parameter = f"/{context.path(name, f'readers-{count}').lstrip('/')}"
        self.parameter_arn = context.arn("ssm", f"parameter{self._parameter}")
        physical = context.name("database", self.name)
        group = aws.ec2.SecurityGroup(
            self.name,
            name=physical,
            description=f"Database {name}: read replicas",
            vpc_id=vpc_id,
            tags=parent.tagged(physical),
            opts=parent.child(),
        )
        self.security_group_id: pulumi.Output[str] = group.id

    def publish(self, replicas: Sequence[aws.rds.Instance]) -> None:
        """Write down where they are."""
        aws.ssm.Parameter(
            self.name,
            name=self._parameter,
            description=f"Addresses of {self.name}",
            type="String",
            value=pulumi.Output.all(*(replica.endpoint for replica in replicas)).apply(",".join),
            tags=self._parent.tagged(self._parameter),
            opts=self._parent.child(),
        )

    def read_statement(self) -> Statement:
        """What a role needs to read the list."""
        return {
            "Effect": "Allow",
            "Action": "ssm:GetParameters",
            "Resource": self.parameter_arn,
        }
