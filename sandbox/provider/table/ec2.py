"""EC2's network: VPC, subnets, gateways, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Find, Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING, every, lookup
from sandbox.provider.table.common import (
    arn_template,
    ipv6_network,
    lone,
    one_of,
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

ROWS: Final = (VPC, SUBNET, INTERNET_GATEWAY, EIP, NAT_GATEWAY)
