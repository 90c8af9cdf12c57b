"""What all components share: where they are declared, how things are named, what they are tagged.

Physical names are decided here and ARNs computed from them, so that a task definition or an IAM
policy that names a secret is fully known at preview, and the policy pack can judge it before
anything exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi


@dataclass(frozen=True)
class Context:
    """Where a component is declared.

    `code` and `tier` begin every physical name: `<code>-<tier>-<part>`.
    """

    code: str
    tier: str
    region: str
    account: str
    partition: str = "aws"
    protect: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    def name(self, *parts: str) -> str:
        """A physical name: `atc-prod-main`."""
        return "-".join((self.code, self.tier, *parts))

    def path(self, *parts: str) -> str:
        """A hierarchical name, as secrets, parameters and log groups have: `atc-prod/main/x`."""
        return "/".join((f"{self.code}-{self.tier}", *parts))

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """The ARN of something whose name is known; `region=""` for global services."""
        where = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{where}:{self.account}:{resource}"

    def secret_arn(self, secret_name: str) -> str:
        """A secret's ARN without its random suffix: ECS and GetSecretValue take it so.

        https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
        """
        return self.arn("secretsmanager", f"secret:{secret_name}")

    def secret_arn_patterns(self, secret_name: str) -> list[str]:
        """What an IAM policy names to allow reading one secret, with and without its suffix."""
        bare = self.secret_arn(secret_name)
        return [bare, f"{bare}-??????"]

    @property
    def namespace(self) -> str:
        """The CloudWatch namespace of the application's own metrics."""
        return f"{self.code}/{self.tier}"


class Component(pulumi.ComponentResource):
    """A component of Gonogo. Children are parented to it and reachable by transforms."""

    def __init__(
        self, kind: str, name: str, context: Context, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"gonogo:components:{kind}", name, None, opts)
        self.context = context

    def child(
        self,
        *,
        protect: bool | None = None,
        depends_on: list[pulumi.Resource] | None = None,
        ignore_changes: list[str] | None = None,
        delete_before_replace: bool | None = None,
    ) -> pulumi.ResourceOptions:
        """Options of a child resource."""
        return pulumi.ResourceOptions(
            parent=self,
            protect=protect,
            depends_on=depends_on,
            ignore_changes=ignore_changes,
            delete_before_replace=delete_before_replace,
        )

    def tagged(self, name: str, **more: str) -> dict[str, str]:
        """The tags of a child: its name, whose it is, and what the system adds."""
        return {**self.context.tags, "Name": name, **more}
