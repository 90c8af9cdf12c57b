"""Check: wrong input is refused, with the property's name; right input is named and completed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.provider import table
from sandbox.provider.check import check
from sandbox.provider.values import UNKNOWN
from tests.sandbox.provider.cases import CASES, TRUST

ARN = "arn:aws:x:us-east-1:000000000000:thing/name"


def fails(token: str, inputs: Mapping[str, Any], **more: Any) -> dict[str, str]:
    """Property → reason."""
    _, failures = run(token, inputs, **more)
    return {failure.property: failure.reason for failure in failures}


def run(token: str, inputs: Mapping[str, Any], **more: Any) -> tuple[dict[str, Any], list[Any]]:
    arguments: dict[str, Any] = {"urn_name": "thing", "seed": b"seed", "default_tags": {}, **more}
    olds = arguments.pop("olds", {})
    return check(table.row(token), inputs, olds, **arguments)


def example(name: str, /, **changes: Any) -> dict[str, Any]:
    """An example's inputs with ARNs in place of what others make."""
    text = json.dumps({key: value for key, value in CASES[name].inputs.items() if key != "code"})
    for alias in CASES[name].needs:
        text = text.replace(f"{{{alias}}}", ARN)
    inputs = {**json.loads(text), **changes}
    return {key: value for key, value in inputs.items() if value is not None}


