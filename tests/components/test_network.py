"""The network: who can reach the internet, who can be reached, and what is written down."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from functools import cache

import pytest

from components.network import Network, subnet_cidrs
from systems import model
from tests.components.recording import CONTEXT, UNKNOWN, Record, Records, record

SUBNET = "aws:ec2/subnet:Subnet"
ROUTE = "aws:ec2/route:Route"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"


@cache  # what is recorded is only read
def network(preview: bool = False, **fields: object) -> Records:
    args = model.Network.model_validate(fields)
    return record(lambda: Network("network", args, CONTEXT), preview=preview)


def _routes_of(records: Records, subnet: Record) -> list[Record]:
    """The routes of the table that a subnet is associated with."""
    tables = [
        found.inputs["routeTableId"]
        for found in records.all(ASSOCIATION)
        if found.inputs["subnetId"] == f"{subnet.name}-id"
    ]
    assert len(tables) == 1, f"{subnet.name} has {len(tables)} route tables"
    return [r for r in records.all(ROUTE) if r.inputs["routeTableId"] == tables[0]]


def _kind(records: Records, kind: str) -> list[Record]:
    return [record for name, record in records.named(SUBNET).items() if f"-{kind}-" in name]


def test_three_zones_have_a_public_a_private_and_a_data_subnet_each() -> None:
    records = network()
    for kind in ("public", "private", "data"):
        zones = {subnet.inputs["availabilityZone"] for subnet in _kind(records, kind)}
        assert zones == {"us-east-1a", "us-east-1b", "us-east-1c"}
    cidrs = [ipaddress.IPv4Network(r.inputs["cidrBlock"]) for r in records.all(SUBNET)]
    assert not [1 for a in cidrs for b in cidrs if a is not b and a.overlaps(b)]
    assert all(cidr.subnet_of(ipaddress.IPv4Network("10.20.0.0/16")) for cidr in cidrs)
    assert not [r.name for r in records.all(SUBNET) if r.inputs["mapPublicIpOnLaunch"]]


def test_data_subnets_have_no_way_out() -> None:
    records = network()
    data = _kind(records, "data")
    assert len(data) == 3
    assert [_routes_of(records, subnet) for subnet in data] == [[], [], []]


def test_public_subnets_go_through_the_gateway_and_private_ones_through_nat() -> None:
    records = network()
    for subnet in _kind(records, "public"):
        (route,) = _routes_of(records, subnet)
        assert route.inputs["gatewayId"] == "network-id"
        assert "natGatewayId" not in route.inputs
    used = set()
    for subnet in _kind(records, "private"):
        (route,) = _routes_of(records, subnet)
        assert "gatewayId" not in route.inputs
        used.add(route.inputs["natGatewayId"])
    assert len(used) == 3, "each zone has a NAT gateway of its own"


def test_one_nat_gateway_serves_all_zones_when_asked() -> None:
    records = network(nat_gateways="one")
    assert len(records.all("aws:ec2/natGateway:NatGateway")) == 1
    assert len(records.all("aws:ec2/eip:Eip")) == 1
    used = {_routes_of(records, s)[0].inputs["natGatewayId"] for s in _kind(records, "private")}
    assert len(used) == 1


def test_without_nat_nothing_private_goes_out() -> None:
    records = network(nat_gateways="none")
    assert records.all("aws:ec2/natGateway:NatGateway") == []
    assert records.all("aws:ec2/eip:Eip") == []
    for kind in ("private", "data"):
        assert [_routes_of(records, subnet) for subnet in _kind(records, kind)] == [[], [], []]


def test_nat_gateways_stand_in_their_own_zone() -> None:
    records = network()
    for nat in records.all("aws:ec2/natGateway:NatGateway"):
        assert nat.inputs["subnetId"] == f"{nat.name.replace('private', 'public')}-id"


def test_the_default_security_group_allows_nothing() -> None:
    inputs = network().one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert not inputs.get("ingress")
    assert not inputs.get("egress")


def test_endpoints_are_reached_from_inside_the_vpc_alone() -> None:
    records = network()
    gateway = records.one(ENDPOINT, "network-s3")
    assert gateway.inputs["vpcEndpointType"] == "Gateway"
    assert len(gateway.inputs["routeTableIds"]) == 4, "three private tables and the data table"
    interfaces = [r for r in records.all(ENDPOINT) if r.inputs["vpcEndpointType"] == "Interface"]
    services = {
        r.inputs["serviceName"].removeprefix("com.amazonaws.us-east-1.") for r in interfaces
    }
    assert services == {"ecr.api", "ecr.dkr", "logs", "secretsmanager"}
    for endpoint in interfaces:
        assert endpoint.inputs["privateDnsEnabled"] is True
        assert endpoint.inputs["securityGroupIds"] == ["network-endpoints-id"]
    (rule,) = records.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"], rule.inputs["toPort"]) == (
        "10.20.0.0/16",
        443,
        443,
    )


def test_without_interface_endpoints_there_is_no_group_for_them() -> None:
    found = []
    records = record(
        lambda: found.append(
            Network("n", model.Network(interface_endpoints=()), CONTEXT).endpoint_security_group_id
        )
    )
    assert found == [None]
    assert records.all("aws:ec2/securityGroup:SecurityGroup") == []


def test_flow_logs_are_kept_as_asked_and_written_by_a_role_that_can_do_only_that() -> None:
    records = network(preview=True, flow_log_retention_days=90)
    log = records.one("aws:ec2/flowLog:FlowLog")
    assert log.inputs["trafficType"] == "ALL"
    group = records.one("aws:cloudwatch/logGroup:LogGroup")
    assert group.inputs["retentionInDays"] == 90
    assert log.inputs["logDestination"].endswith(f"log-group:{group.inputs['name']}")
    assert UNKNOWN not in (log.inputs["logDestination"], log.inputs["iamRoleArn"])
    statements = json.loads(records.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    for statement in statements["Statement"]:
        resources = statement["Resource"]
        assert "*" not in (resources if isinstance(resources, list) else [resources])
        assert "*" not in statement["Action"]
    trust = json.loads(records.one("aws:iam/role:Role").inputs["assumeRolePolicy"])
    (who,) = trust["Statement"]
    assert who["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert who["Condition"]["StringEquals"] == {"aws:SourceAccount": CONTEXT.account}


def test_flow_logs_can_be_left_out() -> None:
    records = network(flow_logs=False)
    assert records.all("aws:ec2/flowLog:FlowLog") == []
    assert records.all("aws:iam/role:Role") == []


def test_the_vpc_is_protected_where_the_system_is() -> None:
    assert network().one("aws:ec2/vpc:Vpc").protect
    open_context = dataclasses.replace(CONTEXT, protect=False)
    unprotected = record(lambda: Network("network", model.Network(), open_context))
    assert not unprotected.one("aws:ec2/vpc:Vpc").protect


def test_all_belongs_to_the_component_and_is_tagged() -> None:
    records = network()
    component = records.one("gonogo:components:Network")
    for found in records.custom():
        assert records.family(found)[0] is component
    for vpc in records.all("aws:ec2/vpc:Vpc"):
        assert vpc.inputs["tags"] == {**CONTEXT.tags, "Name": "atc-prod-network"}


def test_two_zones_when_asked() -> None:
    assert len(network(availability_zone_count=2).all(SUBNET)) == 6


def test_more_zones_than_the_region_has_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.components.recording.ZONE_LETTERS", "ca")
    with pytest.raises(ValueError, match=r"availability_zone_count is 3.*2 \(us-east-1a, us-east"):
        network(availability_zone_count=3)


def test_the_region_asked_is_the_system_s() -> None:
    ((token, asked),) = network().calls
    assert token.endswith(":getAvailabilityZones")
    assert asked["region"] == CONTEXT.region


@pytest.mark.parametrize(
    ("cidr", "first"), [("10.0.0.0/24", "10.0.0.0/28"), ("10.0.0.0/16", "10.0.0.0/20")]
)
def test_subnets_are_sixteenths(cidr: str, first: str) -> None:
    assert subnet_cidrs(cidr, "private", 3)[0] == first


def test_a_network_too_small_to_divide_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/25 is too small.*/24"):
        subnet_cidrs("10.0.0.0/25", "private", 3)
