"""The base of every model, and the small types that several of them share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from systems.regions import REGIONS


@dataclass(frozen=True)
class Says:
    """What a type or field allows, and what to do else, in the words that an error uses.

    Has no part in validation. What is empty is made from the type.
    """

    text: str = ""
    todo: str = ""


@dataclass(frozen=True)
class Misfit:
    """Values that are right one by one and do not go together.

    `path` leads, from the model that says so, to the value that should change.
    """

    path: tuple[str | int, ...]
    found: str
    allowed: str
    todo: str


class MisfitError(ValueError):
    """One or more misfits. Inside a validator pydantic makes a ValidationError of it."""

    def __init__(self, misfits: Iterable[Misfit]) -> None:
        self.misfits = tuple(misfits)
        super().__init__(
            "; ".join(
                f"{'.'.join(map(str, one.path))}: found {one.found}, allowed {one.allowed}; "
                f"{one.todo}"
                for one in self.misfits
            )
        )


def misfit(path: str, found: str, allowed: str, todo: str) -> MisfitError:
    """The error for a single misfit at a dotted path."""
    return MisfitError([Misfit(tuple(path.split(".")), found, allowed, todo)])


def _known_region(value: str) -> str:
    if value not in REGIONS:
        raise ValueError(f"{value} is not a region of AWS")
    return value


def _private_network(value: str) -> str:
    network = IPv4Network(value)  # a ValueError of its own says what is wrong
    if not network.is_private or not 16 <= network.prefixlen <= 24:
        raise ValueError(f"{value} is not a private network from /16 to /24")
    return value


Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}$"),
    Says("a name: lower case, digits and hyphens, a letter first, 30 characters at most"),
]
"""A name inside a system: lower case, digits and hyphens, 30 characters at most."""

EnvironmentName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,127}$"),
    Says("the name of an environment variable: capitals, digits and underscores"),
]
"""The name of an environment variable."""

Percent = Annotated[float, Field(gt=0, le=100)]

Cidr = Annotated[
    str,
    AfterValidator(_private_network),
    Says(
        "private IPv4 addresses from /16 to /24, such as 10.20.0.0/16",
        "write the network's first address and its length",
    ),
]
"""The addresses of a VPC. AWS takes /16 to /28; from /24 on, no subnets can be cut out of it."""

ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
    Says('a time of day in UTC, from "00:00" to "23:59"'),
]
"""A time of day, 24 hours, UTC unless said otherwise: `02:00`."""

Region = Annotated[
    str, AfterValidator(_known_region), Says("a region of AWS, such as us-east-1 or us-west-2")
]

Severity = Literal["critical", "warning"]

# What CloudWatch Logs accepts (PutRetentionPolicy, retentionInDays).
LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip


class Model(BaseModel):
    """Frozen, and nothing beyond its fields: a misspelt key is an error, not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")
