"""What was set reads back as it was set, for the calls that components make."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.clouds import TestCloud

pytestmark = pytest.mark.slow
TAGS = [{"Key": "a", "Value": "b"}]
POLICY = '{"Version":"2012-10-17","Statement":[]}'


@pytest.fixture(scope="module")
def network(cloud: TestCloud) -> dict[str, Any]:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")
        ["Subnet"]["SubnetId"]
        for n, z in enumerate("abc")
    ]  # fmt: skip
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    return {"vpc": vpc, "subnets": subnets, "group": group}


def test_a_vpc_endpoint_keeps_policy_dns_and_groups(
    cloud: TestCloud, network: dict[str, Any]
) -> None:
    ec2 = cloud.client("ec2")
    made = ec2.create_vpc_endpoint(
        VpcId=network["vpc"], VpcEndpointType="Interface", SubnetIds=network["subnets"],
        ServiceName="com.amazonaws.us-east-1.secretsmanager", PrivateDnsEnabled=True,
        PolicyDocument=POLICY, SecurityGroupIds=[network["group"]],
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": TAGS}],
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"][0]
    assert found["PolicyDocument"] == POLICY
    assert found["PrivateDnsEnabled"] is True
    assert [each["GroupId"] for each in found["Groups"]] == [network["group"]]
    assert found["Tags"] == TAGS
    assert sorted(found["SubnetIds"]) == sorted(network["subnets"])
    ec2.modify_vpc_endpoint(VpcEndpointId=made, PrivateDnsEnabled=False)
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"][0]
    assert found["PrivateDnsEnabled"] is False
    assert found["PolicyDocument"] == POLICY


def test_a_flow_log_keeps_its_interval_its_group_and_its_tags(
    cloud: TestCloud, network: dict[str, Any]
) -> None:
    ec2 = cloud.client("ec2")
    made = ec2.create_flow_logs(
        ResourceIds=[network["vpc"]], ResourceType="VPC", TrafficType="ALL",
        LogDestinationType="cloud-watch-logs", LogGroupName="flow", MaxAggregationInterval=60,
        DeliverLogsPermissionArn="arn:aws:iam::000000000000:role/flow",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": TAGS}],
    )["FlowLogIds"]  # fmt: skip
    found = ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"][0]
    assert found["MaxAggregationInterval"] == 60
    assert found["LogGroupName"] == "flow"
    assert found["Tags"] == TAGS


def test_a_forward_reads_back_in_both_of_its_forms(
    cloud: TestCloud, network: dict[str, Any]
) -> None:
    elb = cloud.client("elbv2")
    group = elb.create_target_group(
        Name="forwarded", Protocol="HTTP", Port=80, VpcId=network["vpc"], TargetType="ip",
        ProtocolVersion="HTTP1",
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    shown = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    assert shown["ProtocolVersion"] == "HTTP1"
    balancer = elb.create_load_balancer(Name="forwarding", Subnets=network["subnets"])
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    found = elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"][0]
    assert found["TargetGroupArn"] == group
    assert found["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]
    rule = elb.create_rule(
        ListenerArn=listener, Priority=5,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
        Actions=[
            {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group}]}}
        ],
    )["Rules"][0]["RuleArn"]  # fmt: skip
    elb.modify_rule(
        RuleArn=rule,
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    found = elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"][0]
    assert found == {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def test_an_alarm_on_an_expression_keeps_its_metrics(cloud: TestCloud) -> None:
    metrics: list[dict[str, Any]] = [
        {"Id": "rate", "Expression": "errors / requests * 100", "ReturnData": True},
        {"Id": "errors", "ReturnData": False, "MetricStat": {
            "Metric": {"Namespace": "n", "MetricName": "e"}, "Period": 60, "Stat": "Sum"}},
    ]  # fmt: skip
    client = cloud.client("cloudwatch")
    client.put_metric_alarm(AlarmName="rate", EvaluationPeriods=1, Threshold=1.0, Metrics=metrics,
                            ComparisonOperator="GreaterThanThreshold")  # fmt: skip
    found = client.describe_alarms(AlarmNames=["rate"])["MetricAlarms"][0]
    assert [each["Id"] for each in found["Metrics"]] == ["rate", "errors"]
    assert found["Metrics"][1]["MetricStat"]["Stat"] == "Sum"
    assert "Statistic" not in found
    assert "Period" not in found


def test_a_certificate_and_a_service_keep_what_they_were_asked(cloud: TestCloud) -> None:
    acm, ecs = cloud.client("acm"), cloud.client("ecs")
    arn = acm.request_certificate(DomainName="a.example.com", KeyAlgorithm="EC_prime256v1")
    found = acm.describe_certificate(CertificateArn=arn["CertificateArn"])["Certificate"]
    assert found["KeyAlgorithm"] == "EC_prime256v1"
    ecs.create_cluster(clusterName="kept")
    container = {"name": "a", "image": "x", "memory": 128}
    ecs.register_task_definition(family="kept", containerDefinitions=[container])
    ecs.create_service(cluster="kept", serviceName="s", taskDefinition="kept",
                       availabilityZoneRebalancing="ENABLED")  # fmt: skip
    shown = ecs.describe_services(cluster="kept", services=["s"])["services"][0]
    assert shown["availabilityZoneRebalancing"] == "ENABLED"


def test_a_web_acls_logging_reads_back_until_it_is_deleted(cloud: TestCloud) -> None:
    waf = cloud.client("wafv2")
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    arn = waf.create_web_acl(Name="logged", Scope="REGIONAL", DefaultAction={"Allow": {}},
                             VisibilityConfig=visible)["Summary"]["ARN"]  # fmt: skip
    wanted: dict[str, Any] = {
        "ResourceArn": arn,
        "LogDestinationConfigs": ["arn:aws:logs:us-east-1:000000000000:log-group:aws-waf-logs-x"],
        "RedactedFields": [{"SingleHeader": {"Name": "authorization"}}],
    }
    waf.put_logging_configuration(LoggingConfiguration=wanted)
    assert waf.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"] == wanted
    wrong = {
        **wanted,
        "LogDestinationConfigs": ["arn:aws:logs:us-east-1:0:log-group:other-name-xx"],
    }
    with pytest.raises(ClientError, match="aws-waf-logs-"):
        waf.put_logging_configuration(LoggingConfiguration=wrong)
    waf.delete_logging_configuration(ResourceArn=arn)
    with pytest.raises(waf.exceptions.WAFNonexistentItemException):
        waf.get_logging_configuration(ResourceArn=arn)


def test_an_event_subscription_reads_back_and_needs_its_topic(cloud: TestCloud) -> None:
    rds = cloud.client("rds")
    topic = cloud.client("sns").create_topic(Name="events")["TopicArn"]
    rds.create_event_subscription(
        SubscriptionName="kept", SnsTopicArn=topic, SourceType="db-instance",
        EventCategories=["availability", "failure"], Tags=TAGS,
    )  # fmt: skip
    rds.modify_event_subscription(SubscriptionName="kept", Enabled=False)
    described = rds.describe_event_subscriptions(SubscriptionName="kept")
    found = described["EventSubscriptionsList"][0]
    assert found["EventCategoriesList"] == ["availability", "failure"]
    assert found["Enabled"] is False
    assert rds.list_tags_for_resource(ResourceName=found["EventSubscriptionArn"])["TagList"] == TAGS
    with pytest.raises(ClientError, match="does not exist"):
        rds.create_event_subscription(SubscriptionName="x", SnsTopicArn=f"{topic}x")
    rds.delete_event_subscription(SubscriptionName="kept")
    with pytest.raises(ClientError, match="SubscriptionNotFound"):
        rds.describe_event_subscriptions(SubscriptionName="kept")


def test_a_proxy_leads_to_this_machine_and_to_its_databases_port(
    cloud: TestCloud, network: dict[str, Any]
) -> None:
    rds = cloud.client("rds")
    role = "arn:aws:iam::000000000000:role/proxy"
    secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:x-aaaaaa"
    made = rds.create_db_proxy(
        DBProxyName="proxied", EngineFamily="POSTGRESQL", RoleArn=role, RequireTLS=True,
        VpcSubnetIds=network["subnets"], Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret}],
    )["DBProxy"]  # fmt: skip
    assert made["Endpoint"] == "127.0.0.1"
    found = rds.describe_db_proxies(DBProxyName="proxied")["DBProxies"][0]
    assert found["Endpoint"] == "127.0.0.1"
    rds.delete_db_proxy(DBProxyName="proxied")


def test_the_versions_that_rds_offers_can_be_looked_up(cloud: TestCloud) -> None:
    look = cloud.client("rds").describe_db_engine_versions
    found = look(Engine="postgres", EngineVersion="16")["DBEngineVersions"]
    assert {each["DBParameterGroupFamily"] for each in found} == {"postgres16"}
    assert len(look(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]) == 1
    assert look(Engine="postgres", EngineVersion="99")["DBEngineVersions"] == []
