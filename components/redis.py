"""Redis or Valkey on ElastiCache, with what it must not be without."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.alarms import Topics
from components.base import Component, Context
from components.network import Network
from components.rotation import RotationFunction
from systems import model


class Redis(Component):
    """A replication group, its key, its password's secret and its alarms."""

    group: pulumi.CustomResource
    identifier: str  # <code>-<tier>-<name>, known
    endpoint: pulumi.Output[str]  # host: primary, or configuration endpoint in cluster mode
    reader_endpoint: pulumi.Output[str] | None
    port: int
    secret_name: str | None  # known; JSON with host, port, password, url
    secret_arn: str | None  # known, partial
    security_group_id: pulumi.Output[str]
    key_alias: str

    def __init__(
        self,
        name: str,
        args: model.Cache,
        context: Context,
        network: Network | None = None,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        rotation: RotationFunction | None = None,
        runbook_base_url: str = "",
        restart: Sequence[str] = (),
    ) -> None:
        super().__init__("Redis", name, context, opts)
        raise NotImplementedError

    def allow_from(self, security_group_id: pulumi.Input[str], name: str) -> None:
        """Let what has this security group connect."""
        raise NotImplementedError

    def read_statements(self) -> list[dict[str, object]]:
        """What a role needs to read the cache's secret, known at preview."""
        raise NotImplementedError
