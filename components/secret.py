"""An entry of Secrets Manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.base import Component, Context, known
from components.encryption import Key, Statement, use_key_statement
from components.rotation import RotationFunction
from systems import model

PLACEHOLDER = "GONOGO-PLACEHOLDER: fill with "

# A label of ours on the first version. Secrets Manager deletes versions without any label some
# time after they are replaced; the engine would then think the first value gone and put it back.
FIRST_VERSION = "GONOGO_FIRST"


class Entry(Component):
    """A secret with its first value. What `Secret`, `Postgres` and `Redis` have in common.

    The first value is marked secret and never compared again: whoever changes it later, the
    function or a person, is right. `rotation` are the tags that tell the rotation function what to
    do (components/rotation/lambda_code); with them, call `rotate`.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        *,
        path: Sequence[str],
        description: str,
        key: Key,
        value: pulumi.Input[str],
        recovery_window_days: int,
        rotation: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Entry", name, context, opts)
        self.name = name
        self.secret_name = context.path(*path)
        self.key_alias = key.alias
        told = {tag: text for tag, text in (rotation or {}).items() if text}
        self.secret = aws.secretsmanager.Secret(
            name,
            name=self.secret_name,
            description=description,
            kms_key_id=key.arn,
            recovery_window_in_days=recovery_window_days,
            tags={**self.tagged(self.secret_name), **told},
            opts=self.child(protect=context.protect, depends_on=[key.key_alias]),
        )
        self.version = aws.secretsmanager.SecretVersion(
            name,
            secret_id=self.secret.id,
            secret_string=pulumi.Output.secret(value),
            version_stages=["AWSCURRENT", FIRST_VERSION],
            opts=self.child(ignore_changes=["secretString", "versionStages"]),
        )
        self.register_outputs({"secret_name": self.secret_name})

    def rotate(
        self,
        function: RotationFunction,
        days: int,
        after: Sequence[pulumi.Resource] = (),
        *,
        at_once: bool = False,
    ) -> aws.secretsmanager.SecretRotation:
        """A new value every `days`. `at_once`: and one now, for which `after` has to be there."""
        return aws.secretsmanager.SecretRotation(
            self.name,
            secret_id=self.secret.id,
            rotation_lambda_arn=known(function.arn, function.function),
            rotate_immediately=at_once,
            rotation_rules=aws.secretsmanager.SecretRotationRotationRulesArgs(
                automatically_after_days=days
            ),
            opts=self.child(depends_on=[self.version, *function.ready, *after]),
        )

    @property
    def arn(self) -> str:
        """The partial ARN, without the suffix: known at preview."""
        return self.context.secret_arn(self.secret_name)

    def read_statements(self) -> list[Statement]:
        """What a role needs to read this secret: GetSecretValue and Decrypt, both known."""
        return [
            {
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": self.context.secret_arn_patterns(self.secret_name),
            },
            use_key_statement(self.context, self.key_alias),
        ]


class Secret(Component):
    """`<code>-<tier>/<name>`: generated, or to be filled in by a person.

    `arn` is known at preview: the partial ARN, without the suffix.
    """

    def __init__(
        self,
        name: str,
        args: model.Secret,
        context: Context,
        *,
        rotation: RotationFunction | None = None,
        key: Key | None = None,
        opts: pulumi.ResourceOptions | None = None,
        connection: str | None = None,
        restart: Sequence[str] = (),
    ) -> None:
        """`connection`: the EventBridge connection that carries the value as a bearer token.

        `restart`: ECS services (`<cluster>/<service>`) that are deployed anew once the value
        has changed, because a container reads it only when it starts. `key`: shared; without it
        the secret has its own. Rotated when `rotation_days` is given, Gonogo makes the value, and
        there is a function to do it.
        """
        super().__init__("Secret", name, context, opts)
        tags = {
            "gonogo:rotation": "token",
            "gonogo:length": str(args.generate_length or ""),
            "gonogo:connection": connection or "",
            **restart_tags(restart),
        }
        function = rotation if args.generate_length is not None else None
        self.value: pulumi.Output[str] = pulumi.Output.secret(first_value(context, args))
        self.entry = Entry(
            name,
            context,
            path=(name,),
            description=args.description,
            key=key or own_key(self, name, args.description),
            value=self.value,
            recovery_window_days=args.recovery_window_days,
            rotation=tags if function and args.rotation_days else None,
            opts=self.child(),
        )
        if function and args.rotation_days:
            self.entry.rotate(function, args.rotation_days)
        self.secret_name = self.entry.secret_name
        self.arn = self.entry.arn
        self.key_alias = self.entry.key_alias
        self.version: pulumi.Resource = self.entry.version
        self.register_outputs({"secret_name": self.secret_name})

    def read_statements(self) -> list[Statement]:
        """What a role needs to read this secret: GetSecretValue and Decrypt, both known."""
        return self.entry.read_statements()


def first_value(context: Context, args: model.Secret) -> pulumi.Input[str]:
    """What the secret holds until it is rotated or filled in."""
    if args.generate_length is None:
        return f"{PLACEHOLDER}{args.fill}"
    return generated(context, args.generate_length)


def generated(context: Context, length: int) -> pulumi.Output[str]:
    """A value made by Secrets Manager, marked secret: letters and digits, fit for headers."""
    made = aws.secretsmanager.get_random_password_output(
        password_length=length,
        exclude_punctuation=True,
        require_each_included_type=True,
        region=context.region,
    )
    return pulumi.Output.secret(made.random_password)


def own_key(parent: Component, name: str, description: str) -> Key:
    """A key for one secret alone."""
    return Key(f"secret-{name}", description, parent.context, opts=parent.child())


def restart_tags(services: Sequence[str]) -> dict[str, str]:
    """Services as the rotation function reads them: a tag for each, as one has 256 characters."""
    return {f"gonogo:restart/{number}": service for number, service in enumerate(services, 1)}
