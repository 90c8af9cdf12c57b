"""What the rotation function may do. All of it is known at preview."""

from __future__ import annotations

from typing import Any

from components.base import Context
from components.encryption import Statement, use_key_statement


def trust() -> dict[str, Any]:
    """Lambda may take the role."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }


def permissions(context: Context, function_arn: str, log_group: str) -> dict[str, Any]:
    """The secrets, keys, databases, caches, connections and services of this system and tier."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            *_secrets(context),
            *_data_stores(context),
            *_readers(context),
            _allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                context.arn("logs", f"log-group:{log_group}:*"),
            ),
            # Lambda's service needs the network interfaces, the function's code does not.
            # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
            {
                "Effect": "Deny",
                "Action": [
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                "Resource": "*",
                "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
            },
        ],
    }


def _allow(actions: list[str], *resources: str) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def _secrets(context: Context) -> list[Statement]:
    databases = context.arn("rds", f"db:{context.name('*')}")
    return [
        _allow(
            [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            context.secret_arn(context.path("*")),
        ),
        {
            **_allow(["secretsmanager:GetSecretValue"], context.secret_arn("rds!db-*")),
            "Condition": {
                "ArnLike": {"secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn": databases}
            },
        },
        use_key_statement(
            context,
            f"alias/{context.name('*')}",
            actions=("kms:Decrypt", "kms:GenerateDataKey"),
        ),
    ]


def _data_stores(context: Context) -> list[Statement]:
    return [
        _allow(["rds:DescribeDBInstances"], context.arn("rds", f"db:{context.name('*')}")),
        # A proxy's ARN has an id instead of its name.
        _allow(["rds:DescribeDBProxies"], context.arn("rds", "db-proxy:*")),
        _allow(
            ["elasticache:DescribeReplicationGroups", "elasticache:ModifyReplicationGroup"],
            context.arn("elasticache", f"replicationgroup:{context.name('*')}"),
        ),
    ]


def _readers(context: Context) -> list[Statement]:
    """The connections that send a token, and the services that check it."""
    return [
        _allow(
            ["events:UpdateConnection", "events:DescribeConnection"],
            context.arn("events", f"connection/{context.name('*')}"),
        ),
        # EventBridge keeps a connection's value in a secret of its own, with its caller's rights.
        _allow(
            [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecret",
            ],
            context.secret_arn(f"events!connection/{context.name('*')}"),
        ),
        _allow(
            ["ecs:DescribeServices", "ecs:UpdateService"],
            context.arn("ecs", f"service/{context.name()}*/*"),
        ),
    ]
