"""ElastiCache: replication groups."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError, ProviderError
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import arn_text, between, named, one_of
from sandbox.provider.table.elasticache import tags_of
from sandbox.provider.table.rds_instance import daily_window, maintenance_window

_GROUP: Final = {
    "description": "ReplicationGroupDescription",
    "nodeType": "CacheNodeType",
    "parameterGroupName": "CacheParameterGroupName",
    "subnetGroupName": "CacheSubnetGroupName",
    "securityGroupNames": "CacheSecurityGroupNames",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "nodeGroupConfigurations": "NodeGroupConfiguration",
}
_CREATE: Final = Op("CreateReplicationGroup", rename=_GROUP, skip=("logDeliveryConfigurations",))
_MODIFY: Final = Op(
    "ModifyReplicationGroup",
    {"ReplicationGroupId": "{id}"},
    rename=_GROUP,
    skip=("authToken", "authTokenUpdateStrategy", "logDeliveryConfigurations"),
    changed_only=True,
)
_READY_SECONDS: Final = 300.0
_GONE_CODES: Final = ("ReplicationGroupNotFoundFault",)


def _log_configurations(raw: Any) -> list[dict[str, Any]]:
    configurations = []
    for entry in raw or ():
        if entry["destinationType"] == "cloudwatch-logs":
            details = {"CloudWatchLogsDetails": {"LogGroup": entry["destination"]}}
        else:
            details = {"KinesisFirehoseDetails": {"DeliveryStream": entry["destination"]}}
        configurations.append(
            {
                "LogType": entry["logType"],
                "DestinationType": entry["destinationType"],
                "DestinationDetails": details,
                "LogFormat": entry["logFormat"],
            }
        )
    return configurations


def _create_group(call: Call) -> dict[str, Any]:
    params = call.tagged(call.build(_CREATE))
    logs = _log_configurations(call.inputs.get("logDeliveryConfigurations"))
    if logs:
        params["LogDeliveryConfigurations"] = logs
    return call.aws("CreateReplicationGroup", params)


def _modify_group(call: Call) -> None:
    params = call.build(_MODIFY, only=call.changed)
    if "authToken" in call.changed and call.given("authToken"):
        strategy = call.inputs.get("authTokenUpdateStrategy") or "ROTATE"
        params.update({"AuthToken": call.inputs["authToken"], "AuthTokenUpdateStrategy": strategy})
    if "userGroupIds" in call.changed:
        before, now = (
            set(call.old.get("userGroupIds") or ()),
            set(call.inputs.get("userGroupIds") or ()),
        )
        if now - before:
            params["UserGroupIdsToAdd"] = sorted(now - before)
        if before - now:
            params["UserGroupIdsToRemove"] = sorted(before - now)
    if "logDeliveryConfigurations" in call.changed:
        logs = _log_configurations(call.inputs.get("logDeliveryConfigurations"))
        kept = {entry["LogType"] for entry in logs}
        gone = [
            {"LogType": entry["logType"], "Enabled": False}
            for entry in call.old.get("logDeliveryConfigurations") or ()
            if entry["logType"] not in kept
        ]
        params["LogDeliveryConfigurations"] = logs + gone
    if len(params) > 1:
        params["ApplyImmediately"] = True
        call.aws("ModifyReplicationGroup", params)
    _resize(call)


def _resize(call: Call) -> None:
    if "numNodeGroups" in call.changed and call.given("numNodeGroups"):
        call.aws(
            "ModifyReplicationGroupShardConfiguration",
            {
                "ReplicationGroupId": call.id,
                "NodeGroupCount": call.inputs["numNodeGroups"],
                "ApplyImmediately": True,
            },
        )
    was, wanted = _replicas(call.old), _replicas(call.inputs)
    if was is None or wanted is None or was == wanted:
        return
    call.aws(
        "IncreaseReplicaCount" if wanted > was else "DecreaseReplicaCount",
        {"ReplicationGroupId": call.id, "NewReplicaCount": wanted, "ApplyImmediately": True},
    )


def _replicas(inputs: Mapping[str, Any]) -> int | None:
    if inputs.get("replicasPerNodeGroup") is not None:
        return int(inputs["replicasPerNodeGroup"])
    if inputs.get("numCacheClusters") is not None:
        return int(inputs["numCacheClusters"]) - 1
    return None


def _described(call: Call) -> Any:
    answer = call.aws("DescribeReplicationGroups", {"ReplicationGroupId": call.id})
    return lookup(answer, "ReplicationGroups[0]")


def _read_group(call: Call) -> Any:
    found = _described(call)
    if found is MISSING or found.get("Status") == "deleted":
        return MISSING
    found = dict(found)
    found["AutomaticFailoverEnabled"] = found.get("AutomaticFailover") == "enabled"
    found["MultiAzEnabled"] = found.get("MultiAZ") == "enabled"
    found["NumCacheClusters"] = len(found.get("MemberClusters", []))
    found["NumNodeGroups"] = len(found.get("NodeGroups", []))
    found.pop("MultiAZ", None)
    _member(call, found)
    return found


def _member(call: Call, found: dict[str, Any]) -> None:
    """What only a member of the group tells: versions, parameters, windows."""
    members = found.get("MemberClusters") or []
    if not members:
        return
    try:
        answer = call.aws("DescribeCacheClusters", {"CacheClusterId": members[0]})
    except CallError:
        return
    cluster = lookup(answer, "CacheClusters[0]")
    if cluster is MISSING:
        return
    actual = str(cluster.get("EngineVersion") or "")
    given = call.inputs.get("engineVersion")
    found["EngineVersionActual"] = actual
    if isinstance(given, str) and actual.split(".", maxsplit=1)[0] == given.split(".")[0]:
        found["EngineVersion"] = given
    elif actual:
        found["EngineVersion"] = actual
    for member in ("PreferredMaintenanceWindow", "CacheSubnetGroupName", "Engine"):
        if cluster.get(member):
            found.setdefault(member, cluster[member])


def _wait(call: Call) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    pause = 0.05
    while True:
        found = _described(call)
        status = "" if found is MISSING else found.get("Status", "")
        if status == "available":
            return
        if status == "create-failed" or time.monotonic() > deadline:
            raise ProviderError(f"waiting for completion: the group's status is {status!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 2.0)


def _delete_group(call: Call) -> None:
    params: dict[str, Any] = {"ReplicationGroupId": call.id}
    if call.inputs.get("finalSnapshotIdentifier"):
        params["FinalSnapshotIdentifier"] = call.inputs["finalSnapshotIdentifier"]
    call.aws("DeleteReplicationGroup", params)
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if _described(call) is MISSING:
                return
        except CallError as error:
            if error.gone:
                return
            raise
        time.sleep(0.1)


_TOKEN: Final = re.compile(r"[A-Za-z0-9!&#$^<>-]{16,128}")


def _token(value: Any) -> str | None:
    if _TOKEN.fullmatch(value):
        return None
    return "expected 16 to 128 letters, digits and !&#$^<>-"


def _valid_group(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if inputs.get("authToken") is not None and not inputs.get("transitEncryptionEnabled"):
        yield "authToken", "needs transitEncryptionEnabled"
    failover = inputs.get("automaticFailoverEnabled")
    if inputs.get("multiAzEnabled") and failover is False:
        yield "multiAzEnabled", "needs automaticFailoverEnabled"
    members, replicas = inputs.get("numCacheClusters"), inputs.get("replicasPerNodeGroup")
    if members is not None and (replicas is not None or inputs.get("numNodeGroups") is not None):
        yield "numCacheClusters", "conflicts with numNodeGroups and replicasPerNodeGroup"
    if failover and members == 1:
        yield "numCacheClusters", "automatic failover needs at least one replica"
    # With cluster mode AWS wants automatic failover even where a shard has no replica.
    if replicas == 0 and inputs.get("multiAzEnabled"):
        yield "replicasPerNodeGroup", "multi-AZ needs at least one replica"
    if inputs.get("nodeType") is None and not inputs.get("globalReplicationGroupId"):
        yield "nodeType", "has to be given"


REPLICATION_GROUP: Final = ResourceType(
    pulumi_type="aws:elasticache/replicationGroup:ReplicationGroup",
    title="ElastiCache Replication Group",
    service="elasticache",
    create=Step(_create_group, ("logDeliveryConfigurations",), base=_CREATE),
    id="={replicationGroupId}",
    read=Step(_read_group),
    update=(
        Step(
            _modify_group,
            watches=(
                "authToken",
                "logDeliveryConfigurations",
                "numCacheClusters",
                "numNodeGroups",
                "replicasPerNodeGroup",
                "userGroupIds",
            ),
            base=_MODIFY,
            at_create=False,
        ),
    ),
    delete=Step(_delete_group),
    replace=(
        "replicationGroupId",
        "atRestEncryptionEnabled",
        "dataTieringEnabled",
        "globalReplicationGroupId",
        "kmsKeyId",
        "networkType",
        "port",
        "preferredCacheClusterAzs",
        "securityGroupNames",
        "snapshotArns",
        "snapshotName",
        "subnetGroupName",
    ),
    name="replicationGroupId",
    name_max=40,
    name_lower=True,
    defaults={"automaticFailoverEnabled": False, "engine": "redis", "multiAzEnabled": False},
    local=("applyImmediately", "authTokenUpdateStrategy", "finalSnapshotIdentifier"),
    computed=(
        "applyImmediately",
        "atRestEncryptionEnabled",
        "autoMinorVersionUpgrade",
        "clusterMode",
        "dataTieringEnabled",
        "engineVersion",
        "globalReplicationGroupId",
        "ipDiscovery",
        "maintenanceWindow",
        "networkType",
        "nodeGroupConfigurations",
        "nodeType",
        "numCacheClusters",
        "numNodeGroups",
        "parameterGroupName",
        "replicasPerNodeGroup",
        "securityGroupIds",
        "snapshotWindow",
        "subnetGroupName",
        "transitEncryptionEnabled",
        "transitEncryptionMode",
    ),
    rename=_GROUP,
    output={
        "arn": "ARN",
        "configurationEndpointAddress": "ConfigurationEndpoint.Address",
        "description": "Description",
        "primaryEndpointAddress": "NodeGroups[0].PrimaryEndpoint.Address",
        "readerEndpointAddress": "NodeGroups[0].ReaderEndpoint.Address",
        "memberClusters": "MemberClusters",
        "logDeliveryConfigurations": lambda _f, _c: MISSING,
        "nodeGroupConfigurations": lambda _f, _c: MISSING,
        "port": lambda found, _c: next(
            (
                port
                for path in ("ConfigurationEndpoint.Port", "NodeGroups[0].PrimaryEndpoint.Port")
                if (port := lookup(found, path)) is not MISSING
            ),
            MISSING,
        ),
    },
    unread=(
        "authToken",
        "port",
        "numCacheClusters",
        "numNodeGroups",
        "parameterGroupName",
        "securityGroupIds",
        "subnetGroupName",
        "maintenanceWindow",
    ),
    tags=tags_of("replicationgroup"),
    checks={
        "replicationGroupId": named(
            r"[a-z](?:-?[a-z0-9])*",
            40,
            "expected small letters, digits and single hyphens, a letter first",
        ),
        "authToken": _token,
        "engine": one_of("redis", "valkey"),
        "kmsKeyId": lambda value: None if value else "is empty",
        "maintenanceWindow": maintenance_window,
        "nodeType": named(
            r"cache\.[a-z0-9]+\.[a-z0-9]+", 60, "expected a type like cache.t4g.small"
        ),
        "notificationTopicArn": arn_text,
        "numCacheClusters": between(1, 6),
        "port": between(1, 65535),
        "replicasPerNodeGroup": between(0, 5),
        "snapshotRetentionLimit": between(0, 35, "days"),
        "snapshotWindow": daily_window,
        "transitEncryptionMode": one_of("preferred", "required"),
    },
    rules=(_valid_group,),
    ready=_wait,
    gone=_GONE_CODES,
    adopt=True,
)

ROWS: Final = (REPLICATION_GROUP,)
