"""The master user's password kept by Secrets Manager (ManageMasterUserPassword).

Source: "Password management with Amazon RDS and AWS Secrets Manager": a secret named
`rds!db-<uuid>` with `username` and `password`, rotated every seven days.
"""

from __future__ import annotations

import json
import secrets
import string
import uuid
from typing import Any

from sandbox.cloud import emulator
from sandbox.cloud.errors import AwsError

LENGTH = 28
# Every character that AWS takes in a master password and that needs no care in a URL or shell.
ALPHABET = string.ascii_letters + string.digits + "_-.~"
ROTATION_DAYS = 7


def new_password() -> str:
    """A password such as RDS generates."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def create(instance: dict[str, Any], key: str | None) -> None:
    """Make the secret that holds the instance's present password."""
    manager = emulator.service("secretsmanager")
    account, region = emulator.here()
    name = f"rds!db-{uuid.uuid4()}"
    arn, _ = manager._store_new_secret(
        name,
        secret_string=_content(instance, instance["_MasterUserPassword"]),
        description=f"Secret associated with primary RDS DB instance: {instance['DBInstanceArn']}",
        tags=[
            {"Key": "aws:rds:primaryDBInstanceArn", "Value": instance["DBInstanceArn"]},
            {"Key": "aws:secretsmanager:owningService", "Value": "rds"},
        ],
        kms_key_id=key,
        rotation_rules={"AutomaticallyAfterDays": ROTATION_DAYS},
    )
    manager._secrets[name]["RotationEnabled"] = True
    instance["MasterUserSecret"] = {
        "SecretArn": arn,
        "SecretStatus": "active",
        "KmsKeyId": _key_arn(key, account, region),
    }


def remove(instance: dict[str, Any]) -> None:
    """Remove the instance's secret, if it has one."""
    secret = instance.pop("MasterUserSecret", None)
    if secret:
        emulator.service("secretsmanager").delete_secret_in_process(secret["SecretArn"])


def check_modify(instance: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise for a change of the master password that AWS would refuse."""
    has_secret = bool(instance.get("MasterUserSecret"))
    manages = wanted.get("ManageMasterUserPassword")
    password = wanted.get("MasterUserPassword")
    if manages is True and password:
        raise AwsError(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword and ManageMasterUserPassword together.",
        )
    if password and has_secret and manages is not False:
        raise AwsError(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword for an instance whose password is managed in"
            " AWS Secrets Manager.",
        )
    if manages is False and has_secret and not password:
        raise AwsError(
            "InvalidParameterCombination",
            "You must specify MasterUserPassword when you turn off the management of the master"
            " user password in AWS Secrets Manager.",
        )
    if wanted.get("RotateMasterUserPassword") is True and not has_secret:
        raise AwsError(
            "InvalidParameterCombination",
            "You can't rotate the master user password: it is not managed in Secrets Manager.",
        )


def modified_password(instance: dict[str, Any], wanted: dict[str, Any]) -> str | None:
    """The password that a ModifyDBInstance sets, or None when it sets none."""
    if wanted.get("MasterUserPassword"):
        return str(wanted["MasterUserPassword"])
    if wanted.get("RotateMasterUserPassword") is True:
        return new_password()
    if wanted.get("ManageMasterUserPassword") is True and not instance.get("MasterUserSecret"):
        return new_password()
    return None


def store(instance: dict[str, Any], wanted: dict[str, Any], password: str) -> None:
    """Bring the secret in line with a changed password: make, change or remove it."""
    if wanted.get("ManageMasterUserPassword") is False:
        remove(instance)
    elif instance.get("MasterUserSecret"):
        arn = instance["MasterUserSecret"]["SecretArn"]
        content = _content(instance, password)
        emulator.service("secretsmanager").put_secret_value_in_process(arn, content)
    elif wanted.get("ManageMasterUserPassword") is True:
        create(instance, wanted.get("MasterUserSecretKmsKeyId"))


def _content(instance: dict[str, Any], password: str) -> str:
    return json.dumps({"username": instance["MasterUsername"], "password": password})


def _key_arn(key: str | None, account: str, region: str) -> str:
    if key and key.startswith("arn:"):
        return key
    name = key or "alias/aws/secretsmanager"
    kind = name if name.startswith("alias/") else f"key/{name}"
    return f"arn:aws:kms:{region}:{account}:{kind}"
