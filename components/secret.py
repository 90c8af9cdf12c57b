"""An entry of Secrets Manager."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.base import Component, Context
from components.encryption import Key
from components.rotation import RotationFunction
from systems import model


class Secret(Component):
    """`<code>-<tier>/<name>`. `arn` is known at preview: the partial ARN, without the suffix."""

    secret_name: str
    arn: str
    key_alias: str
    value: pulumi.Output[str]  # the initial value, marked secret
    version: pulumi.Resource  # what a reader of the value depends on

    def __init__(
        self,
        name: str,
        args: model.Secret,
        context: Context,
        rotation: RotationFunction | None = None,
        key: Key | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        connection: str | None = None,
        restart: Sequence[str] = (),
    ) -> None:
        """`connection`: the EventBridge connection that carries the value as a bearer token.
        `restart`: ECS services (`<cluster>/<service>`) that are deployed anew once the value
        has changed, because a container reads it only when it starts. `key`: shared; without it
        the secret has its own."""
        super().__init__("Secret", name, context, opts)
        raise NotImplementedError

    def read_statements(self) -> list[dict[str, object]]:
        """What a role needs to read this secret: GetSecretValue and Decrypt, both known."""
        raise NotImplementedError
