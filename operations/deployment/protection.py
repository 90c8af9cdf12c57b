"""What keeps resources from being deleted, and how each protection is lifted.

Pulumi's own mark (`protect`) is in the state. The others are AWS's: they are lifted by AWS's API
and not by an update of the program, so that neither the program nor the policy pack has to allow,
even for a moment, a database without deletion protection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from operations.deployment.events import name_of

Client: TypeAlias = Any
ClientOf: TypeAlias = Callable[[str, str], Client]
"""(service, region) to a boto3 client."""


@dataclass(frozen=True)
class Protection:
    """One protection of one resource. `lift` is None for Pulumi's own mark."""

    urn: str
    type: str
    what: str
    lift: Callable[[ClientOf], None] | None = None

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)


def protections(resources: Iterable[Mapping[str, Any]]) -> list[Protection]:
    """Every protection in a state, in the order of the state."""
    found: list[Protection] = []
    for resource in resources:
        urn, kind = resource["urn"], resource["type"]
        if resource.get("protect"):
            found.append(Protection(urn, kind, "Pulumi's protect"))
        values = {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}
        own = _OWN.get(kind)
        if own is not None and resource.get("id"):
            said = own(values)
            if said is not None:
                found.append(Protection(urn, kind, said[0], said[1]))
    return found


def sweep(resources: Iterable[Mapping[str, Any]], client: ClientOf) -> list[str]:
    """Removes what outlives its resource by AWS's design; for the sandbox only.

    Secrets wait out a recovery window, and final snapshots stay. Returns what was removed.
    """
    from botocore.exceptions import ClientError

    removed: list[str] = []
    for resource in resources:
        values = {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}
        last = _LAST.get(resource["type"])
        if last is None or not resource.get("id"):
            continue
        with suppress(ClientError):  # it is not there: nothing outlived
            said = last(values, client)
            if said:
                removed.append(said)
    return removed


def _region(values: Mapping[str, Any]) -> str:
    """The region of a resource: its own property, else its ARN's; empty for the default one."""
    if values.get("region"):
        return str(values["region"])
    parts = str(values.get("arn") or "").split(":")
    return parts[3] if len(parts) > 5 else ""


_Own: TypeAlias = Callable[[Mapping[str, Any]], tuple[str, Callable[[ClientOf], None]] | None]


def _database(values: Mapping[str, Any]) -> tuple[str, Callable[[ClientOf], None]] | None:
    if not values.get("deletionProtection"):
        return None

    def lift(client: ClientOf) -> None:
        client("rds", _region(values)).modify_db_instance(
            DBInstanceIdentifier=values["identifier"],
            DeletionProtection=False,
            ApplyImmediately=True,
        )

    return "RDS deletion protection", lift


def _load_balancer(values: Mapping[str, Any]) -> tuple[str, Callable[[ClientOf], None]] | None:
    if not values.get("enableDeletionProtection"):
        return None

    def lift(client: ClientOf) -> None:
        client("elbv2", _region(values)).modify_load_balancer_attributes(
            LoadBalancerArn=values["arn"],
            Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
        )

    return "load balancer deletion protection", lift


def _bucket(values: Mapping[str, Any]) -> tuple[str, Callable[[ClientOf], None]] | None:
    if values.get("forceDestroy"):
        return None

    def lift(client: ClientOf) -> None:
        s3 = client("s3", _region(values))
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=values["bucket"])
        for page in pages:
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            doomed = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in entries]
            if doomed:
                s3.delete_objects(Bucket=values["bucket"], Delete={"Objects": doomed})

    return "the objects in the bucket", lift


def _vault(values: Mapping[str, Any]) -> tuple[str, Callable[[ClientOf], None]] | None:
    if values.get("forceDestroy"):
        return None

    def lift(client: ClientOf) -> None:
        backup = client("backup", _region(values))
        token: dict[str, str] = {}
        while True:
            page = backup.list_recovery_points_by_backup_vault(
                BackupVaultName=values["name"], **token
            )
            for point in page.get("RecoveryPoints", ()):
                backup.delete_recovery_point(
                    BackupVaultName=values["name"], RecoveryPointArn=point["RecoveryPointArn"]
                )
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    return "the recovery points in the vault", lift


def _repository(values: Mapping[str, Any]) -> tuple[str, Callable[[ClientOf], None]] | None:
    if values.get("forceDelete"):
        return None

    def lift(client: ClientOf) -> None:
        ecr = client("ecr", _region(values))
        name = values["name"]
        for page in ecr.get_paginator("list_images").paginate(repositoryName=name):
            if page.get("imageIds"):
                ecr.batch_delete_image(repositoryName=name, imageIds=page["imageIds"])

    return "the images in the repository", lift


_OWN: dict[str, _Own] = {
    "aws:rds/instance:Instance": _database,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:backup/vault:Vault": _vault,
    "aws:ecr/repository:Repository": _repository,
}


def _last_secret(values: Mapping[str, Any], client: ClientOf) -> str:
    name = str(values.get("arn") or values["name"])
    manager = client("secretsmanager", _region(values))
    manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    return f"secret {values['name']}, which was waiting out its recovery window"


def _last_snapshot(values: Mapping[str, Any], client: ClientOf) -> str:
    snapshot = values.get("finalSnapshotIdentifier")
    if not snapshot or values.get("skipFinalSnapshot"):
        return ""
    client("rds", _region(values)).delete_db_snapshot(DBSnapshotIdentifier=snapshot)
    return f"final database snapshot {snapshot}"


def _last_cache_snapshot(values: Mapping[str, Any], client: ClientOf) -> str:
    snapshot = values.get("finalSnapshotIdentifier")
    if not snapshot:
        return ""
    client("elasticache", _region(values)).delete_snapshot(SnapshotName=snapshot)
    return f"final cache snapshot {snapshot}"


_LAST: dict[str, Callable[[Mapping[str, Any], ClientOf], str]] = {
    "aws:secretsmanager/secret:Secret": _last_secret,
    "aws:rds/instance:Instance": _last_snapshot,
    "aws:elasticache/replicationGroup:ReplicationGroup": _last_cache_snapshot,
}
