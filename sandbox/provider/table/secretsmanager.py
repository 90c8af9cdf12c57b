"""Secrets Manager: secrets, their versions, rotation and policies."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import lone, named, policy_document


def _recovery(value: Any) -> str | None:
    if value == 0 or 7 <= value <= 30:
        return None
    return f"expected 0 (delete at once) or 7 to 30 days, got {value}"


def _delete_secret(call: Call) -> None:
    days = call.value("recoveryWindowInDays")
    params: dict[str, Any] = {"SecretId": call.id}
    if days == 0:
        params["ForceDeleteWithoutRecovery"] = True
    else:
        params["RecoveryWindowInDays"] = days or 30
    call.aws("DeleteSecret", params)


def _read_secret(call: Call) -> Any:
    found = call.aws("DescribeSecret", {"SecretId": call.id})
    return MISSING if found.get("DeletedDate") else found


def _secret_policy(call: Call) -> None:
    if call.given("policy"):
        params = {"SecretId": call.id, "ResourcePolicy": call.inputs["policy"]}
        call.aws("PutResourcePolicy", params)
    elif call.old:
        call.aws("DeleteResourcePolicy", {"SecretId": call.id})


SECRET: Final = ResourceType(
    pulumi_type="aws:secretsmanager/secret:Secret",
    title="Secrets Manager Secret",
    service="secretsmanager",
    create=Op(
        "CreateSecret",
        rename={
            "replicas": "AddReplicaRegions",
            # AWS tells these; they are no inputs of the call
            "replicas.lastAccessedDate": "-",
            "replicas.status": "-",
            "replicas.statusMessage": "-",
        },
    ),
    id="ARN",
    read=Step(_read_secret),
    update=(
        Op("UpdateSecret", {"SecretId": "{id}"}, take=("description", "kmsKeyId"), at_create=False),
        Step(_secret_policy, ("policy",)),
    ),
    delete=Step(_delete_secret),
    replace=("name", "replicas"),
    name="name",
    name_max=512,
    defaults={"recoveryWindowInDays": 30, "forceOverwriteReplicaSecret": False},
    local=("recoveryWindowInDays",),
    computed=("policy",),
    output={"policy": lambda _f, _c: MISSING, "replicas": lambda _f, _c: MISSING},
    tags=Tags(
        add=lone("TagResource", {"SecretId": "{id}"}),
        remove=lone("UntagResource", {"SecretId": "{id}"}),
    ),
    checks={
        "name": named(r"[A-Za-z0-9/_+=.@!-]+", 512, "expected letters, digits and /_+=.@!-"),
        "recoveryWindowInDays": _recovery,
        "policy": policy_document,
    },
)


def _put_value(call: Call) -> dict[str, Any]:
    params: dict[str, Any] = {"SecretId": call.inputs["secretId"]}
    if call.inputs.get("secretBinary") is not None:
        params["SecretBinary"] = base64.b64decode(call.inputs["secretBinary"])
    else:
        params["SecretString"] = call.inputs["secretString"]
    if call.given("versionStages"):
        params["VersionStages"] = call.inputs["versionStages"]
    answer = call.aws("PutSecretValue", params)
    call.state = {**call.state, "versionId": answer["VersionId"]}
    return answer


def _read_value(call: Call) -> Any:
    """The value now in force: a rotation moves AWSCURRENT away from the version we made.

    The version that we made is asked for; when a rotation has retired it, the current one.
    """
    secret, _, version = call.id.rpartition("|")
    try:
        found = call.aws("GetSecretValue", {"SecretId": secret, "VersionId": version})
    except CallError as error:
        if not error.gone:
            raise
        found = call.aws("GetSecretValue", {"SecretId": secret})
    binary = found.get("SecretBinary")
    if binary is not None:
        found = {**found, "SecretBinary": base64.b64encode(binary).decode()}
    return found


def _retire_value(call: Call) -> None:
    """AWS has no call that deletes a version; one without a stage goes by itself."""
    secret, _, version = call.id.rpartition("|")
    found = call.aws("DescribeSecret", {"SecretId": secret})
    for stage in found.get("VersionIdsToStages", {}).get(version, []):
        if stage != "AWSCURRENT":
            params = {"SecretId": secret, "VersionStage": stage, "RemoveFromVersionId": version}
            call.aws("UpdateSecretVersionStage", params)


def _one_value(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = [name for name in ("secretString", "secretBinary") if inputs.get(name) is not None]
    if len(given) != 1:
        yield "secretString", "exactly one of secretString and secretBinary has to be given"
    if inputs.get("secretString") == "":
        yield "secretString", "may not be empty"


SECRET_VERSION: Final = ResourceType(
    pulumi_type="aws:secretsmanager/secretVersion:SecretVersion",
    title="Secrets Manager Secret Version",
    service="secretsmanager",
    create=Step(
        _put_value,
        ("secretId", "secretString", "secretBinary", "versionStages"),
    ),
    id="={secretId}|{versionId}",
    read=Step(_read_value),
    delete=Step(_retire_value),
    replace=("*",),
    computed=("versionStages",),
    output={
        "arn": "ARN",
        "secretArn": "ARN",  # pragma: allowlist secret
        "hasSecretStringWo": lambda _f, _c: False,
        "secretId": lambda _f, _c: MISSING,
    },
    unread=("versionStages",),
    rules=(_one_value,),
    gone=("InvalidRequestException",),
)

_ROTATE: Final = Op(
    "RotateSecret",
    rename={"rotationLambdaArn": "RotationLambdaARN"},
)

SECRET_ROTATION: Final = ResourceType(
    pulumi_type="aws:secretsmanager/secretRotation:SecretRotation",
    title="Secrets Manager Secret Rotation",
    service="secretsmanager",
    create=_ROTATE,
    id="={secretId}",
    read=lone("DescribeSecret", {"SecretId": "{id}"}),
    update=(_ROTATE,),
    delete=lone("CancelRotateSecret", {"SecretId": "{id}"}),
    replace=("secretId",),
    defaults={"rotateImmediately": True},
    rename=_ROTATE.rename,
    output={"secretId": lambda _f, _c: MISSING, "rotationEnabled": "RotationEnabled"},
    unread=("rotateImmediately",),
    gone=("InvalidRequestException",),
)

SECRET_POLICY: Final = ResourceType(
    pulumi_type="aws:secretsmanager/secretPolicy:SecretPolicy",
    title="Secrets Manager Secret Policy",
    service="secretsmanager",
    create=Op("PutResourcePolicy", {"SecretId": "{secretArn}", "ResourcePolicy": "{policy}"}),
    id="={secretArn}",
    read=lone("GetResourcePolicy", {"SecretId": "{id}"}),
    update=(Op("PutResourcePolicy", {"SecretId": "{secretArn}", "ResourcePolicy": "{policy}"}),),
    delete=lone("DeleteResourcePolicy", {"SecretId": "{id}"}),
    replace=("secretArn",),
    unique=True,
    output={"secretArn": "ARN", "policy": "ResourcePolicy"},  # pragma: allowlist secret
    unread=("blockPublicPolicy",),
    checks={"policy": policy_document},
)

ROWS: Final = (SECRET, SECRET_VERSION, SECRET_ROTATION, SECRET_POLICY)
