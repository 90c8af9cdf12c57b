"""An entry of SSM's Parameter Store, which the application reads while it runs."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component, Context
from systems import model


class Parameter(Component):
    """One parameter, `/<code>-<stage>/<name>`.

    Its value is never compared again: an update that put it back would undo an emergency stop in
    silence.
    """

    def __init__(
        self,
        name: str,
        args: model.Parameter,
        context: Context,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Parameter", name, context, opts)
        self.parameter_name = parameter_name(context, name)
        aws.ssm.Parameter(
            name,
            name=self.parameter_name,
            description=args.description,
            type="String",
            value=args.value,
            allowed_pattern=f"^({'|'.join(args.allowed)})$" if args.allowed else None,
            tags=self.tagged(self.parameter_name),
            opts=self.child(ignore_changes=["value"]),
        )
        self.register_outputs({"name": self.parameter_name})


def parameter_name(context: Context, name: str) -> str:
    """A parameter's name in AWS: `/alpaca-paper/kill-switch`."""
    return f"/{context.path(name)}"


def parameter_arn(context: Context, name: str) -> str:
    """Its ARN, in which the name's first slash is the one after `parameter`."""
    return context.arn("ssm", f"parameter{parameter_name(context, name)}")


def variable(name: str) -> str:
    """The variable that tells every container the parameter's name: `KILL_SWITCH_PARAMETER`."""
    return f"{name.upper().replace('-', '_')}_PARAMETER"
