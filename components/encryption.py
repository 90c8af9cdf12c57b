"""Keys of our own (KMS), and the IAM statements that name them by alias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from components.base import Component, Context

Statement = dict[str, Any]


def alias_of(context: Context, part: str) -> str:
    """The alias of a part's key: `alias/atc-prod-main`."""
    return f"alias/{context.name(part)}"


def use_key_statement(
    context: Context,
    *aliases: str,
    actions: Sequence[str] = ("kms:Decrypt",),
    service: str | None = None,
) -> Statement:
    """An IAM statement allowing `actions` with the keys that have one of `aliases`."""
    raise NotImplementedError


class Key(Component):
    """A KMS key with its alias. `name` is the part: the alias is `alias/<code>-<tier>-<name>`."""

    arn: pulumi.Output[str]
    key_id: pulumi.Output[str]
    alias: str

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
        """`services`: of logs, cloudwatch, events, sns, sqs, s3, backup, rds, secretsmanager,
        elasticache, scheduler: AWS services that may use the key themselves."""
        super().__init__("Key", name, context, opts)
        raise NotImplementedError
