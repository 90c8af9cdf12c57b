"""Cases of load balancers, web ACLs and security groups."""

from __future__ import annotations

import json
from typing import Any

from policies.testing import UNKNOWN, Plan
from tests.policies.rules.cases import Case, one

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
ACL = "aws:wafv2/webAcl:WebAcl"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
OLD = "aws:ec2/securityGroupRule:SecurityGroupRule"
NEW = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"

TLS = "listener-tls-modern"
REDIRECT = "listener-http-redirected"
LIMIT = "load-balancer-rate-limited"
OPEN = "security-group-not-open"


def redirect(protocol: str) -> list[dict[str, Any]]:
    return [{"type": "redirect", "redirect": {"protocol": protocol, "port": "443"}}]


def listening(actions: Any, **balancer: Any) -> Plan:
    listener = {"protocol": "HTTP", "loadBalancerArn": UNKNOWN, "defaultActions": actions}
    return (
        Plan()
        .add(BALANCER, "balancer", balancer)
        .add(LISTENER, "it", listener, depends={"loadBalancerArn": "balancer"})
    )


def limited(acl: dict[str, Any] | None, *, declared: bool = True, **balancer: Any) -> Plan:
    plan = Plan().add(BALANCER, "it", balancer)
    if acl is not None:
        depends: dict[str, Any] = {"resourceArn": "it"}
        if declared:
            plan.add(ACL, "acl", acl)
            depends["webAclArn"] = "acl"
        names = {"resourceArn": UNKNOWN, "webAclArn": UNKNOWN if declared else "arn:aws:wafv2:x"}
        plan.add(ASSOCIATION, "association", names, depends=depends)
    return plan


def rate(action: str = "block") -> dict[str, Any]:
    return {
        "name": "rate",
        "action": {action: {}},
        "statement": {"rateBasedStatement": {"limit": 100, "aggregateKeyType": "IP"}},
    }


def inline(**rule: Any) -> dict[str, Any]:
    return {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, **rule}]}


