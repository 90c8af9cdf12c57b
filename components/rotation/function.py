"""The Lambda function that rotates the secrets of one system."""

from __future__ import annotations

import pulumi

from components.base import Component, Context
from components.network import Network


class RotationFunction(Component):
    """One function for all secrets of a system and tier; each is told apart by its tags."""

    arn: str  # known at preview
    security_group_id: pulumi.Output[str]
    ready: list[pulumi.Resource]  # what a SecretRotation depends on

    def __init__(
        self,
        name: str,
        context: Context,
        network: Network,
        topics: object = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("RotationFunction", name, context, opts)
        raise NotImplementedError
