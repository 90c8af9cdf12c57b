"""PostgreSQL on RDS, with what it must not be without."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.alarms import Topics
from components.base import Component, Context
from components.network import Network
from components.rotation import RotationFunction
from systems import model


class Postgres(Component):
    """An RDS instance, its key, its pool, its application's secret and its alarms."""

    instance: pulumi.CustomResource
    identifier: str  # <code>-<tier>-<name>, known
    instance_arn: str  # known
    proxy: pulumi.CustomResource | None
    proxy_name: str | None  # known
    endpoint: pulumi.Output[str]  # the host an application connects to
    instance_address: pulumi.Output[str]
    port: int
    application_secret_name: str  # known; JSON with username, password, host, port, dbname, url
    application_secret_arn: str  # known, partial
    master_secret_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]  # what applications reach: of the proxy if any
    key_alias: str

    def __init__(
        self,
        name: str,
        args: model.Database,
        context: Context,
        network: Network | None = None,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        rotation: RotationFunction | None = None,
        runbook_base_url: str = "",
        restart: Sequence[str] = (),
    ) -> None:
        """Without `network` or `rotation` the database declares its own."""
        super().__init__("Postgres", name, context, opts)
        raise NotImplementedError

    def allow_from(self, security_group_id: pulumi.Input[str], name: str) -> None:
        """Let what has this security group connect."""
        raise NotImplementedError

    def read_statements(self) -> list[dict[str, object]]:
        """What a role needs to read the application's secret, known at preview."""
        raise NotImplementedError
