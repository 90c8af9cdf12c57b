"""A job: a task definition that waits to be run."""

from __future__ import annotations

from functools import cache

from components.job import Job
from tests.components.parts import (
    ECS_SERVICE,
    JOB,
    ROLE_POLICY,
    TASK,
    containers,
    platform,
    references,
    statements,
)
from tests.components.recording import ACCOUNT, CONTEXT, REGION, Records, record


@cache
def usual() -> Records:
    return record(lambda: Job("migrate", JOB, CONTEXT, platform(ingress=False)), preview=True)


def test_it_runs_only_when_told() -> None:
    assert usual().all(ECS_SERVICE) == []
    assert usual().one(TASK).inputs["family"] == "atc-prod-migrate"
    migrate = containers(usual(), "migrate")["migrate"]
    assert migrate["command"] == ["npm", "run", "migrate"]
    assert "healthCheck" not in migrate


def test_it_connects_as_the_role_that_may_change_tables() -> None:
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:atc-prod/main/migration"
    migrate = containers(usual(), "migrate")["migrate"]
    assert references(migrate) == {"DATABASE_URL": f"{secret}:url::"}
    readable = [
        one["Resource"]
        for one in statements(usual().one(ROLE_POLICY, "migrate-execution"))
        if one["Action"] == "secretsmanager:GetSecretValue"
    ]
    assert readable == [[secret, f"{secret}-??????"]]


def test_it_is_named_without_a_revision() -> None:
    found: list[str] = []

    def program() -> None:
        job = Job("migrate", JOB, CONTEXT, platform(ingress=False))
        found.append(job.arn)

    record(program)
    assert found == [f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/atc-prod-migrate"]
