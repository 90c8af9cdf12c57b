"""How one service reaches another inside the network, past the load balancer and its limits.

Tasks of a service that is called write their addresses into a private zone of the VPC, and leave it
when they are not well: `http://backend.paiid-prod.internal:8000`.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.base import Component, Context
from components.network import Network

_TTL_SECONDS = 10
"""A task that ended is asked for so long at most; callers try again."""


def zone(context: Context) -> str:
    """The private zone of a system at a tier."""
    return f"{context.name()}.internal"


def addresses(ports: Mapping[str, int], context: Context) -> dict[str, str]:
    """`<NAME>_URL` for each called service, by its port."""
    return {
        f"{name.upper().replace('-', '_')}_URL": f"http://{name}.{zone(context)}:{port}"
        for name, port in ports.items()
    }


class Discovery(Component):
    """The private zone, and a registry in it for each service that others call."""

    def __init__(
        self,
        name: str,
        context: Context,
        network: Network,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Discovery", name, context, opts)
        self._zone = aws.servicediscovery.PrivateDnsNamespace(
            name,
            name=zone(context),
            description=f"Services of {context.name()}, for each other",
            vpc=network.vpc_id,
            tags=self.tagged(zone(context)),
            opts=self.child(),
        )
        self.register_outputs({"zone": zone(context)})

    def registry(self, service: str) -> pulumi.Output[str]:
        """The ARN of a service's registry. ECS itself says which of its tasks are well."""
        return aws.servicediscovery.Service(
            service,
            name=service,
            dns_config={
                "namespace_id": self._zone.id,
                "routing_policy": "MULTIVALUE",
                "dns_records": [{"type": "A", "ttl": _TTL_SECONDS}],
            },
            health_check_custom_config={"failure_threshold": 1},
            tags=self.tagged(f"{service}.{zone(self.context)}"),
            opts=self.child(),
        ).arn
