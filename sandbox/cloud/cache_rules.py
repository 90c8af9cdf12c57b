"""What AWS refuses of a replication group and its users, with AWS's codes and messages.

Source: "CreateReplicationGroup" and "CreateUser" of the ElastiCache API reference and "Auth"
of its user guide.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.cloud import emulator
from sandbox.cloud.errors import AwsError


def check_create(wanted: dict[str, Any]) -> None:
    """Raise for a CreateReplicationGroup that AWS would refuse."""
    name = str(wanted.get("ReplicationGroupId", ""))
    if not re.fullmatch(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,39}", name) or name.endswith("-"):
        raise AwsError(
            "InvalidParameterValue",
            "The parameter ReplicationGroupId must be provided, must begin with a letter, have at"
            " most 40 letters, digits and hyphens, and not end with a hyphen or have two in a row.",
        )
    check_token(wanted.get("AuthToken"))
    nodes = int(wanted.get("NumCacheClusters") or 1)
    replicas = int(wanted.get("ReplicasPerNodeGroup") or nodes - 1)
    if wanted.get("AutomaticFailoverEnabled") is True and replicas < 1:
        raise AwsError(
            "InvalidParameterCombination",
            "When using automatic failover, there must be at least 2 cache clusters in the"
            " replication group.",
        )
    if wanted.get("MultiAZEnabled") is True and wanted.get("AutomaticFailoverEnabled") is not True:
        raise AwsError(
            "InvalidParameterCombination",
            "Automatic failover must be enabled to enable Multi-AZ.",
        )
    if wanted.get("AuthToken") and wanted.get("UserGroupIds"):
        raise AwsError(
            "InvalidParameterCombination",
            "AuthToken and UserGroupIds cannot be used together.",
        )
    if wanted.get("UserGroupIds") and wanted.get("TransitEncryptionEnabled") is not True:
        raise AwsError(
            "InvalidParameterCombination",
            "User group based access control requires encryption-in-transit to be enabled.",
        )


def check_groups(wanted: dict[str, Any]) -> None:
    """Raise when a subnet group or parameter group that is named does not exist."""
    cache = emulator.service("elasticache")
    subnets = wanted.get("CacheSubnetGroupName")
    if subnets and subnets != "default" and subnets not in cache._subnet_groups:
        raise AwsError(
            "CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {subnets} does not exist."
        )
    group = wanted.get("CacheParameterGroupName")
    if group and not group.startswith("default.") and group not in cache._param_groups:
        raise AwsError(
            "CacheParameterGroupNotFound", f"CacheParameterGroup {group} not found.", 404
        )


def check_token(token: str | None) -> None:
    """Raise for an AUTH token that AWS does not take."""
    if token is None:
        return
    if not 16 <= len(token) <= 128 or not re.fullmatch(r"[A-Za-z0-9!&#$^<>-]+", token):
        raise AwsError(
            "InvalidParameterValue",
            "Invalid AuthToken provided. It must be 16 to 128 letters, digits or any of !&#$^<>-",
        )


def check_user(wanted: dict[str, Any]) -> None:
    """Raise for a user's passwords that AWS does not take."""
    for password in passwords(wanted):
        if not 16 <= len(password) <= 128:
            raise AwsError(
                "InvalidParameterValue", "Passwords length must be between 16-128 characters."
            )


def passwords(wanted: dict[str, Any]) -> list[str]:
    """The passwords that a CreateUser or ModifyUser sets."""
    mode = wanted.get("AuthenticationMode") or {}
    return [str(each) for each in (mode.get("Passwords") or wanted.get("Passwords") or [])]
