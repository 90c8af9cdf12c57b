"""The Lambda function that rotates the secrets of one system."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.alarms import Topics, metric_alarm
from components.base import Component, Context, known
from components.network import Network
from components.rotation.archive import HANDLER, archive
from components.rotation.permissions import permissions, trust

RUNTIME = "python3.13"
TIMEOUT_SECONDS = 600
MEMORY_MB = 256
_VPC_ACCESS = "iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


class RotationFunction(Component):
    """One function for all secrets of a system and tier; each is told apart by its tags.

    It runs in the private subnets, finds databases and caches by their names at run time (so that
    nothing of its configuration is unknown at preview), and may touch only what begins with
    `<code>-<tier>`.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        network: Network,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("RotationFunction", name, context, opts)
        self.function_name = context.name(name)
        self.arn = context.arn("lambda", f"function:{self.function_name}")
        self.network = network
        self.security_group_id = self._security_group(name)
        logs = self._logs(name)
        role, policy, access = self._role(name)
        function = aws.lambda_.Function(
            name,
            name=self.function_name,
            description=f"Rotates the secrets under {context.path()}/",
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=HANDLER,
            code=archive(),
            role=known(context.arn("iam", f"role/{self.function_name}", region=""), role),
            timeout=TIMEOUT_SECONDS,
            memory_size=MEMORY_MB,
            vpc_config=aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=network.private_subnet_ids,
                security_group_ids=[self.security_group_id],
            ),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON", log_group=known(self._log_group, logs)
            ),
            tags=self.tagged(self.function_name),
            opts=self.child(depends_on=[policy, access]),
        )
        permission = aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=known(self.function_name, function),
            principal="secretsmanager.amazonaws.com",
            source_account=context.account,
            statement_id="secrets-manager",
            opts=self.child(),
        )
        self.function = function
        self.ready: list[pulumi.Resource] = [permission]
        self._alarm(name, topics)
        self.register_outputs({"arn": self.arn})

    @property
    def _log_group(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def _security_group(self, name: str) -> pulumi.Output[str]:
        physical = self.function_name
        group = aws.ec2.SecurityGroup(
            name,
            name=physical,
            description="Rotation of secrets",
            vpc_id=self.network.vpc_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        reached = (
            ("aws", 443, "0.0.0.0/0", "AWS's own services"),
            ("postgres", 5432, self.network.cidr, "Databases of the VPC"),
            ("redis", 6379, self.network.cidr, "Caches of the VPC"),
        )
        for part, port, cidr, description in reached:
            aws.vpc.SecurityGroupEgressRule(
                f"{name}-{part}",
                security_group_id=group.id,
                description=description,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                tags=self.tagged(f"{physical}-{part}"),
                opts=self.child(),
            )
        return group.id

    def _logs(self, name: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            name,
            name=self._log_group,
            retention_in_days=90,
            tags=self.tagged(self._log_group),
            opts=self.child(),
        )

    def _role(
        self, name: str
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy, aws.iam.RolePolicyAttachment]:
        context = self.context
        role = aws.iam.Role(
            name,
            name=self.function_name,
            assume_role_policy=json.dumps(trust()),
            tags=self.tagged(self.function_name),
            opts=self.child(),
        )
        role_name = known(self.function_name, role)
        policy = aws.iam.RolePolicy(
            name,
            name="rotate-secrets",
            role=role_name,
            policy=json.dumps(permissions(context, self.arn, self._log_group)),
            opts=self.child(),
        )
        access = aws.iam.RolePolicyAttachment(
            name,
            role=role_name,
            policy_arn=f"arn:{context.partition}:{_VPC_ACCESS}",
            opts=self.child(),
        )
        return role, policy, access

    def _alarm(self, name: str, topics: Topics | None) -> None:
        metric_alarm(
            self,
            f"{name}-errors",
            topics=topics,
            severity="critical",
            description="A secret could not be rotated; the value before it is still in use.",
            runbook="rotation-failed",
            namespace="AWS/Lambda",
            metric="Errors",
            statistic="Sum",
            period_seconds=300,
            threshold=0,
            missing_data="notBreaching",
            dimensions={"FunctionName": known(self.function_name, self.function)},
        )
