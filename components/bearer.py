"""The bearer token that scheduled calls carry."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component, Context, shortened
from components.secret import Secret


def connection_name(context: Context, secret: str) -> str:
    """The EventBridge connection that carries a secret, as the secret's rotation finds it."""
    return shortened(context.name(secret), 64)


class Bearer(Component):
    """An EventBridge connection whose calls carry a secret as `Authorization: Bearer …`.

    One for each secret, however many schedules call with it: its rotation writes the new value
    into this one connection.
    """

    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        secret: Secret,
        context: Context,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`name` is the secret's, which was declared with `connection_name` of the same."""
        super().__init__("Bearer", name, context, opts)
        self.connection_name = connection_name(context, name)
        connection = aws.cloudwatch.EventConnection(
            name,
            name=self.connection_name,
            description=f"Bearer token {secret.secret_name}",
            authorization_type="API_KEY",
            auth_parameters={
                "api_key": {
                    "key": "Authorization",
                    "value": pulumi.Output.concat("Bearer ", secret.value),
                }
            },
            # Rotation of the secret writes the new value here.
            opts=self.child(
                depends_on=[secret.version], ignore_changes=["authParameters.apiKey.value"]
            ),
        )
        self.arn = connection.arn
        self.register_outputs({"arn": self.arn})
