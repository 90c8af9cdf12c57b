"""What DescribeDBInstances shows beyond MiniStack: what was set reads back as it was set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

# CreateDBInstance's and ModifyDBInstance's parameters that MiniStack drops or fixes, and the
# instance's member that shows them.
KEPT = {
    "PreferredBackupWindow": "PreferredBackupWindow",
    "PreferredMaintenanceWindow": "PreferredMaintenanceWindow",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "CACertificateIdentifier": "CACertificateIdentifier",
    "StorageThroughput": "StorageThroughput",
    "NetworkType": "NetworkType",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "DedicatedLogVolume": "DedicatedLogVolume",
    "EngineLifecycleSupport": "EngineLifecycleSupport",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "MonitoringInterval": "MonitoringInterval",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "DeletionProtection": "DeletionProtection",
    "PromotionTier": "PromotionTier",
    "BackupTarget": "BackupTarget",
}
ADDED = (
    "PerformanceInsightsKMSKeyId", "DatabaseInsightsMode", "DedicatedLogVolume",
    "EngineLifecycleSupport",
)  # fmt: skip


def keep(instance: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Take over into the instance what MiniStack would drop."""
    for name, member in KEPT.items():
        if parameters.get(name) is not None:
            instance[member] = parameters[name]
    if parameters.get("EnableCloudwatchLogsExports") is not None:
        instance["EnabledCloudwatchLogsExports"] = list(parameters["EnableCloudwatchLogsExports"])
    changes = parameters.get("CloudwatchLogsExportConfiguration")
    if changes:
        kept = set(instance.get("EnabledCloudwatchLogsExports") or [])
        kept |= set(changes.get("EnableLogTypes") or [])
        kept -= set(changes.get("DisableLogTypes") or [])
        instance["EnabledCloudwatchLogsExports"] = sorted(kept)
    if instance.get("CACertificateIdentifier"):
        instance["CertificateDetails"] = {
            "CAIdentifier": instance["CACertificateIdentifier"],
            "ValidTill": "2061-01-01T00:00:00Z",
        }


def shown(render: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """MiniStack's rendering of an instance, with the members that it leaves out."""

    def render_all(instance: dict[str, Any]) -> str:
        exports = instance.get("EnabledCloudwatchLogsExports") or []
        text = render(instance).replace(
            "<EnabledCloudwatchLogsExports/>",
            "<EnabledCloudwatchLogsExports>"
            + "".join(f"<member>{escape(str(each))}</member>" for each in exports)
            + "</EnabledCloudwatchLogsExports>",
        )
        for name in ADDED:
            value = instance.get(name)
            if value is not None and value != "":
                shown_value = str(value).lower() if isinstance(value, bool) else str(value)
                text += f"<{name}>{escape(shown_value)}</{name}>"
        secret = instance.get("MasterUserSecret")
        if secret:
            inner = "".join(f"<{key}>{escape(str(each))}</{key}>" for key, each in secret.items())
            text += f"<MasterUserSecret>{inner}</MasterUserSecret>"
        return text

    return render_all
