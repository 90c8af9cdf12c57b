"""The network a system lives in."""

from __future__ import annotations

import pulumi

from components.base import Component, Context
from systems import model


class Network(Component):
    """A VPC with public, private and data subnets in each availability zone."""

    vpc_id: pulumi.Output[str]
    cidr: str
    public_subnet_ids: list[pulumi.Output[str]]
    private_subnet_ids: list[pulumi.Output[str]]
    data_subnet_ids: list[pulumi.Output[str]]
    endpoint_security_group_id: pulumi.Output[str] | None

    def __init__(
        self,
        name: str,
        args: model.Network,
        context: Context,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Network", name, context, opts)
        raise NotImplementedError
