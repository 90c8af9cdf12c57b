"""The four steps in which Secrets Manager rotates a secret, each of them repeatable.

createSecret makes the new value and labels it AWSPENDING; setSecret makes the other side accept
it; testSecret uses it; finishSecret moves AWSCURRENT to it (the old value becomes AWSPREVIOUS) and
has the readers deployed anew. A step that is called again does what is left to do and no more, and
a step that fails leaves AWSCURRENT where it was. No value is ever logged.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html

What kind of value it is, the secret's tags say:
    gonogo:rotation     token | postgres | redis
    gonogo:restart/<n>  an ECS service, `<cluster>/<service>`
and what the kinds need beyond that is said in `bearer`, `postgres` and `redis`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import bearer, postgres, redis, services
from .aws import client
from .redaction import redacted

KINDS: dict[str, Any] = {"token": bearer, "postgres": postgres, "redis": redis}


class RotationError(Exception):
    """A step did not succeed; the message has no value in it."""


@dataclass(frozen=True)
class Rotation:
    """One rotation of one secret."""

    secret_id: str
    version: str
    name: str
    tags: Mapping[str, str]
    stages: Mapping[str, list[str]]
    seconds_left: Callable[[], float]

    @property
    def kind(self) -> Any:
        """The module that knows this kind of value."""
        found = self.tags.get("gonogo:rotation", "")
        if found not in KINDS:
            raise RotationError(
                f"secret {self.name}: tag gonogo:rotation is {found!r}, allowed are "
                f"{', '.join(sorted(KINDS))}"
            )
        return KINDS[found]

    @property
    def is_current(self) -> bool:
        """True when this version is what readers get already."""
        return "AWSCURRENT" in self.stages.get(self.version, ())

    def value(self, stage: str, version: str | None = None) -> str | None:
        """The value with this label, or None when there is none."""
        manager = client("secretsmanager")
        arguments = {"SecretId": self.secret_id, "VersionStage": stage}
        if version:
            arguments["VersionId"] = version
        try:
            return str(manager.get_secret_value(**arguments)["SecretString"])
        except manager.exceptions.ResourceNotFoundException:
            return None

    def pending(self) -> str:
        """The new value."""
        found = self.value("AWSPENDING", self.version)
        if found is None:
            raise RotationError(
                f"secret {self.name}: version {self.version} has no AWSPENDING value; "
                "createSecret comes first"
            )
        return found


def rotate(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry: one step of one rotation."""
    step, secret_id, version = event["Step"], event["SecretId"], event["ClientRequestToken"]
    if step not in STEPS:
        raise RotationError(f"step {step!r} is not known; allowed are {', '.join(STEPS)}")
    rotation = _described(secret_id, version, context)
    started = time.monotonic()
    try:
        STEPS[step](rotation)
    except RotationError:
        _log(rotation, step, "failed", started)
        raise
    except Exception as error:
        _log(rotation, step, "failed", started)
        raise RotationError(
            f"{step} of {rotation.name}: {type(error).__name__}: {_clean(rotation, error)}"
        ) from None
    _log(rotation, step, "done", started)


def create(rotation: Rotation) -> None:
    """createSecret: a new value, unless this rotation has made one already."""
    if rotation.is_current or rotation.value("AWSPENDING", rotation.version) is not None:
        return
    fresh = rotation.kind.fresh(rotation.value("AWSCURRENT"), rotation.tags)
    client("secretsmanager").put_secret_value(
        SecretId=rotation.secret_id,
        ClientRequestToken=rotation.version,
        SecretString=fresh,
        VersionStages=["AWSPENDING"],
    )


def apply(rotation: Rotation) -> None:
    """setSecret: the other side accepts the new value."""
    if not rotation.is_current:
        rotation.kind.apply(rotation.pending(), rotation.tags)


def check(rotation: Rotation) -> None:
    """testSecret: the new value works."""
    if not rotation.is_current:
        rotation.kind.check(rotation.pending(), rotation.tags)


def finish(rotation: Rotation) -> None:
    """finishSecret: readers get the new value, and those that read only at their start, start."""
    if not rotation.is_current:
        manager = client("secretsmanager")
        held_by = [v for v, stages in rotation.stages.items() if "AWSCURRENT" in stages]
        manager.update_secret_version_stage(
            SecretId=rotation.secret_id,
            VersionStage="AWSCURRENT",
            MoveToVersionId=rotation.version,
            **({"RemoveFromVersionId": held_by[0]} if held_by else {}),
        )
    readers = [value for tag, value in rotation.tags.items() if tag.startswith("gonogo:restart/")]
    services.restart(readers, rotation.seconds_left)
    current = rotation.value("AWSCURRENT")
    if current is not None:
        rotation.kind.finished(current, rotation.tags)


STEPS: dict[str, Callable[[Rotation], None]] = {
    "createSecret": create,
    "setSecret": apply,
    "testSecret": check,
    "finishSecret": finish,
}


def _described(secret_id: str, version: str, context: Any) -> Rotation:
    found = client("secretsmanager").describe_secret(SecretId=secret_id)
    return Rotation(
        secret_id=secret_id,
        version=version,
        name=found["Name"],
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        stages=found.get("VersionIdsToStages", {}),
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )


def _clean(rotation: Rotation, error: Exception) -> str:
    """The error's message without any value that we know, or nothing when we cannot tell."""
    try:
        values = [rotation.value("AWSCURRENT"), rotation.value("AWSPENDING", rotation.version)]
    except Exception:
        return "(message withheld)"
    return redacted(str(error), *values)


def _log(rotation: Rotation, step: str, outcome: str, started: float) -> None:
    print(
        json.dumps(
            {
                "level": "INFO" if outcome == "done" else "ERROR",
                "secret": rotation.name,
                "version": rotation.version,
                "step": step,
                "outcome": outcome,
                "seconds": round(time.monotonic() - started, 3),
            }
        )
    )
