"""By which figures a deployment is taken back, or held to have succeeded."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.alarm import Metric
from systems.model.base import Model, Says, misfit

AlarmName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,99}$"),
    Says("the name of an alarm of this system without code and tier, such as web-error-rate"),
]


class Criterion(Model):
    """One figure after a deployment. Declares nothing: operations measure it.

    `roll-back`: the deployment goes back when this holds at any time within `hours` after it.
    `success`: it has succeeded when this holds `hours` after it.
    What is measured is a metric, or what an alarm of the stack watches (`alarm`), held against a
    threshold of its own. Criteria that only a person can judge are no figures and stand elsewhere.
    """

    kind: Literal["roll-back", "success"]
    hours: float = Field(gt=0, le=24 * 31)
    description: str = Field(min_length=1)
    alarm: AlarmName | None = None
    metric: Metric | None = None
    comparison: Literal[
        "GreaterThanThreshold",
        "GreaterThanOrEqualToThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ]
    threshold: float

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.alarm is None) == (self.metric is None):
            both = self.alarm is not None
            raise misfit(
                "alarm",
                "both alarm and metric" if both else "neither alarm nor metric",
                "exactly one of alarm (the measure of that alarm) and metric",
                "remove one of them" if both else "add alarm: with the name of an alarm",
            )
        return self
