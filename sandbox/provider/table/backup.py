"""AWS Backup: vaults, plans, selections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import (
    arn_tags,
    arn_text,
    event_schedule,
    lone,
    named,
)


def _tags(create: str) -> Any:
    return arn_tags(
        "ResourceArn",
        "TagResource",
        "UntagResource",
        "ListTags",
        keys="TagKeyList",
        path="Tags",
        form="map",
        create=create,
    )


def _read_vault(call: Call) -> Any:
    """Where it is not, AWS answers AccessDeniedException."""
    return call.aws("DescribeBackupVault", {"BackupVaultName": call.id})


VAULT: Final = ResourceType(
    pulumi_type="aws:backup/vault:Vault",
    title="Backup Vault",
    service="backup",
    create=Op("CreateBackupVault"),
    id="={name}",
    read=Step(_read_vault),
    delete=lone("DeleteBackupVault", {"BackupVaultName": "{id}"}),
    replace=("name", "kmsKeyArn"),
    name="name",
    name_max=50,
    defaults={"forceDestroy": False},
    local=("forceDestroy",),
    computed=("kmsKeyArn",),
    rename={"name": "BackupVaultName", "kmsKeyArn": "EncryptionKeyArn"},
    output={
        "arn": "BackupVaultArn",
        "recoveryPoints": lambda found, _c: found.get("NumberOfRecoveryPoints", 0),
    },
    tags=_tags("BackupVaultTags"),
    checks={
        "name": named(r"[A-Za-z0-9_-]{2,50}", 50, "expected 2 to 50 letters, digits, - and _"),
        "kmsKeyArn": arn_text,
    },
    gone=("AccessDeniedException",),
)

_PLAN: Final = {
    "name": "BackupPlan.BackupPlanName",
    "rules": "BackupPlan.Rules",
    "rules.targetVaultName": "TargetBackupVaultName",
    "rules.schedule": "ScheduleExpression",
    "rules.startWindow": "StartWindowMinutes",
    "rules.completionWindow": "CompletionWindowMinutes",
    "rules.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
    "rules.lifecycle.deleteAfter": "DeleteAfterDays",
    "rules.copyActions.destinationVaultArn": "DestinationBackupVaultArn",
    "rules.copyActions.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
    "rules.copyActions.lifecycle.deleteAfter": "DeleteAfterDays",
    "advancedBackupSettings": "BackupPlan.AdvancedBackupSettings",
    "scanSettings": "BackupPlan.ScanSettings",
}


def _valid_plan(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rules = inputs.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, Mapping):
            continue
        where = f"rules[{index}]"
        schedule = rule.get("schedule")
        reason = event_schedule(schedule) if isinstance(schedule, str) and schedule else None
        if reason:
            yield f"{where}.schedule", reason
        yield from _valid_lifecycle(f"{where}.lifecycle", rule.get("lifecycle"))
        copies = rule.get("copyActions")
        for number, copy in enumerate(copies if isinstance(copies, list) else ()):
            if isinstance(copy, Mapping):
                yield from _valid_lifecycle(
                    f"{where}.copyActions[{number}].lifecycle", copy.get("lifecycle")
                )
        days = (rule.get("lifecycle") or {}).get("deleteAfter")
        if rule.get("enableContinuousBackup") and isinstance(days, int) and not 1 <= days <= 35:
            yield (
                f"{where}.lifecycle.deleteAfter",
                f"continuous backup keeps 1 to 35 days, got {days}",
            )
        start, end = rule.get("startWindow"), rule.get("completionWindow")
        if isinstance(start, int) and start < 60:
            yield f"{where}.startWindow", f"at least 60 minutes, got {start}"
        if isinstance(start, int) and isinstance(end, int) and end < start + 60:
            yield f"{where}.completionWindow", "has to be 60 minutes longer than startWindow"


def _valid_lifecycle(where: str, lifecycle: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(lifecycle, Mapping):
        return
    cold, gone = lifecycle.get("coldStorageAfter"), lifecycle.get("deleteAfter")
    if isinstance(cold, int) and isinstance(gone, int) and 0 < gone < cold + 90:
        yield f"{where}.deleteAfter", f"has to be 90 days after coldStorageAfter, {cold}"


PLAN: Final = ResourceType(
    pulumi_type="aws:backup/plan:Plan",
    title="Backup Plan",
    service="backup",
    create=Op("CreateBackupPlan"),
    id="BackupPlanId",
    read=lone("GetBackupPlan", {"BackupPlanId": "{id}"}),
    update=(Op("UpdateBackupPlan", {"BackupPlanId": "{id}"}, at_create=False),),
    delete=lone("DeleteBackupPlan", {"BackupPlanId": "{id}"}),
    replace=("name",),
    name="name",
    name_max=50,
    rename=_PLAN,
    output={"arn": "BackupPlanArn", "version": "VersionId"},
    volatile=("version",),
    tags=_tags("BackupPlanTags"),
    checks={"name": named(r"[A-Za-z0-9_.-]+", 50, "expected letters, digits and -_.")},
    rules=(_valid_plan,),
)

_SELECTION: Final = {
    "planId": "BackupPlanId",
    "name": "BackupSelection.SelectionName",
    "iamRoleArn": "BackupSelection.IamRoleArn",
    "resources": "BackupSelection.Resources",
    "notResources": "BackupSelection.NotResources",
    "selectionTags": "BackupSelection.ListOfTags",
    "selectionTags.type": "ConditionType",
    "selectionTags.key": "ConditionKey",
    "selectionTags.value": "ConditionValue",
    "conditions": "BackupSelection.Conditions",
    **{
        f"conditions.{name}.{key}": f"Condition{key.capitalize()}"
        for name in ("stringEquals", "stringLikes", "stringNotEquals", "stringNotLikes")
        for key in ("key", "value")
    },
}


def _selection_id(call: Call) -> tuple[str, str]:
    plan, _, selection = call.id.rpartition("|")
    return str(call.value("planId") or plan), selection or call.id


def _read_selection(call: Call) -> Any:
    plan, selection = _selection_id(call)
    found = call.aws("GetBackupSelection", {"BackupPlanId": plan, "SelectionId": selection})
    return found if lookup(found, "BackupSelection") is not MISSING else MISSING


def _delete_selection(call: Call) -> None:
    plan, selection = _selection_id(call)
    call.aws("DeleteBackupSelection", {"BackupPlanId": plan, "SelectionId": selection})


SELECTION: Final = ResourceType(
    pulumi_type="aws:backup/selection:Selection",
    title="Backup Selection",
    service="backup",
    create=Op("CreateBackupSelection"),
    id="SelectionId",
    read=Step(_read_selection),
    delete=Step(_delete_selection),
    replace=("*",),
    name="name",
    name_max=50,
    rename=_SELECTION,
    computed=("conditions", "notResources"),
    unread=("conditions",),
    checks={
        "name": named(r"[A-Za-z0-9_.-]+", 50, "expected letters, digits and -_."),
        "iamRoleArn": arn_text,
    },
)

ROWS: Final = (VAULT, PLAN, SELECTION)
