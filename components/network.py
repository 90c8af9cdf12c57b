"""The network a system lives in."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component, Context, known
from systems import model

# The VPC is cut in sixteen: private subnets take blocks 0-2, public 4-6, data 8-10. What is left
# over is room for a fourth zone and for what comes later.
_BLOCK_BITS = 4
_FIRST_BLOCK = {"private": 0, "public": 4, "data": 8}
_SMALLEST_SUBNET = 28


@dataclass(frozen=True)
class Zone:
    """An availability zone: `us-east-1a` and its letter."""

    name: str
    letter: str


def zones(region: str, count: int) -> list[Zone]:
    """The first `count` availability zones that this account has in the region.

    Asked of AWS, because the letters differ by account and some regions have only two.
    """
    found = aws.get_availability_zones(
        state="available",
        filters=[
            aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])
        ],
        region=region,
    )
    names = sorted(found.names)[:count]
    if len(names) < count:
        raise ValueError(
            f"network.availability_zone_count is {count}, but {region} offers this account "
            f"{len(names)} ({', '.join(names) or 'none'}): lower it or choose another region"
        )
    return [Zone(name, name.removeprefix(region)) for name in names]


def subnet_cidrs(cidr: str, kind: str, count: int) -> list[str]:
    """The subnets of one kind (`private`, `public`, `data`), one a zone."""
    network = ipaddress.ip_network(cidr)
    if network.prefixlen + _BLOCK_BITS > _SMALLEST_SUBNET:
        largest = _SMALLEST_SUBNET - _BLOCK_BITS
        raise ValueError(
            f"network.cidr {cidr} is too small to be cut in sixteen: /{largest} at most"
        )
    blocks = list(network.subnets(prefixlen_diff=_BLOCK_BITS))
    first = _FIRST_BLOCK[kind]
    return [str(block) for block in blocks[first : first + count]]


class Network(Component):
    """A VPC with public, private and data subnets in each availability zone.

    Public subnets have a route to the internet, private ones go out through NAT, data subnets
    have no way out at all. Without NAT workloads are in the public subnets, with public addresses.
    S3 is reached through a gateway endpoint, the other AWS services named in `interface_endpoints`
    inside the VPC. The default security group allows nothing.
    """

    def __init__(
        self,
        name: str,
        args: model.Network,
        context: Context,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Network", name, context, opts)
        self.args = args
        self.cidr = args.cidr
        self.zones = zones(context.region, args.availability_zone_count)
        self.vpc = aws.ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self.tagged(context.name(name)),
            opts=self.child(protect=context.protect),
        )
        self.vpc_id: pulumi.Output[str] = self.vpc.id
        aws.ec2.DefaultSecurityGroup(
            name,
            vpc_id=self.vpc_id,
            tags=self.tagged(context.name(name, "default-unused")),
            opts=self.child(),
        )
        public, private, data = (
            self._subnets(name, kind) for kind in ("public", "private", "data")
        )
        self.public_subnet_ids = [subnet.id for subnet in public]
        self.private_subnet_ids = [subnet.id for subnet in private]
        self.data_subnet_ids = [subnet.id for subnet in data]
        self.workloads_are_public = args.nat_gateways == "none"
        self.workload_subnet_ids = (
            self.public_subnet_ids if self.workloads_are_public else self.private_subnet_ids
        )
        tables = self._routes(name, public, private, data)
        self.endpoint_security_group_id = self._endpoints(name, tables)
        if args.flow_logs:
            self._flow_logs(name)
        self.register_outputs({"vpc_id": self.vpc_id, "cidr": self.cidr})

    def _subnets(self, name: str, kind: str) -> list[aws.ec2.Subnet]:
        cidrs = subnet_cidrs(self.cidr, kind, len(self.zones))
        return [
            aws.ec2.Subnet(
                f"{name}-{kind}-{zone.letter}",
                vpc_id=self.vpc_id,
                cidr_block=cidr,
                availability_zone=zone.name,
                map_public_ip_on_launch=False,
                tags=self.tagged(self.context.name(name, kind, zone.letter), reach=kind),
                opts=self.child(),
            )
            for zone, cidr in zip(self.zones, cidrs, strict=True)
        ]

    def _routes(
        self,
        name: str,
        public: list[aws.ec2.Subnet],
        private: list[aws.ec2.Subnet],
        data: list[aws.ec2.Subnet],
    ) -> list[aws.ec2.RouteTable]:
        """Route tables of all subnets; returns those of the private and the data subnets."""
        gateway = aws.ec2.InternetGateway(
            name,
            vpc_id=self.vpc_id,
            tags=self.tagged(self.context.name(name)),
            opts=self.child(),
        )
        outside = self._table(f"{name}-public", public)
        self._default_route(f"{name}-public", outside, gateway_id=gateway.id)
        shared = self.args.nat_gateways == "one"
        groups = [private] if shared else [[subnet] for subnet in private]
        inside = []
        if self.args.nat_gateways == "none":
            return [self._table(f"{name}-private", private), self._table(f"{name}-data", data)]
        for zone, near, group in zip(self.zones, public, groups, strict=False):
            part = f"{name}-private" if shared else f"{name}-private-{zone.letter}"
            nat = self._nat(part, near, gateway)
            table = self._table(part, group)
            self._default_route(part, table, nat_gateway_id=nat.id)
            inside.append(table)
        return [*inside, self._table(f"{name}-data", data)]

    def _nat(
        self, part: str, subnet: aws.ec2.Subnet, gateway: aws.ec2.InternetGateway
    ) -> aws.ec2.NatGateway:
        address = aws.ec2.Eip(
            part,
            domain="vpc",
            tags=self.tagged(self.context.name(part)),
            opts=self.child(depends_on=[gateway]),
        )
        return aws.ec2.NatGateway(
            part,
            allocation_id=address.id,
            subnet_id=subnet.id,
            tags=self.tagged(self.context.name(part)),
            opts=self.child(),
        )

    def _table(self, part: str, subnets: list[aws.ec2.Subnet]) -> aws.ec2.RouteTable:
        table = aws.ec2.RouteTable(
            part, vpc_id=self.vpc_id, tags=self.tagged(self.context.name(part)), opts=self.child()
        )
        for index, subnet in enumerate(subnets):
            suffix = f"-{self.zones[index].letter}" if len(subnets) > 1 else ""
            aws.ec2.RouteTableAssociation(
                f"{part}{suffix}",
                route_table_id=table.id,
                subnet_id=subnet.id,
                opts=self.child(),
            )
        return table

    def _default_route(
        self,
        part: str,
        table: aws.ec2.RouteTable,
        *,
        gateway_id: pulumi.Input[str] | None = None,
        nat_gateway_id: pulumi.Input[str] | None = None,
    ) -> None:
        aws.ec2.Route(
            part,
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway_id,
            nat_gateway_id=nat_gateway_id,
            opts=self.child(),
        )

    def _endpoints(self, name: str, tables: list[aws.ec2.RouteTable]) -> pulumi.Output[str] | None:
        """The way to AWS's own services that does not leave the VPC."""
        region = self.context.region
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags=self.tagged(self.context.name(name, "s3")),
            opts=self.child(),
        )
        if not self.args.interface_endpoints:
            return None
        group = aws.ec2.SecurityGroup(
            f"{name}-endpoints",
            name=self.context.name(name, "endpoints"),
            description="AWS services inside the VPC",
            vpc_id=self.vpc_id,
            tags=self.tagged(self.context.name(name, "endpoints")),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-endpoints",
            security_group_id=group.id,
            description="HTTPS from the VPC",
            cidr_ipv4=self.cidr,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=self.tagged(self.context.name(name, "endpoints")),
            opts=self.child(),
        )
        for service in self.args.interface_endpoints:
            part = service.replace(".", "-")
            aws.ec2.VpcEndpoint(
                f"{name}-{part}",
                vpc_id=self.vpc_id,
                service_name=f"com.amazonaws.{region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=self.private_subnet_ids,
                security_group_ids=[group.id],
                tags=self.tagged(self.context.name(name, part)),
                opts=self.child(),
            )
        return group.id

    def _flow_logs(self, name: str) -> None:
        """Who talked to whom, kept as long as asked, written by a role that can do only that."""
        context = self.context
        group_name = context.path(name, "flow-logs")
        group_arn = context.arn("logs", f"log-group:{group_name}")
        role_name = context.name(name, "flow-logs")
        group = aws.cloudwatch.LogGroup(
            f"{name}-flow-logs",
            name=group_name,
            retention_in_days=self.args.flow_log_retention_days,
            tags=self.tagged(group_name),
            opts=self.child(),
        )
        role = aws.iam.Role(
            f"{name}-flow-logs",
            name=role_name,
            assume_role_policy=json.dumps(_flow_logs_trust(context)),
            tags=self.tagged(role_name),
            opts=self.child(),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-flow-logs",
            name="write-flow-logs",
            role=known(role_name, role),
            policy=json.dumps(_flow_logs_permissions(context, group_arn)),
            opts=self.child(),
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=self.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=known(group_arn, group),
            iam_role_arn=known(context.arn("iam", f"role/{role_name}", region=""), role),
            max_aggregation_interval=60,
            tags=self.tagged(context.name(name)),
            opts=self.child(depends_on=[policy]),
        )


def _flow_logs_trust(context: Context) -> dict[str, object]:
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html"""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": context.account},
                    "ArnLike": {"aws:SourceArn": context.arn("ec2", "vpc-flow-log/*")},
                },
            }
        ],
    }


def _flow_logs_permissions(context: Context, group_arn: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                "Resource": [group_arn, f"{group_arn}:*"],
            },
            {
                "Effect": "Allow",
                "Action": "logs:DescribeLogGroups",
                "Resource": context.arn("logs", "log-group:*"),
            },
        ],
    }
