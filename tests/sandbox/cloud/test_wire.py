"""Requests are read as botocore writes them, and answers as botocore reads them."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from botocore.awsrequest import prepare_request_dict
from botocore.serialize import create_serializer

from sandbox.cloud import answer, models, parse
from sandbox.cloud.errors import AwsError
from sandbox.cloud.models import Request

WHEN = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("rds", "CreateDBInstance", {
        "DBInstanceIdentifier": "a", "DBInstanceClass": "c", "Engine": "postgres",
        "AllocatedStorage": 20, "MultiAZ": True, "VpcSecurityGroupIds": ["sg-1", "sg-2"],
        "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}],
        "EnableCloudwatchLogsExports": ["postgresql"]}),
    ("rds", "ModifyDBParameterGroup", {
        "DBParameterGroupName": "g",
        "Parameters": [{"ParameterName": "p", "ParameterValue": "v", "ApplyMethod": "immediate"}]}),
    ("elasticache", "CreateReplicationGroup", {
        "ReplicationGroupId": "a", "ReplicationGroupDescription": "d", "AuthToken": "a&b=c",
        "SecurityGroupIds": ["sg-1"], "TransitEncryptionEnabled": True,
        "LogDeliveryConfigurations": [{"LogType": "slow-log", "DestinationDetails": {
            "CloudWatchLogsDetails": {"LogGroup": "g"}}}]}),
    ("elbv2", "CreateRule", {
        "ListenerArn": "arn", "Priority": 3,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b"]}}],
        "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": "t", "Weight": 1}]}}]}),
    ("sns", "CreateTopic", {"Name": "t", "Attributes": {"DisplayName": "d", "Policy": "{}"}}),
    ("ec2", "CreateVpcEndpoint", {
        "VpcId": "v", "ServiceName": "s", "SubnetIds": ["a", "b"], "PrivateDnsEnabled": True,
        "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [
            {"Key": "a", "Value": "b"}]}]}),
    ("application-autoscaling", "PutScheduledAction", {
        "ServiceNamespace": "ecs", "ResourceId": "r", "ScheduledActionName": "n",
        "ScalableDimension": "ecs:service:DesiredCount", "StartTime": WHEN,
        "ScalableTargetAction": {"MinCapacity": 1}}),
    ("ecs", "CreateService", {
        "serviceName": "s", "desiredCount": 2, "enableECSManagedTags": True,
        "tags": [{"key": "a", "value": "b"}]}),
    ("backup", "CreateBackupPlan", {
        "BackupPlan": {"BackupPlanName": "p", "Rules": [
            {"RuleName": "r", "TargetBackupVaultName": "v"}]}, "BackupPlanTags": {"a": "b"}}),
    ("backup", "GetBackupPlan", {"BackupPlanId": "an id/with a slash", "VersionId": "7"}),
    ("lambda", "GetFunction", {"FunctionName": "f", "Qualifier": "1"}),
    ("wafv2", "PutLoggingConfiguration", {"LoggingConfiguration": {
        "ResourceArn": "a" * 20, "LogDestinationConfigs": ["l" * 20]}}),
    ("route53", "ChangeTagsForResource", {
        "ResourceType": "hostedzone", "ResourceId": "Z1", "AddTags": [{"Key": "a", "Value": "b"}],
        "RemoveTagKeys": ["x", "y"]}),
    ("s3", "PutBucketVersioning", {
        "Bucket": "b", "VersioningConfiguration": {"Status": "Enabled"}}),
]  # fmt: skip
ANSWERS: list[tuple[str, str, dict[str, Any]]] = [
    ("rds", "DescribeEventSubscriptions", {"EventSubscriptionsList": [
        {"CustSubscriptionId": "a", "Enabled": True, "EventCategoriesList": ["x", "y"]}]}),
    ("rds", "DescribeDBEngineVersions", {"DBEngineVersions": [
        {"Engine": "postgres", "EngineVersion": "16.1", "ExportableLogTypes": ["a"]}]}),
    ("ec2", "DescribeVpcEndpoints", {"VpcEndpoints": [
        {"VpcEndpointId": "v", "PrivateDnsEnabled": False, "CreationTimestamp": WHEN,
         "Groups": [{"GroupId": "sg"}], "Tags": [{"Key": "<a>", "Value": "b & c"}]}]}),
    ("elbv2", "DescribeRules", {"Rules": [
        {"RuleArn": "r", "Priority": "1", "IsDefault": False, "Actions": [
            {"Type": "forward", "ForwardConfig": {"TargetGroups": [
                {"TargetGroupArn": "t", "Weight": 1}]}}]}]}),
    ("application-autoscaling", "DescribeScheduledActions", {"ScheduledActions": [
        {"ScheduledActionName": "n", "ServiceNamespace": "ecs", "StartTime": WHEN}]}),
    ("wafv2", "GetLoggingConfiguration", {"LoggingConfiguration": {
        "ResourceArn": "a" * 20, "LogDestinationConfigs": ["l" * 20]}}),
    ("guardduty", "CreateDetector", {"DetectorId": "d"}),
    ("sns", "GetTopicAttributes", {"Attributes": {"DisplayName": "d", "Owner": "o"}}),
    ("route53", "ListTagsForResource", {"ResourceTagSet": {
        "ResourceType": "hostedzone", "ResourceId": "z", "Tags": [{"Key": "a", "Value": "b"}]}}),
]  # fmt: skip


def written(service: str, operation: str, parameters: dict[str, Any]) -> Request:
    """The request that a boto3 client would send."""
    model = models.model(service)
    assert model is not None
    protocol = str(model.metadata["protocol"])
    made = create_serializer(protocol).serialize_to_request(
        parameters, model.operation_model(operation)
    )
    prepare_request_dict(made, endpoint_url="http://127.0.0.1:1")
    address = urlsplit(made["url"])
    body = made["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    headers = {name.lower(): value for name, value in made["headers"].items()}
    signing = model.signing_name
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential=0/1/us-east-1/{signing}/aws4_request"
    body = body.encode() if isinstance(body, str) else bytes(body)
    query = parse_qs(address.query, keep_blank_values=True)
    return Request(made["method"], address.path, headers, body, query)


@pytest.mark.parametrize(("service", "operation", "parameters"), REQUESTS)
def test_a_request_is_read_as_it_was_written(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    request = written(service, operation, parameters)
    found_service = models.service_of(request)
    assert found_service is not None
    assert found_service.service_name == service
    found = models.operation_of(found_service, request)
    assert found is not None
    assert found.name == operation
    assert parse.parameters(found, request) == parameters


@pytest.mark.parametrize(("service", "operation", "value"), ANSWERS)
def test_an_answer_is_read_as_it_was_given(
    service: str, operation: str, value: dict[str, Any]
) -> None:
    model = models.model(service)
    assert model is not None
    described = model.operation_model(operation)
    protocol = str(model.metadata["protocol"])
    response = answer.result(described, protocol, {**value, "NotInTheModel": 1})
    assert response[0] == 200
    assert answer.read(described, protocol, response) == value


@pytest.mark.parametrize("service", ["rds", "ec2", "ecs", "backup", "route53", "s3"])
def test_an_error_is_read_in_every_protocol(service: str) -> None:
    from botocore.parsers import create_parser

    model = models.model(service)
    assert model is not None
    protocol = str(model.metadata["protocol"])
    status, headers, body = answer.error(model, protocol, AwsError("SomeCode", "words <&>", 409))
    raw = {"status_code": status, "headers": {k.lower(): v for k, v in headers.items()},
           "body": body}  # fmt: skip
    operation = model.operation_model(next(iter(model.operation_names)))
    found = create_parser(protocol).parse(raw, operation.output_shape)["Error"]
    assert (found["Code"], found["Message"]) == ("SomeCode", "words <&>")


def test_a_body_that_is_no_json_is_an_error_of_aws() -> None:
    request = written("ecs", "CreateService", {"serviceName": "s"}).with_body(b"{ half")
    model = models.service_of(request)
    assert model is not None
    with pytest.raises(AwsError, match="not JSON"):
        parse.parameters(model.operation_model("CreateService"), request)


def test_a_service_that_botocore_lacks_is_none() -> None:
    headers = {"authorization": "Credential=0/1/us-east-1/nonsense/aws4_request"}
    assert models.service_of(Request("POST", "/", headers, b"", {})) is None
    assert models.service_of(Request("POST", "/", {}, b"", {})) is None
