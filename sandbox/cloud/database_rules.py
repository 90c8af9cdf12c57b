"""What AWS refuses of a DB instance, with AWS's codes and messages.

Source: "CreateDBInstance", "ModifyDBInstance" and "DeleteDBInstance" of the RDS API reference,
and "Constraints for DB instance identifiers and master passwords" of its user guide.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.cloud.errors import AwsError

RESERVED_MASTER_NAMES = frozenset({"admin", "rdsadmin", "rds_superuser", "public"})
INSIGHTS_DAYS = (7, 731)


def check_create(parameters: dict[str, Any]) -> None:
    """Raise for a CreateDBInstance that AWS would refuse."""
    check_identifier(str(parameters.get("DBInstanceIdentifier", "")))
    check_common(parameters)
    managed = parameters.get("ManageMasterUserPassword") is True
    password = parameters.get("MasterUserPassword")
    if managed and password:
        raise AwsError(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword and ManageMasterUserPassword together.",
        )
    if not managed and not password:
        raise AwsError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword must be provided and must not be blank.",
        )
    check_master_name(str(parameters.get("MasterUsername", "")))
    storage = parameters.get("AllocatedStorage")
    if not isinstance(storage, int) or not 20 <= storage <= 65536:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid storage size for engine name postgres and storage type"
            f" {parameters.get('StorageType', 'gp2')}: {storage}",
        )
    version = str(parameters.get("EngineVersion", "16"))
    if not re.fullmatch(r"1[1-8](\.\d+)?", version):
        raise AwsError("InvalidParameterCombination", f"Cannot find version {version} for postgres")
    if parameters.get("KmsKeyId") and parameters.get("StorageEncrypted") is not True:
        raise AwsError(
            "InvalidParameterCombination",
            "You can't specify a KMS key when storage encryption is off.",
        )
    if parameters.get("MonitoringInterval") and not parameters.get("MonitoringRoleArn"):
        raise AwsError(
            "InvalidParameterCombination",
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value"
            " other than 0.",
        )


def check_common(parameters: dict[str, Any]) -> None:
    """Raise for a value that neither CreateDBInstance nor ModifyDBInstance takes."""
    password = parameters.get("MasterUserPassword")
    if password is not None:
        check_password(str(password))
    days = parameters.get("BackupRetentionPeriod")
    if days is not None and not 0 <= days <= 35:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid backup retention period: {days}. Must be between 0 and 35.",
        )
    interval = parameters.get("MonitoringInterval")
    if interval is not None and interval not in (0, 1, 5, 10, 15, 30, 60):
        raise AwsError("InvalidParameterValue", f"Invalid monitoring interval: {interval}")
    retention = parameters.get("PerformanceInsightsRetentionPeriod")
    if retention is not None and retention not in INSIGHTS_DAYS and retention % 31:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid Performance Insights retention period: {retention}. Valid are 7, 731 and"
            " multiples of 31.",
        )


def check_identifier(identifier: str) -> None:
    """Raise for a name that no DB instance may have."""
    valid = re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,62}", identifier)
    if not valid or identifier.endswith("-") or "--" in identifier:
        raise AwsError(
            "InvalidParameterValue",
            "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must begin"
            " with a letter; must contain only ASCII letters, digits, and hyphens; and must not"
            " end with a hyphen or contain two consecutive hyphens.",
        )


def check_password(password: str) -> None:
    """Raise for a master password that AWS does not take."""
    if not 8 <= len(password) <= 128:
        raise AwsError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password because it is"
            f" {'shorter than 8' if len(password) < 8 else 'longer than 128'} characters.",
        )
    if any(each in '/"@ ' or not 32 < ord(each) < 127 for each in password):
        raise AwsError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII"
            " characters besides '/', '@', '\"', ' ' may be used.",
        )


def check_master_name(name: str) -> None:
    """Raise for a master user name that AWS does not take for PostgreSQL."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name):
        raise AwsError(
            "InvalidParameterValue", "The parameter MasterUsername is not a valid identifier."
        )
    if name.lower() in RESERVED_MASTER_NAMES or name.lower().startswith("pg_"):
        raise AwsError(
            "InvalidParameterValue",
            f"MasterUsername {name} cannot be used as it is a reserved word used by the engine",
        )


def check_delete(instance: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Raise for a DeleteDBInstance that AWS would refuse."""
    if instance.get("DeletionProtection"):
        raise AwsError(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and"
            " try again.",
        )
    skipped = parameters.get("SkipFinalSnapshot") is True
    final = parameters.get("FinalDBSnapshotIdentifier")
    if not skipped and not final:
        raise AwsError(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    if skipped and final:
        raise AwsError(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier can not be specified when deleting an instance without"
            " a final snapshot",
        )
