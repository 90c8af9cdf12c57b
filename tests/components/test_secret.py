"""Secrets: where the value comes from, that it is never bare, who rotates it, who may read it."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest

from components.encryption import Key
from components.network import Network
from components.rotation import RotationFunction
from components.secret import FIRST_VERSION, PLACEHOLDER, Secret, generated
from systems import model
from tests.components.recording import (
    CONTEXT,
    RANDOM,
    Records,
    plain_text,
    record,
)
from tests.components.recording import Secret as Marked

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
GENERATED = model.Secret(description="Heartbeat", generate_length=48, rotation_days=30)
FILLED = model.Secret(description="Broker", fill="the key from the broker's console")


def declare(
    args: model.Secret, *, preview: bool = False, rotating: bool = True, **more: Any
) -> Records:
    def program() -> None:
        function = None
        if rotating:
            function = RotationFunction(
                "rotation", CONTEXT, Network("network", model.Network(), CONTEXT)
            )
        Secret("heartbeat", args, CONTEXT, rotation=function, **more)

    return record(program, preview=preview)


def test_a_generated_value_is_marked_secret_and_nowhere_bare() -> None:
    for preview in (True, False):
        records = declare(GENERATED, preview=preview)
        assert records.one(VERSION).inputs["secretString"] == Marked(RANDOM)
        assert RANDOM not in plain_text(records.resources)


def test_the_value_stays_secret_wherever_else_it_is_put() -> None:
    """Pulumi's SDK marks a secret's string by itself, but not what a reader makes of the value."""

    def program() -> None:
        secret = Secret("heartbeat", GENERATED, CONTEXT)
        aws.sqs.Queue("reader", name=secret.value.apply(lambda value: f"Bearer {value}"))
        aws.sqs.Queue("maker", name=generated(CONTEXT, 32))

    records = record(program)
    for queue in records.all("aws:sqs/queue:Queue"):
        assert isinstance(queue.inputs["name"], Marked), queue.name
    assert RANDOM not in plain_text(records.resources)


def test_it_is_as_long_as_asked_and_fit_for_headers() -> None:
    calls = dict(declare(GENERATED).calls)
    asked = calls["aws:secretsmanager/getRandomPassword:getRandomPassword"]
    assert asked["passwordLength"] == 48
    assert asked["excludePunctuation"] is True


def test_one_to_be_filled_holds_a_placeholder_that_says_with_what() -> None:
    records = declare(FILLED)
    value = records.one(VERSION).inputs["secretString"]
    assert value == Marked(f"{PLACEHOLDER}the key from the broker's console")
    assert not [token for token, _ in records.calls if "getRandomPassword" in token]
    assert records.all(ROTATION) == []


def test_whoever_changes_the_value_later_is_right() -> None:
    version = declare(GENERATED).one(VERSION)
    assert version.ignore_changes == ("secretString", "versionStages")
    assert version.inputs["versionStages"] == ["AWSCURRENT", FIRST_VERSION]


def test_the_entry_is_protected_and_encrypted_with_a_key_of_its_own() -> None:
    records = declare(GENERATED)
    secret = records.one(SECRET)
    assert secret.inputs["name"] == "atc-prod/heartbeat"
    assert secret.protect
    assert secret.inputs["recoveryWindowInDays"] == 30
    key = records.one("aws:kms/key:Key", "secret-heartbeat")
    assert key.urn in secret.property_dependencies["kmsKeyId"]
    assert [above.type for above in records.family(secret)] == [
        "gonogo:components:Entry",
        "gonogo:components:Secret",
    ]


def test_a_shared_key_is_used_and_no_other_made() -> None:
    def program() -> None:
        shared = Key("secrets", "Secrets", CONTEXT)
        Secret("heartbeat", GENERATED, CONTEXT, key=shared)
        Secret("broker", FILLED, CONTEXT, key=shared)

    records = record(program)
    key = records.one("aws:kms/key:Key")
    for secret in records.all(SECRET):
        assert key.urn in secret.property_dependencies["kmsKeyId"]


def test_it_is_rotated_as_often_as_asked_but_not_before_its_readers_are_there() -> None:
    records = declare(GENERATED, preview=True)
    rotation = records.one(ROTATION)
    assert rotation.inputs["rotationRules"] == {"automaticallyAfterDays": 30}
    assert rotation.inputs["rotateImmediately"] is False
    assert rotation.inputs["rotationLambdaArn"] == (
        "arn:aws:lambda:us-east-1:000000000000:function:atc-prod-rotation"
    )
    permission = records.one("aws:lambda/permission:Permission")
    assert permission.urn in rotation.dependencies


def test_the_function_is_told_by_tags_what_to_do() -> None:
    records = declare(
        GENERATED, connection="atc-prod-beat", restart=["atc-prod/atc-prod-heartbeat", "atc-prod/x"]
    )
    tags = records.one(SECRET).inputs["tags"]
    told = {tag: text for tag, text in tags.items() if tag.startswith("gonogo:")}
    assert told == {
        "gonogo:rotation": "token",
        "gonogo:length": "48",
        "gonogo:connection": "atc-prod-beat",
        "gonogo:restart/1": "atc-prod/atc-prod-heartbeat",
        "gonogo:restart/2": "atc-prod/x",
    }


@pytest.mark.parametrize(
    ("args", "rotating"),
    [
        (GENERATED, False),
        (GENERATED.model_copy(update={"rotation_days": None}), True),
        (FILLED.model_copy(update={"rotation_days": 90}), True),
    ],
)
def test_without_a_function_days_or_a_value_of_ours_nothing_rotates(
    args: model.Secret, rotating: bool
) -> None:
    records = declare(args, rotating=rotating)
    assert records.all(ROTATION) == []
    assert not [t for t in records.one(SECRET).inputs["tags"] if t.startswith("gonogo:")]


def test_who_reads_it_needs_statements_that_are_known_and_name_it_alone() -> None:
    found: list[Secret] = []
    record(lambda: found.append(Secret("heartbeat", GENERATED, CONTEXT)), preview=True)
    (secret,) = found
    bare = "arn:aws:secretsmanager:us-east-1:000000000000:secret:atc-prod/heartbeat"
    assert secret.arn == bare
    read, decrypt = secret.read_statements()
    assert read["Action"] == "secretsmanager:GetSecretValue"
    assert read["Resource"] == [bare, f"{bare}-??????"]
    aliases = decrypt["Condition"]["ForAnyValue:StringEquals"]["kms:ResourceAliases"]
    assert aliases == ["alias/atc-prod-secret-heartbeat"]
    json.dumps([read, decrypt])  # an output in it would be refused
