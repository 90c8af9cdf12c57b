"""The network: what is open to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.framework import Finding, Findings, Fix, Resource, Stack, number, rule, skip

GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"

_WEB_PORTS = {80, 443}
# What serves the web itself; everything else behind a group that is open belongs behind these.
_FRONTS = (
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:alb/loadBalancer:LoadBalancer",
    "aws:elb/loadBalancer:LoadBalancer",
    "aws:ec2/instance:Instance",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
    "aws:lightsail/instance:Instance",
)
_BEHIND = (
    "aws:ecs/service:Service",
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:rds/proxy:Proxy",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:elasticache/cluster:Cluster",
    "aws:lambda/function:Function",
)
_NO_PORTS = {"icmp", "icmpv6", "1", "58"}
_ALL_PROTOCOLS = {"-1", "all"}


@rule(
    "security-group-not-open",
    section="network",
    severity="critical",
    types=(GROUP, DEFAULT_GROUP, OLD_RULE, INGRESS_RULE),
    scope="stack",
    lines=("001:342",),
    why="What the whole internet can reach, the whole internet will try.",
    fix=Fix(
        "",
        "aws.vpc.SecurityGroupIngressRule(referenced_security_group_id=...) in place of 0.0.0.0/0",
    ),
    reference="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
)
def security_group_not_open(subject: Resource, stack: Stack) -> Findings:
    """Nothing but 80 and 443 of a load balancer or web server is open to everybody."""
    groups = [subject] if subject.type in {GROUP, DEFAULT_GROUP} else _groups_of(subject, stack)
    for first, last, protocol, source, path in _openings(subject):
        if protocol in _NO_PORTS:
            continue
        ports = "all ports" if protocol in _ALL_PROTOCOLS else _span(first, last)
        if protocol in _ALL_PROTOCOLS or first != last or first not in _WEB_PORTS:
            yield Finding(
                f"{path}: {ports} open to {source}",
                "80 and 443 of a load balancer at most; for the rest a security group or a range "
                "of your own",
                path,
            )
        elif behind := _attached_behind(groups, stack):
            yield Finding(
                f"{path}: {ports} of {behind.type} '{behind.name}' open to {source}",
                "the load balancer's security group as the source",
                path,
            )


def _span(first: float | None, last: float | None) -> str:
    if first is None or last is None:
        return "all ports"
    return f"port {first:g}" if first == last else f"ports {first:g}-{last:g}"


Opening = tuple[float | None, float | None, str, str, str]
"""First port, last port, protocol, source, and the property it stands in."""


def _openings(subject: Resource) -> Iterator[Opening]:
    """What the resource opens to everybody."""
    if subject.type == INGRESS_RULE:
        source = _everybody([subject.get(key) for key in ("cidrIpv4", "cidrIpv6")])
        if source:
            key = "cidrIpv6" if ":" in source else "cidrIpv4"
            yield *_ports(subject, "ipProtocol"), source, key
    elif subject.type == OLD_RULE:
        if str(subject.get("type")) != "ingress":
            skip("lets traffic out, not in")
        yield from _block(subject, "")
    else:
        for index, block in enumerate(subject.get("ingress") or ()):
            yield from _block(block, f"ingress[{index}]")


def _block(block: Any, where: str) -> Iterator[Opening]:
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        source = _everybody(block.get(key) or ())
        if source:
            path = f"{where}.{key}" if where else key
            yield *_ports(block, "protocol"), source, path


def _ports(block: Any, protocol_key: str) -> tuple[float | None, float | None, str]:
    return (
        number(block.get("fromPort")),
        number(block.get("toPort")),
        str(block.get(protocol_key, "-1")).lower(),
    )


def _everybody(ranges: Any) -> str | None:
    """The first range that is all of the internet, or half of it."""
    for entry in ranges:
        address, _, bits = str(entry or "").partition("/")
        if address and bits in {"0", "1"}:
            return str(entry)
    return None


def _groups_of(subject: Resource, stack: Stack) -> list[Resource]:
    return stack.referred(subject, "securityGroupId", GROUP, DEFAULT_GROUP)


def _attached_behind(groups: list[Resource], stack: Stack) -> Resource | None:
    """Something that the groups guard and that should not face the internet itself."""
    users = [user for group in groups for user in stack.users(group, *_FRONTS, *_BEHIND)]
    return next((user for user in users if user.type in _BEHIND), None)
