"""Cases of databases, caches, buckets, keys and logs."""

from __future__ import annotations

from typing import Any

from policies.testing import UNKNOWN, Plan
from tests.policies.rules.cases import Case, one

DB = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
MEMBER = "aws:rds/clusterInstance:ClusterInstance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
NODE = "aws:elasticache/cluster:Cluster"
BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
KEY = "aws:kms/key:Key"
LOGS = "aws:cloudwatch/logGroup:LogGroup"


def aurora(members: int) -> Plan:
    plan = Plan().add(CLUSTER, "it", {"engine": "aurora-postgresql"})
    for index in range(members):
        plan.add(
            MEMBER,
            f"m{index}",
            {"clusterIdentifier": UNKNOWN},
            depends={"clusterIdentifier": "it"},
        )
    return plan


def with_group(
    parameters: list[dict[str, Any]] | Any, *, family: str = "postgres14", known: bool = False
) -> Plan:
    """A PostgreSQL instance with a parameter group, by dependency or by its written-out name."""
    plan = Plan().add(
        PARAMETERS, "group", {"name": "group", "family": family, "parameters": parameters}
    )
    name: dict[str, Any] = {"parameterGroupName": "group" if known else UNKNOWN}
    depends = {} if known else {"parameterGroupName": "group"}
    return plan.add(DB, "it", {"engine": "postgres", **name}, depends=depends)


def parameter(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "value": value}


def blocked(**switches: Any) -> Plan:
    names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    block = {**dict.fromkeys(names, True), **switches, "bucket": UNKNOWN}
    return Plan().add(BUCKET, "it", {}).add(BLOCK, "block", block, depends={"bucket": "it"})


SSL, TIMEOUT = "rds.force_ssl", "statement_timeout"
WHOLE_CACHE = {"multiAzEnabled": True, "automaticFailoverEnabled": True, "numCacheClusters": 2}

