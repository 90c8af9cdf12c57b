"""The base of every model, and the small types that several of them share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
"""A name inside a system: lower case, digits and hyphens, 30 characters at most."""

EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,127}$")]
"""The name of an environment variable."""

Percent = Annotated[float, Field(gt=0, le=100)]

Cidr = Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$")]

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day, 24 hours, UTC unless said otherwise: `02:00`."""

Severity = Literal["critical", "warning"]

# What CloudWatch Logs accepts (PutRetentionPolicy, retentionInDays).
LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip


class Model(BaseModel):
    """Frozen, and nothing beyond its fields: a misspelt key is an error, not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")
