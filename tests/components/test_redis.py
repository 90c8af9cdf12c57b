"""A cache: failover, encryption, the token that opens it, and its alarms."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from components.alarms import Topics
from components.network import Network
from components.redis import Redis
from components.redis_nodes import family
from components.rotation import RotationFunction
from systems import model
from tests.components.parts import NOTIFICATIONS
from tests.components.recording import (
    CONTEXT,
    RANDOM,
    UNKNOWN,
    Record,
    Records,
    plain_text,
    record,
)
from tests.components.recording import Secret as Marked

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"


@cache  # what is recorded is only read
def declare(*, preview: bool = False, **fields: Any) -> Records:
    args = model.Cache.model_validate(fields)

    def program() -> None:
        network = Network("network", model.Network(), CONTEXT)
        topics = Topics("alerts", NOTIFICATIONS, CONTEXT)
        cache = Redis(
            "cache",
            args,
            CONTEXT,
            network,
            topics=topics,
            rotation=RotationFunction("rotation", CONTEXT, network, topics),
            restart=["atc-prod/atc-prod-dashboard"],
        )
        cache.allow_from("sg-tasks", "tasks")

    return record(program, preview=preview)


def alarms(records: Records) -> dict[str, Record]:
    return {
        name.removeprefix("cache-cache-"): found
        for name, found in records.named(ALARM).items()
        if name.startswith("cache-cache-")
    }


def test_it_fails_over_and_is_encrypted_at_rest_and_on_the_way() -> None:
    records = declare()
    group = records.one(GROUP)
    assert group.protect
    assert group.inputs["multiAzEnabled"] is True
    assert group.inputs["automaticFailoverEnabled"] is True
    assert group.inputs["numCacheClusters"] == 2
    assert group.inputs["atRestEncryptionEnabled"] is True
    assert group.inputs["transitEncryptionEnabled"] is True
    assert group.inputs["transitEncryptionMode"] == "required"
    key = records.one("aws:kms/key:Key", "cache-cache")
    assert group.property_dependencies["kmsKeyId"] == (key.urn,)


def test_it_is_backed_up_and_leaves_a_snapshot_behind() -> None:
    inputs = declare().one(GROUP).inputs
    assert inputs["snapshotRetentionLimit"] == 7
    assert inputs["finalSnapshotIdentifier"] == "atc-prod-cache-final"
    none = declare(snapshot_retention_days=0).one(GROUP).inputs
    assert none["snapshotRetentionLimit"] == 0
    assert "snapshotWindow" not in none


def test_the_token_is_marked_secret_and_nowhere_bare() -> None:
    for preview in (True, False):
        records = declare(preview=preview)
        assert records.one(GROUP).inputs["authToken"] == Marked(RANDOM)
        assert isinstance(records.one(VERSION).inputs["secretString"], Marked)
        assert RANDOM not in plain_text(records.resources)


def test_the_secret_says_how_to_connect_over_tls() -> None:
    value = json.loads(declare().one(VERSION).plain("secretString"))
    host = "cache.example.us-east-1.amazonaws.com"
    assert value == {
        "password": RANDOM,
        "host": host,
        "port": 6379,
        "url": f"rediss://:{RANDOM}@{host}:6379",
    }


def test_the_token_is_rotated_and_never_put_back() -> None:
    records = declare()
    assert "authToken" in records.one(GROUP).ignore_changes
    rotation = records.one(ROTATION)
    assert rotation.inputs["rotationRules"] == {"automaticallyAfterDays": 30}
    assert rotation.inputs["rotateImmediately"] is True, "it mends what a cut-short run left"
    assert records.one(GROUP).urn in rotation.dependencies
    tags = records.one(SECRET).inputs["tags"]
    assert {k: v for k, v in tags.items() if k.startswith("gonogo:")} == {
        "gonogo:rotation": "redis",
        "gonogo:cache": "atc-prod-cache",
        "gonogo:restart/1": "atc-prod/atc-prod-dashboard",
    }


def test_it_lives_in_the_data_subnets_and_is_reached_by_whom_we_name() -> None:
    records = declare()
    subnets = records.one("aws:elasticache/subnetGroup:SubnetGroup").inputs["subnetIds"]
    assert subnets == [f"network-data-{letter}-id" for letter in "abc"]
    rules = records.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    reached = {
        rule.inputs["referencedSecurityGroupId"]: rule.inputs["fromPort"]
        for rule in rules
        if rule.inputs["securityGroupId"] == "cache-id"
    }
    assert reached == {"sg-tasks": 6379, "rotation-id": 6379}


def test_cluster_mode_has_shards_and_its_own_endpoint() -> None:
    records = declare(cluster_mode=True, shards=3)
    inputs = records.one(GROUP).inputs
    assert (inputs["numNodeGroups"], inputs["replicasPerNodeGroup"]) == (3, 1)
    assert "numCacheClusters" not in inputs
    parameters = records.one("aws:elasticache/parameterGroup:ParameterGroup").inputs["parameters"]
    assert {"name": "cluster-enabled", "value": "yes"} in parameters
    assert json.loads(records.one(VERSION).plain("secretString"))["host"].startswith("config.")


def test_each_alarm_looks_at_the_worst_node() -> None:
    found = alarms(declare())
    assert {part: a.inputs["threshold"] for part, a in found.items()} == {
        "cpu": 80,
        "memory": 80,
        "evictions": 100,
        "swap": 300 * 1024**2,
        "lag": 10,
    }
    for alarm in found.values():
        queries = alarm.inputs["metricQueries"]
        nodes = [q["metric"]["dimensions"]["CacheClusterId"] for q in queries if "metric" in q]
        assert nodes == ["atc-prod-cache-001", "atc-prod-cache-002"]
        (worst,) = [q for q in queries if q["returnData"]]
        assert worst["expression"] == "MAX(METRICS())"
        assert alarm.inputs["alarmActions"]


def test_every_shard_is_watched_for_itself() -> None:
    found = alarms(declare(cluster_mode=True, shards=2))
    assert {"cpu-1", "cpu-2", "memory-1", "memory-2"} <= set(found)
    nodes = {
        q["metric"]["dimensions"]["CacheClusterId"]
        for q in found["cpu-2"].inputs["metricQueries"]
        if "metric" in q
    }
    assert nodes == {"atc-prod-cache-0002-001", "atc-prod-cache-0002-002"}


def test_alarms_are_known_at_preview() -> None:
    found = alarms(declare(preview=True))
    assert len(found) == 5
    for alarm in found.values():
        assert repr(UNKNOWN) not in repr(alarm.inputs), alarm.name


def test_its_logs_are_kept_for_a_time() -> None:
    records = declare()
    delivered = records.one(GROUP).inputs["logDeliveryConfigurations"]
    assert {d["logType"] for d in delivered} == {"slow-log", "engine-log"}
    groups = {r.inputs["name"]: r for r in records.all("aws:cloudwatch/logGroup:LogGroup")}
    for delivery in delivered:
        assert groups[delivery["destination"]].inputs["retentionInDays"] == 90


def test_without_auth_there_is_no_secret_and_nothing_to_rotate() -> None:
    records = declare(auth=False)
    assert "authToken" not in records.one(GROUP).inputs
    assert records.all(SECRET) == []
    assert records.all(ROTATION) == []


def test_a_token_over_an_open_connection_is_refused() -> None:
    with pytest.raises(ValueError, match=r"caches\.cache: auth: true needs transit_encryption"):
        declare(transit_encryption=False)


def test_a_single_node_does_not_claim_to_fail_over() -> None:
    inputs = declare(multi_az=False, replicas_per_shard=0).one(GROUP).inputs
    assert inputs["automaticFailoverEnabled"] is False
    assert inputs["numCacheClusters"] == 1
    assert "lag" not in alarms(declare(multi_az=False, replicas_per_shard=0))


@pytest.mark.parametrize(
    ("engine", "version", "expected"),
    [("redis", "7.1", "redis7"), ("redis", "6.2", "redis6.x"), ("valkey", "8.0", "valkey8")],
)
def test_families_are_named_as_elasticache_names_them(
    engine: str, version: str, expected: str
) -> None:
    assert family(engine, version) == expected
