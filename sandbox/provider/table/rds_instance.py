"""RDS: database instances."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError, ProviderError
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import (
    arn_tags,
    arn_text,
    between,
    named,
    one_of,
)

_IDENTIFIER: Final = named(
    r"[a-z](?:-?[a-z0-9])*",
    63,
    "expected small letters, digits and single hyphens, a letter first, no hyphen last",
)
#: engine → major versions on offer.
#: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.DBVersions.html
_MAJORS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgres": ("11", "12", "13", "14", "15", "16", "17", "18"),
    "mysql": ("5.7", "8.0", "8.4"),
    "mariadb": ("10.4", "10.5", "10.6", "10.11", "11.4", "11.8"),
}
_LOGS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgres": ("postgresql", "upgrade", "iam-db-auth-error"),
    "mysql": ("audit", "error", "general", "slowquery", "iam-db-auth-error"),
    "mariadb": ("audit", "error", "general", "slowquery"),
}
#: property → member of Create, where the spelling differs; a few differ again in Modify
_INSTANCE: Final = {
    "identifier": "DBInstanceIdentifier",
    "instanceClass": "DBInstanceClass",
    "parameterGroupName": "DBParameterGroupName",
    "username": "MasterUsername",
    "password": "MasterUserPassword",  # pragma: allowlist secret
    "backupWindow": "PreferredBackupWindow",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "caCertIdentifier": "CACertificateIdentifier",
    "customerOwnedIpEnabled": "EnableCustomerOwnedIp",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
}
_CREATE: Final = Op("CreateDBInstance", rename=_INSTANCE)
_REPLICA: Final = Op(
    "CreateDBInstanceReadReplica",
    rename={**_INSTANCE, "replicateSourceDb": "SourceDBInstanceIdentifier"},
)
_MODIFY: Final = Op(
    "ModifyDBInstance",
    {"DBInstanceIdentifier": "{identifier}"},
    rename={
        **_INSTANCE,
        "port": "DBPortNumber",
        "enabledCloudwatchLogsExports": "-",
        "replicateSourceDb": "-",
    },
    changed_only=True,
)
_READY_SECONDS: Final = 300.0


def _create_instance(call: Call) -> dict[str, Any]:
    if call.given("replicateSourceDb"):
        params = call.tagged(call.build(_REPLICA))
        # taken over from the source; AWS refuses them
        for member in ("AllocatedStorage", "EngineVersion"):
            params.pop(member, None)
        return call.aws("CreateDBInstanceReadReplica", params)
    return call.aws("CreateDBInstance", call.tagged(call.build(_CREATE)))


def _modify_instance(call: Call) -> None:
    params = call.build(_MODIFY, only=call.changed)
    if "enabledCloudwatchLogsExports" in call.changed:
        before = set(call.old.get("enabledCloudwatchLogsExports") or ())
        now = set(call.inputs.get("enabledCloudwatchLogsExports") or ())
        params["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(now - before),
            "DisableLogTypes": sorted(before - now),
        }
    for name in ("deletionProtection", "multiAz", "publiclyAccessible"):
        if name in call.changed and call.inputs.get(name) is None:
            member = {"multiAz": "MultiAZ"}.get(name, name[0].upper() + name[1:])
            params[member] = False
    if call.old.get("replicateSourceDb") and not call.inputs.get("replicateSourceDb"):
        call.aws("PromoteReadReplica", {"DBInstanceIdentifier": call.inputs["identifier"]})
    if len(params) == 1:
        return
    params["ApplyImmediately"] = bool(call.inputs.get("applyImmediately"))
    if call.inputs.get("allowMajorVersionUpgrade"):
        params["AllowMajorVersionUpgrade"] = True
    call.aws("ModifyDBInstance", params)


def _described(call: Call) -> Any:
    identifier = call.value("identifier") or call.id
    answer = call.aws("DescribeDBInstances", {"DBInstanceIdentifier": identifier})
    for found in answer.get("DBInstances", []):
        if found["DBInstanceIdentifier"] == identifier:
            return found
    return MISSING


def _read_instance(call: Call) -> Any:
    found = _described(call)
    if found is MISSING:
        return found
    found = dict(found)
    given = call.inputs.get("engineVersion")
    actual = str(found.get("EngineVersion", ""))
    found["EngineVersionActual"] = actual
    # "16" stands for every 16.x: only a version outside it is a drift
    if isinstance(given, str) and (actual == given or actual.startswith(f"{given}.")):
        found["EngineVersion"] = given
    return found


def _wait_until_available(call: Call) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    pause = 0.05
    while True:
        found = _described(call)
        status = "" if found is MISSING else found.get("DBInstanceStatus", "")
        if status == "available":
            return
        if status in ("failed", "incompatible-parameters", "incompatible-restore"):
            raise ProviderError(f"waiting for completion: the instance's status is {status!r}")
        if time.monotonic() > deadline:
            raise ProviderError(
                f"waiting for completion: still {status or 'absent'!r} after "
                f"{_READY_SECONDS:g} seconds"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 2.0)


def _delete_instance(call: Call) -> None:
    identifier = call.value("identifier") or call.id
    params: dict[str, Any] = {
        "DBInstanceIdentifier": identifier,
        "DeleteAutomatedBackups": bool(call.inputs.get("deleteAutomatedBackups", True)),
    }
    if call.inputs.get("skipFinalSnapshot") or call.inputs.get("replicateSourceDb"):
        params["SkipFinalSnapshot"] = True
    else:
        snapshot = call.inputs.get("finalSnapshotIdentifier")
        if not snapshot:
            raise ProviderError(
                "finalSnapshotIdentifier is required when skipFinalSnapshot is false"
            )
        params.update({"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": snapshot})
    found = _described(call)
    if found is not MISSING and found.get("DeletionProtection"):
        raise CallError(
            "RDS",
            "DeleteDBInstance",
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try "
            "again.",
            400,
        )
    call.aws("DeleteDBInstance", params)
    deadline = time.monotonic() + _READY_SECONDS
    while _still_there(call) and time.monotonic() < deadline:
        time.sleep(0.1)


def _still_there(call: Call) -> bool:
    try:
        return _described(call) is not MISSING
    except CallError as error:
        if error.gone:
            return False
        raise


def _valid_instance(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if inputs.get("manageMasterUserPassword") and inputs.get("password") is not None:
        yield "password", "conflicts with manageMasterUserPassword"
    original = not any(inputs.get(name) for name in ("replicateSourceDb", "snapshotIdentifier"))
    if original:
        for name in ("engine", "username", "allocatedStorage"):
            if inputs.get(name) is None:
                yield name, "has to be given for a new database"
        if inputs.get("password") is None and not inputs.get("manageMasterUserPassword"):
            yield "password", "give a password, or manageMasterUserPassword"
    yield from _valid_storage(inputs)
    yield from _valid_engine(inputs)
    interval = inputs.get("monitoringInterval")
    if isinstance(interval, int) and interval > 0 and inputs.get("monitoringRoleArn") is None:
        yield "monitoringRoleArn", "has to be given where monitoringInterval is not 0"


def _valid_storage(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    storage, most = inputs.get("allocatedStorage"), inputs.get("maxAllocatedStorage")
    if isinstance(storage, int) and isinstance(most, int) and 0 < most <= storage:
        yield (
            "maxAllocatedStorage",
            f"{most} GB have to be more than allocatedStorage, {storage} GB",
        )
    if inputs.get("storageType") in ("io1", "io2") and inputs.get("iops") is None:
        yield "iops", f"has to be given for {inputs['storageType']}"
    low = 100 if inputs.get("storageType") in ("io1", "io2") else 20
    replica = inputs.get("replicateSourceDb")
    if isinstance(storage, int) and not replica and not low <= storage <= 65536:
        yield "allocatedStorage", f"expected {low} to 65536 GB, got {storage}"


def _valid_engine(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    engine, version = inputs.get("engine"), inputs.get("engineVersion")
    majors = _MAJORS.get(engine) if isinstance(engine, str) else None
    if majors and isinstance(version, str) and not _is_within(version, majors):
        yield (
            "engineVersion",
            f"cannot find version {version} for {engine}; there are {', '.join(majors)}",
        )
    logs = inputs.get("enabledCloudwatchLogsExports")
    known = _LOGS.get(engine) if isinstance(engine, str) else None
    for log in logs if known and isinstance(logs, list) else ():
        if isinstance(log, str) and known and log not in known:
            yield (
                "enabledCloudwatchLogsExports",
                f"{engine} has no log {log!r}; it has {', '.join(known)}",
            )


def _is_within(version: str, majors: tuple[str, ...]) -> bool:
    return any(version == major or version.startswith(f"{major}.") for major in majors)


def _window(days: bool) -> Any:
    day = r"(mon|tue|wed|thu|fri|sat|sun):" if days else ""
    pattern = re.compile(rf"{day}([01]\d|2[0-3]):[0-5]\d-{day}([01]\d|2[0-3]):[0-5]\d")
    example = "sun:05:00-sun:06:00" if days else "03:00-04:00"

    def check(value: Any) -> str | None:
        if pattern.fullmatch(value.lower()):
            return None
        return f"{value!r} is not a window like {example}"

    return check


maintenance_window: Final = _window(days=True)
daily_window: Final = _window(days=False)


INSTANCE: Final = ResourceType(
    pulumi_type="aws:rds/instance:Instance",
    title="RDS DB Instance",
    service="rds",
    create=Step(_create_instance, ("replicateSourceDb",), base=_CREATE),
    id="DBInstance.DbiResourceId",
    read=Step(_read_instance),
    update=(
        Step(
            _modify_instance,
            watches=("enabledCloudwatchLogsExports", "replicateSourceDb"),
            base=_MODIFY,
            at_create=False,
        ),
    ),
    delete=Step(_delete_instance),
    replace=(
        "identifier",
        "engine",
        "username",
        "dbName",
        "availabilityZone",
        "characterSetName",
        "ncharCharacterSetName",
        "kmsKeyId",
        "storageEncrypted",
        "timezone",
        "backupTarget",
        "customIamInstanceProfile",
        "snapshotIdentifier",
    ),
    name="identifier",
    name_max=63,
    name_lower=True,
    defaults={
        "applyImmediately": False,
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": False,
        "deleteAutomatedBackups": True,
        "deletionProtection": False,
        "monitoringInterval": 0,
        "performanceInsightsEnabled": False,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
    },
    local=(
        "applyImmediately",
        "allowMajorVersionUpgrade",
        "deleteAutomatedBackups",
        "finalSnapshotIdentifier",
        "skipFinalSnapshot",
    ),
    computed=(
        "allocatedStorage",
        "availabilityZone",
        "backupRetentionPeriod",
        "backupTarget",
        "backupWindow",
        "caCertIdentifier",
        "dbName",
        "dbSubnetGroupName",
        "engine",
        "engineLifecycleSupport",
        "engineVersion",
        "iops",
        "kmsKeyId",
        "licenseModel",
        "maintenanceWindow",
        "masterUserSecretKmsKeyId",
        "monitoringRoleArn",
        "multiAz",
        "networkType",
        "optionGroupName",
        "parameterGroupName",
        "performanceInsightsKmsKeyId",
        "performanceInsightsRetentionPeriod",
        "port",
        "storageThroughput",
        "storageType",
        "username",
        "vpcSecurityGroupIds",
    ),
    rename=_INSTANCE,
    output={
        "address": "Endpoint.Address",
        "arn": "DBInstanceArn",
        "caCertIdentifier": "CACertificateIdentifier",
        "customerOwnedIpEnabled": "CustomerOwnedIpEnabled",
        "dbSubnetGroupName": "DBSubnetGroup.DBSubnetGroupName",
        "enabledCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
        "endpoint": lambda found, _c: (
            f"{found['Endpoint']['Address']}:{found['Endpoint']['Port']}"
            if found.get("Endpoint", {}).get("Address")
            else MISSING
        ),
        "hostedZoneId": "Endpoint.HostedZoneId",
        "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled",
        "masterUserSecrets": "MasterUserSecret",  # pragma: allowlist secret
        "optionGroupName": "OptionGroupMemberships[0].OptionGroupName",
        "parameterGroupName": "DBParameterGroups[0].DBParameterGroupName",
        "performanceInsightsEnabled": "PerformanceInsightsEnabled",
        "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
        "port": "Endpoint.Port",
        "replicas": "ReadReplicaDBInstanceIdentifiers",
        "replicateSourceDb": "ReadReplicaSourceDBInstanceIdentifier",
        "resourceId": "DbiResourceId",
        "status": "DBInstanceStatus",
        "vpcSecurityGroupIds": lambda found, _c: [
            group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", [])
        ],
    },
    unread=(
        # told by another name, or by none: the emulator's server has a port of its own
        "password",
        "port",
        "manageMasterUserPassword",
        "masterUserSecretKmsKeyId",
        "replicateSourceDb",
    ),
    tags=arn_tags(
        "ResourceName",
        "AddTagsToResource",
        "RemoveTagsFromResource",
        "ListTagsForResource",
        resource="arn:{partition}:rds:{region}:{account}:db:{identifier}",
    ),
    checks={
        "identifier": _IDENTIFIER,
        "backupRetentionPeriod": between(0, 35, "days"),
        "backupWindow": daily_window,
        "maintenanceWindow": maintenance_window,
        "monitoringInterval": one_of(0, 1, 5, 10, 15, 30, 60),
        "port": between(1150, 65535),
        "instanceClass": named(
            r"db\.[a-z0-9]+(-[a-z0-9]+)?\.[a-z0-9]+(\.[a-z0-9.]+)?",
            60,
            "expected a class like db.t4g.medium",
        ),
        "dbName": named(r"[A-Za-z_][A-Za-z0-9_]*", 63, "expected letters, digits and _"),
        "username": named(r"[A-Za-z][A-Za-z0-9_]*", 63, "expected letters, digits and _"),
        "password": named(
            r"[\x21\x23-\x2e\x30-\x3f\x41-\x7e]{8,}",
            128,
            '8 to 128 printable characters without / @ " and space',
        ),
        "storageType": one_of("standard", "gp2", "gp3", "io1", "io2"),
        "kmsKeyId": arn_text,
        "performanceInsightsRetentionPeriod": lambda value: (
            None
            if value in (7, 731) or (value % 31 == 0 and 31 <= value <= 713)
            else f"expected 7, 731 or a multiple of 31 days, got {value}"
        ),
        "finalSnapshotIdentifier": named(
            r"[A-Za-z](?:-?[A-Za-z0-9])*", 255, "expected letters, digits and single hyphens"
        ),
    },
    rules=(_valid_instance,),
    ready=_wait_until_available,
    gone=("DBInstanceNotFound", "DBInstanceNotFoundFault"),
    adopt=True,
)

ROWS: Final = (INSTANCE,)
