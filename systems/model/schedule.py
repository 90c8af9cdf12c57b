"""What happens by the clock."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import Model, Name, Says, Severity, misfit

ScheduleExpression = Annotated[
    str,
    StringConstraints(pattern=r"^(rate\(\d+ (minute|minutes|hour|hours|day|days)\)|cron\(.+\))$"),
    Says("rate(1 minute), rate(5 minutes), rate(1 hour) ... or cron(0 4 * * ? *)"),
]


class HttpCall(Model):
    """An HTTP call to a service of this system, with a bearer secret.

    EventBridge waits 5 seconds for the answer: the endpoint accepts the work and does it after.
    """

    service: Name
    path: Annotated[str, StringConstraints(pattern=r"^/"), Says("a path that begins with /")]
    method: Literal["GET", "POST"] = "POST"
    bearer_secret: Name


class Schedule(Model):
    """EventBridge: an HTTP call or a job, retried, with a dead-letter queue and two alarms.

    The alarms: a call that failed after its retries, and silence (no call within
    `silence_minutes`; seven days are the longest that CloudWatch looks back, so what comes more
    seldom says null, and a metric of what it achieves has an alarm). A job that ends with another
    status than 0 is told too.
    """

    expression: ScheduleExpression
    http: HttpCall | None = None
    job: Name | None = None
    enabled: bool = True
    retry_attempts: int = Field(default=2, ge=0, le=185)
    maximum_event_age_seconds: int = Field(default=120, ge=60, le=86400)
    silence_minutes: int | None = Field(default=5, ge=1, le=10080)
    severity: Severity = Field(
        default="critical",
        description="of its alarms; a check that can wait until morning: warning",
    )

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.http is None) == (self.job is None):
            raise misfit(
                "http",
                "neither http nor job" if self.http is None else "both http and job",
                "exactly one of http (call a service) and job (run a task)",
                "add one of them" if self.http is None else "remove one of them",
            )
        return self
