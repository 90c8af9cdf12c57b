"""One example a resource type: what to make, what to change, what cannot be changed in place.

``{name}`` in a text stands for an output of the example before it: see ``needs``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.provider.values import ARCHIVE, ASSET, Asset

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


ROOT = {"AWS": "arn:aws:iam::000000000000:root"}


def allow(action: str, resource: str = "*", **more: Any) -> str:
    """A policy of one statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def archive(source: str) -> Asset:
    """A Lambda's code of one file, as the engine hands it over: with its hash."""
    text = {"text": source, "hash": hashlib.sha256(source.encode()).hexdigest()}
    return Asset(
        ARCHIVE,
        {
            "assets": {"index.py": Asset(ASSET, text)},
            "hash": hashlib.sha256(b"archive" + source.encode()).hexdigest(),
        },
    )


@dataclass(frozen=True)
class Case:
    """An example.

    ``needs``: alias → (case, property): outputs of other examples, used as ``{alias}``.
    ``update``: inputs merged over the first ones; the diff must be in place.
    ``replace``: property → another value that asks for a replacement.
    ``outputs``: properties that have to be there and not empty.
    """

    token: str
    inputs: Mapping[str, Any]
    needs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    update: Mapping[str, Any] = field(default_factory=dict)
    replace: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    "vpc": Case(
        "aws:ec2/vpc:Vpc",
        {
            "cidrBlock": "10.20.0.0/16",
            "enableDnsHostnames": True,
            "tags": {"Name": "one", "team": "a"},
        },
        update={"enableDnsHostnames": False, "tags": {"Name": "two"}},
        replace={"cidrBlock": "10.21.0.0/16"},
        outputs=("arn", "defaultSecurityGroupId", "mainRouteTableId", "defaultNetworkAclId"),
    ),
    "subnet": Case(
        "aws:ec2/subnet:Subnet",
        {"vpcId": "{vpc}", "cidrBlock": "10.20.1.0/24", "availabilityZone": "us-east-1a"},
        {"vpc": ("vpc", "id")},
        update={"mapPublicIpOnLaunch": True, "tags": {"Name": "s"}},
        replace={"cidrBlock": "10.20.3.0/24", "availabilityZone": "us-east-1b"},
        outputs=("arn", "availabilityZone"),
    ),
    "subnet2": Case(
        "aws:ec2/subnet:Subnet",
        {"vpcId": "{vpc}", "cidrBlock": "10.20.2.0/24", "availabilityZone": "us-east-1b"},
        {"vpc": ("vpc", "id")},
    ),
    "gateway": Case(
        "aws:ec2/internetGateway:InternetGateway",
        {"vpcId": "{vpc}", "tags": {"Name": "g"}},
        {"vpc": ("vpc", "id")},
        update={"tags": {"Name": "h"}},
        outputs=("arn",),
    ),
    "eip": Case(
        "aws:ec2/eip:Eip",
        {"domain": "vpc", "tags": {"Name": "ip"}},
        update={"tags": {"Name": "ip2"}},
        outputs=("publicIp", "allocationId"),
    ),
    "nat": Case(
        "aws:ec2/natGateway:NatGateway",
        {"allocationId": "{ip}", "subnetId": "{subnet}", "tags": {"Name": "n"}},
        {"ip": ("eip", "id"), "subnet": ("subnet", "id")},
        update={"tags": {"Name": "m"}},
        replace={"connectivityType": "private"},
    ),
    "table": Case(
        "aws:ec2/routeTable:RouteTable",
        {"vpcId": "{vpc}", "tags": {"Name": "t"}},
        {"vpc": ("vpc", "id")},
        update={"tags": {"Name": "u"}},
        outputs=("arn",),
    ),
    "table2": Case(
        "aws:ec2/routeTable:RouteTable",
        {
            "vpcId": "{vpc}",
            "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "{gateway}"}],
        },
        {"vpc": ("vpc", "id"), "gateway": ("gateway", "id")},
        update={"routes": [{"cidrBlock": "192.168.0.0/16", "gatewayId": "{gateway}"}]},
    ),
    "route": Case(
        "aws:ec2/route:Route",
        {
            "routeTableId": "{table}",
            "destinationCidrBlock": "0.0.0.0/0",
            "gatewayId": "{gateway}",
        },
        {"table": ("table", "id"), "gateway": ("gateway", "id")},
        replace={"destinationCidrBlock": "1.0.0.0/8"},
        outputs=("state", "origin"),
    ),
    "association": Case(
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        {"routeTableId": "{table}", "subnetId": "{subnet}"},
        {"table": ("table", "id"), "subnet": ("subnet", "id")},
    ),
    "endpoint": Case(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {
            "vpcId": "{vpc}",
            "serviceName": "com.amazonaws.us-east-1.s3",
            "vpcEndpointType": "Gateway",
            "routeTableIds": ["{table}"],
        },
        {"vpc": ("vpc", "id"), "table": ("table", "id"), "table2": ("table2", "id")},
        update={"routeTableIds": ["{table}", "{table2}"], "tags": {"Name": "e"}},
        replace={"serviceName": "com.amazonaws.us-east-1.dynamodb"},
        outputs=("arn", "state"),
    ),
    "sg": Case(
        "aws:ec2/securityGroup:SecurityGroup",
        {
            "name": "case-sg",
            "description": "a group",
            "vpcId": "{vpc}",
            "ingress": [
                {
                    "protocol": "tcp",
                    "fromPort": 443,
                    "toPort": 443,
                    "cidrBlocks": ["10.0.0.0/8", "192.168.0.0/16"],
                    "description": "in",
                },
                {"protocol": "tcp", "fromPort": 80, "toPort": 80, "self": True},
            ],
            "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}],
            "tags": {"Name": "sg"},
        },
        {"vpc": ("vpc", "id")},
        update={
            "ingress": [
                {"protocol": "tcp", "fromPort": 8080, "toPort": 8080, "cidrBlocks": ["10.0.0.0/8"]}
            ]
        },
        replace={"description": "another group", "name": "case-sg-2"},
        outputs=("arn", "ownerId"),
    ),
    "sg2": Case(
        "aws:ec2/securityGroup:SecurityGroup",
        {"name": "case-sg2", "vpcId": "{vpc}"},
        {"vpc": ("vpc", "id")},
    ),
    "default-sg": Case(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        {"vpcId": "{vpc}", "tags": {"Name": "closed"}},
        {"vpc": ("vpc", "id")},
    ),
    "ingress": Case(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {
            "securityGroupId": "{sg}",
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
            "referencedSecurityGroupId": "{other}",
            "description": "database",
        },
        {"sg": ("sg2", "id"), "other": ("sg", "id")},
        outputs=("arn", "securityGroupRuleId"),
    ),
    "egress": Case(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        {"securityGroupId": "{sg}", "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"},
        {"sg": ("sg2", "id")},
    ),
    "role": Case(
        "aws:iam/role:Role",
        {"name": "case-role", "assumeRolePolicy": TRUST, "tags": {"a": "b"}},
        update={"description": "does things", "maxSessionDuration": 7200, "tags": {"a": "c"}},
        replace={"path": "/x/", "name": "case-role-2"},
        outputs=("arn", "uniqueId", "name"),
    ),
    "role-policy": Case(
        "aws:iam/rolePolicy:RolePolicy",
        {"role": "{role}", "name": "inline", "policy": allow("s3:GetObject")},
        {"role": ("role", "id")},
        update={"policy": allow("s3:PutObject")},
        replace={"name": "other"},
    ),
    "policy": Case(
        "aws:iam/policy:Policy",
        {"name": "case-policy", "policy": allow("s3:GetObject")},
        update={"policy": allow("s3:PutObject")},
        replace={"description": "x", "path": "/y/"},
        outputs=("arn", "policyId"),
    ),
    "attachment": Case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "{role}", "policyArn": "{policy}"},
        {"role": ("role", "id"), "policy": ("policy", "arn")},
    ),
    "log-group": Case(
        "aws:cloudwatch/logGroup:LogGroup",
        {"name": "/case/group", "retentionInDays": 30, "tags": {"a": "b"}},
        update={"retentionInDays": 90, "tags": {"c": "d"}},
        replace={"name": "/case/other"},
        outputs=("arn",),
    ),
    "flow-log": Case(
        "aws:ec2/flowLog:FlowLog",
        {
            "vpcId": "{vpc}",
            "trafficType": "ALL",
            "logDestination": "{group}",
            "iamRoleArn": "{role}",
        },
        {"vpc": ("vpc", "id"), "group": ("log-group", "arn"), "role": ("role", "arn")},
        replace={"trafficType": "REJECT"},
    ),
    "metric-filter": Case(
        "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        {
            "name": "case-filter",
            "logGroupName": "{group}",
            "pattern": '{ $.level = "error" }',
            "metricTransformation": {"name": "Errors", "namespace": "Case", "value": "1"},
        },
        {"group": ("log-group", "name")},
        update={"pattern": '{ $.level = "fatal" }'},
    ),
    "topic": Case(
        "aws:sns/topic:Topic",
        {"name": "case-topic", "displayName": "Case", "tags": {"a": "b"}},
        update={"displayName": "Other", "tags": {"a": "c"}},
        replace={"name": "case-topic-2"},
        outputs=("arn", "owner"),
    ),
    "subscription": Case(
        "aws:sns/topicSubscription:TopicSubscription",
        {"topic": "{topic}", "protocol": "email", "endpoint": "on-call@example.com"},
        {"topic": ("topic", "arn")},
        replace={"endpoint": "other@example.com"},
        outputs=("arn",),
    ),
    "topic-policy": Case(
        "aws:sns/topicPolicy:TopicPolicy",
        {
            "arn": "{topic}",
            "policy": allow(
                "sns:Publish", "{topic}", Principal={"Service": "events.amazonaws.com"}
            ),
        },
        {"topic": ("topic", "arn")},
    ),
    "alarm": Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": "case-alarm",
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 3,
            "metricName": "CPUUtilization",
            "namespace": "AWS/ECS",
            "period": 60,
            "statistic": "Average",
            "threshold": 80,
            "dimensions": {"ClusterName": "c", "ServiceName": "s"},
            "alarmActions": ["{topic}"],
            "tags": {"a": "b"},
        },
        {"topic": ("topic", "arn")},
        update={"threshold": 90, "alarmDescription": "hot", "tags": {"a": "c"}},
        replace={"name": "case-alarm-2"},
        outputs=("arn",),
    ),
    "band-alarm": Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": "case-band-alarm",
            "comparisonOperator": "GreaterThanUpperThreshold",
            "evaluationPeriods": 1,
            "thresholdMetricId": "band",
            "metricQueries": [
                {
                    "id": "e",
                    "metric": {
                        "metricName": "Errors",
                        "namespace": "Case",
                        "period": 300,
                        "stat": "Sum",
                    },
                    "returnData": True,
                },
                {
                    "id": "band",
                    "expression": "ANOMALY_DETECTION_BAND(e, 10)",
                    "label": "usual",
                    "returnData": True,
                },
            ],
        },
        update={"evaluationPeriods": 2},
        replace={"name": "case-band-alarm-2"},
        outputs=("arn",),
    ),
    "math-alarm": Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": "case-math-alarm",
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "threshold": 1,
            "metricQueries": [
                {"id": "rate", "expression": "100*e/r", "label": "rate", "returnData": True},
                {
                    "id": "e",
                    "metric": {
                        "metricName": "Errors",
                        "namespace": "Case",
                        "period": 60,
                        "stat": "Sum",
                        "dimensions": {"a": "b"},
                    },
                },
                {
                    "id": "r",
                    "metric": {
                        "metricName": "Requests",
                        "namespace": "Case",
                        "period": 60,
                        "stat": "Sum",
                    },
                },
            ],
        },
        update={"threshold": 2},
    ),
    "composite": Case(
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        {"alarmName": "case-composite", "alarmRule": 'ALARM("{alarm}")'},
        {"alarm": ("alarm", "name")},
        update={"alarmDescription": "all of it"},
    ),
    "dashboard": Case(
        "aws:cloudwatch/dashboard:Dashboard",
        {"dashboardName": "case", "dashboardBody": json.dumps({"widgets": []})},
        update={"dashboardBody": json.dumps({"widgets": [], "periodOverride": "auto"})},
        outputs=("dashboardArn",),
    ),
    "key": Case(
        "aws:kms/key:Key",
        {
            "description": "case",
            "enableKeyRotation": True,
            "deletionWindowInDays": 7,
            "tags": {"a": "b"},
        },
        update={"description": "other", "enableKeyRotation": False, "tags": {"a": "c"}},
        replace={"keyUsage": "SIGN_VERIFY"},
        outputs=("arn", "keyId"),
    ),
    "alias": Case(
        "aws:kms/alias:Alias",
        {"name": "alias/case", "targetKeyId": "{key}"},
        {"key": ("key", "keyId")},
        replace={"name": "alias/other"},
        outputs=("arn", "targetKeyArn"),
    ),
    "secret": Case(
        "aws:secretsmanager/secret:Secret",
        {
            "name": "case/secret",
            "description": "a secret",
            "kmsKeyId": "{key}",
            "recoveryWindowInDays": 0,
            "tags": {"a": "b"},
        },
        {"key": ("key", "arn")},
        update={"description": "another", "tags": {"a": "c"}},
        replace={"name": "case/other"},
        outputs=("arn",),
    ),
    "secret-version": Case(
        "aws:secretsmanager/secretVersion:SecretVersion",
        {"secretId": "{secret}", "secretString": "first words"},
        {"secret": ("secret", "id")},
        replace={"secretString": "second words"},
        outputs=("arn", "versionId"),
    ),
    "secret-policy": Case(
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        {
            "secretArn": "{secret}",
            "policy": allow("secretsmanager:GetSecretValue", Principal={"AWS": "*"}),
        },
        {"secret": ("secret", "id")},
    ),
    "cluster": Case(
        "aws:ecs/cluster:Cluster",
        {
            "name": "case",
            "settings": [{"name": "containerInsights", "value": "enabled"}],
            "tags": {"a": "b"},
        },
        update={"settings": [{"name": "containerInsights", "value": "disabled"}]},
        replace={"name": "case-2"},
        outputs=("arn",),
    ),
    "capacity": Case(
        "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
        {
            "clusterName": "{cluster}",
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
        },
        {"cluster": ("cluster", "name")},
        update={"capacityProviders": ["FARGATE"]},
    ),
    "task": Case(
        "aws:ecs/taskDefinition:TaskDefinition",
        {
            "family": "case",
            "cpu": "256",
            "memory": "512",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "executionRoleArn": "{role}",
            "containerDefinitions": json.dumps(
                [
                    {
                        "name": "web",
                        "image": "example/web@sha256:" + "0" * 64,
                        "essential": True,
                        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
                        "environment": [{"name": "A", "value": "b"}],
                    }
                ]
            ),
            "tags": {"a": "b"},
        },
        {"role": ("role", "arn")},
        replace={"cpu": "512", "memory": "1024"},
        outputs=("arn", "arnWithoutRevision", "revision"),
    ),
    "balancer": Case(
        "aws:lb/loadBalancer:LoadBalancer",
        {
            "name": "case-alb",
            "subnets": ["{subnet}", "{subnet2}"],
            "securityGroups": ["{sg}"],
            "idleTimeout": 120,
            "dropInvalidHeaderFields": True,
            "tags": {"a": "b"},
        },
        {"subnet": ("subnet", "id"), "subnet2": ("subnet2", "id"), "sg": ("sg", "id")},
        update={"idleTimeout": 90, "tags": {"a": "c"}},
        replace={"name": "case-alb-2", "internal": True},
        outputs=("arn", "arnSuffix", "dnsName", "zoneId", "vpcId"),
    ),
    "target-group": Case(
        "aws:lb/targetGroup:TargetGroup",
        {
            "name": "case-tg",
            "port": 8080,
            "protocol": "HTTP",
            "targetType": "ip",
            "vpcId": "{vpc}",
            "deregistrationDelay": 60,
            "healthCheck": {
                "path": "/health",
                "interval": 15,
                "timeout": 5,
                "healthyThreshold": 2,
                "unhealthyThreshold": 3,
                "matcher": "200",
            },
            "tags": {"a": "b"},
        },
        {"vpc": ("vpc", "id")},
        update={
            "deregistrationDelay": 30,
            "healthCheck": {"path": "/health/ready", "interval": 20, "timeout": 5},
        },
        replace={"port": 9090, "protocol": "HTTPS", "name": "case-tg-2"},
        outputs=("arn", "arnSuffix"),
    ),
    "listener": Case(
        "aws:lb/listener:Listener",
        {
            "loadBalancerArn": "{balancer}",
            "port": 80,
            "protocol": "HTTP",
            "defaultActions": [
                {
                    "type": "redirect",
                    "redirect": {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"},
                }
            ],
        },
        {"balancer": ("balancer", "arn"), "group": ("target-group", "arn")},
        update={"defaultActions": [{"type": "forward", "targetGroupArn": "{group}"}]},
        outputs=("arn",),
    ),
    "listener-rule": Case(
        "aws:lb/listenerRule:ListenerRule",
        {
            "listenerArn": "{listener}",
            "priority": 10,
            "actions": [
                {
                    "type": "fixed-response",
                    "fixedResponse": {
                        "contentType": "text/plain",
                        "messageBody": "no",
                        "statusCode": "403",
                    },
                }
            ],
            "conditions": [{"pathPattern": {"values": ["/admin/*"]}}],
        },
        {"listener": ("listener", "arn")},
        update={"conditions": [{"pathPattern": {"values": ["/private/*"]}}]},
        outputs=("arn",),
    ),
    "service": Case(
        "aws:ecs/service:Service",
        {
            "name": "case",
            "cluster": "{cluster}",
            "taskDefinition": "{task}",
            "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": {
                "subnets": ["{subnet}"],
                "securityGroups": ["{sg}"],
                "assignPublicIp": False,
            },
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "deploymentMinimumHealthyPercent": 100,
            "deploymentMaximumPercent": 200,
            "healthCheckGracePeriodSeconds": 60,
            "loadBalancers": [
                {"targetGroupArn": "{group}", "containerName": "web", "containerPort": 8080}
            ],
            "tags": {"a": "b"},
        },
        {
            "cluster": ("cluster", "arn"),
            "task": ("task", "arn"),
            "subnet": ("subnet", "id"),
            "sg": ("sg", "id"),
            "group": ("target-group", "arn"),
        },
        update={"desiredCount": 3, "healthCheckGracePeriodSeconds": 30},
        replace={"name": "case-2"},
        outputs=("arn",),
    ),
    "db-subnets": Case(
        "aws:rds/subnetGroup:SubnetGroup",
        {"name": "case-db", "subnetIds": ["{one}", "{two}"], "tags": {"a": "b"}},
        {"one": ("subnet", "id"), "two": ("subnet2", "id")},
        update={"description": "other", "tags": {"a": "c"}},
        replace={"name": "case-db-2"},
        outputs=("arn", "vpcId"),
    ),
    "db-parameters": Case(
        "aws:rds/parameterGroup:ParameterGroup",
        {
            "name": "case-pg16",
            "family": "postgres16",
            "parameters": [
                {"name": "rds.force_ssl", "value": "1"},
                {"name": "statement_timeout", "value": "30000"},
            ],
        },
        update={"parameters": [{"name": "rds.force_ssl", "value": "1"}]},
        replace={"family": "postgres15"},
        outputs=("arn",),
    ),
    "db": Case(
        "aws:rds/instance:Instance",
        {
            "identifier": "case-db",
            "engine": "postgres",
            "engineVersion": "16",
            "instanceClass": "db.t4g.medium",
            "allocatedStorage": 20,
            "maxAllocatedStorage": 100,
            "dbName": "app",
            "username": "master",
            "manageMasterUserPassword": True,
            "multiAz": True,
            "storageEncrypted": True,
            "backupRetentionPeriod": 7,
            "backupWindow": "03:00-04:00",
            "maintenanceWindow": "sun:05:00-sun:06:00",
            "dbSubnetGroupName": "{subnets}",
            "parameterGroupName": "{parameters}",
            "vpcSecurityGroupIds": ["{sg}"],
            "enabledCloudwatchLogsExports": ["postgresql"],
            "performanceInsightsEnabled": True,
            "skipFinalSnapshot": True,
            "applyImmediately": True,
            "tags": {"a": "b"},
        },
        {
            "subnets": ("db-subnets", "name"),
            "parameters": ("db-parameters", "name"),
            "sg": ("sg", "id"),
        },
        update={"backupRetentionPeriod": 14, "tags": {"a": "c"}},
        replace={"dbName": "other", "storageEncrypted": False, "username": "other"},
        outputs=("arn", "address", "endpoint", "port", "resourceId", "masterUserSecrets"),
    ),
    "db-events": Case(
        "aws:rds/eventSubscription:EventSubscription",
        {
            "name": "case-events",
            "snsTopic": "{topic}",
            "sourceType": "db-instance",
            "eventCategories": ["failover", "low storage"],
        },
        {"topic": ("topic", "arn")},
    ),
    "rotator": Case(
        "aws:lambda/function:Function",
        {
            "name": "case-rotator",
            "role": "{role}",
            "runtime": "python3.12",
            "handler": "index.handler",
            "code": archive("def handler(event, context):\n    return 'one'\n"),
            "environment": {"variables": {"A": "b"}},
            "timeout": 30,
            "tags": {"a": "b"},
        },
        {"role": ("role", "arn")},
        update={
            "timeout": 60,
            "code": archive("def handler(event, context):\n    return 'two'\n"),
        },
        replace={"name": "case-rotator-2"},
        outputs=("arn", "invokeArn", "qualifiedArn", "version", "codeSha256"),
    ),
    "permission": Case(
        "aws:lambda/permission:Permission",
        {
            "function": "{function}",
            "statementId": "secrets",
            "action": "lambda:InvokeFunction",
            "principal": "secretsmanager.amazonaws.com",
        },
        {"function": ("rotator", "name")},
        replace={"principal": "events.amazonaws.com"},
    ),
    "rotation": Case(
        "aws:secretsmanager/secretRotation:SecretRotation",
        {
            "secretId": "{secret}",
            "rotationLambdaArn": "{function}",
            "rotateImmediately": False,
            "rotationRules": {"automaticallyAfterDays": 30},
        },
        {
            "secret": ("secret", "id"),
            "function": ("rotator", "arn"),
            # AWS refuses a function that Secrets Manager may not call.
            "allowed": ("permission", "id"),
        },
        update={"rotationRules": {"automaticallyAfterDays": 7}},
    ),
    "proxy": Case(
        "aws:rds/proxy:Proxy",
        {
            "name": "case-proxy",
            "engineFamily": "POSTGRESQL",
            "roleArn": "{role}",
            "vpcSubnetIds": ["{one}", "{two}"],
            "vpcSecurityGroupIds": ["{sg}"],
            "requireTls": True,
            "auths": [{"authScheme": "SECRETS", "iamAuth": "DISABLED", "secretArn": "{secret}"}],
        },
        {
            "role": ("role", "arn"),
            "one": ("subnet", "id"),
            "two": ("subnet2", "id"),
            "sg": ("sg", "id"),
            "secret": ("secret", "arn"),
        },
        update={"idleClientTimeout": 900},
        replace={"engineFamily": "MYSQL"},
        outputs=("arn", "endpoint"),
    ),
    "pool": Case(
        "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
        {
            "dbProxyName": "{proxy}",
            "connectionPoolConfig": {
                "maxConnectionsPercent": 80,
                "maxIdleConnectionsPercent": 40,
                "connectionBorrowTimeout": 30,
            },
        },
        {"proxy": ("proxy", "name")},
        update={"connectionPoolConfig": {"maxConnectionsPercent": 70}},
        outputs=("name",),
    ),
    "proxy-target": Case(
        "aws:rds/proxyTarget:ProxyTarget",
        {
            "dbProxyName": "{proxy}",
            "targetGroupName": "default",
            "dbInstanceIdentifier": "{db}",
        },
        {"proxy": ("pool", "dbProxyName"), "db": ("db", "identifier")},
        outputs=("endpoint",),
    ),
    "vault": Case(
        "aws:backup/vault:Vault",
        {"name": "case-vault", "kmsKeyArn": "{key}", "tags": {"a": "b"}},
        {"key": ("key", "arn")},
        update={"tags": {"a": "c"}},
        replace={"name": "case-vault-2"},
        outputs=("arn",),
    ),
    "plan": Case(
        "aws:backup/plan:Plan",
        {
            "name": "case-plan",
            "rules": [
                {
                    "ruleName": "daily",
                    "targetVaultName": "{vault}",
                    "schedule": "cron(0 5 * * ? *)",
                    "startWindow": 60,
                    "completionWindow": 180,
                    "lifecycle": {"deleteAfter": 35},
                    "copyActions": [
                        {"destinationVaultArn": "{arn}", "lifecycle": {"deleteAfter": 35}}
                    ],
                }
            ],
            "tags": {"a": "b"},
        },
        {"vault": ("vault", "name"), "arn": ("vault", "arn")},
        update={
            "rules": [
                {
                    "ruleName": "daily",
                    "targetVaultName": "{vault}",
                    "schedule": "cron(0 6 * * ? *)",
                }
            ]
        },
        outputs=("arn", "version"),
    ),
    "selection": Case(
        "aws:backup/selection:Selection",
        {
            "name": "case-selection",
            "planId": "{plan}",
            "iamRoleArn": "{role}",
            "resources": ["{db}"],
        },
        {"plan": ("plan", "id"), "role": ("role", "arn"), "db": ("db", "arn")},
    ),
    "cache-subnets": Case(
        "aws:elasticache/subnetGroup:SubnetGroup",
        {"name": "case-cache", "subnetIds": ["{one}", "{two}"]},
        {"one": ("subnet", "id"), "two": ("subnet2", "id")},
        update={"description": "other"},
        outputs=("arn",),
    ),
    "cache-parameters": Case(
        "aws:elasticache/parameterGroup:ParameterGroup",
        {
            "name": "case-redis7",
            "family": "redis7",
            "parameters": [{"name": "maxmemory-policy", "value": "volatile-lru"}],
        },
        replace={"family": "redis6.x"},
        outputs=("arn",),
    ),
    "cache": Case(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {
            "replicationGroupId": "case-cache",
            "description": "case",
            "engine": "redis",
            "engineVersion": "7.1",
            "nodeType": "cache.t4g.small",
            "numCacheClusters": 2,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "atRestEncryptionEnabled": True,
            "transitEncryptionEnabled": True,
            "authToken": "sixteen-letters-and-more",
            "subnetGroupName": "{subnets}",
            "securityGroupIds": ["{sg}"],
            "snapshotRetentionLimit": 7,
            "snapshotWindow": "03:00-05:00",
            "maintenanceWindow": "sun:05:00-sun:06:00",
            "tags": {"a": "b"},
        },
        {"subnets": ("cache-subnets", "name"), "sg": ("sg", "id")},
        update={"snapshotRetentionLimit": 14, "tags": {"a": "c"}},
        replace={"replicationGroupId": "case-cache-2", "subnetGroupName": "other"},
        outputs=("arn", "primaryEndpointAddress", "port", "memberClusters"),
    ),
    "cache-user": Case(
        "aws:elasticache/user:User",
        {
            "userId": "case-user",
            "userName": "app",
            "engine": "redis",
            "accessString": "on ~* +@all",
            "passwords": ["sixteen-letters-and-more"],
        },
        update={"accessString": "on ~app:* +@all"},
        replace={"userName": "other"},
        outputs=("arn",),
    ),
    "cache-users": Case(
        "aws:elasticache/userGroup:UserGroup",
        {"userGroupId": "case-users", "engine": "redis", "userIds": ["default", "{user}"]},
        {"user": ("cache-user", "userId")},
        outputs=("arn",),
    ),
    "parameter": Case(
        "aws:ssm/parameter:Parameter",
        {"name": "/case/one", "type": "SecureString", "value": "first words", "tags": {"a": "b"}},
        update={"value": "second words"},
        replace={"name": "/case/two"},
        outputs=("arn", "version"),
    ),
    "repository": Case(
        "aws:ecr/repository:Repository",
        {
            "name": "case/web",
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "forceDelete": True,
            "tags": {"a": "b"},
        },
        update={"imageScanningConfiguration": {"scanOnPush": False}, "tags": {"a": "c"}},
        replace={"name": "case/other"},
        outputs=("arn", "repositoryUrl", "registryId"),
    ),
    "image-lifecycle": Case(
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        {
            "repository": "{repository}",
            "policy": json.dumps(
                {
                    "rules": [
                        {
                            "rulePriority": 1,
                            "selection": {
                                "tagStatus": "untagged",
                                "countType": "imageCountMoreThan",
                                "countNumber": 10,
                            },
                            "action": {"type": "expire"},
                        }
                    ]
                }
            ),
        },
        {"repository": ("repository", "name")},
    ),
    "scaling": Case(
        "aws:appautoscaling/target:Target",
        {
            "serviceNamespace": "ecs",
            "resourceId": "service/case/case",
            "scalableDimension": "ecs:service:DesiredCount",
            "minCapacity": 1,
            "maxCapacity": 4,
        },
        {"service": ("service", "id")},
        update={"maxCapacity": 6},
        replace={"resourceId": "service/case/other"},
    ),
    "scaling-policy": Case(
        "aws:appautoscaling/policy:Policy",
        {
            "name": "cpu",
            "policyType": "TargetTrackingScaling",
            "serviceNamespace": "ecs",
            "resourceId": "{resource}",
            "scalableDimension": "ecs:service:DesiredCount",
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 60,
                "scaleInCooldown": 300,
                "scaleOutCooldown": 60,
                "predefinedMetricSpecification": {
                    "predefinedMetricType": "ECSServiceAverageCPUUtilization"
                },
            },
        },
        {"resource": ("scaling", "resourceId")},
        update={
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 70,
                "predefinedMetricSpecification": {
                    "predefinedMetricType": "ECSServiceAverageCPUUtilization"
                },
            }
        },
        replace={"name": "memory"},
        outputs=("arn",),
    ),
    "scheduled-action": Case(
        "aws:appautoscaling/scheduledAction:ScheduledAction",
        {
            "name": "morning",
            "serviceNamespace": "ecs",
            "resourceId": "{resource}",
            "scalableDimension": "ecs:service:DesiredCount",
            "schedule": "cron(0 8 * * ? *)",
            "scalableTargetAction": {"minCapacity": 2, "maxCapacity": 4},
        },
        {"resource": ("scaling", "resourceId")},
        update={"schedule": "cron(0 7 * * ? *)"},
        outputs=("arn",),
    ),
    "certificate": Case(
        "aws:acm/certificate:Certificate",
        {
            "domainName": "case.example.com",
            "subjectAlternativeNames": ["www.case.example.com"],
            "validationMethod": "DNS",
            "tags": {"a": "b"},
        },
        update={"tags": {"a": "c"}},
        replace={"domainName": "other.example.com"},
        outputs=("arn", "domainValidationOptions"),
    ),
    "zone": Case(
        "aws:route53/zone:Zone",
        {"name": "case.example.com", "tags": {"a": "b"}, "forceDestroy": True},
        update={"comment": "other", "tags": {"a": "c"}},
        replace={"name": "other.example.com"},
        outputs=("arn", "nameServers", "zoneId"),
    ),
    "record": Case(
        "aws:route53/record:Record",
        {"zoneId": "{zone}", "name": "www", "type": "A", "ttl": 60, "records": ["192.0.2.1"]},
        {"zone": ("zone", "zoneId")},
        update={"ttl": 300, "records": ["192.0.2.2"]},
        replace={"name": "api", "type": "AAAA"},
        outputs=("fqdn",),
    ),
    "alias-record": Case(
        "aws:route53/record:Record",
        {
            "zoneId": "{zone}",
            "name": "app",
            "type": "A",
            "aliases": [{"name": "{dns}", "zoneId": "{lb}", "evaluateTargetHealth": True}],
        },
        {"zone": ("zone", "zoneId"), "dns": ("balancer", "dnsName"), "lb": ("balancer", "zoneId")},
        outputs=("fqdn",),
    ),
    "acl": Case(
        "aws:wafv2/webAcl:WebAcl",
        {
            "name": "case-acl",
            "scope": "REGIONAL",
            "defaultAction": {"allow": {}},
            "visibilityConfig": {
                "cloudwatchMetricsEnabled": True,
                "metricName": "case",
                "sampledRequestsEnabled": True,
            },
            "rules": [
                {
                    "name": "rate",
                    "priority": 1,
                    "action": {"block": {"customResponse": {"responseCode": 429}}},
                    "statement": {
                        "rateBasedStatement": {
                            "limit": 100,
                            "aggregateKeyType": "IP",
                            "evaluationWindowSec": 60,
                            "scopeDownStatement": {
                                "byteMatchStatement": {
                                    "searchString": "/api/",
                                    "positionalConstraint": "STARTS_WITH",
                                    "fieldToMatch": {"uriPath": {}},
                                    "textTransformations": [{"priority": 0, "type": "NONE"}],
                                }
                            },
                        }
                    },
                    "visibilityConfig": {
                        "cloudwatchMetricsEnabled": True,
                        "metricName": "rate",
                        "sampledRequestsEnabled": True,
                    },
                },
                {
                    "name": "common",
                    "priority": 2,
                    "overrideAction": {"none": {}},
                    "statement": {
                        "managedRuleGroupStatement": {
                            "name": "AWSManagedRulesCommonRuleSet",
                            "vendorName": "AWS",
                        }
                    },
                    "visibilityConfig": {
                        "cloudwatchMetricsEnabled": True,
                        "metricName": "common",
                        "sampledRequestsEnabled": True,
                    },
                },
            ],
            "tags": {"a": "b"},
        },
        update={"tags": {"a": "c"}},
        replace={"name": "case-acl-2", "scope": "CLOUDFRONT"},
        outputs=("arn",),
    ),
    "acl-association": Case(
        "aws:wafv2/webAclAssociation:WebAclAssociation",
        {"webAclArn": "{acl}", "resourceArn": "{balancer}"},
        {"acl": ("acl", "arn"), "balancer": ("balancer", "arn")},
    ),
    "waf-logs": Case(
        "aws:cloudwatch/logGroup:LogGroup",
        {"name": "aws-waf-logs-case", "retentionInDays": 30},
    ),
    "acl-logging": Case(
        "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        {"resourceArn": "{acl}", "logDestinationConfigs": ["{logs}"]},
        {"acl": ("acl", "arn"), "logs": ("waf-logs", "arn")},
    ),
    "bucket": Case(
        "aws:s3/bucket:Bucket",
        {"bucket": "case-bucket-000000000000", "forceDestroy": True, "tags": {"a": "b"}},
        update={"tags": {"a": "c"}},
        replace={"bucket": "case-bucket-2-000000000000"},
        outputs=("arn", "bucketRegionalDomainName"),
    ),
    "bucket-block": Case(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {
            "bucket": "{bucket}",
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        {"bucket": ("bucket", "id")},
        update={"restrictPublicBuckets": False},
    ),
    "bucket-encryption": Case(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {
            "bucket": "{bucket}",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
        {"bucket": ("bucket", "id"), "key": ("key", "arn")},
        update={
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": "{key}",
                    },
                    "bucketKeyEnabled": True,
                }
            ]
        },
    ),
    "bucket-versioning": Case(
        "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": "{bucket}", "versioningConfiguration": {"status": "Enabled"}},
        {"bucket": ("bucket", "id")},
        update={"versioningConfiguration": {"status": "Suspended"}},
    ),
    "bucket-lifecycle": Case(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            "bucket": "{bucket}",
            "rules": [
                {
                    "id": "old",
                    "status": "Enabled",
                    "expiration": {"days": 90},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30},
                    "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}],
                }
            ],
        },
        {"bucket": ("bucket", "id")},
        update={"rules": [{"id": "old", "status": "Enabled", "expiration": {"days": 60}}]},
    ),
    "bucket-ownership": Case(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {"bucket": "{bucket}", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"bucket": ("bucket", "id")},
        update={"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    "bucket-policy": Case(
        "aws:s3/bucketPolicy:BucketPolicy",
        {
            "bucket": "{bucket}",
            "policy": allow("s3:GetObject", "arn:aws:s3:::{bucket}/*", Principal=ROOT),
        },
        {"bucket": ("bucket", "id")},
        update={"policy": allow("s3:PutObject", "arn:aws:s3:::{bucket}/*", Principal=ROOT)},
    ),
    "event-rule": Case(
        "aws:cloudwatch/eventRule:EventRule",
        {"name": "case-rule", "scheduleExpression": "rate(5 minutes)", "tags": {"a": "b"}},
        update={"scheduleExpression": "rate(10 minutes)", "state": "DISABLED"},
        replace={"name": "case-rule-2"},
        outputs=("arn",),
    ),
    "dead-letters": Case(
        "aws:sqs/queue:Queue",
        {
            "name": "case-dead",
            "messageRetentionSeconds": 1209600,
            "sqsManagedSseEnabled": True,
            "tags": {"a": "b"},
        },
        update={"messageRetentionSeconds": 86400, "tags": {"a": "c"}},
        replace={"name": "case-dead-2"},
        outputs=("arn", "url"),
    ),
    "private-names": Case(
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        {"name": "case.internal", "vpc": "{vpc}", "tags": {"a": "b"}},
        {"vpc": ("vpc", "id")},
        update={"tags": {"a": "c"}},
        replace={"name": "other.internal", "vpc": "vpc-0fedcba9876543210"},
        outputs=("arn", "hostedZone"),
    ),
    "private-name": Case(
        "aws:servicediscovery/service:Service",
        {
            "name": "backend",
            "dnsConfig": {
                "namespaceId": "{names}",
                "routingPolicy": "MULTIVALUE",
                "dnsRecords": [{"type": "A", "ttl": 10}],
            },
            "healthCheckCustomConfig": {"failureThreshold": 1},
            "tags": {"a": "b"},
        },
        {"names": ("private-names", "id")},
        update={"tags": {"a": "c"}},
        replace={"name": "other"},
        outputs=("arn", "namespaceId"),
    ),
    "queue-policy": Case(
        "aws:sqs/queuePolicy:QueuePolicy",
        {
            "queueUrl": "{url}",
            "policy": allow(
                "sqs:SendMessage", "{arn}", Principal={"Service": "events.amazonaws.com"}
            ),
        },
        {"url": ("dead-letters", "url"), "arn": ("dead-letters", "arn")},
        update={"policy": allow("sqs:*", "{arn}", Principal={"Service": "events.amazonaws.com"})},
    ),
    "connection": Case(
        "aws:cloudwatch/eventConnection:EventConnection",
        {
            "name": "case-connection",
            "authorizationType": "API_KEY",
            "authParameters": {"apiKey": {"key": "Authorization", "value": "Bearer token-words"}},
        },
        update={"description": "other"},
        outputs=("arn",),
    ),
    "destination": Case(
        "aws:cloudwatch/eventApiDestination:EventApiDestination",
        {
            "name": "case-destination",
            "connectionArn": "{connection}",
            "httpMethod": "POST",
            "invocationEndpoint": "https://example.com/cron",
        },
        {"connection": ("connection", "arn")},
        update={"invocationRateLimitPerSecond": 10},
        outputs=("arn",),
    ),
    "event-target": Case(
        "aws:cloudwatch/eventTarget:EventTarget",
        {
            "rule": "{rule}",
            "targetId": "http",
            "arn": "{destination}",
            "roleArn": "{role}",
            "httpTarget": {"headerParameters": {"X-Case": "one"}},
            "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 3},
            "deadLetterConfig": {"arn": "{queue}"},
        },
        {
            "rule": ("event-rule", "name"),
            "destination": ("destination", "arn"),
            "role": ("role", "arn"),
            "queue": ("dead-letters", "arn"),
        },
        update={"retryPolicy": {"maximumEventAgeInSeconds": 600, "maximumRetryAttempts": 2}},
        replace={"targetId": "other"},
    ),
    "task-target": Case(
        "aws:cloudwatch/eventTarget:EventTarget",
        {
            "rule": "{rule}",
            "targetId": "task",
            "arn": "{cluster}",
            "roleArn": "{role}",
            "ecsTarget": {
                "taskDefinitionArn": "{task}",
                "launchType": "FARGATE",
                "taskCount": 1,
                "networkConfiguration": {"subnets": ["{subnet}"], "securityGroups": ["{sg}"]},
            },
        },
        {
            "rule": ("event-rule", "name"),
            "cluster": ("cluster", "arn"),
            "role": ("role", "arn"),
            "task": ("task", "arn"),
            "subnet": ("subnet", "id"),
            "sg": ("sg", "id"),
        },
    ),
    "schedule-group": Case(
        "aws:scheduler/scheduleGroup:ScheduleGroup",
        {"name": "case-group", "tags": {"a": "b"}},
        update={"tags": {"a": "c"}},
        outputs=("arn",),
    ),
    "schedule": Case(
        "aws:scheduler/schedule:Schedule",
        {
            "name": "case-schedule",
            "groupName": "{group}",
            "scheduleExpression": "rate(1 hour)",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {
                "arn": "{queue}",
                "roleArn": "{role}",
                "input": "{}",
                "retryPolicy": {"maximumRetryAttempts": 2, "maximumEventAgeInSeconds": 600},
            },
        },
        {
            "group": ("schedule-group", "name"),
            "queue": ("dead-letters", "arn"),
            "role": ("role", "arn"),
        },
        update={"scheduleExpression": "rate(2 hours)", "state": "DISABLED"},
        replace={"name": "case-schedule-2"},
        outputs=("arn",),
    ),
}