def new(port: Any, source: Any = "0.0.0.0/0", **more: Any) -> dict[str, Any]:
    return {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIpv4": source, **more}


def guarding(kind: str, name: str, port: int) -> Plan:
    """A group with a separate rule, guarding a resource of this type."""
    return (
        Plan()
        .add(GROUP, "group", {})
        .add(
            NEW,
            "it",
            {**new(port), "securityGroupId": UNKNOWN},
            depends={"securityGroupId": "group"},
        )
        .add(kind, name, {"securityGroups": [UNKNOWN]}, depends={"securityGroups": "group"})
    )


MODERN = "ELBSecurityPolicy-TLS13-1-2-2021-06"
ALL = ["0.0.0.0/0"]
CASES: list[Case] = [
    one(TLS, "pass", LISTENER, {"protocol": "HTTPS", "sslPolicy": MODERN}, "modern"),
    one(
        TLS,
        "pass",
        LISTENER,
        {"protocol": "TLS", "sslPolicy": "ELBSecurityPolicy-TLS-1-2-2017-01"},
        "1.2",
    ),
    one(
        TLS,
        "fail",
        LISTENER,
        {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-0-2021-06"},
        "1.0",
        found="TLS13-1-0",
    ),
    one(TLS, "fail", LISTENER, {"protocol": "HTTPS"}, "missing", found="sslPolicy: not set"),
    one(TLS, "fail", LISTENER, {"certificateArn": UNKNOWN}, "no protocol", found="not set"),
    one(TLS, "undecided", LISTENER, {"protocol": "HTTPS", "sslPolicy": UNKNOWN}, "unknown"),
    one(TLS, "not_applicable", LISTENER, {"protocol": "HTTP"}, "HTTP"),
    Case(REDIRECT, "pass", "it", listening(redirect("HTTPS")), "redirects"),
    Case(REDIRECT, "pass", "it", listening([{"type": "fixed-response"}]), "refuses"),
    Case(REDIRECT, "fail", "it", listening([{"type": "forward"}]), "serves", found="forward"),
    Case(
        REDIRECT, "fail", "it", listening(redirect("#{protocol}")), "to HTTP", found="#{protocol}"
    ),
    Case(REDIRECT, "fail", "it", listening([]), "missing", found="not set"),
    Case(REDIRECT, "undecided", "it", listening(UNKNOWN), "unknown"),
    Case(
        REDIRECT,
        "not_applicable",
        "it",
        listening([{"type": "forward"}], internal=True),
        "internal",
    ),
    one(REDIRECT, "not_applicable", LISTENER, {"protocol": "HTTPS"}, "HTTPS"),
    Case(LIMIT, "pass", "it", limited({"rules": [rate()]}), "limited"),
    Case(
        LIMIT,
        "pass",
        "it",
        limited(
            {
                "ruleJson": json.dumps(
                    [{"Statement": {"RateBasedStatement": {}}, "Action": {"Block": {}}}]
                )
            }
        ),
        "as JSON",
    ),
    Case(LIMIT, "fail", "it", limited({"rules": [rate("count")]}), "only counts", found="'acl'"),
    Case(LIMIT, "fail", "it", limited({"rules": []}), "no rule", found="without a rate-based rule"),
    Case(LIMIT, "fail", "it", limited(None), "no ACL", found="no web ACL"),
    Case(LIMIT, "undecided", "it", limited({"rules": UNKNOWN}), "unknown"),
    Case(LIMIT, "not_applicable", "it", limited(None, internal=True), "internal"),
    Case(LIMIT, "not_applicable", "it", limited(None, loadBalancerType="network"), "network"),
    Case(LIMIT, "not_applicable", "it", limited({}, declared=False), "ACL of another stack"),
    one(OPEN, "pass", GROUP, inline(cidrBlocks=ALL), "443"),
    one(OPEN, "pass", GROUP, inline(fromPort=5432, toPort=5432, cidrBlocks=["10.0.0.0/8"]), "ours"),
    one(OPEN, "pass", GROUP, inline(fromPort=5432, toPort=5432, securityGroups=[UNKNOWN]), "group"),
    one(OPEN, "pass", GROUP, {}, "nothing open"),
    one(OPEN, "pass", GROUP, inline(protocol="icmp", fromPort=8, toPort=0, cidrBlocks=ALL), "ping"),
    one(
        OPEN, "fail", GROUP, inline(fromPort=22, toPort=22, cidrBlocks=ALL), "ssh", found="port 22"
    ),
    one(
        OPEN,
        "fail",
        GROUP,
        inline(fromPort=0, toPort=65535, ipv6CidrBlocks=["::/0"]),
        "v6",
        found="ports 0-65535 open to ::/0",
    ),
    one(OPEN, "fail", GROUP, inline(protocol="-1", cidrBlocks=ALL), "all", found="all ports open"),
    one(
        OPEN,
        "fail",
        GROUP,
        inline(fromPort=22, toPort=22, cidrBlocks=[UNKNOWN, "0.0.0.0/0"]),
        "an unknown neighbour hides nothing",
        found="port 22",
    ),
    one(OPEN, "undecided", GROUP, inline(cidrBlocks=UNKNOWN), "unknown"),
    one(OPEN, "fail", NEW, new(6379.0), "separate rule", found="port 6379 open to 0.0.0.0/0"),
    one(OPEN, "fail", NEW, new(22, None, cidrIpv6="::/0"), "separate, v6", found="::/0"),
    one(OPEN, "pass", NEW, new(6379, "10.0.0.0/8"), "separate, ours"),
    one(
        OPEN,
        "fail",
        OLD,
        {"type": "ingress", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ALL},
        "old rule",
        found="port 22",
    ),
    one(OPEN, "not_applicable", OLD, {"type": "egress", "cidrBlocks": ALL}, "egress"),
    Case(OPEN, "pass", "it", guarding(BALANCER, "balancer", 443), "443 of a load balancer"),
    Case(
        OPEN,
        "fail",
        "it",
        guarding("aws:ecs/service:Service", "api", 443),
        "443 of a service",
        found="port 443 of aws:ecs/service:Service 'api'",
    ),
]
