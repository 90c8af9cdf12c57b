"""A database: every property that a checklist asks for, and what it cannot be without."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import Any

import pytest

from components.alarms import Topics
from components.network import Network
from components.postgres import Postgres
from components.rotation import RotationFunction
from systems import model
from tests.components.parts import NOTIFICATIONS
from tests.components.recording import CONTEXT, UNKNOWN, Record, Records, plain_text, record
from tests.components.recording import Secret as Marked

INSTANCE = "aws:rds/instance:Instance"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
SECRET = "aws:secretsmanager/secret:Secret"
GB = 1024**3


@cache  # what is recorded is only read
def declare(
    *, preview: bool = False, topics: bool = True, protect: bool = True, **fields: Any
) -> Records:
    args = model.Database.model_validate(fields)
    context = dataclasses.replace(CONTEXT, protect=protect)

    def program() -> None:
        network = Network("network", model.Network(), context)
        heard = Topics("alerts", NOTIFICATIONS, context) if topics else None
        database = Postgres(
            "main",
            args,
            context,
            network,
            topics=heard,
            rotation=RotationFunction("rotation", context, network, heard),
            restart=["atc-prod/atc-prod-heartbeat"],
        )
        database.allow_from("sg-tasks", "tasks")

    return record(program, preview=preview)


def instance(**fields: Any) -> dict[str, Any]:
    return declare(**fields).one(INSTANCE, "main").inputs


def alarms(records: Records) -> dict[str, Record]:
    return {
        name.removeprefix("database-main-"): found
        for name, found in records.named(ALARM).items()
        if name.startswith("database-main-")
    }


def test_it_is_available_and_encrypted_by_default() -> None:
    inputs = instance()
    assert inputs["multiAz"] is True
    assert inputs["storageEncrypted"] is True
    assert inputs["publiclyAccessible"] is False
    assert inputs["deletionProtection"] is True
    assert inputs["caCertIdentifier"] == "rds-ca-rsa2048-g1"
    assert inputs["storageType"] == "gp3"


def test_it_can_be_restored_to_a_point_in_time_and_leaves_a_snapshot_behind() -> None:
    inputs = instance()
    assert inputs["backupRetentionPeriod"] == 35
    assert inputs["copyTagsToSnapshot"] is True
    assert inputs["skipFinalSnapshot"] is False
    assert inputs["finalSnapshotIdentifier"] == "atc-prod-main-final"
    assert inputs["deleteAutomatedBackups"] is False
    throwaway = instance(final_snapshot=False, protect=False)
    assert throwaway["skipFinalSnapshot"] is True
    assert "finalSnapshotIdentifier" not in throwaway
    assert throwaway["deleteAutomatedBackups"] is True


def test_nobody_is_given_the_master_password() -> None:
    inputs = instance()
    assert inputs["manageMasterUserPassword"] is True
    assert "password" not in inputs


def test_one_key_of_its_own_encrypts_all_of_it() -> None:
    records = declare()
    key = records.one("aws:kms/key:Key", "database-main")
    assert key.protect
    found = records.one(INSTANCE, "main")
    for what in ("kmsKeyId", "masterUserSecretKmsKeyId", "performanceInsightsKmsKeyId"):
        assert found.property_dependencies[what] == (key.urn,)
    for name in ("main-application", "main-migration"):
        assert key.urn in records.one(SECRET, name).property_dependencies["kmsKeyId"]


def test_the_instance_and_the_secrets_are_protected_where_the_system_is() -> None:
    records = declare()
    for found in (records.one(INSTANCE, "main"), *records.all(SECRET)):
        assert found.protect, found.name
    records = declare(protect=False)
    assert not [r.name for r in records.all(INSTANCE) + records.all(SECRET) if r.protect]


def test_it_is_watched_and_its_logs_are_kept_for_a_time() -> None:
    records = declare()
    inputs = records.one(INSTANCE, "main").inputs
    assert inputs["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    assert inputs["performanceInsightsEnabled"] is True
    assert inputs["monitoringInterval"] == 60
    assert inputs["monitoringRoleArn"] == "arn:aws:iam::000000000000:role/atc-prod-main-watch"
    groups = records.named("aws:cloudwatch/logGroup:LogGroup")
    for name, physical in {
        "main-postgresql": "/aws/rds/instance/atc-prod-main/postgresql",
        "main-upgrade": "/aws/rds/instance/atc-prod-main/upgrade",
        "main-proxy": "/aws/rds/proxy/atc-prod-main",
    }.items():
        assert groups[name].inputs["name"] == physical
        assert groups[name].inputs["retentionInDays"] == 90
    assert groups["main-postgresql"].urn in records.one(INSTANCE, "main").dependencies


def test_monitoring_and_insights_can_be_left_out() -> None:
    records = declare(monitoring_interval_seconds=0, performance_insights_days=0)
    inputs = records.one(INSTANCE, "main").inputs
    assert inputs["performanceInsightsEnabled"] is False
    assert "performanceInsightsKmsKeyId" not in inputs
    assert "monitoringRoleArn" not in inputs


def test_the_server_s_parameters_are_what_the_model_says() -> None:
    group = declare().one("aws:rds/parameterGroup:ParameterGroup").inputs
    assert group["family"] == "postgres16"
    found = {p["name"]: (p["value"], p["applyMethod"]) for p in group["parameters"]}
    assert found == {
        "rds.force_ssl": ("1", "immediate"),
        "password_encryption": ("scram-sha-256", "immediate"),
        "max_connections": ("200", "pending-reboot"),
        "statement_timeout": ("30000", "immediate"),
        "idle_in_transaction_session_timeout": ("60000", "immediate"),
        "log_min_duration_statement": ("1000", "immediate"),
        "log_connections": ("1", "immediate"),
        "log_disconnections": ("1", "immediate"),
        "log_lock_waits": ("1", "immediate"),
        "log_statement": ("ddl", "immediate"),
    }


def test_a_new_major_version_gets_a_parameter_group_beside_the_old() -> None:
    records = declare(engine_version="17.4")
    group = records.one("aws:rds/parameterGroup:ParameterGroup").inputs
    assert (group["name"], group["family"]) == ("atc-prod-main-postgres17", "postgres17")
    assert records.one(INSTANCE, "main").inputs["parameterGroupName"] == group["name"]


@pytest.mark.parametrize(("version", "by_itself"), [("16", True), ("16.9", False)])
def test_aws_raises_the_minor_version_unless_it_is_written_out(
    version: str, by_itself: bool
) -> None:
    inputs = instance(engine_version=version)
    assert inputs["engineVersion"] == version
    assert inputs["autoMinorVersionUpgrade"] is by_itself


def test_it_lives_in_the_data_subnets_and_is_reached_by_whom_we_name() -> None:
    records = declare()
    subnets = records.one("aws:rds/subnetGroup:SubnetGroup").inputs["subnetIds"]
    assert subnets == [f"network-data-{letter}-id" for letter in "abc"]
    rules = {
        (rule.inputs["securityGroupId"], rule.inputs["referencedSecurityGroupId"])
        for rule in records.all(INGRESS)
        if rule.inputs["securityGroupId"] in {"main-id", "main-pool-id"}
    }
    assert rules == {
        ("main-id", "main-pool-id"),
        ("main-id", "rotation-id"),
        ("main-pool-id", "sg-tasks"),
    }
    assert not [
        rule.name for rule in records.all(INGRESS) if rule.inputs.get("cidrIpv4") == "0.0.0.0/0"
    ]


def test_the_pool_wants_tls_and_reads_the_roles_secrets_alone() -> None:
    records = declare()
    proxy = records.one("aws:rds/proxy:Proxy").inputs
    assert proxy["requireTls"] is True
    assert proxy["idleClientTimeout"] == 1800
    assert [auth["clientPasswordAuthType"] for auth in proxy["auths"]] == [
        "POSTGRES_SCRAM_SHA_256"
    ] * 2
    (policy,) = [
        json.loads(r.inputs["policy"])
        for r in records.all("aws:iam/rolePolicy:RolePolicy")
        if r.inputs["name"] == "read-secrets"
    ]
    readable = [
        resource
        for statement in policy["Statement"]
        if statement["Action"] == "secretsmanager:GetSecretValue"
        for resource in statement["Resource"]
    ]
    prefix = "arn:aws:secretsmanager:us-east-1:000000000000:secret:atc-prod/main/"
    assert readable == [
        f"{prefix}application",
        f"{prefix}application-??????",
        f"{prefix}migration",
        f"{prefix}migration-??????",
    ]
    group = records.one("aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup").inputs
    assert group["connectionPoolConfig"] == {
        "maxConnectionsPercent": 80,
        "maxIdleConnectionsPercent": 40,
        "connectionBorrowTimeout": 10,
    }


def test_the_instance_joins_the_pool_once_its_roles_are_made() -> None:
    records = declare()
    target = records.one("aws:rds/proxyTarget:ProxyTarget")
    assert target.inputs["dbInstanceIdentifier"] == "atc-prod-main"
    rotations = records.all("aws:secretsmanager/secretRotation:SecretRotation")
    assert {rotation.urn for rotation in rotations} <= set(target.dependencies)


def test_both_roles_are_made_at_once_and_renewed_in_time() -> None:
    records = declare()
    found = records.named("aws:secretsmanager/secretRotation:SecretRotation")
    assert set(found) == {"main-application", "main-migration"}
    server, proxy = records.one(INSTANCE, "main"), records.one("aws:rds/proxy:Proxy")
    for rotation in found.values():
        assert rotation.inputs["rotateImmediately"] is True
        assert rotation.inputs["rotationRules"] == {"automaticallyAfterDays": 30}
        assert {server.urn, proxy.urn} <= set(rotation.dependencies)


def test_no_password_is_in_the_engine_s_state_and_no_value_bare() -> None:
    records = declare()
    versions = records.named("aws:secretsmanager/secretVersion:SecretVersion")
    value = versions["main-application"].inputs["secretString"]
    assert isinstance(value, Marked)
    assert json.loads(value.value) == {
        "engine": "postgres",
        "username": "application",
        "dbname": "app",
    }
    assert records.calls == [c for c in records.calls if "getRandomPassword" not in c[0]]
    assert value.value not in plain_text(records.resources)


def test_the_rotation_function_is_told_where_and_what() -> None:
    tags = declare().one(SECRET, "main-application").inputs["tags"]
    assert {k: v for k, v in tags.items() if k.startswith("gonogo:")} == {
        "gonogo:rotation": "postgres",
        "gonogo:database": "atc-prod-main",
        "gonogo:dbname": "app",
        "gonogo:role": "application",
        "gonogo:peer": "migration",
        "gonogo:proxy": "atc-prod-main",
        "gonogo:restart/1": "atc-prod/atc-prod-heartbeat",
    }


def test_without_a_pool_clients_reach_the_instance_itself() -> None:
    records = declare(pooling=None)
    assert records.all("aws:rds/proxy:Proxy") == []
    rules = {
        (rule.inputs["securityGroupId"], rule.inputs["referencedSecurityGroupId"])
        for rule in records.all(INGRESS)
        if rule.inputs["securityGroupId"] == "main-id"
    }
    assert rules == {("main-id", "sg-tasks"), ("main-id", "rotation-id")}
    assert "gonogo:proxy" not in records.one(SECRET, "main-application").inputs["tags"]
    assert not [name for name in alarms(records) if "pool" in name]


def test_its_alarms_have_the_limits_in_cloudwatch_s_units() -> None:
    found = alarms(declare())
    limits = {
        part: (a.inputs["metricName"], a.inputs["comparisonOperator"], a.inputs["threshold"])
        for part, a in found.items()
        if "metricName" in a.inputs
    }
    above, below = "GreaterThanThreshold", "LessThanThreshold"
    assert limits == {
        "cpu": ("CPUUtilization", above, 80),
        "memory": ("FreeableMemory", below, pytest.approx(1.6 * GB, abs=1)),
        "connections": ("DatabaseConnections", above, 160),
        "storage": ("FreeStorageSpace", below, 20 * GB),
        "read-latency": ("ReadLatency", above, 0.05),
        "write-latency": ("WriteLatency", above, 0.05),
        "pool-wait": ("DatabaseConnectionsBorrowLatency", above, 5_000_000),
        "pool-refused": ("ClientConnectionsSetupFailedAuth", above, 5),
    }
    for alarm in found.values():
        assert alarm.inputs["alarmActions"], alarm.name
        assert "https://runbooks.example.com/atc/database-" in alarm.inputs["alarmDescription"]


def test_slow_queries_are_counted_in_the_servers_own_log() -> None:
    records = declare(alarms=model.DatabaseAlarms(slow_queries_per_minute=2), slow_query_log_ms=500)
    counted = records.one("aws:cloudwatch/logMetricFilter:LogMetricFilter").inputs
    assert counted["logGroupName"] == "/aws/rds/instance/atc-prod-main/postgresql"
    line = "2026-01-01 00:00:00 UTC:10.0.0.1(1):application@app:[9]:LOG:  duration: 612.5 ms  x"
    assert counted["pattern"].strip('"') in line
    transformed = counted["metricTransformation"]
    told = alarms(records)["slow-queries"].inputs
    assert (told["metricName"], told["namespace"]) == (transformed["name"], "atc/prod")
    assert transformed["namespace"] == "atc/prod"
    assert (told["statistic"], told["period"], told["threshold"]) == ("Sum", 60, 2)
    assert told["treatMissingData"] == "notBreaching"
    assert "500 ms" in told["alarmDescription"]


def test_slow_queries_are_told_only_where_a_limit_is_given() -> None:
    assert "slow-queries" not in alarms(declare())


def test_a_pool_over_eighty_percent_is_heard_of() -> None:
    alarm = alarms(declare())["pool-usage"].inputs
    assert alarm["threshold"] == 80
    queries = {query["id"]: query for query in alarm["metricQueries"]}
    assert queries["usage"]["expression"] == "100 * borrowed / allowed"
    assert queries["usage"]["returnData"] is True
    assert queries["borrowed"]["metric"]["metricName"] == "DatabaseConnectionsCurrentlyBorrowed"
    assert queries["allowed"]["metric"]["metricName"] == "MaxDatabaseConnectionsAllowed"
    for query in ("borrowed", "allowed"):
        assert queries[query]["metric"]["dimensions"] == {"ProxyName": "atc-prod-main"}
        assert queries[query]["returnData"] is False


def test_an_exhausted_pool_is_an_alarm_of_its_own_where_it_is_asked_for() -> None:
    name = "database-main-pool-exhausted"
    assert name not in declare().named(ALARM)
    limits = model.DatabaseAlarms(pool_exhausted=True)
    alarm = declare(alarms=limits).one(ALARM, name).inputs
    queries = {query["id"]: query for query in alarm["metricQueries"]}
    assert queries["free"]["expression"] == "allowed - borrowed"
    borrowed, allowed = queries["borrowed"]["metric"], queries["allowed"]["metric"]
    assert borrowed["metricName"] == "DatabaseConnectionsCurrentlyBorrowed"
    assert allowed["metricName"] == "MaxDatabaseConnectionsAllowed"
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanOrEqualToThreshold", 0)
    assert (alarm["evaluationPeriods"], alarm["treatMissingData"]) == (1, "notBreaching")
    assert alarm["tags"]["severity"] == "critical"


def test_alarms_are_known_at_preview() -> None:
    for alarm in alarms(declare(preview=True)).values():
        assert UNKNOWN not in alarm.inputs.values(), alarm.name
        assert UNKNOWN not in alarm.inputs.get("dimensions", {}).values(), alarm.name


def test_what_rds_itself_has_to_say_goes_to_the_critical_topic() -> None:
    subscription = declare().one("aws:rds/eventSubscription:EventSubscription").inputs
    assert subscription["snsTopic"].endswith(":atc-prod-alerts-critical")
    assert subscription["sourceIds"] == ["atc-prod-main"]
    assert {"failover", "failure", "low storage", "maintenance"} <= set(
        subscription["eventCategories"]
    )


def test_without_topics_the_alarms_are_there_and_say_nothing() -> None:
    records = declare(topics=False)
    assert len(alarms(records)) == 9
    assert not [a.name for a in alarms(records).values() if a.inputs.get("alarmActions")]
    assert records.all("aws:rds/eventSubscription:EventSubscription") == []


def test_read_replicas_follow_the_instance_and_their_lag_is_watched() -> None:
    records = declare(read_replica_count=2)
    replicas = [r for r in records.all(INSTANCE) if r.name != "main"]
    assert [r.inputs["identifier"] for r in replicas] == [
        "atc-prod-main-replica-1",
        "atc-prod-main-replica-2",
    ]
    for replica in replicas:
        assert replica.inputs["replicateSourceDb"] == "atc-prod-main"
        assert replica.inputs["storageEncrypted"] is True
        assert "engine" not in replica.inputs
        alarm = records.one(ALARM, f"database-{replica.name}-lag").inputs
        assert alarm["dimensions"] == {"DBInstanceIdentifier": replica.inputs["identifier"]}
        assert alarm["treatMissingData"] == "breaching"


def test_read_replicas_are_reached_by_whom_we_name_and_written_down() -> None:
    records = declare(read_replica_count=2)
    for replica in ("main-replica-1", "main-replica-2"):
        inputs = records.one(INSTANCE, replica).inputs
        assert inputs["vpcSecurityGroupIds"] == ["main-readers-id"], "not the writer's"
    where = records.one("aws:ssm/parameter:Parameter")
    assert where.inputs["name"] == "/atc-prod/main/readers-2"
    assert where.inputs["type"] == "String", "addresses are no secret"
    assert len(where.plain("value").split(",")) == 2
    assert declare().all("aws:ssm/parameter:Parameter") == []


def test_what_other_parts_need_is_known_at_preview() -> None:
    found: list[Postgres] = []
    record(lambda: found.append(Postgres("main", model.Database(), CONTEXT)), preview=True)
    (database,) = found
    assert database.identifier == "atc-prod-main"
    assert database.instance_arn == "arn:aws:rds:us-east-1:000000000000:db:atc-prod-main"
    assert database.application_secret_name == "atc-prod/main/application"
    assert database.migration_secret_name == "atc-prod/main/migration"
    assert database.port == 5432
    json.dumps(database.read_statements())


def test_alone_it_brings_its_network_and_its_rotation() -> None:
    records = record(lambda: Postgres("main", model.Database(), CONTEXT))
    component = records.one("gonogo:components:Postgres")
    for kind in ("Network", "RotationFunction"):
        assert records.family(records.one(f"gonogo:components:{kind}"))[0] is component
    for found in records.custom():
        assert component in records.family(found)


@pytest.mark.parametrize(
    "names",
    [
        {"application_username": "administrator"},
        {"application_username": "migration"},
        {"master_username": "migration"},
    ],
)
def test_three_roles_have_three_names(names: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"databases\.main: .*three different names"):
        declare(**names)


def test_tls_can_be_left_out_in_the_open_for_a_policy_to_see() -> None:
    records = declare(tls_required=False)
    group = records.one("aws:rds/parameterGroup:ParameterGroup").inputs
    assert {p["name"]: p["value"] for p in group["parameters"]}["rds.force_ssl"] == "0"
    assert records.one("aws:rds/proxy:Proxy").inputs["requireTls"] is False
