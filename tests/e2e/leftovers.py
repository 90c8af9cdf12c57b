"""What is still in the emulator after a destroy."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import psutil

from tests.e2e.conftest import Gonogo

_LISTS = (
    ("rds", "describe_db_instances", "DBInstances"),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups"),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups"),
    ("rds", "describe_db_proxies", "DBProxies"),
    ("rds", "describe_db_snapshots", "DBSnapshots"),
    ("elasticache", "describe_replication_groups", "ReplicationGroups"),
    ("elasticache", "describe_users", "Users"),
    ("elbv2", "describe_load_balancers", "LoadBalancers"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
    ("ecs", "list_clusters", "clusterArns"),
    ("lambda", "list_functions", "Functions"),
    ("secretsmanager", "list_secrets", "SecretList"),
    ("ssm", "describe_parameters", "Parameters"),
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("cloudwatch", "describe_alarms", "CompositeAlarms"),
    ("cloudwatch", "list_dashboards", "DashboardEntries"),
    ("logs", "describe_log_groups", "logGroups"),
    ("sns", "list_topics", "Topics"),
    ("sqs", "list_queues", "QueueUrls"),
    ("events", "list_rules", "Rules"),
    ("events", "list_connections", "Connections"),
    ("backup", "list_backup_vaults", "BackupVaultList"),
    ("backup", "list_backup_plans", "BackupPlansList"),
    ("kms", "list_aliases", "Aliases"),
    ("ec2", "describe_vpcs", "Vpcs"),
    ("ec2", "describe_security_groups", "SecurityGroups"),
    ("ec2", "describe_nat_gateways", "NatGateways"),
    ("ec2", "describe_addresses", "Addresses"),
)
_GLOBAL = (
    ("iam", "list_roles", "Roles"),
    ("s3", "list_buckets", "Buckets"),
)
_HOME, _SECOND = "us-east-1", "us-west-2"


def left_in(gonogo: Gonogo, endpoint: str, prefix: str) -> dict[str, list[Any]]:
    """Everything of one stack that is in the emulator, by kind: what names or is tagged with
    `prefix` (`atc-prod`)."""
    found: dict[str, list[Any]] = {}
    asked = [(region, one) for region in (_HOME, _SECOND) for one in _LISTS]
    asked += [(_HOME, one) for one in _GLOBAL]
    for region, (service, call, key) in asked:
        client = gonogo.client(service, endpoint, region)
        ours = list(_named(_all_of(client, call, key), prefix))
        if ours:
            found[f"{region} {service} {key}"] = ours
    return found


def _all_of(client: Any, call: str, key: str) -> Iterable[Any]:
    if not client.can_paginate(call):
        return getattr(client, call)().get(key) or ()
    pages = client.get_paginator(call).paginate()
    return [item for page in pages for item in page.get(key) or ()]


def _named(items: Iterable[Any], prefix: str) -> Iterator[Any]:
    named = re.compile(rf"\b{re.escape(prefix)}\b")
    for item in items:
        # A deleted gateway is told of for an hour, as in AWS.
        gone = isinstance(item, dict) and item.get("State") == "deleted"
        if not gone and named.search(json.dumps(item, default=str)):
            yield item


def stores(gonogo: Gonogo) -> list[str]:
    """Database and cache processes that belong to this sandbox."""
    found = []
    home = str(gonogo.home)
    for process in psutil.process_iter(["name", "cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        name = process.info["name"] or ""
        if any(part in name for part in ("postgres", "valkey", "redis")) and (
            home in line or _listens_for(process, gonogo)
        ):
            found.append(line)
    return found


def _listens_for(process: psutil.Process, gonogo: Gonogo) -> bool:
    """Whether a server's data folder is the one that the sandbox keeps its data in."""
    try:
        working = process.cwd()
    except psutil.Error:
        return False
    marker = gonogo.home / "databases"
    return bool(os.path.realpath(working).startswith(os.path.realpath(marker)))
