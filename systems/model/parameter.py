"""Parameters: what the application reads while it runs, and a person may change at any time."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import Model, Says, misfit


class Parameter(Model):
    """One entry of SSM's Parameter Store, in plain text: a kill switch, feature flags.

    `value` is what it begins with; whoever changes it later is right. Where `allowed` is given,
    AWS takes those values and no others.
    """

    description: str = Field(min_length=1, max_length=1024)
    value: str = Field(min_length=1, max_length=4096)
    allowed: tuple[
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Za-z0-9_-]+$"),
            Says("one word of letters, digits, hyphens and underscores"),
        ],
        ...,
    ] = ()

    @model_validator(mode="after")
    def _begins_allowed(self) -> Self:
        if self.allowed and self.value not in self.allowed:
            raise misfit(
                "value",
                f'"{self.value}"',
                f"one of {', '.join(self.allowed)}",
                "begin with one of them, or add it to allowed",
            )
        return self
