"""Rotation of secrets."""

from __future__ import annotations

import re

from policies.framework import Finding, Findings, Fix, Resource, Setting, Stack, number, rule, skip

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105  a type
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"

_SECRETS_DOCS = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/"

_PLACEHOLDER = "GONOGO-PLACEHOLDER"
_ROTATION_TAG = "gonogo:rotation"
_ELSEWHERE = {"by-issuer", "external", "manual"}


@rule(
    "secret-rotated",
    section="secrets",
    severity="medium",
    types=(SECRET,),
    scope="stack",
    lines=("001:160",),
    why="A secret that never changes stays good for whoever once saw it.",
    fix=Fix(
        "secrets.<name>.rotation_days",
        "aws.secretsmanager.SecretRotation(rotation_rules={'automatically_after_days': 30})",
    ),
    reference=f"{_SECRETS_DOCS}rotating-secrets.html",
    tiers=("prod", "staging"),
    settings={"maximum_days": Setting(90, 1, "Days between two rotations, at most.")},
)
def secret_rotated(secret: Resource, stack: Stack, *, maximum_days: int) -> Findings:
    """Rotation is there and often enough, for secrets that AWS can rotate."""
    rotations = _rotations(secret, stack)
    if not rotations:
        if _filled_by_a_person(secret, stack):
            skip("its issuer makes it: a person rotates it there and fills it in")
        yield Finding("no rotation", f"rotation every {maximum_days} days or less", "rotation")
    for rotation in rotations:
        yield from _too_seldom(rotation, maximum_days)


@rule(
    "bearer-token-rotated-monthly",
    section="secrets",
    severity="high",
    types=(SECRET,),
    scope="stack",
    lines=("001:146",),
    why="The bearer token of a scheduled call opens an endpoint that acts on the market.",
    fix=Fix(
        "secrets.<name>.rotation_days: 30",
        "aws.secretsmanager.SecretRotation(rotation_rules={'automatically_after_days': 30})",
    ),
    reference=f"{_SECRETS_DOCS}rotate-secrets_schedule.html",
    tiers=("prod", "staging"),
)
def bearer_token_rotated(secret: Resource, stack: Stack) -> Findings:
    """Tokens of heartbeats, crons and bearers: every 31 days at least."""
    name = str(secret.known("name", secret.name)).lower()
    if not re.search(r"(heartbeat|cron|bearer)[-_/]?(.*(token|secret))?$", name):
        skip("not the bearer token of a scheduled call")
    if _filled_by_a_person(secret, stack):
        skip("its issuer makes it: a person rotates it there and fills it in")
    rotations = _rotations(secret, stack)
    if not rotations:
        yield Finding("no rotation", "rotation every 31 days or less", "rotation")
    for rotation in rotations:
        yield from _too_seldom(rotation, 31)


def _rotations(secret: Resource, stack: Stack) -> list[Resource]:
    return stack.referring(secret, "secretId", ROTATION)


def _filled_by_a_person(secret: Resource, stack: Stack) -> bool:
    tags = secret.known("tags")
    if tags is not None and tags.get(_ROTATION_TAG):
        return str(tags[_ROTATION_TAG]) in _ELSEWHERE
    return any(
        _PLACEHOLDER in str(version.known("secretString", ""))
        for version in stack.referring(secret, "secretId", VERSION)
    )


_RATE = re.compile(r"^rate\((\d+) (hour|day)s?\)$")


def _too_seldom(rotation: Resource, maximum_days: int) -> Findings:
    path = "rotationRules.automaticallyAfterDays"
    wanted = f"{maximum_days} days or less"
    days = number(rotation.get(path))
    expression = rotation.get("rotationRules.scheduleExpression")
    if days is None and isinstance(expression, str):
        rate = _RATE.match(expression)
        if rate is None:
            return  # a cron expression: at least once a year, how often is not read here
        days = int(rate[1]) / (24 if rate[2] == "hour" else 1)
    if days is None:
        yield Finding(f"{path}: not set", wanted, path)
    elif days > maximum_days:
        yield Finding(f"{path}: {days:g}", wanted, path)
