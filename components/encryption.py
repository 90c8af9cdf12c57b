"""Keys of our own (KMS), and the IAM statements that name them by alias.

A key's ARN is made by AWS and unknown at preview; its alias is ours. Statements therefore allow
"the keys that have this alias" (`kms:ResourceAliases`), which the policy pack can read before
anything exists.
https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.base import Component, Context

Statement = dict[str, Any]

# AWS services that use a key in their own name, not in their caller's.
_PRINCIPALS = {
    "backup": "backup.amazonaws.com",
    "cloudwatch": "cloudwatch.amazonaws.com",
    "events": "events.amazonaws.com",
    "rds": "events.rds.amazonaws.com",
    "s3-logs": "delivery.logs.amazonaws.com",
    "scheduler": "scheduler.amazonaws.com",
    "sns": "sns.amazonaws.com",
}
# EventBridge fills in no condition key when it publishes: a condition would drop its messages.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
_WITHOUT_CONDITION = frozenset({"events"})
SERVICES = frozenset({"logs", *_PRINCIPALS})


def alias_of(context: Context, part: str) -> str:
    """The alias of a part's key: `alias/atc-prod-secrets`."""
    return f"alias/{context.name(part)}"


def use_key_statement(
    context: Context,
    *aliases: str,
    actions: Sequence[str] = ("kms:Decrypt",),
    service: str | None = "secretsmanager",
) -> Statement:
    """An IAM statement allowing `actions` with the keys that have one of `aliases`.

    An alias may end in `*`. Only through `service` (`secretsmanager`, `s3`, …) unless it is None.
    """
    operator = "StringLike" if any("*" in alias for alias in aliases) else "StringEquals"
    condition: dict[str, Any] = {
        f"ForAnyValue:{operator}": {"kms:ResourceAliases": list(aliases)},
    }
    if service:
        host = f"{service}.{context.region}.amazonaws.com"
        condition["StringEquals"] = {"kms:ViaService": host}
    return {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": context.arn("kms", "key/*"),
        "Condition": condition,
    }


class Key(Component):
    """A KMS key with its alias. `name` is the part: the alias is `alias/<code>-<tier>-<name>`.

    Yearly rotation, thirty days before a deletion is final where things are protected. The account
    may administer it; who else may use it is said by their IAM policies and by `services`.
    """

    def __init__(
        self,
        name: str,
        description: str,
        context: Context,
        services: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
        *,
        region: str | None = None,
    ) -> None:
        """`services`: AWS services that use the key in their own name, of `SERVICES`.

        `region` when it is another than the context's.
        """
        super().__init__("Key", name, context, opts)
        unknown = sorted(set(services) - SERVICES)
        if unknown:
            raise ValueError(
                f"key {name}: services {', '.join(unknown)} are not known; "
                f"allowed are {', '.join(sorted(SERVICES))}"
            )
        self.alias = alias_of(context, name)
        key = aws.kms.Key(
            name,
            description=description,
            enable_key_rotation=True,
            deletion_window_in_days=30 if context.protect else 7,
            policy=json.dumps(_key_policy(context, services, region or context.region)),
            region=region,
            tags=self.tagged(context.name(name)),
            opts=self.child(protect=context.protect),
        )
        self.key = key
        self.key_alias = aws.kms.Alias(
            name, name=self.alias, target_key_id=key.key_id, region=region, opts=self.child()
        )
        self.arn: pulumi.Output[str] = key.arn
        self.key_id: pulumi.Output[str] = key.key_id
        self.register_outputs({"arn": key.arn, "alias": self.alias})

    def use_statement(self, *, service: str | None = "secretsmanager") -> Statement:
        """What a role needs to decrypt with this key."""
        return use_key_statement(self.context, self.alias, service=service)


def _key_policy(context: Context, services: Sequence[str], region: str) -> dict[str, Any]:
    statements: list[Statement] = [
        {
            "Sid": "Administration",
            "Effect": "Allow",
            "Principal": {"AWS": context.arn("iam", "root", region="")},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    for service in sorted(services):
        statements.append(
            _logs(context, region) if service == "logs" else _service(context, service)
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _service(context: Context, service: str) -> Statement:
    statement: Statement = {
        "Sid": f"Use{service.title().replace('-', '')}",
        "Effect": "Allow",
        "Principal": {"Service": _PRINCIPALS[service]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
    if service not in _WITHOUT_CONDITION:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": context.account}}
    return statement


def _logs(context: Context, region: str) -> Statement:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""
    groups = context.arn("logs", "log-group:*", region=region)
    return {
        "Sid": "UseLogs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.amazonaws.com"},
        "Action": [
            "kms:Encrypt*",
            "kms:Decrypt*",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:Describe*",
        ],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }
