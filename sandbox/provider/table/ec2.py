"""EC2's network: VPC, subnets, gateways, routes, endpoints, flow logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Find, Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING, every, lookup
from sandbox.provider.table.common import (
    arn_template,
    arn_text,
    ipv4_network,
    ipv6_network,
    lone,
    one_of,
    policy_document,
    vpc_network,
)


def ec2_tags(kind: str) -> Tags:
    """EC2's tags: TagSpecifications at the create, CreateTags and DeleteTags after."""
    return Tags(
        add=lone("CreateTags", {"Resources": ["{id}"]}),
        remove=lone("DeleteTags", {"Resources": ["{id}"]}),
        create="TagSpecifications",
        form=f"spec:{kind}",
        remove_member="Tags",
        remove_form="list",
    )


def _first(call: Call, operation: str, filters: Mapping[str, str], path: str) -> Any:
    wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    found = lookup(call.aws(operation, {"Filters": wanted}), path)
    return None if found is MISSING else found


def _read_vpc(call: Call) -> Any:
    found = lookup(call.aws("DescribeVpcs", {"VpcIds": [call.id]}), "Vpcs[0]")
    if found is MISSING:
        return found
    found = dict(found)
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = call.aws("DescribeVpcAttribute", {"VpcId": call.id, "Attribute": attribute})
        member = attribute[0].upper() + attribute[1:]
        found[member] = answer[member]["Value"]
    if call.state.get("defaultSecurityGroupId"):
        return found
    own = {"vpc-id": call.id}
    found["DefaultSecurityGroupId"] = _first(
        call,
        "DescribeSecurityGroups",
        {**own, "group-name": "default"},
        "SecurityGroups[0].GroupId",
    )
    found["MainRouteTableId"] = found["DefaultRouteTableId"] = _first(
        call,
        "DescribeRouteTables",
        {**own, "association.main": "true"},
        "RouteTables[0].RouteTableId",
    )
    found["DefaultNetworkAclId"] = _first(
        call, "DescribeNetworkAcls", {**own, "default": "true"}, "NetworkAcls[0].NetworkAclId"
    )
    return found


