"""The way in: load balancer, TLS, WAF."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import Model, Says, misfit

Origin = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:\d+)?$"),
    Says(
        "an origin such as https://app.example.com, without a path and without *",
        "name each site that may call: * would let every website read the answers",
    ),
]


class RateLimit(Model):
    """At most `requests` by one address within `period_seconds`, on paths that start so.

    With `by_header` each value of that header is counted apart instead of each address: with
    `authorization`, each signed-in user. A request without the header is not counted, so keep a
    limit by address beside it.

    AWS WAF counts over 60, 120, 300 or 600 seconds, and 10 requests is its smallest limit.
    """

    requests: int = Field(ge=10, le=2_000_000_000)
    period_seconds: Literal[60, 120, 300, 600] = 60
    path_prefix: Annotated[
        str, StringConstraints(pattern=r"^/"), Says("a path that begins with /")
    ] = "/"
    by_header: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$"),
            Says("a header's name in lower case, such as authorization"),
        ]
        | None
    ) = None


class Ingress(Model):
    """A load balancer open to the internet, with TLS and a web ACL.

    The certificate is either given (`certificate_arn`) or asked of ACM for `domain` and proved by
    a record in `hosted_zone_id`.
    """

    domain: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$"),
        Says("a domain such as app.example.com, without https://"),
    ]
    certificate_arn: (
        Annotated[
            str,
            StringConstraints(pattern=r"^arn:aws[a-z-]*:acm:"),
            Says("the ARN of a certificate: arn:aws:acm:..."),
        ]
        | None
    ) = None
    hosted_zone_id: (
        Annotated[
            str,
            StringConstraints(pattern=r"^Z[A-Z0-9]{6,31}$"),
            Says("the id of a Route 53 zone, such as Z0123456789ABC"),
        ]
        | None
    ) = None
    tls_policy: Literal[
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
        "ELBSecurityPolicy-2016-08",
    ] = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    large_body_paths: tuple[
        Annotated[str, StringConstraints(pattern=r"^/"), Says("a path that begins with /")], ...
    ] = Field(
        default=(),
        max_length=5,
        description="only under these may a request's body have more than 8 kB; uploads need it",
    )
    idle_timeout_seconds: int = Field(default=60, ge=1, le=4000)
    rate_limits: dict[str, RateLimit] = Field(min_length=1)
    cors_origins: tuple[Origin, ...] = ()
    security_headers: bool = True
    access_log_retention_days: int = Field(default=90, ge=1)
    deletion_protection: bool = True

    @model_validator(mode="after")
    def _one_certificate(self) -> Self:
        if (self.certificate_arn is None) == (self.hosted_zone_id is None):
            given = self.certificate_arn is not None
            raise misfit(
                "certificate_arn" if given else "hosted_zone_id",
                "both certificate_arn and hosted_zone_id" if given else "no certificate",
                "exactly one of certificate_arn (a certificate you have) and hosted_zone_id "
                "(the Route 53 zone where ACM's proof is put)",
                "remove one of them" if given else "add hosted_zone_id: or certificate_arn:",
            )
        return self
