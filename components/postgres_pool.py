"""Connection pooling: RDS Proxy in front of an instance."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.base import Component, known
from components.secret import Entry
from systems import model


class Pool(Component):
    """RDS Proxy: clients prove who they are to it with what the entries hold, over TLS.

    `join` puts the instance behind it, once the roles in the entries can log in there.
    """

    def __init__(
        self,
        name: str,
        args: model.Pooling,
        parent: Component,
        *,
        proxy_name: str,
        entries: Sequence[Entry],
        subnet_ids: Sequence[pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
        tls_required: bool,
        log_retention_days: int,
    ) -> None:
        super().__init__("Pool", name, parent.context, parent.child())
        self.name = name
        self.args = args
        self.proxy_name = proxy_name
        role, policy = self._role(entries)
        log_group = f"/aws/rds/proxy/{proxy_name}"
        logs = aws.cloudwatch.LogGroup(
            f"{name}-proxy",
            name=log_group,
            retention_in_days=log_retention_days,
            tags=self.tagged(log_group),
            opts=self.child(),
        )
        self.proxy = aws.rds.Proxy(
            name,
            name=proxy_name,
            engine_family="POSTGRESQL",
            require_tls=tls_required,
            idle_client_timeout=args.idle_client_timeout_seconds,
            debug_logging=False,
            role_arn=role,
            vpc_subnet_ids=list(subnet_ids),
            vpc_security_group_ids=[security_group_id],
            auths=[
                aws.rds.ProxyAuthArgs(
                    auth_scheme="SECRETS",
                    client_password_auth_type="POSTGRES_SCRAM_SHA_256",  # noqa: S106 # pragma: allowlist secret
                    iam_auth="DISABLED",
                    secret_arn=entry.secret.arn,
                    description=entry.secret_name,
                )
                for entry in entries
            ],
            tags=self.tagged(proxy_name),
            opts=self.child(depends_on=[policy, logs]),
        )
        self.register_outputs({"endpoint": self.proxy.endpoint})

    def join(self, instance: aws.rds.Instance, after: Sequence[pulumi.Resource]) -> None:
        """Put the instance behind the proxy."""
        group = aws.rds.ProxyDefaultTargetGroup(
            self.name,
            db_proxy_name=known(self.proxy_name, self.proxy),
            connection_pool_config=aws.rds.ProxyDefaultTargetGroupConnectionPoolConfigArgs(
                max_connections_percent=self.args.max_connections_percent,
                max_idle_connections_percent=self.args.max_idle_connections_percent,
                connection_borrow_timeout=self.args.connection_borrow_timeout_seconds,
            ),
            opts=self.child(),
        )
        aws.rds.ProxyTarget(
            self.name,
            db_proxy_name=known(self.proxy_name, self.proxy),
            target_group_name=known("default", group),
            db_instance_identifier=instance.identifier,
            opts=self.child(depends_on=list(after)),
        )

    def _role(self, entries: Sequence[Entry]) -> tuple[pulumi.Output[str], aws.iam.RolePolicy]:
        """A role that can read the entries' secrets and nothing else.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html
        """
        physical = f"{self.proxy_name}-proxy"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "rds.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = aws.iam.Role(
            self.name,
            name=physical,
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            tags=self.tagged(physical),
            opts=self.child(),
        )
        statements = [statement for entry in entries for statement in entry.read_statements()]
        policy = aws.iam.RolePolicy(
            self.name,
            name="read-secrets",
            role=known(physical, role),
            policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
            opts=self.child(),
        )
        return known(self.context.arn("iam", f"role/{physical}", region=""), role), policy