WRONG = [
    ("vpc", {"cidrBlock": "10.20.0.1/16"}, "cidrBlock", "host bits"),
    ("vpc", {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "/16 to /28"),
    ("vpc", {"cidrBlock": "10.300.0.0/16"}, "cidrBlock", "not a valid IPv4"),
    ("vpc", {"enableDnsSupport": "perhaps"}, "enableDnsSupport", "true or false"),
    ("vpc", {"instanceTenancy": "shared"}, "instanceTenancy", "dedicated"),
    ("route", {"natGatewayId": "nat-1"}, "gatewayId", "exactly one target"),
    ("route", {"destinationCidrBlock": None}, "destinationCidrBlock", "has to be given"),
    ("flow-log", {"iamRoleArn": None}, "iamRoleArn", "role"),
    ("flow-log", {"maxAggregationInterval": 300}, "maxAggregationInterval", "60, 600"),
    ("sg", {"name": "sg-mine"}, "name", "sg-"),
    ("ingress", {"cidrIpv4": "10.0.0.0/8"}, "cidrIpv4", "exactly one"),
    ("ingress", {"toPort": None}, "fromPort", "needs fromPort and toPort"),
    ("egress", {"fromPort": 1, "toPort": 2}, "fromPort", "all protocols"),
    ("role", {"assumeRolePolicy": "{"}, "assumeRolePolicy", "invalid JSON"),
    ("role", {"assumeRolePolicy": "{}"}, "assumeRolePolicy", "no Statement"),
    ("role", {"name": "x" * 65}, "name", "AWS allows 64"),
    ("role", {"maxSessionDuration": 60}, "maxSessionDuration", "3600"),
    ("log-group", {"retentionInDays": 31}, "retentionInDays", "expected one of"),
    ("log-group", {"name": "with blanks"}, "name", "letters"),
    ("topic", {"name": "a.fifo"}, "name", ".fifo"),
    ("subscription", {"endpoint": "nobody"}, "endpoint", "mail address"),
    ("subscription", {"protocol": "pigeon"}, "protocol", "email"),
    ("alarm", {"comparisonOperator": "Above"}, "comparisonOperator", "GreaterThanThreshold"),
    ("alarm", {"period": 45}, "period", "multiple of 60"),
    ("alarm", {"datapointsToAlarm": 4}, "datapointsToAlarm", "evaluation periods"),
    ("alarm", {"statistic": None}, "statistic", "exactly one"),
    ("alarm", {"alarmActions": ["nobody"]}, "alarmActions", "not an ARN"),
    ("alarm", {"treatMissingData": "bad"}, "treatMissingData", "notBreaching"),
    ("dashboard", {"dashboardBody": "not json"}, "dashboardBody", "invalid JSON"),
    ("key", {"deletionWindowInDays": 3}, "deletionWindowInDays", "7 to 30"),
    ("key", {"keyUsage": "ALL"}, "keyUsage", "SIGN_VERIFY"),
    ("alias", {"name": "case"}, "name", "alias/"),
    ("secret", {"recoveryWindowInDays": 5}, "recoveryWindowInDays", "7 to 30"),
    ("secret-version", {"secretString": None}, "secretString", "exactly one"),
    ("task", {"memory": "768"}, "memory", "512 to 2048"),
    ("task", {"cpu": "300"}, "cpu", "256, 512"),
    ("task", {"containerDefinitions": "[]"}, "containerDefinitions", "at least one container"),
    ("task", {"containerDefinitions": '[{"name": "a"}]'}, "containerDefinitions[0].image", "given"),
    ("service", {"launchType": "ROCKET"}, "launchType", "FARGATE"),
    ("service", {"desiredCount": -1}, "desiredCount", "0 to 5000"),
    ("balancer", {"name": "x" * 33}, "name", "AWS allows 32"),
    ("balancer", {"name": "internal-x"}, "name", "internal-"),
    ("balancer", {"subnets": ["one"]}, "subnets", "two subnets"),
    ("balancer", {"idleTimeout": 5000}, "idleTimeout", "4000"),
    ("target-group", {"name": "x" * 33}, "name", "AWS allows 32"),
    (
        "target-group",
        {"healthCheck": {"interval": 10, "timeout": 10}},
        "healthCheck.timeout",
        "less than the interval",
    ),
    ("target-group", {"healthCheck": {"path": "health"}}, "healthCheck.path", "begin with /"),
    ("target-group", {"protocol": "GOPHER"}, "protocol", "HTTP"),
    ("listener", {"protocol": "HTTPS"}, "certificateArn", "HTTPS"),
    ("listener", {"defaultActions": [{"type": "redirect"}]}, "defaultActions[0]", "redirect"),
    ("listener-rule", {"conditions": []}, "conditions", "at least one"),
    ("listener-rule", {"priority": 60000}, "priority", "50000"),
    ("db", {"identifier": "Case_DB"}, "identifier", "small letters"),
    ("db", {"identifier": "x" * 64}, "identifier", "AWS allows 63"),
    ("db", {"backupRetentionPeriod": 36}, "backupRetentionPeriod", "0 to 35"),
    ("db", {"engineVersion": "9.6"}, "engineVersion", "cannot find version"),
    ("db", {"instanceClass": "t3.micro"}, "instanceClass", "db.t4g.medium"),
    ("db", {"password": "long-enough-words"}, "password", "manageMasterUserPassword"),
    ("db", {"maxAllocatedStorage": 10}, "maxAllocatedStorage", "more than"),
    ("db", {"allocatedStorage": 5}, "allocatedStorage", "20 to 65536"),
    ("db", {"enabledCloudwatchLogsExports": ["slowquery"]}, "enabledCloudwatchLogsExports", "no"),
    ("db", {"maintenanceWindow": "sunday"}, "maintenanceWindow", "sun:05:00"),
    ("db", {"monitoringInterval": 60}, "monitoringRoleArn", "has to be given"),
    ("plan", {"rules": [{"ruleName": "a", "targetVaultName": "v", "schedule": "daily"}]},
     "rules[0].schedule", "schedule expression"),
    ("cache", {"authToken": "short"}, "authToken", "16"),
    ("cache", {"transitEncryptionEnabled": False}, "authToken", "transitEncryptionEnabled"),
    ("cache", {"numCacheClusters": 1}, "numCacheClusters", "replica"),
    ("cache", {"numCacheClusters": None, "numNodeGroups": 3, "replicasPerNodeGroup": 0,
               "automaticFailoverEnabled": True, "multiAzEnabled": True},
     "replicasPerNodeGroup", "replica"),
    ("cache", {"replicationGroupId": "x" * 41}, "replicationGroupId", "AWS allows 40"),
    ("cache", {"nodeType": "db.t4g.small"}, "nodeType", "cache.t4g.small"),
    ("parameter", {"insecureValue": "x", "value": None}, "insecureValue", "SecureString"),
    ("parameter", {"name": "aws/x"}, "name", "aws"),
    ("repository", {"name": "Case/Web"}, "name", "small letters"),
    ("repository", {"imageTagMutability": "SOLID"}, "imageTagMutability", "IMMUTABLE"),
    ("scaling", {"minCapacity": 5}, "minCapacity", "maxCapacity"),
    ("scaling", {"serviceNamespace": "moon"}, "serviceNamespace", "ecs"),
    ("scaling-policy", {"policyType": "StepScaling"},
     "targetTrackingScalingPolicyConfiguration", "TargetTrackingScaling"),
    ("scheduled-action", {"schedule": "every day"}, "schedule", "at("),
    ("certificate", {"domainName": "not a domain"}, "domainName", "not a domain"),
    ("certificate", {"validationMethod": None}, "validationMethod", "DNS"),
    ("record", {"ttl": None}, "ttl", "beside records"),
    ("record", {"type": "B"}, "type", "AAAA"),
    ("bucket", {"bucket": "Case_Bucket"}, "bucket", "small letters"),
    ("bucket-lifecycle", {"rules": [{"id": "a", "status": "Enabled"}]}, "rules[0]", "nothing"),
    ("bucket-ownership", {"rule": {"objectOwnership": "Me"}}, "rule.objectOwnership", "Bucket"),
    ("event-rule", {"scheduleExpression": "rate(5 minute)"}, "scheduleExpression", "plural"),
    ("event-rule", {"scheduleExpression": "cron(0 12 * * *)"}, "scheduleExpression", "six fields"),
    ("event-rule", {"scheduleExpression": "cron(0 12 * * * *)"}, "scheduleExpression", "'?'"),
    ("event-target", {"input": "{}", "inputPath": "$"}, "inputPath", "conflicts"),
    ("connection", {"authParameters": {}}, "authParameters.apiKey", "API_KEY"),
    ("destination", {"invocationEndpoint": "http://example.com"}, "invocationEndpoint", "https"),
    ("schedule", {"scheduleExpressionTimezone": "Moon/Base"}, "scheduleExpressionTimezone", "zone"),
    ("schedule", {"flexibleTimeWindow": {"mode": "FLEXIBLE"}},
     "flexibleTimeWindow.maximumWindowInMinutes", "FLEXIBLE"),
    ("dead-letters", {"messageRetentionSeconds": 5}, "messageRetentionSeconds", "60"),
    ("dead-letters", {"name": "a.fifo"}, "name", ".fifo"),
    ("acl", {"scope": "GLOBAL"}, "scope", "REGIONAL"),
    ("acl-logging", {"logDestinationConfigs": [ARN]}, "logDestinationConfigs", "aws-waf-logs-"),
    ("permission", {"action": "invoke"}, "action", "lambda:"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "where", "why"),
    WRONG,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_aws_refuses_is_refused_at_check(
    name: str, changes: dict[str, Any], where: str, why: str
) -> None:
    inputs = example(name, **changes)
    if name == "schedule":
        inputs["groupName"] = "group"
    failures = fails(CASES[name].token, inputs)
    assert where in failures
    assert why in failures[where]


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("rotator", "acl-logging")])
def test_the_examples_are_fine(name: str) -> None:
    inputs = example(name)
    if name == "schedule":
        inputs["groupName"] = "group"
    assert fails(CASES[name].token, inputs) == {}


