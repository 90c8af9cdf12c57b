"""Diff and the values it compares."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.provider import table
from sandbox.provider.diff import Difference, diff
from sandbox.provider.values import UNKNOWN, Path, decode, encode, reach, same

#: what AWS cannot change in place, by type; the rows are judged by this list
REPLACED = {
    "aws:acm/certificate:Certificate": ["domainName", "subjectAlternativeNames"],
    "aws:backup/vault:Vault": ["name", "kmsKeyArn"],
    "aws:cloudwatch/eventRule:EventRule": ["name", "eventBusName"],
    "aws:cloudwatch/logGroup:LogGroup": ["name"],
    "aws:cloudwatch/metricAlarm:MetricAlarm": ["name"],
    "aws:ec2/natGateway:NatGateway": ["subnetId", "allocationId"],
    "aws:ec2/securityGroup:SecurityGroup": ["name", "description", "vpcId"],
    "aws:ec2/subnet:Subnet": ["vpcId", "cidrBlock", "availabilityZone"],
    "aws:ec2/vpc:Vpc": ["cidrBlock"],
    "aws:ecr/repository:Repository": ["name", "encryptionConfigurations"],
    "aws:ecs/cluster:Cluster": ["name"],
    "aws:ecs/service:Service": ["name", "cluster", "launchType", "schedulingStrategy"],
    "aws:ecs/taskDefinition:TaskDefinition": [
        "family", "cpu", "memory", "containerDefinitions", "executionRoleArn", "volumes",
    ],
    "aws:elasticache/replicationGroup:ReplicationGroup": [
        "replicationGroupId", "atRestEncryptionEnabled", "kmsKeyId", "subnetGroupName", "port",
    ],
    "aws:iam/policy:Policy": ["name", "path", "description"],
    "aws:iam/role:Role": ["name", "path"],
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ["role", "policyArn"],
    "aws:kms/key:Key": ["keyUsage", "customerMasterKeySpec", "multiRegion"],
    "aws:lambda/function:Function": ["name", "packageType"],
    "aws:lambda/permission:Permission": ["action", "principal", "sourceArn"],
    "aws:lb/listener:Listener": ["loadBalancerArn"],
    "aws:lb/loadBalancer:LoadBalancer": ["name", "internal", "loadBalancerType"],
    "aws:lb/targetGroup:TargetGroup": ["name", "port", "protocol", "targetType", "vpcId"],
    "aws:rds/instance:Instance": [
        "identifier", "engine", "username", "dbName", "storageEncrypted", "kmsKeyId",
    ],
    "aws:rds/parameterGroup:ParameterGroup": ["name", "family"],
    "aws:rds/proxy:Proxy": ["engineFamily", "vpcSubnetIds"],
    "aws:rds/subnetGroup:SubnetGroup": ["name"],
    "aws:route53/record:Record": ["name", "type", "zoneId"],
    "aws:s3/bucket:Bucket": ["bucket"],
    "aws:scheduler/schedule:Schedule": ["name", "groupName"],
    "aws:secretsmanager/secret:Secret": ["name"],
    "aws:secretsmanager/secretVersion:SecretVersion": ["secretId", "secretString"],
    "aws:sns/topic:Topic": ["name", "fifoTopic"],
    "aws:sns/topicSubscription:TopicSubscription": ["topic", "protocol", "endpoint"],
    "aws:sqs/queue:Queue": ["name", "fifoQueue"],
    "aws:ssm/parameter:Parameter": ["name"],
    "aws:wafv2/webAcl:WebAcl": ["name", "scope"],
}  # fmt: skip
#: what AWS can change in place, where a slip would be dear
CHANGED = {
    "aws:rds/instance:Instance": [
        "instanceClass", "allocatedStorage", "multiAz", "engineVersion", "password",
        "parameterGroupName", "backupRetentionPeriod", "deletionProtection",
    ],
    "aws:elasticache/replicationGroup:ReplicationGroup": [
        "nodeType", "engineVersion", "authToken", "numCacheClusters", "parameterGroupName",
    ],
    "aws:ecs/service:Service": ["taskDefinition", "desiredCount", "loadBalancers"],
    "aws:lb/loadBalancer:LoadBalancer": ["subnets", "securityGroups", "idleTimeout"],
    "aws:iam/role:Role": ["assumeRolePolicy", "description"],
    "aws:secretsmanager/secret:Secret": ["kmsKeyId", "recoveryWindowInDays"],
}  # fmt: skip


def compared(token: str, old: dict[str, Any], new: dict[str, Any], **more: Any) -> Difference:
    return diff(table.row(token), old, new, **more)


@pytest.mark.parametrize(
    ("token", "name"), [(token, name) for token, names in REPLACED.items() for name in names]
)
def test_replaced(token: str, name: str) -> None:
    difference = compared(token, {name: "one"}, {name: "two"})
    assert difference.replaces == [name]


@pytest.mark.parametrize(
    ("token", "name"), [(token, name) for token, names in CHANGED.items() for name in names]
)
def test_changed_in_place(token: str, name: str) -> None:
    difference = compared(token, {name: "one"}, {name: "two"})
    assert difference.properties == [name]
    assert difference.replaces == []


def test_a_fixed_name_goes_before_it_comes_again() -> None:
    token = "aws:lb/targetGroup:TargetGroup"
    same_name = compared(token, {"name": "a", "port": 1}, {"name": "a", "port": 2})
    assert same_name.delete_first
    other_name = compared(token, {"name": "a", "port": 1}, {"name": "b", "port": 2})
    assert not other_name.delete_first


def test_what_there_can_be_only_one_of_goes_first() -> None:
    token = "aws:ec2/route:Route"
    old = {"routeTableId": "a", "destinationCidrBlock": "0.0.0.0/0"}
    assert compared(token, old, {**old, "routeTableId": "b"}).delete_first


def test_another_region_is_another_resource() -> None:
    difference = compared("aws:sns/topic:Topic", {}, {}, regions=("us-east-1", "us-west-2"))
    assert difference.replaces == ["region"]


def test_ignored_changes_are_none() -> None:
    token = "aws:secretsmanager/secretVersion:SecretVersion"
    difference = compared(
        token, {"secretString": "a"}, {"secretString": "b"}, ignore=("secretString",)
    )
    assert difference.changes == ()


def test_tags_never_replace_and_are_told_one_by_one() -> None:
    difference = compared(
        "aws:ecs/taskDefinition:TaskDefinition",
        {"tags": {"a": "1", "b": "1"}},
        {"tags": {"a": "2", "c": "1"}},
    )
    assert {(change.path, change.kind) for change in difference.changes} == {
        ("tags.a", "update"),
        ("tags.b", "delete"),
        ("tags.c", "add"),
    }
    assert difference.replaces == []


def test_an_unknown_value_is_a_change() -> None:
    difference = compared(
        "aws:ecs/service:Service", {"taskDefinition": "a"}, {"taskDefinition": UNKNOWN}
    )
    assert difference.properties == ["taskDefinition"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        ("1", 1),
        (None, ""),
        ([], None),
        (False, None),
        (True, "true"),
        (["a", "b"], ["b", "a"]),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}'),
        ({"a": 1, "b": None}, {"a": 1}),
        ([{"a": 1}, {"b": 2}], [{"b": 2}, {"a": 1}]),
    ],
)  # fmt: skip
def test_means_the_same(left: Any, right: Any) -> None:
    assert same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 2),
        ("a", "b"),
        (True, False),
        (True, None),
        (["a"], ["a", "a"]),
        ('{"a": 1}', '{"a": 2}'),
        ({"a": 1}, {"a": 1, "b": 2}),
        (UNKNOWN, UNKNOWN),
        (0, "x"),
    ],
)
def test_does_not_mean_the_same(left: Any, right: Any) -> None:
    assert not same(left, right)


def test_order_counts_where_it_has_a_meaning() -> None:
    assert not same(["a", "b"], ["b", "a"], ordered=True)


def test_values_cross_the_wire_and_back() -> None:
    plain = {
        "text": "a",
        "number": 3,
        "part": 0.5,
        "yes": True,
        "nothing": None,
        "list": [1, {"b": []}],
        "map": {},
        "unknown": UNKNOWN,
    }
    back, secrets = decode(encode(plain))
    assert back == plain
    assert back["unknown"] is UNKNOWN
    assert not secrets


def test_secret_marks_cross_the_wire_and_back() -> None:
    plain = {"map": {"open": "a", "hidden": "b"}, "list": ["a", "b"], "text": "c"}
    marks: set[Path] = {("map", "hidden"), ("list", 1), ("text",)}
    struct = encode(plain, marks)
    back, found = decode(struct)
    assert back == plain
    assert found == marks
    assert "1b47061264138c4ac30d75fd1eb44270" in json.dumps(str(struct))


def test_a_path_is_followed_as_far_as_it_goes() -> None:
    values = {"policy": "a text now", "list": [{"a": 1}]}
    assert reach(values, ("policy", "Statement", 0)) == ("policy",)
    assert reach(values, ("list", 0, "a")) == ("list", 0, "a")
    assert reach(values, ("gone",)) == ()
