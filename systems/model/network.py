"""The network that a system lives in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from systems.model.base import Cidr, LogRetentionDays, Model

# Interface endpoints by their AWS service suffix: traffic that need not leave the VPC.
InterfaceEndpoint = Literal[
    "ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "kms", "sts", "monitoring", "events"
]


class Network(Model):
    """A VPC with public, private and data subnets in each availability zone.

    With `nat_gateways: none` nothing private goes out, so that there is none to pay for: tasks have
    public addresses, which their security groups close. There are no databases and no caches then,
    because the function that rotates their passwords lives in private subnets.
    """

    cidr: Cidr = "10.20.0.0/16"
    availability_zone_count: int = Field(default=3, ge=2, le=3)
    nat_gateways: Literal["none", "one", "per_zone"] = "per_zone"
    interface_endpoints: tuple[InterfaceEndpoint, ...] = (
        "ecr.api",
        "ecr.dkr",
        "logs",
        "secretsmanager",
    )
    flow_logs: bool = True
    flow_log_retention_days: LogRetentionDays = 30
