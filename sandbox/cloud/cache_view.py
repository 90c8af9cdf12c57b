"""What DescribeReplicationGroups and DescribeCacheClusters show beyond MiniStack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from sandbox.cloud import emulator

GROUP_MEMBERS = ("KmsKeyId", "NetworkType", "IpDiscovery", "DataTiering")
CLUSTER_MEMBERS = ("AutoMinorVersionUpgrade", "NetworkType", "IpDiscovery")
# ModifyReplicationGroup's parameters that MiniStack leaves to the group, or drops.
OF_CLUSTERS = (
    "PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "SnapshotRetentionLimit",
    "SnapshotWindow", "EngineVersion", "CacheNodeType",
)  # fmt: skip
Render = Callable[[dict[str, Any]], str]


def show_all(cache: Any) -> None:
    """Make MiniStack's module show what was set."""
    cache._rg_xml = _with_members(cache._rg_xml, GROUP_MEMBERS)
    cache._cluster_xml_inner = _with_members(cache._cluster_xml_inner, CLUSTER_MEMBERS)


def keep(group: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Take over into the records what MiniStack would drop."""
    tier = wanted.get("DataTieringEnabled")
    added = {
        "KmsKeyId": wanted.get("KmsKeyId"),
        "NetworkType": wanted.get("NetworkType") or group.get("NetworkType") or "ipv4",
        "IpDiscovery": wanted.get("IpDiscovery") or group.get("IpDiscovery") or "ipv4",
        "DataTiering": None if tier is None else ("enabled" if tier else "disabled"),
        "AutoMinorVersionUpgrade": wanted.get("AutoMinorVersionUpgrade"),
        "TransitEncryptionMode": wanted.get("TransitEncryptionMode"),
        "TransitEncryptionEnabled": wanted.get("TransitEncryptionEnabled"),
    }
    group.update({name: value for name, value in added.items() if value is not None})
    _keep_log_delivery(group, wanted)
    for cluster in clusters(group):
        cluster["NetworkType"], cluster["IpDiscovery"] = group["NetworkType"], group["IpDiscovery"]
        cluster.update({name: wanted[name] for name in OF_CLUSTERS if wanted.get(name) is not None})
        if wanted.get("SecurityGroupIds"):
            cluster["SecurityGroups"] = [
                {"SecurityGroupId": each, "Status": "active"} for each in wanted["SecurityGroupIds"]
            ]
        if wanted.get("CacheParameterGroupName"):
            cluster["CacheParameterGroup"] = {
                "CacheParameterGroupName": wanted["CacheParameterGroupName"],
                "ParameterApplyStatus": "in-sync",
            }
        if wanted.get("NotificationTopicArn"):
            cluster["_gonogo_topic"] = wanted["NotificationTopicArn"]


def _keep_log_delivery(group: dict[str, Any], wanted: dict[str, Any]) -> None:
    """ModifyReplicationGroup changes the deliveries that it names and leaves the others."""
    changes = wanted.get("LogDeliveryConfigurations") or []
    if not changes:
        return
    kept = {each["LogType"]: each for each in group.get("LogDeliveryConfigurations") or []}
    for change in changes:
        if change.get("Enabled") is False:
            kept.pop(change["LogType"], None)
        elif change.get("DestinationDetails"):
            shown = {name: value for name, value in change.items() if name != "Enabled"}
            kept[change["LogType"]] = {
                **kept.get(change["LogType"], {}),
                **shown,
                "Status": "active",
            }
    group["LogDeliveryConfigurations"] = list(kept.values())
    for cluster in clusters(group):
        cluster["LogDeliveryConfigurations"] = list(kept.values())


def clusters(group: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a group's nodes."""
    stored = emulator.service("elasticache")._clusters
    return [stored[name] for name in group.get("MemberClusters") or [] if name in stored]


def publish(group: dict[str, Any], port: int) -> None:
    """Write the endpoint everywhere a reader looks for it."""
    endpoint = {"Address": "127.0.0.1", "Port": port}
    for shard in group.get("NodeGroups") or []:
        shard["PrimaryEndpoint"], shard["ReaderEndpoint"] = dict(endpoint), dict(endpoint)
        for member in shard.get("NodeGroupMembers") or []:
            member["ReadEndpoint"] = dict(endpoint)
    if group.get("ConfigurationEndpoint"):
        group["ConfigurationEndpoint"] = dict(endpoint)
    cache = emulator.service("elasticache")
    for cluster in clusters(group):
        cache._publish_endpoint(cluster, endpoint["Address"], port)


def _with_members(render: Render, names: tuple[str, ...]) -> Render:
    def render_all(record: dict[str, Any]) -> str:
        text = render(record)
        for name in names:
            value = record.get(name)
            if value is None or f"<{name}>" in text:
                continue
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            text += f"<{name}>{escape(shown)}</{name}>"
        topic = record.get("_gonogo_topic")
        if topic:
            text += (
                f"<NotificationConfiguration><TopicArn>{escape(topic)}</TopicArn>"
                "<TopicStatus>active</TopicStatus></NotificationConfiguration>"
            )
        return text

    return render_all
