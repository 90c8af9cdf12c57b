"""Databases: RDS instances and Aurora clusters."""

from __future__ import annotations

import re
from typing import Any

from policies.framework import (
    NOT_DEV,
    Finding,
    Findings,
    Fix,
    Resource,
    Setting,
    Stack,
    expect,
    number,
    rule,
    same,
    show,
    skip,
)

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
CLUSTER_PARAMETERS = "aws:rds/clusterParameterGroup:ClusterParameterGroup"

_DOCS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"


def _skip_replica(database: Resource, why: str) -> None:
    """Leaves read replicas out: their source decides, or they can be made again from it."""
    if database.has("replicateSourceDb"):
        skip(f"a read replica: {why}")
    if database.has("replicationSourceIdentifier"):
        skip(f"a replica cluster: {why}")


@rule(
    "database-multi-az",
    section="database",
    severity="critical",
    types=(INSTANCE, CLUSTER),
    scope="stack",
    lines=("001:326",),
    why="A standby in another availability zone takes over when a zone or an instance fails.",
    fix=Fix("databases.<name>.multi_az: true", "aws.rds.Instance(multi_az=True)"),
    reference=f"{_DOCS}Concepts.MultiAZ.html",
    tiers=NOT_DEV,
)
def database_multi_az(database: Resource, stack: Stack) -> Findings:
    """An instance is multi-AZ; an Aurora cluster has two instances or more."""
    _skip_replica(database, "its source is what has to survive a zone")
    if database.type == INSTANCE:
        yield from expect(database, "multiAz", True, default=False)
        return
    if database.has("dbClusterInstanceClass"):
        return  # a multi-AZ DB cluster: three zones by construction
    if str(database.known("engineMode", "provisioned")) == "serverless":
        skip("Aurora Serverless v1 moves to another zone by itself")
    members = stack.referring(database, "clusterIdentifier", CLUSTER_INSTANCE)
    if len(members) < 2:
        yield Finding(
            f"{len(members)} cluster instance{'' if len(members) == 1 else 's'}",
            "2 or more, in different availability zones",
            "clusterMembers",
            Fix("databases.<name>.multi_az: true", "a second aws.rds.ClusterInstance"),
        )


@rule(
    "database-backup-retention",
    section="database",
    severity="critical",
    types=(INSTANCE, CLUSTER),
    lines=("001:47", "001:316", "001:322"),
    why="Automated backups are what a restore to a point in time is made from.",
    fix=Fix(
        "databases.<name>.backup_retention_days: 7 or more",
        "aws.rds.Instance(backup_retention_period=7)",
    ),
    reference=f"{_DOCS}USER_WorkingWithAutomatedBackups.BackupRetention.html",
    settings={"minimum_days": Setting(7, 1, "Days that automated backups are kept, at least.")},
)
def database_backup_retention(database: Resource, *, minimum_days: int) -> Findings:
    """Days that automated backups, and with them point-in-time recovery, reach back."""
    _skip_replica(database, "its source is backed up")
    path = "backupRetentionPeriod"
    default = 0 if database.type == INSTANCE else 1
    value = database.get(path)
    days = number(default if value is None else value)
    if days is None or days < minimum_days:
        found = f"not set (AWS's default is {default})" if value is None else show(value)
        yield Finding(f"{path}: {found}", f"{minimum_days} days or more", path)


@rule(
    "database-encrypted-at-rest",
    section="database",
    severity="critical",
    types=(INSTANCE, CLUSTER),
    lines=("001:341",),
    why="Snapshots, replicas and disks of an unencrypted database can be read by who gets them.",
    fix=Fix("databases.<name>.storage_encrypted: true", "aws.rds.Instance(storage_encrypted=True)"),
    reference=f"{_DOCS}Overview.Encryption.html",
)
def database_encrypted(database: Resource) -> Findings:
    """Storage encryption; a replica or a restored snapshot takes it from what it is made of."""
    if not database.has("storageEncrypted"):
        for origin in ("replicateSourceDb", "snapshotIdentifier", "replicationSourceIdentifier"):
            if database.has(origin):
                skip(f"encryption comes with {origin}")
        if str(database.known("engineMode", "")) == "serverless":
            skip("Aurora Serverless v1 is always encrypted")
    yield from expect(database, "storageEncrypted", True, default=False)


@rule(
    "database-not-public",
    section="database",
    severity="critical",
    types=(INSTANCE, CLUSTER, CLUSTER_INSTANCE),
    lines=("001:342",),
    why="A database with a public address is one leaked password away from everybody.",
    fix=Fix(
        "databases.<name>.publicly_accessible: false",
        "aws.rds.Instance(publicly_accessible=False)",
    ),
    reference=f"{_DOCS}USER_VPC.WorkingWithRDSInstanceinaVPC.html",
)
def database_not_public(database: Resource) -> Findings:
    """No public address."""
    yield from expect(database, "publiclyAccessible", False, default=False)