CASES: list[Case] = [
    one("database-multi-az", "pass", DB, {"multiAz": True}, "on"),
    one("database-multi-az", "fail", DB, {"multiAz": False}, "off", found="multiAz: false"),
    one("database-multi-az", "fail", DB, {}, "missing", found="multiAz: not set"),
    one("database-multi-az", "undecided", DB, {"multiAz": UNKNOWN}, "unknown"),
    one("database-multi-az", "not_applicable", DB, {"replicateSourceDb": "x"}, "replica"),
    one("database-multi-az", "not_applicable", DB, {}, "dev", tier="dev"),
    Case("database-multi-az", "pass", "it", aurora(2), "aurora with two"),
    Case(
        "database-multi-az", "fail", "it", aurora(1), "aurora with one", found="1 cluster instance"
    ),
    one(
        "database-multi-az", "pass", CLUSTER, {"dbClusterInstanceClass": "db.m6gd.large"}, "3 zones"
    ),
    one("database-backup-retention", "pass", DB, {"backupRetentionPeriod": 7.0}, "a week"),
    one("database-backup-retention", "pass", DB, {"backupRetentionPeriod": "35"}, "as text"),
    one("database-backup-retention", "fail", DB, {"backupRetentionPeriod": 6}, "6", found=": 6;"),
    one("database-backup-retention", "fail", DB, {"backupRetentionPeriod": 0}, "off", found=": 0;"),
    one(
        "database-backup-retention", "fail", DB, {}, "missing", found="not set (AWS's default is 0"
    ),
    one("database-backup-retention", "fail", CLUSTER, {}, "cluster", found="AWS's default is 1"),
    one(
        "database-backup-retention", "undecided", DB, {"backupRetentionPeriod": UNKNOWN}, "unknown"
    ),
    one("database-backup-retention", "not_applicable", DB, {"replicateSourceDb": "x"}, "replica"),
    one(
        "database-backup-retention",
        "pass",
        DB,
        {"backupRetentionPeriod": 1},
        "dev asks for less",
        tier="dev",
        config={"database-backup-retention": {"minimumDays": 1}},
    ),
    one("database-encrypted-at-rest", "pass", DB, {"storageEncrypted": True}, "on"),
    one(
        "database-encrypted-at-rest", "fail", DB, {"storageEncrypted": False}, "off", found="false"
    ),
    one("database-encrypted-at-rest", "fail", CLUSTER, {}, "missing", found="not set"),
    one("database-encrypted-at-rest", "undecided", DB, {"storageEncrypted": UNKNOWN}, "unknown"),
    one(
        "database-encrypted-at-rest", "not_applicable", DB, {"snapshotIdentifier": "s"}, "restored"
    ),
    one("database-not-public", "pass", DB, {}, "missing is private"),
    one("database-not-public", "pass", MEMBER, {"publiclyAccessible": False}, "member"),
    one("database-not-public", "fail", DB, {"publiclyAccessible": True}, "public", found=": true"),
    one("database-not-public", "undecided", DB, {"publiclyAccessible": UNKNOWN}, "unknown"),
    one("database-deletion-protection", "pass", DB, {"deletionProtection": True}, "on"),
    one(
        "database-deletion-protection",
        "fail",
        DB,
        {"deletionProtection": False},
        "off",
        found="false",
    ),
    one("database-deletion-protection", "fail", DB, {}, "missing", found="not set"),
    one(
        "database-deletion-protection", "undecided", DB, {"deletionProtection": UNKNOWN}, "unknown"
    ),
    one(
        "database-deletion-protection", "not_applicable", DB, {"replicateSourceDb": "x"}, "replica"
    ),
    Case("database-tls-enforced", "pass", "it", with_group([parameter(SSL, "1")]), "on"),
    Case("database-tls-enforced", "pass", "it", with_group([parameter(SSL, 1.0)]), "as a number"),
    Case(
        "database-tls-enforced",
        "pass",
        "it",
        with_group([parameter(SSL, "1")], known=True),
        "by name",
    ),
    Case(
        "database-tls-enforced", "fail", "it", with_group([parameter(SSL, "0")]), "off", found=": 0"
    ),
    Case("database-tls-enforced", "fail", "it", with_group([]), "missing", found="not set"),
    Case(
        "database-tls-enforced", "pass", "it", with_group([], family="postgres16"), "15 and later"
    ),
    Case(
        "database-tls-enforced",
        "fail",
        "it",
        with_group([parameter(SSL, "0")], family="postgres16"),
        "16 switched off",
        found="rds.force_ssl: 0",
    ),
    Case(
        "database-tls-enforced", "undecided", "it", with_group([parameter(SSL, UNKNOWN)]), "unknown"
    ),
    one("database-tls-enforced", "fail", DB, {"engine": "postgres"}, "no group", found="not set"),
    one("database-tls-enforced", "pass", DB, {"engine": "postgres", "engineVersion": 16.3}, "16"),
    one("database-tls-enforced", "fail", DB, {"engine": "mysql"}, "mysql", found="require_secure"),
    one("database-tls-enforced", "not_applicable", DB, {"engine": "oracle-ee"}, "another engine"),
    one("database-tls-enforced", "not_applicable", DB, {"replicateSourceDb": "x"}, "replica"),
    one(
        "database-tls-enforced",
        "not_applicable",
        DB,
        {"engine": "postgres", "parameterGroupName": "elsewhere"},
        "group of another stack",
    ),
    Case(
        "database-statement-timeout",
        "pass",
        "it",
        with_group([parameter(TIMEOUT, "30000")]),
        "30 s",
    ),
    Case(
        "database-statement-timeout",
        "fail",
        "it",
        with_group([parameter(TIMEOUT, "30001")]),
        "longer",
        found="statement_timeout: 30001",
    ),
    Case(
        "database-statement-timeout",
        "fail",
        "it",
        with_group([parameter(TIMEOUT, "0")]),
        "none",
        found="statement_timeout: 0",
    ),
    one(
        "database-statement-timeout", "fail", DB, {"engine": "postgres"}, "missing", found="not set"
    ),
    Case(
        "database-statement-timeout",
        "undecided",
        "it",
        with_group([parameter(TIMEOUT, UNKNOWN)]),
        "unknown",
    ),
    one("database-statement-timeout", "not_applicable", DB, {"engine": "mysql"}, "mysql"),
    one("cache-multi-az", "pass", CACHE, WHOLE_CACHE, "on"),
    one(
        "cache-multi-az",
        "fail",
        CACHE,
        {**WHOLE_CACHE, "multiAzEnabled": False},
        "off",
        found="multiAz",
    ),
    one(
        "cache-multi-az",
        "fail",
        CACHE,
        {**WHOLE_CACHE, "automaticFailoverEnabled": False},
        "no failover",
        found="automaticFailoverEnabled: false",
    ),
    one(
        "cache-multi-az",
        "fail",
        CACHE,
        {**WHOLE_CACHE, "numCacheClusters": 1},
        "alone",
        found=": 1",
    ),
    one("cache-multi-az", "fail", CACHE, {}, "missing", found="multiAzEnabled: not set"),
    one("cache-multi-az", "fail", NODE, {"engine": "redis"}, "a node", found="a single cache node"),
    one("cache-multi-az", "not_applicable", NODE, {"engine": "memcached"}, "memcached"),
    one("cache-multi-az", "not_applicable", NODE, {"replicationGroupId": UNKNOWN}, "a member"),
    one("cache-multi-az", "undecided", CACHE, {"multiAzEnabled": UNKNOWN}, "unknown"),
    one("cache-encrypted-at-rest", "pass", CACHE, {"atRestEncryptionEnabled": True}, "on"),
    one("cache-encrypted-at-rest", "pass", CACHE, {"engine": "valkey"}, "valkey's default"),
    one("cache-encrypted-at-rest", "pass", CACHE, {"atRestEncryptionEnabled": "true"}, "as text"),
    one("cache-encrypted-at-rest", "fail", CACHE, {}, "missing", found="not set"),
    one(
        "cache-encrypted-at-rest",
        "undecided",
        CACHE,
        {"atRestEncryptionEnabled": UNKNOWN},
        "unknown",
    ),
    one("cache-encrypted-in-transit", "pass", CACHE, {"transitEncryptionEnabled": True}, "on"),
    one("cache-encrypted-in-transit", "fail", CACHE, {}, "missing", found="not set"),
    one(
        "cache-encrypted-in-transit",
        "fail",
        CACHE,
        {"transitEncryptionEnabled": True, "transitEncryptionMode": "preferred"},
        "offered only",
        found="transitEncryptionMode: preferred",
    ),
    one(
        "cache-encrypted-in-transit",
        "undecided",
        CACHE,
        {"transitEncryptionEnabled": UNKNOWN},
        "unknown",
    ),
    one("cache-authenticated", "pass", CACHE, {"authToken": UNKNOWN}, "a token"),
    one("cache-authenticated", "pass", CACHE, {"userGroupIds": [UNKNOWN]}, "a group"),
    one("cache-authenticated", "fail", CACHE, {}, "missing", found="neither"),
    one("cache-authenticated", "fail", CACHE, {"userGroupIds": []}, "empty", found="neither"),
    one("cache-authenticated", "undecided", CACHE, {"userGroupIds": UNKNOWN}, "unknown"),
    Case("bucket-public-access-blocked", "pass", "it", blocked(), "all on"),
    Case(
        "bucket-public-access-blocked",
        "fail",
        "it",
        blocked(blockPublicPolicy=False),
        "one off",
        found="blockPublicPolicy: false",
    ),
    Case(
        "bucket-public-access-blocked",
        "undecided",
        "it",
        blocked(ignorePublicAcls=UNKNOWN),
        "unknown",
    ),
    one(
        "bucket-public-access-blocked", "fail", BUCKET, {}, "missing", found="no BucketPublicAccess"
    ),
    one("kms-key-rotated", "pass", KEY, {"enableKeyRotation": True}, "on"),
    one("kms-key-rotated", "fail", KEY, {}, "missing", found="enableKeyRotation: not set"),
    one("kms-key-rotated", "undecided", KEY, {"enableKeyRotation": UNKNOWN}, "unknown"),
    one("kms-key-rotated", "not_applicable", KEY, {"keyUsage": "SIGN_VERIFY"}, "signing"),
    one("log-group-retention", "pass", LOGS, {"retentionInDays": 30}, "30"),
    one("log-group-retention", "fail", LOGS, {"retentionInDays": 14}, "14", found=": 14"),
    one("log-group-retention", "fail", LOGS, {"retentionInDays": 0}, "for ever", found="for ever"),
    one(
        "log-group-retention",
        "fail",
        LOGS,
        {},
        "missing",
        found="not set (AWS keeps them for ever)",
    ),
    one("log-group-retention", "undecided", LOGS, {"retentionInDays": UNKNOWN}, "unknown"),
]
