"""What all components share: where they are declared, how things are named, what they are tagged.

Physical names are decided here and ARNs computed from them, so that a task definition or an IAM
policy that names a secret is fully known at preview, and the policy pack can judge it before
anything exists.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pulumi

T = TypeVar("T")


def known(value: T, *declared_by: pulumi.Resource) -> pulumi.Output[T]:
    """A value that is known at preview and yet depends on the resources that make it true.

    For names and ARNs that we decide ourselves: an alarm may name its topic before the topic
    exists, the policy pack can judge it, and the engine still makes the topic first.
    """
    done: asyncio.Future[T] = asyncio.get_event_loop().create_future()
    done.set_result(value)
    is_known: asyncio.Future[bool] = asyncio.get_event_loop().create_future()
    is_known.set_result(True)
    return pulumi.Output(set(declared_by), done, is_known)


def shortened(name: str, limit: int) -> str:
    """A name of at most `limit` characters: what is cut is replaced by six digits of a digest."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: limit - 7].rstrip('-')}-{digest}"


@dataclass(frozen=True)
class Context:
    """Where a component is declared.

    `code` and `stage` begin every physical name: `<code>-<stage>-<part>`. The stage is the tier, or
    the phase where a system has several stacks of one tier.
    """

    code: str
    tier: str
    region: str
    account: str
    partition: str = "aws"
    protect: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    runbook_base_url: str = ""
    phase: str | None = None

    @property
    def stage(self) -> str:
        """What names have after the system's code."""
        return self.phase or self.tier

    def name(self, *parts: str) -> str:
        """A physical name: `atc-prod-main`."""
        return "-".join((self.code, self.stage, *parts))

    def path(self, *parts: str) -> str:
        """A hierarchical name, as secrets, parameters and log groups have: `atc-prod/main/x`."""
        return "/".join((f"{self.code}-{self.stage}", *parts))

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

    def runbook(self, name: str) -> str:
        """Where the runbook called `name` is read; without a base address, its file name."""
        return f"{self.runbook_base_url.rstrip('/')}/{name}.md".removeprefix("/")

    @property
    def namespace(self) -> str:
        """The CloudWatch namespace of the application's own metrics."""
        return f"{self.code}/{self.stage}"


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