def test_a_cluster_without_replicas_fails_over_in_name() -> None:
    """AWS wants automatic failover with cluster mode, and takes shards without replicas."""
    inputs = example(
        "cache",
        numCacheClusters=None,
        numNodeGroups=3,
        replicasPerNodeGroup=0,
        automaticFailoverEnabled=True,
        multiAzEnabled=False,
    )
    assert fails(CASES["cache"].token, inputs) == {}


def test_an_unknown_property_is_refused_with_the_nearest_name() -> None:
    reasons = fails("aws:ec2/vpc:Vpc", {"cidrBlok": "10.0.0.0/16"})
    assert reasons["cidrBlok"] == "unexpected property 'cidrBlok'; did you mean 'cidrBlock'?"


def test_an_unknown_nested_property_is_refused() -> None:
    reasons = fails(
        "aws:lb/targetGroup:TargetGroup",
        example("target-group", healthCheck={"route": "/health"}),
    )
    assert "unexpected property" in reasons["healthCheck.route"]


def test_a_missing_property_is_named() -> None:
    assert "role" in fails("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"policyArn": ARN})


def test_a_wrong_type_is_named_with_what_was_found() -> None:
    reasons = fails("aws:ecs/service:Service", example("service", loadBalancers="none"))
    assert reasons == {"loadBalancers": "expected a list, got a text"}


def test_what_the_table_does_not_carry_out_is_refused_not_dropped() -> None:
    reasons = fails("aws:s3/bucket:Bucket", {"acl": "public-read"})
    assert "does not carry out 'acl'" in reasons["acl"]


def test_a_property_that_asks_for_nothing_is_no_reason_to_refuse() -> None:
    assert fails("aws:s3/bucket:Bucket", {"corsRules": []}) == {}


def test_unknown_values_pass_untouched() -> None:
    inputs, failures = run(
        "aws:ecs/taskDefinition:TaskDefinition",
        {**example("task"), "containerDefinitions": UNKNOWN, "cpu": UNKNOWN, "memory": UNKNOWN},
    )
    assert not failures
    assert inputs["containerDefinitions"] is UNKNOWN
    assert inputs["cpu"] is UNKNOWN


def test_an_unknown_inside_a_list_passes() -> None:
    inputs, failures = run(
        "aws:rds/subnetGroup:SubnetGroup", {"name": "a", "subnetIds": [UNKNOWN, "subnet-1"]}
    )
    assert not failures
    assert inputs["subnetIds"] == [UNKNOWN, "subnet-1"]


def test_a_name_is_made_up_from_the_seed_and_kept() -> None:
    first, _ = run("aws:sns/topic:Topic", {})
    again, _ = run("aws:sns/topic:Topic", {})
    other, _ = run("aws:sns/topic:Topic", {}, seed=b"another")
    assert first["name"] == again["name"]
    assert first["name"] != other["name"]
    assert first["name"].startswith("thing-")
    assert len(first["name"]) == len("thing-") + 7
    assert "name" in first["__defaults"]
    kept, _ = run("aws:sns/topic:Topic", {}, olds=other)
    assert kept["name"] == other["name"]


def test_a_name_that_was_given_before_is_not_kept() -> None:
    inputs, _ = run("aws:sns/topic:Topic", {}, olds={"name": "given", "__defaults": []})
    assert inputs["name"].startswith("thing-")


def test_a_made_up_name_keeps_to_the_rules_of_its_type() -> None:
    bucket, failures = run("aws:s3/bucket:Bucket", {}, urn_name="MyBucket")
    assert not failures
    assert bucket["bucket"].startswith("mybucket-")
    alias, failures = run("aws:kms/alias:Alias", {"targetKeyId": "key"})
    assert not failures
    assert alias["name"].startswith("alias/thing-")


def test_a_made_up_name_that_is_too_long_is_refused() -> None:
    reasons = fails(
        "aws:lb/targetGroup:TargetGroup", example("target-group", name=None), urn_name="x" * 30
    )
    assert "longer than the 32 characters" in reasons["name"]


def test_a_prefix_begins_the_name() -> None:
    inputs, failures = run("aws:iam/role:Role", {"namePrefix": "mine-", "assumeRolePolicy": TRUST})
    assert not failures
    assert inputs["name"].startswith("mine-")


def test_defaults_are_those_of_the_official_provider() -> None:
    inputs, _ = run("aws:iam/role:Role", {"assumeRolePolicy": TRUST})
    assert inputs["path"] == "/"
    assert inputs["maxSessionDuration"] == 3600
    assert set(inputs["__defaults"]) == {
        "forceDetachPolicies",
        "maxSessionDuration",
        "name",
        "path",
    }


def test_default_tags_join_the_resources_own() -> None:
    inputs, _ = run(
        "aws:sns/topic:Topic", {"tags": {"a": "own"}}, default_tags={"a": "all", "b": "all"}
    )
    assert inputs["tags"] == {"a": "own"}
    assert inputs["tagsAll"] == {"a": "own", "b": "all"}


def test_texts_become_numbers_and_documents_become_texts() -> None:
    alarm, failures = run(
        "aws:cloudwatch/metricAlarm:MetricAlarm", example("alarm", period="120", threshold="80.5")
    )
    assert not failures
    assert (alarm["period"], alarm["threshold"]) == (120, 80.5)
    policy, failures = run(
        "aws:iam/policy:Policy",
        {"policy": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}},
    )
    assert not failures
    assert json.loads(policy["policy"])["Statement"][0]["Effect"] == "Allow"
