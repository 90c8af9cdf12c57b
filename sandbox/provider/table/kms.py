"""KMS: keys and aliases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Find, Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import between, lone, named, policy_document


def _rotation(call: Call) -> None:
    if call.inputs.get("enableKeyRotation"):
        params = {"KeyId": call.id}
        if call.given("rotationPeriodInDays"):
            params["RotationPeriodInDays"] = call.inputs["rotationPeriodInDays"]
        call.aws("EnableKeyRotation", params)
    elif call.old:
        call.aws("DisableKeyRotation", {"KeyId": call.id})


def _enabled(call: Call) -> None:
    on = call.inputs.get("isEnabled", True)
    if call.old or not on:
        call.aws("EnableKey" if on else "DisableKey", {"KeyId": call.id})


def _read_key(call: Call) -> Any:
    found = dict(call.aws("DescribeKey", {"KeyId": call.id})["KeyMetadata"])
    if found.get("KeyState") == "PendingDeletion":
        return MISSING
    found["IsEnabled"] = found.get("Enabled", True)
    found["EnableKeyRotation"] = call.aws("GetKeyRotationStatus", {"KeyId": call.id}).get(
        "KeyRotationEnabled", MISSING
    )
    policy = call.aws("GetKeyPolicy", {"KeyId": call.id, "PolicyName": "default"})
    found["Policy"] = policy.get("Policy", MISSING)
    return found


def _rotation_period(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if inputs.get("rotationPeriodInDays") and not inputs.get("enableKeyRotation"):
        yield "enableKeyRotation", "has to be true where rotationPeriodInDays is given"


KEY: Final = ResourceType(
    pulumi_type="aws:kms/key:Key",
    title="KMS Key",
    service="kms",
    create=Op(
        "CreateKey",
        skip=("enableKeyRotation", "rotationPeriodInDays"),
        rename={
            "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
            "customerMasterKeySpec": "KeySpec",
        },
    ),
    id="KeyMetadata.KeyId",
    read=Step(_read_key),
    update=(
        Step(_rotation, ("enableKeyRotation", "rotationPeriodInDays")),
        Step(_enabled, ("isEnabled",)),
        Op("UpdateKeyDescription", {"KeyId": "{id}"}, take=("description",), at_create=False),
        Op(
            "PutKeyPolicy",
            {"KeyId": "{id}", "PolicyName": "default"},
            take=("policy",),
            at_create=False,
        ),
    ),
    delete=lone(
        "ScheduleKeyDeletion",
        {"KeyId": "{id}", "PendingWindowInDays": "{deletionWindowInDays}"},
    ),
    replace=("keyUsage", "customerMasterKeySpec", "multiRegion", "customKeyStoreId", "xksKeyId"),
    defaults={
        "isEnabled": True,
        "enableKeyRotation": False,
        "keyUsage": "ENCRYPT_DECRYPT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
    },
    local=("deletionWindowInDays",),
    computed=("description", "policy", "multiRegion", "rotationPeriodInDays"),
    rename={"customerMasterKeySpec": "KeySpec"},
    tags=Tags(
        add=lone("TagResource", {"KeyId": "{id}"}),
        remove=lone("UntagResource", {"KeyId": "{id}"}),
        read=lone("ListResourceTags", {"KeyId": "{id}"}),
        form="kms",
    ),
    checks={
        "deletionWindowInDays": between(7, 30, "days"),
        "rotationPeriodInDays": between(90, 2560, "days"),
        "policy": policy_document,
    },
    rules=(_rotation_period,),
    gone=("KMSInvalidStateException",),
    find=Find(lone("ListKeys", {}, result="Keys"), "KeyId"),
)


def _read_alias(call: Call) -> Any:
    answer = call.aws("ListAliases", {})
    for alias in answer["Aliases"]:
        if alias["AliasName"] == call.id:
            return alias
    return MISSING


def _bare_key(found: Any, call: Call) -> Any:
    """AWS answers the id; a program may have given the ARN."""
    given = call.inputs.get("targetKeyId")
    bare = found.get("TargetKeyId", MISSING)
    if isinstance(given, str) and bare is not MISSING and given.endswith(f"key/{bare}"):
        return given
    return bare


ALIAS: Final = ResourceType(
    pulumi_type="aws:kms/alias:Alias",
    title="KMS Alias",
    service="kms",
    create=Op("CreateAlias"),
    id="={name}",
    read=Step(_read_alias),
    update=(Op("UpdateAlias"),),
    delete=lone("DeleteAlias", {"AliasName": "{id}"}),
    replace=("name",),
    name="name",
    name_max=256,
    name_begins="alias/",
    rename={"name": "AliasName"},
    output={
        "arn": "AliasArn",
        "targetKeyId": _bare_key,
        "targetKeyArn": lambda found, call: (
            f"arn:{call.partition}:kms:{call.region}:{call.account}:key/{found['TargetKeyId']}"
            if found.get("TargetKeyId")
            else MISSING
        ),
    },
    checks={
        "name": named(
            r"alias/(?!aws/)[A-Za-z0-9/_-]+", 256, "begins with alias/, and not with alias/aws/"
        )
    },
    unique=True,
)

ROWS: Final = (KEY, ALIAS)
