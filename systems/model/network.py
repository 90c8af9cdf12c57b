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
    """A VPC with public, private and data subnets in each availability zone."""

    cidr: Cidr = "10.20.0.0/16"
    availability_zone_count: int = Field(default=3, ge=2, le=3)
    nat_gateways: Literal["one", "per_zone"] = "per_zone"
    interface_endpoints: tuple[InterfaceEndpoint, ...] = (
        "ecr.api",
        "ecr.dkr",
        "logs",
        "secretsmanager",
    )
    flow_logs: bool = True
    flow_log_retention_days: LogRetentionDays = 30
