"""The ECS cluster, and what all its tasks share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.alarms import Topics
from components.base import Component, Context, known, shortened
from components.network import Network
from components.postgres import Postgres
from components.redis import Redis

Store = Postgres | Redis


@dataclass(frozen=True)
class Role:
    """A declared role. `arn` is known; `granted` is the same, made only after its policy."""

    arn: str
    resources: tuple[pulumi.Resource, ...]

    @property
    def granted(self) -> pulumi.Output[str]:
        return known(self.arn, *self.resources)


class Cluster(Component):
    """A Fargate cluster with Container Insights.

    A security group is a right here: `access` gives the one that may reach a certain set of
    databases and caches, and all tasks with that set wear the same. So many workloads need few
    rules, and none can reach a store it did not name.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        network: Network,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        tracing: bool = False,
        parameters: Sequence[str] = (),
    ) -> None:
        """`parameters` are the ARNs of those that the application may read."""
        super().__init__("Cluster", name, context, opts)
        self.name = name
        self.network = network
        self.cluster_name = context.name()
        self.cluster = aws.ecs.Cluster(
            name,
            name=self.cluster_name,
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value="enabled")],
            tags=self.tagged(self.cluster_name),
            opts=self.child(),
        )
        self.arn = known(context.arn("ecs", f"cluster/{self.cluster_name}"), self.cluster)
        self._accesses: dict[frozenset[str], pulumi.Output[str]] = {}
        self.task_role = self._task_role(tracing, parameters)
        if topics:
            self._failed_deployments(topics)
        self.register_outputs({"name": self.cluster_name})

    def service_arn(self, service: str) -> str:
        """The ARN of a service of this cluster by its physical name."""
        return self.context.arn("ecs", f"service/{self.cluster_name}/{service}")

    def access(self, stores: Sequence[Store]) -> pulumi.Output[str]:
        """The security group of tasks that may reach these stores, and HTTPS anywhere."""
        wanted = frozenset(_part(store) for store in stores)
        if wanted not in self._accesses:
            self._accesses[wanted] = self._access_group(stores)
        return self._accesses[wanted]

    def _access_group(self, stores: Sequence[Store]) -> pulumi.Output[str]:
        parts = sorted(_part(store) for store in stores)
        name = "-".join(("tasks", *parts))
        physical = shortened(self.context.name(name), 255)
        group = aws.ec2.SecurityGroup(
            name,
            name=physical,
            description=f"Tasks that reach {', '.join(parts) or 'no store'}",
            vpc_id=self.network.vpc_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-https",
            security_group_id=group.id,
            description="AWS and the providers the application calls",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4="0.0.0.0/0",
            tags=self.tagged(f"{physical}-https"),
            opts=self.child(),
        )
        for store in stores:
            part = _part(store)
            aws.vpc.SecurityGroupEgressRule(
                f"{name}-to-{part}",
                security_group_id=group.id,
                description=f"To {part}",
                ip_protocol="tcp",
                from_port=store.port,
                to_port=store.port,
                referenced_security_group_id=store.security_group_id,
                tags=self.tagged(f"{physical}-to-{part}"),
                opts=self.child(),
            )
            if isinstance(store, Postgres) and store.readers:
                aws.vpc.SecurityGroupEgressRule(
                    f"{name}-to-{store.readers.name}",
                    security_group_id=group.id,
                    description=f"To {store.readers.name}",
                    ip_protocol="tcp",
                    from_port=store.port,
                    to_port=store.port,
                    referenced_security_group_id=store.readers.security_group_id,
                    tags=self.tagged(f"{physical}-to-{store.readers.name}"),
                    opts=self.child(),
                )
            store.allow_from(group.id, name)
        return group.id

    def _task_role(self, tracing: bool, parameters: Sequence[str]) -> Role:
        """What the application itself may do in AWS: publish its own metrics and its traces, and
        read its parameters."""
        statements: list[dict[str, Any]] = [
            {
                "Sid": "OwnMetrics",
                "Effect": "Allow",
                "Action": "cloudwatch:PutMetricData",
                "Resource": "*",
                "Condition": {"StringEquals": {"cloudwatch:namespace": self.context.namespace}},
            }
        ]
        if tracing:
            statements.append(
                {
                    "Sid": "Traces",
                    "Effect": "Allow",
                    "Action": [
                        "xray:PutTraceSegments",
                        "xray:PutTelemetryRecords",
                        "xray:GetSamplingRules",
                        "xray:GetSamplingTargets",
                    ],
                    "Resource": "*",
                }
            )
        if parameters:
            statements.append(
                {
                    "Sid": "OwnParameters",
                    "Effect": "Allow",
                    "Action": ["ssm:GetParameter", "ssm:GetParameters"],
                    "Resource": list(parameters),
                }
            )
        return declare_role(self, "tasks", "ecs-tasks", statements)

    def _failed_deployments(self, topics: Topics) -> None:
        name = "deployment-failed"
        physical = self.context.name(name)
        rule = aws.cloudwatch.EventRule(
            name,
            name=physical,
            description="ECS gave a deployment up and rolled it back",
            event_pattern=json.dumps(
                {
                    "source": ["aws.ecs"],
                    "detail-type": ["ECS Deployment State Change"],
                    "resources": [{"prefix": self.service_arn("")}],
                    "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
                }
            ),
            tags=self.tagged(physical),
            opts=self.child(),
        )
        runbook = self.context.runbook("deployment-failed")
        aws.cloudwatch.EventTarget(
            name,
            rule=known(physical, rule),
            target_id="topic",
            arn=topics.arn("critical"),
            input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
                input_paths={"service": "$.resources[0]", "reason": "$.detail.reason"},
                input_template=f'"Deployment of <service> failed: <reason> Runbook: {runbook}"',
            ),
            opts=self.child(),
        )


def _part(store: Store) -> str:
    """A store's name in those of groups and rules: a cache may be called as a database is."""
    return f"cache-{store.name}" if isinstance(store, Redis) else store.name


def declare_role(
    parent: Component, name: str, service: str, statements: Sequence[dict[str, Any]]
) -> Role:
    """A role with one policy, for an AWS service (`ecs-tasks`, `events`) acting in this account."""
    context = parent.context
    physical = shortened(context.name(name), 64)
    role = aws.iam.Role(
        name,
        name=physical,
        assume_role_policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": f"{service}.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": context.account}},
                    }
                ],
            }
        ),
        tags=parent.tagged(physical),
        opts=parent.child(),
    )
    policy = aws.iam.RolePolicy(
        name,
        name=physical,
        role=known(physical, role),
        policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
        opts=parent.child(),
    )
    return Role(context.arn("iam", f"role/{physical}", region=""), (role, policy))