VPC: Final = ResourceType(
    pulumi_type="aws:ec2/vpc:Vpc",
    title="EC2 VPC",
    service="ec2",
    create=Op("CreateVpc", rename={"assignGeneratedIpv6CidrBlock": "AmazonProvidedIpv6CidrBlock"}),
    id="Vpc.VpcId",
    read=Step(_read_vpc),
    update=tuple(
        lone("ModifyVpcAttribute", {"VpcId": "{id}", member: {"Value": f"{{{name}}}"}})
        for member, name in (
            ("EnableDnsSupport", "enableDnsSupport"),
            ("EnableDnsHostnames", "enableDnsHostnames"),
            ("EnableNetworkAddressUsageMetrics", "enableNetworkAddressUsageMetrics"),
        )
    ),
    delete=lone("DeleteVpc", {"VpcId": "{id}"}),
    replace=("cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "instanceTenancy"),
    defaults={"enableDnsSupport": True, "instanceTenancy": "default"},
    computed=("cidrBlock", "ipv6CidrBlock"),
    output={"arn": arn_template("ec2", "vpc/{id}")},
    tags=ec2_tags("vpc"),
    checks={"cidrBlock": vpc_network, "instanceTenancy": one_of("default", "dedicated")},
    find=Find(lone("DescribeVpcs", {}, result="Vpcs"), "VpcId", ("cidrBlock",)),
)

SUBNET: Final = ResourceType(
    pulumi_type="aws:ec2/subnet:Subnet",
    title="EC2 Subnet",
    service="ec2",
    create=Op("CreateSubnet"),
    id="Subnet.SubnetId",
    read=lone("DescribeSubnets", {"SubnetIds": ["{id}"]}, result="Subnets[0]"),
    update=(
        lone(
            "ModifySubnetAttribute",
            {"SubnetId": "{id}", "MapPublicIpOnLaunch": {"Value": "{mapPublicIpOnLaunch}"}},
        ),
        lone(
            "ModifySubnetAttribute",
            {
                "SubnetId": "{id}",
                "AssignIpv6AddressOnCreation": {"Value": "{assignIpv6AddressOnCreation}"},
            },
        ),
        lone(
            "ModifySubnetAttribute", {"SubnetId": "{id}", "EnableDns64": {"Value": "{enableDns64}"}}
        ),
        lone(
            "ModifySubnetAttribute",
            {
                "SubnetId": "{id}",
                "PrivateDnsHostnameTypeOnLaunch": "{privateDnsHostnameTypeOnLaunch}",
            },
        ),
    ),
    delete=lone("DeleteSubnet", {"SubnetId": "{id}"}),
    replace=("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "outpostArn"),
    defaults={"mapPublicIpOnLaunch": False, "assignIpv6AddressOnCreation": False},
    computed=("availabilityZone", "availabilityZoneId"),
    output={"arn": arn_template("ec2", "subnet/{id}")},
    tags=ec2_tags("subnet"),
    checks={"cidrBlock": vpc_network, "ipv6CidrBlock": ipv6_network},
    find=Find(lone("DescribeSubnets", {}, result="Subnets"), "SubnetId", ("cidrBlock", "vpcId")),
)


def _attach_gateway(call: Call) -> None:
    before, now = call.old.get("vpcId"), call.inputs.get("vpcId")
    if before and before != now:
        call.aws("DetachInternetGateway", {"InternetGatewayId": call.id, "VpcId": before})
    if now and before != now:
        call.aws("AttachInternetGateway", {"InternetGatewayId": call.id, "VpcId": now})


def _delete_gateway(call: Call) -> None:
    found = call.aws("DescribeInternetGateways", {"InternetGatewayIds": [call.id]})
    for attachment in every(found, "InternetGateways[0].Attachments"):
        call.aws(
            "DetachInternetGateway", {"InternetGatewayId": call.id, "VpcId": attachment["VpcId"]}
        )
    call.aws("DeleteInternetGateway", {"InternetGatewayId": call.id})


INTERNET_GATEWAY: Final = ResourceType(
    pulumi_type="aws:ec2/internetGateway:InternetGateway",
    title="EC2 Internet Gateway",
    service="ec2",
    create=Op("CreateInternetGateway"),
    id="InternetGateway.InternetGatewayId",
    read=lone(
        "DescribeInternetGateways",
        {"InternetGatewayIds": ["{id}"]},
        result="InternetGateways[0]",
    ),
    update=(Step(_attach_gateway, ("vpcId",)),),
    delete=Step(_delete_gateway),
    computed=("vpcId",),
    output={
        "arn": arn_template("ec2", "internet-gateway/{id}"),
        "vpcId": "Attachments[0].VpcId",
    },
    tags=ec2_tags("internet-gateway"),
    find=Find(lone("DescribeInternetGateways", {}, result="InternetGateways"), "InternetGatewayId"),
)

EIP: Final = ResourceType(
    pulumi_type="aws:ec2/eip:Eip",
    title="EC2 EIP",
    service="ec2",
    create=Op("AllocateAddress"),
    id="AllocationId",
    read=lone("DescribeAddresses", {"AllocationIds": ["{id}"]}, result="Addresses[0]"),
    delete=lone("ReleaseAddress", {"AllocationId": "{id}"}),
    replace=("domain", "address", "networkBorderGroup", "publicIpv4Pool"),
    computed=("domain", "networkBorderGroup", "publicIpv4Pool", "instance", "networkInterface"),
    output={
        "arn": arn_template("ec2", "elastic-ip/{id}"),
        "allocationId": "={id}",
        "privateIp": "PrivateIpAddress",
        "instance": "InstanceId",
        "networkInterface": "NetworkInterfaceId",
    },
    rename={"address": "Address"},
    unread=("address", "instance", "networkInterface"),
    tags=ec2_tags("elastic-ip"),
    checks={"domain": one_of("vpc")},
    find=Find(lone("DescribeAddresses", {}, result="Addresses"), "AllocationId"),
    gone=("InvalidAllocationID.NotFound", "InvalidAddress.NotFound"),
)


def _read_nat(call: Call) -> Any:
    found = lookup(call.aws("DescribeNatGateways", {"NatGatewayIds": [call.id]}), "NatGateways[0]")
    return MISSING if found is MISSING or found.get("State") == "deleted" else found


NAT_GATEWAY: Final = ResourceType(
    pulumi_type="aws:ec2/natGateway:NatGateway",
    title="EC2 NAT Gateway",
    service="ec2",
    create=Op("CreateNatGateway", rename={"privateIp": "PrivateIpAddress"}),
    id="NatGateway.NatGatewayId",
    read=Step(_read_nat),
    delete=lone("DeleteNatGateway", {"NatGatewayId": "{id}"}),
    replace=("allocationId", "subnetId", "connectivityType", "privateIp", "vpcId"),
    defaults={"connectivityType": "public"},
    computed=("privateIp", "availabilityMode", "vpcId"),
    output={
        "allocationId": "NatGatewayAddresses[0].AllocationId",
        "associationId": "NatGatewayAddresses[0].AssociationId",
        "networkInterfaceId": "NatGatewayAddresses[0].NetworkInterfaceId",
        "privateIp": "NatGatewayAddresses[0].PrivateIp",
        "publicIp": "NatGatewayAddresses[0].PublicIp",
    },
    tags=ec2_tags("natgateway"),
    find=Find(lone("DescribeNatGateways", {}, result="NatGateways"), "NatGatewayId", ("subnetId",)),
)

_DESTINATIONS: Final = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
_INLINE: Final = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
_TARGETS: Final = {
    "carrierGatewayId": "CarrierGatewayId",
    "coreNetworkArn": "CoreNetworkArn",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "gatewayId": "GatewayId",
    "localGatewayId": "LocalGatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "odbNetworkArn": "OdbNetworkArn",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}


def _route_params(table: str, route: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    params: dict[str, Any] = {"RouteTableId": table}
    for name, member in {**names, **_TARGETS}.items():
        if route.get(name):
            params[member] = route[name]
    return params


def _inline_routes(call: Call) -> None:
    before = {str(sorted(route.items())): route for route in call.old.get("routes") or []}
    now = {str(sorted(route.items())): route for route in call.inputs.get("routes") or []}
    for key in before.keys() - now.keys():
        params = _route_params(call.id, before[key], _INLINE)
        call.aws(
            "DeleteRoute",
            {name: value for name, value in params.items() if name not in _TARGETS.values()},
        )
    for key in now.keys() - before.keys():
        call.aws("CreateRoute", _route_params(call.id, now[key], _INLINE))


ROUTE_TABLE: Final = ResourceType(
    pulumi_type="aws:ec2/routeTable:RouteTable",
    title="EC2 Route Table",
    service="ec2",
    create=Op("CreateRouteTable"),
    id="RouteTable.RouteTableId",
    read=lone("DescribeRouteTables", {"RouteTableIds": ["{id}"]}, result="RouteTables[0]"),
    update=(Step(_inline_routes, ("routes",)),),
    delete=lone("DeleteRouteTable", {"RouteTableId": "{id}"}),
    replace=("vpcId",),
    computed=("routes", "propagatingVgws"),
    output={"arn": arn_template("ec2", "route-table/{id}"), "routes": lambda _f, _c: MISSING},
    tags=ec2_tags("route-table"),
    find=Find(lone("DescribeRouteTables", {}, result="RouteTables"), "RouteTableId", ("vpcId",)),
)


def _route_id(call: Call) -> str:
    """As Terraform makes it: ``r-<table><hash of the destination>``."""
    destination = next(str(call.inputs[name]) for name in _DESTINATIONS if call.given(name))
    import zlib

    return f"r-{call.inputs['routeTableId']}{zlib.crc32(destination.encode())}"


def _create_route(call: Call) -> dict[str, Any]:
    params = _route_params(call.inputs["routeTableId"], call.inputs, _DESTINATIONS)
    call.aws("CreateRoute", params)
    return {"Id": _route_id(call)}


def _replace_route(call: Call) -> None:
    params = _route_params(call.inputs["routeTableId"], call.inputs, _DESTINATIONS)
    call.aws("ReplaceRoute", params)


def _destination(call: Call) -> tuple[str, str]:
    for name, member in _DESTINATIONS.items():
        value = call.value(name)
        if value:
            return member, str(value)
    return "DestinationCidrBlock", ""


def _read_route(call: Call) -> Any:
    tables = call.aws("DescribeRouteTables", {"RouteTableIds": [call.value("routeTableId")]})
    member, wanted = _destination(call)
    for route in every(tables, "RouteTables[0].Routes"):
        if route.get(member) == wanted:
            return route
    return MISSING


def _delete_route(call: Call) -> None:
    member, wanted = _destination(call)
    call.aws("DeleteRoute", {"RouteTableId": call.value("routeTableId"), member: wanted})


def _one_target(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not any(inputs.get(name) for name in _DESTINATIONS):
        yield "destinationCidrBlock", f"one of {', '.join(_DESTINATIONS)} has to be given"
    targets = [name for name in _TARGETS if inputs.get(name)]
    if len(targets) != 1:
        yield (
            targets[0] if targets else "gatewayId",
            f"exactly one target has to be given, here are {len(targets)}: "
            f"{', '.join(targets) or 'none'}",
        )


ROUTE: Final = ResourceType(
    pulumi_type="aws:ec2/route:Route",
    title="EC2 Route",
    service="ec2",
    create=Step(_create_route, ("routeTableId", *_DESTINATIONS, *_TARGETS)),
    id="Id",
    read=Step(_read_route),
    update=(Step(_replace_route, tuple(_TARGETS), at_create=False),),
    delete=Step(_delete_route),
    replace=("routeTableId", *_DESTINATIONS),
    unique=True,
    rename={"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"},
    checks={"destinationCidrBlock": ipv4_network, "destinationIpv6CidrBlock": ipv6_network},
    rules=(_one_target,),
    gone=("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"),
)


def _read_association(call: Call) -> Any:
    table = call.value("routeTableId")
    try:
        answer = call.aws("DescribeRouteTables", {"RouteTableIds": [table]} if table else {})
    except CallError as error:
        if error.gone:
            return MISSING
        raise
    for found in answer.get("RouteTables", []):
        for association in found.get("Associations", []):
            if association.get("RouteTableAssociationId") == call.id:
                return association
    return MISSING


ROUTE_TABLE_ASSOCIATION: Final = ResourceType(
    pulumi_type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    title="EC2 Route Table Association",
    service="ec2",
    create=Op("AssociateRouteTable"),
    id="AssociationId",
    read=Step(_read_association),
    # ReplaceRouteTableAssociation answers another id; the official provider keeps the resource
    delete=lone("DisassociateRouteTable", {"AssociationId": "{id}"}),
    replace=("routeTableId", "subnetId", "gatewayId"),
    unique=True,
    gone=("InvalidAssociationID.NotFound",),
)


def _endpoint_members(call: Call) -> None:
    params: dict[str, Any] = {"VpcEndpointId": call.id}
    for name, word in (
        ("routeTableIds", "RouteTableIds"),
        ("subnetIds", "SubnetIds"),
        ("securityGroupIds", "SecurityGroupIds"),
    ):
        before, now = set(call.old.get(name) or ()), set(call.inputs.get(name) or ())
        if now - before:
            params["Add" + word] = sorted(now - before)
        if before - now:
            params["Remove" + word] = sorted(before - now)
    if "policy" in call.changed:
        policy = call.inputs.get("policy")
        params.update({"PolicyDocument": policy} if policy else {"ResetPolicy": True})
    if "privateDnsEnabled" in call.changed:
        params["PrivateDnsEnabled"] = bool(call.inputs.get("privateDnsEnabled"))
    call.aws("ModifyVpcEndpoint", params)


VPC_ENDPOINT: Final = ResourceType(
    pulumi_type="aws:ec2/vpcEndpoint:VpcEndpoint",
    title="EC2 VPC Endpoint",
    service="ec2",
    create=Op(
        "CreateVpcEndpoint",
        take=None,
        rename={"policy": "PolicyDocument"},
    ),
    id="VpcEndpoint.VpcEndpointId",
    read=lone("DescribeVpcEndpoints", {"VpcEndpointIds": ["{id}"]}, result="VpcEndpoints[0]"),
    update=(
        Step(
            _endpoint_members,
            watches=(
                "routeTableIds",
                "subnetIds",
                "securityGroupIds",
                "policy",
                "privateDnsEnabled",
            ),
            at_create=False,
        ),
    ),
    delete=lone("DeleteVpcEndpoints", {"VpcEndpointIds": ["{id}"]}),
    replace=("vpcId", "serviceName", "vpcEndpointType", "serviceRegion"),
    defaults={"vpcEndpointType": "Gateway"},
    computed=(
        "policy",
        "privateDnsEnabled",
        "routeTableIds",
        "subnetIds",
        "securityGroupIds",
        "ipAddressType",
    ),
    rename={"policy": "PolicyDocument"},
    output={
        "arn": arn_template("ec2", "vpc-endpoint/{id}"),
        "securityGroupIds": lambda found, _call: [
            group["GroupId"] for group in found.get("Groups", [])
        ],
        "dnsEntries": "DnsEntries",
    },
    unread=("policy", "securityGroupIds"),
    tags=ec2_tags("vpc-endpoint"),
    checks={"policy": policy_document},
    find=Find(
        lone("DescribeVpcEndpoints", {}, result="VpcEndpoints"),
        "VpcEndpointId",
        ("vpcId", "serviceName"),
    ),
)

_WATCHED: Final = (
    ("vpcId", "VPC"),
    ("subnetId", "Subnet"),
    ("eniId", "NetworkInterface"),
    ("transitGatewayId", "TransitGateway"),
)


def _create_flow_log(call: Call) -> dict[str, Any]:
    name, kind = next((name, kind) for name, kind in _WATCHED if call.given(name))
    inputs = call.inputs
    params: dict[str, Any] = {"ResourceIds": [inputs[name]], "ResourceType": kind}
    for source, member in (
        ("trafficType", "TrafficType"),
        ("logDestinationType", "LogDestinationType"),
        ("logDestination", "LogDestination"),
        ("iamRoleArn", "DeliverLogsPermissionArn"),
        ("logFormat", "LogFormat"),
        ("maxAggregationInterval", "MaxAggregationInterval"),
    ):
        if call.given(source):
            params[member] = inputs[source]
    return call.aws("CreateFlowLogs", call.tagged(params))


def _one_watched(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = [name for name, _ in _WATCHED if inputs.get(name)]
    if len(given) != 1:
        yield "vpcId", f"exactly one of {', '.join(n for n, _ in _WATCHED)} has to be given"
    if inputs.get("logDestinationType") != "s3" and not inputs.get("iamRoleArn"):
        yield "iamRoleArn", "a flow log to CloudWatch Logs needs a role that may write there"


FLOW_LOG: Final = ResourceType(
    pulumi_type="aws:ec2/flowLog:FlowLog",
    title="EC2 Flow Log",
    service="ec2",
    create=Step(
        _create_flow_log,
        (
            *(name for name, _ in _WATCHED),
            "trafficType",
            "logDestinationType",
            "logDestination",
            "iamRoleArn",
            "logFormat",
            "maxAggregationInterval",
        ),
    ),
    id="FlowLogIds[0]",
    read=lone("DescribeFlowLogs", {"FlowLogIds": ["{id}"]}, result="FlowLogs[0]"),
    delete=lone("DeleteFlowLogs", {"FlowLogIds": ["{id}"]}),
    replace=("*",),
    defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
    computed=("logFormat", "logDestination"),
    rename={"iamRoleArn": "DeliverLogsPermissionArn"},
    output={
        "arn": arn_template("ec2", "vpc-flow-log/{id}"),
        "vpcId": lambda _f, call: call.inputs.get("vpcId", MISSING),
        "subnetId": lambda _f, call: call.inputs.get("subnetId", MISSING),
    },
    tags=ec2_tags("vpc-flow-log"),
    checks={
        "trafficType": one_of("ACCEPT", "REJECT", "ALL"),
        "logDestinationType": one_of("cloud-watch-logs", "s3", "kinesis-data-firehose"),
        "maxAggregationInterval": one_of(60, 600),
        "iamRoleArn": arn_text,
        "logDestination": arn_text,
    },
    rules=(_one_watched,),
    find=Find(lone("DescribeFlowLogs", {}, result="FlowLogs"), "FlowLogId"),
)

ROWS: Final = (
    VPC,
    SUBNET,
    INTERNET_GATEWAY,
    EIP,
    NAT_GATEWAY,
    ROUTE_TABLE,
    ROUTE,
    ROUTE_TABLE_ASSOCIATION,
    VPC_ENDPOINT,
    FLOW_LOG,
)
