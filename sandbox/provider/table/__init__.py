"""The table: one module a service, one row a resource type."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from sandbox.provider.errors import ProviderError
from sandbox.provider.resource import ResourceType

MODULES: Final = (
    "acm",
    "appautoscaling",
    "backup",
    "cloudwatch",
    "ec2",
    "ec2_endpoints",
    "ec2_routes",
    "ec2_security",
    "ecr",
    "ecs",
    "elasticache",
    "elasticache_group",
    "elb",
    "elb_listener",
    "elb_target_group",
    "events",
    "iam",
    "kms",
    "lambda_",
    "logs",
    "rds",
    "rds_instance",
    "rds_proxy",
    "route53",
    "s3",
    "scheduler",
    "secretsmanager",
    "servicediscovery",
    "sns",
    "sqs",
    "ssm",
    "wafv2",
)


@lru_cache(maxsize=1)
def _by_token() -> dict[str, ResourceType]:
    rows: dict[str, ResourceType] = {}
    for name in MODULES:
        for row in importlib.import_module(f"sandbox.provider.table.{name}").ROWS:
            if row.pulumi_type in rows:
                raise ValueError(f"{row.pulumi_type} is in the table twice")
            rows[row.pulumi_type] = row
    return rows


def rows() -> Iterable[ResourceType]:
    """All rows."""
    return _by_token().values()


def row(token: str) -> ResourceType:
    """The row of a resource type.

    Raises:
        ProviderError: the table has none.
    """
    known = _by_token().get(token)
    if known is None:
        raise ProviderError(
            f"the sandbox's aws provider has no row for {token} and does not pretend to make one; "
            "it would be one in sandbox/provider/table. With an AWS account: `--cloud aws`"
        )
    return known