@rule(
    "database-deletion-protection",
    section="database",
    severity="high",
    types=(INSTANCE, CLUSTER),
    lines=("001:315", "001:346"),
    why="Without it one wrong plan, or one click, removes the database.",
    fix=Fix(
        "databases.<name>.deletion_protection: true",
        "aws.rds.Instance(deletion_protection=True)",
    ),
    reference=f"{_DOCS}USER_DeleteInstance.html",
    tiers=NOT_DEV,
)
def database_deletion_protection(database: Resource) -> Findings:
    """RDS's own protection: Pulumi's `protect` can be passed over, AWS's cannot."""
    _skip_replica(database, "it can be made again from its source")
    yield from expect(database, "deletionProtection", True, default=False)


def _engine(database: Resource) -> str:
    if not database.has("engine"):
        skip("its engine is that of what it is made from")
    return str(database.get("engine")).lower()


def _parameter_groups(database: Resource, stack: Stack) -> list[Resource]:
    if database.type == INSTANCE:
        return stack.referred(database, "parameterGroupName", PARAMETERS)
    return stack.referred(database, "dbClusterParameterGroupName", CLUSTER_PARAMETERS)


def _parameter(group: Resource, name: str) -> Any:
    """A parameter's value in a group; None when the group does not set it."""
    for parameter in group.get("parameters") or ():
        if str(parameter.get("name", "")) == name:
            return parameter.get("value")
    return None


def _group_name(database: Resource) -> str | None:
    path = "parameterGroupName" if database.type == INSTANCE else "dbClusterParameterGroupName"
    value = database.get(path)
    return None if value is None else str(value)


def _groups_to_judge(database: Resource, stack: Stack) -> list[Resource]:
    groups = _parameter_groups(database, stack)
    if not groups:
        name = _group_name(database)
        if name is not None and not name.startswith("default."):
            skip(f"its parameter group {name!r} is not declared in this stack")
    return groups


def _postgres_major(database: Resource, groups: list[Resource]) -> int | None:
    for group in groups:
        family = re.search(r"(\d+)$", str(group.get("family", "")))
        if family:
            return int(family.group(1))
    version = database.known("engineVersion")
    written = re.match(r"\d+", show(version)) if version is not None else None
    return int(written.group()) if written else None


@rule(
    "database-tls-enforced",
    section="database",
    severity="critical",
    types=(INSTANCE, CLUSTER),
    scope="stack",
    lines=("001:64",),
    why="A server that also takes plain connections will get them, passwords and all.",
    fix=Fix(
        "databases.<name>.tls_required: true",
        'aws.rds.ParameterGroup(parameters=[{"name": "rds.force_ssl", "value": "1"}])',
    ),
    reference=f"{_DOCS}PostgreSQL.Concepts.General.SSL.html",
)
def database_tls_enforced(database: Resource, stack: Stack) -> Findings:
    """The parameter that refuses plain connections. PostgreSQL 15 and later have it on."""
    engine = _engine(database)
    if "postgres" in engine:
        parameter, on_values = "rds.force_ssl", ("1", "true", "on")
    elif "mysql" in engine or "mariadb" in engine:
        parameter, on_values = "require_secure_transport", ("1", "true", "on")
    else:
        skip(f"no rule for the engine {engine}")
    groups = _groups_to_judge(database, stack)
    major = _postgres_major(database, groups) if "postgres" in engine else None
    threshold = 17 if "aurora" in engine else 15
    default_on = major is not None and major >= threshold
    values = [value for group in groups if (value := _parameter(group, parameter)) is not None]
    if not values and not default_on:
        default = "0" if major or "postgres" not in engine else "0 before PostgreSQL 15"
        yield Finding(f"{parameter}: not set (AWS's default is {default})", "1", parameter)
    for value in values:
        if not any(same(show(value).lower(), on) for on in on_values):
            yield Finding(f"{parameter}: {show(value)}", "1", parameter)


@rule(
    "database-statement-timeout",
    section="database",
    severity="high",
    types=(INSTANCE, CLUSTER),
    scope="stack",
    lines=("001:36",),
    why="One runaway query holds its locks and its connection until somebody notices.",
    fix=Fix(
        "databases.<name>.statement_timeout_seconds: 30 or less",
        'aws.rds.ParameterGroup(parameters=[{"name": "statement_timeout", "value": "30000"}])',
    ),
    reference=f"{_DOCS}Appendix.PostgreSQL.CommonDBATasks.Parameters.html",
    tiers=NOT_DEV,
    settings={"maximum_seconds": Setting(30, 1, "Seconds that one statement may take, at most.")},
)
def database_statement_timeout(
    database: Resource, stack: Stack, *, maximum_seconds: int
) -> Findings:
    """PostgreSQL's statement_timeout, in milliseconds, set for the whole server."""
    engine = _engine(database)
    if "postgres" not in engine:
        skip(f"{engine} has no such server-wide parameter")
    groups = _groups_to_judge(database, stack)
    values = [
        value for group in groups if (value := _parameter(group, "statement_timeout")) is not None
    ]
    wanted = f"1 to {maximum_seconds * 1000} (milliseconds)"
    if not values:
        yield Finding("statement_timeout: not set (AWS's default is none)", wanted, "parameters")
    for value in values:
        milliseconds = number(value)
        if milliseconds is None or not 0 < milliseconds <= maximum_seconds * 1000:
            yield Finding(f"statement_timeout: {show(value)}", wanted, "parameters")
