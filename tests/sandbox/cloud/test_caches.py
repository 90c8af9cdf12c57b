"""ElastiCache with a real Valkey: what boto3 asks for is what a Redis client finds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.retry import Retry

from sandbox import lifecycle
from tests.sandbox.clouds import TestCloud

pytestmark = pytest.mark.slow
TOKEN = "a-token-of-some-length"
GROUP: dict[str, Any] = {
    "ReplicationGroupDescription": "d", "Engine": "redis", "EngineVersion": "7.1",
    "CacheNodeType": "cache.t4g.small", "NumCacheClusters": 2, "AutomaticFailoverEnabled": True,
    "MultiAZEnabled": True, "TransitEncryptionEnabled": True, "AtRestEncryptionEnabled": True,
    "AuthToken": TOKEN,
}  # fmt: skip


@pytest.fixture
def elasticache(cloud: TestCloud) -> Iterator[Any]:
    client = cloud.client("elasticache")
    yield client
    for group in client.describe_replication_groups()["ReplicationGroups"]:
        client.delete_replication_group(ReplicationGroupId=group["ReplicationGroupId"])


def create(client: Any, name: str, **changes: Any) -> dict[str, Any]:
    wanted = {**GROUP, "ReplicationGroupId": name, **changes}
    client.create_replication_group(**{k: v for k, v in wanted.items() if v is not None})
    return describe(client, name)


def describe(client: Any, name: str) -> dict[str, Any]:
    found = client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
    return dict(found[0])


def connect(cloud: TestCloud, group: dict[str, Any], **words: Any) -> redis.Redis:
    endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
    tls = {"ssl": True, "ssl_ca_certs": cloud.authority, "retry": Retry(NoBackoff(), 0)}
    return redis.Redis(host=endpoint["Address"], port=endpoint["Port"], decode_responses=True,
                       **{**tls, **words})  # fmt: skip


def refused(call: Any, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == code


def test_the_token_is_let_in_over_tls_and_nobody_else(cloud: TestCloud, elasticache: Any) -> None:
    group = create(elasticache, "token")
    assert connect(cloud, group, password=TOKEN).set("a", "b")
    for wrong in ({"password": "others"}, {}):
        with pytest.raises(AuthenticationError):
            connect(cloud, group, **wrong).ping()
    with pytest.raises(redis.ConnectionError):
        connect(cloud, group, password=TOKEN, ssl=False).ping()


def test_without_encryption_in_transit_a_plain_client_is_let_in(
    cloud: TestCloud, elasticache: Any
) -> None:
    group = create(elasticache, "plain", TransitEncryptionEnabled=False, AuthToken=None)
    endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
    assert redis.Redis(host=endpoint["Address"], port=endpoint["Port"]).ping()


def test_what_is_set_reads_back(cloud: TestCloud, elasticache: Any) -> None:
    wanted = {
        "KmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/k", "SnapshotRetentionLimit": 5,
        "SnapshotWindow": "03:00-04:00", "AutoMinorVersionUpgrade": True,
    }  # fmt: skip
    others = {
        "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
        "NotificationTopicArn": "arn:aws:sns:us-east-1:000000000000:t",
    }
    group = create(elasticache, "readback", **wanted, **others)
    assert {name: group.get(name) for name in wanted} == wanted
    assert (group["AutomaticFailover"], group["MultiAZ"]) == ("enabled", "enabled")
    node = elasticache.describe_cache_clusters(CacheClusterId=group["MemberClusters"][0])
    assert node["CacheClusters"][0]["PreferredMaintenanceWindow"] == "sun:05:00-sun:06:00"
    assert node["CacheClusters"][0]["NotificationConfiguration"]["TopicArn"].endswith(":t")


def test_a_rotated_token_leaves_the_old_one_until_it_is_set(
    cloud: TestCloud, elasticache: Any
) -> None:
    group = create(elasticache, "rotated")
    modify = {"ReplicationGroupId": "rotated", "AuthToken": "another-token-of-length"}
    elasticache.modify_replication_group(**modify, AuthTokenUpdateStrategy="ROTATE")
    assert connect(cloud, group, password=TOKEN).ping()
    assert connect(cloud, group, password="another-token-of-length").ping()
    elasticache.modify_replication_group(**modify, AuthTokenUpdateStrategy="SET")
    assert connect(cloud, group, password="another-token-of-length").ping()
    with pytest.raises(AuthenticationError):
        connect(cloud, group, password=TOKEN).ping()


def test_parameters_hold_and_change_while_it_runs(cloud: TestCloud, elasticache: Any) -> None:
    elasticache.create_cache_parameter_group(
        CacheParameterGroupName="policy", CacheParameterGroupFamily="redis7", Description="d"
    )

    def put(value: str) -> None:
        elasticache.modify_cache_parameter_group(
            CacheParameterGroupName="policy",
            ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": value}],
        )

    put("allkeys-lru")
    group = create(elasticache, "parameters", CacheParameterGroupName="policy")
    client = connect(cloud, group, password=TOKEN)
    assert client.info("memory")["maxmemory_policy"] == "allkeys-lru"
    put("noeviction")
    assert client.info("memory")["maxmemory_policy"] == "noeviction"


def test_users_of_a_group_have_their_own_rights(cloud: TestCloud, elasticache: Any) -> None:
    password = "a-password-of-the-reader"
    user = {"UserId": "reader", "UserName": "reader", "Engine": "valkey"}
    access = "on ~cache:* -@all +get"
    elasticache.create_user(**user, AccessString=access, Passwords=[password])
    elasticache.create_user_group(UserGroupId="readers", Engine="valkey", UserIds=["reader"])
    group = create(elasticache, "users", Engine="valkey", EngineVersion="8.0", AuthToken=None,
                   UserGroupIds=["readers"])  # fmt: skip
    client = connect(cloud, group, username="reader", password=password)
    assert client.get("cache:missing") is None
    with pytest.raises(NoPermissionError):
        client.get("other")
    with pytest.raises(NoPermissionError):
        client.set("cache:a", "b")
    with pytest.raises(AuthenticationError):
        connect(cloud, group).ping()
    elasticache.modify_user(UserId="reader", AccessString="on ~* -@all +get +set")
    assert connect(cloud, group, username="reader", password=password).set("other", "b")


def test_cluster_mode_answers_a_cluster_client(cloud: TestCloud, elasticache: Any) -> None:
    group = create(elasticache, "cluster", NumCacheClusters=None, NumNodeGroups=3,
                   ReplicasPerNodeGroup=1)  # fmt: skip
    endpoint = group["ConfigurationEndpoint"]
    client = RedisCluster(host=endpoint["Address"], port=endpoint["Port"], password=TOKEN, ssl=True,
                          ssl_ca_certs=cloud.authority)  # fmt: skip
    for key in ("a", "b", "c"):
        assert client.set(key, key)
    assert client.get("c") == b"c"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AuthToken": "short"}, "InvalidParameterValue"),
        ({"TransitEncryptionEnabled": False}, "InvalidParameterValue"),
        ({"NumCacheClusters": 1}, "InvalidParameterCombination"),
        ({"AutomaticFailoverEnabled": False}, "InvalidParameterCombination"),
        ({"CacheSubnetGroupName": "missing"}, "CacheSubnetGroupNotFoundFault"),
        ({"CacheParameterGroupName": "missing"}, "CacheParameterGroupNotFound"),
        ({"ReplicationGroupId": "two--hyphens"}, "InvalidParameterValue"),
        ({"UserGroupIds": ["missing"]}, "InvalidParameterCombination"),
    ],
)
def test_groups_that_aws_refuses_are_refused(
    elasticache: Any, changes: dict[str, Any], code: str
) -> None:
    wanted = {**GROUP, "ReplicationGroupId": "refused", **changes}
    refused(lambda: elasticache.create_replication_group(**wanted), code)
    assert elasticache.describe_replication_groups()["ReplicationGroups"] == []


def test_a_deleted_group_leaves_no_process_and_no_port(cloud: TestCloud, elasticache: Any) -> None:
    group = create(elasticache, "deleted")
    assert any("valkey" in p.name() for p in cloud.processes())
    elasticache.delete_replication_group(ReplicationGroupId="deleted")
    assert not any("valkey" in p.name() for p in cloud.processes())
    with pytest.raises(redis.ConnectionError):
        connect(cloud, group, password=TOKEN).ping()


def test_after_a_kill_the_cache_is_there_at_its_endpoint(own_home: Path) -> None:
    cloud = TestCloud(lifecycle.start(own_home, provider=False))
    group = create(cloud.client("elasticache"), "kept")
    connect(cloud, group, password=TOKEN).set("a", "b")
    emulator = lifecycle.status(own_home).emulator
    assert emulator is not None
    os.kill(emulator.process.pid, signal.SIGKILL)
    time.sleep(0.1)
    again = TestCloud(lifecycle.start(own_home, provider=False))
    assert describe(again.client("elasticache"), "kept")["NodeGroups"] == group["NodeGroups"]
    assert connect(again, group, password=TOKEN).get("a") == "b"
