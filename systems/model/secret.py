"""Entries of Secrets Manager."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from systems.model.base import Model, misfit


class Secret(Model):
    """One entry of Secrets Manager. Its value is never in a file of ours.

    Either Gonogo generates the value (`generate_length`, characters), or a person fills it in after
    the first apply (`fill`: what belongs there and where it is had). Only a generated value can be
    rotated by Gonogo's own function; for the others, rotation is a duty of the provider's console
    and `rotation_days` of the person.
    """

    description: str = Field(min_length=1)
    generate_length: int | None = Field(default=None, ge=32, le=4096)
    fill: str | None = Field(default=None, min_length=1)
    rotation_days: int | None = Field(default=None, ge=1, le=1000)
    recovery_window_days: int = Field(default=30)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.generate_length is None) == (self.fill is None):
            both = self.fill is not None
            raise misfit(
                "fill",
                "both generate_length and fill" if both else "neither generate_length nor fill",
                "exactly one of generate_length (characters: Gonogo makes the value) and fill "
                "(what a person puts in, and where it is had)",
                "remove one of them" if both else "add one of them",
            )
        if self.recovery_window_days != 0 and not 7 <= self.recovery_window_days <= 30:
            raise misfit(
                "recovery_window_days",
                str(self.recovery_window_days),
                "0 (delete at once), or 7 to 30",
                "take one of those",
            )
        return self
