"""The way in: TLS, redirects, and a limit on how much one address may ask."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from policies.framework import (
    NOT_DEV,
    Finding,
    Findings,
    Fix,
    Resource,
    Stack,
    Undecidable,
    rule,
    same,
    skip,
)

LOAD_BALANCERS = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
LISTENERS = ("aws:lb/listener:Listener", "aws:alb/listener:Listener")
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"

_DOCS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"

# Policies that take nothing under TLS 1.2.
_MODERN = re.compile(r"^ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)[-\w]*$")


@rule(
    "listener-tls-modern",
    section="ingress",
    severity="high",
    types=LISTENERS,
    lines=("001:64",),
    why="TLS 1.0 and 1.1 are broken; AWS's default policy for listeners still takes them.",
    fix=Fix(
        "ingress.tls_policy: ELBSecurityPolicy-TLS13-1-2-2021-06",
        'aws.lb.Listener(ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06")',
    ),
    reference=f"{_DOCS}describe-ssl-policies.html",
)
def listener_tls_modern(listener: Resource) -> Findings:
    """A security policy of TLS 1.2 and above on each listener that speaks TLS."""
    protocol = str(listener.get("protocol", "HTTPS" if listener.has("certificateArn") else "HTTP"))
    if protocol.upper() not in {"HTTPS", "TLS"}:
        skip(f"speaks {protocol}")
    policy = listener.get("sslPolicy")
    if policy is None:
        yield Finding(
            "sslPolicy: not set (AWS's default is ELBSecurityPolicy-2016-08, TLS 1.0 and above)",
            "a policy of TLS 1.2 and above",
            "sslPolicy",
        )
    elif not _MODERN.match(str(policy)):
        yield Finding(f"sslPolicy: {policy}", "a policy of TLS 1.2 and above", "sslPolicy")


def _is_internal(balancer: Resource) -> bool:
    return same(balancer.get("internal", False), True)


@rule(
    "listener-http-redirected",
    section="ingress",
    severity="high",
    types=LISTENERS,
    scope="stack",
    lines=("001:64", "001:143"),
    why="A page served over plain HTTP gives its cookies and tokens to whoever listens.",
    fix=Fix(
        "ingress (Gonogo's redirects every HTTP request)",
        'aws.lb.Listener(default_actions=[{"type": "redirect", "redirect": {"protocol": "HTTPS", '
        '"port": "443", "status_code": "HTTP_301"}}])',
    ),
    reference=f"{_DOCS}create-https-listener.html",
)
def listener_redirects(listener: Resource, stack: Stack) -> Findings:
    """An internet-facing HTTP listener redirects to HTTPS, or refuses; it serves nothing."""
    protocol = str(listener.get("protocol", "HTTPS" if listener.has("certificateArn") else "HTTP"))
    if protocol.upper() != "HTTP":
        skip(f"speaks {protocol}")
    balancers = stack.referred(listener, "loadBalancerArn", *LOAD_BALANCERS)
    if balancers and all(_is_internal(balancer) for balancer in balancers):
        skip("inside the network only")
    actions = listener.get("defaultActions") or ()
    for action in actions:
        kind = str(action.get("type", ""))
        if kind == "fixed-response":
            continue
        if kind != "redirect":
            yield Finding(
                f"defaultActions: {kind or 'not set'}", "a redirect to HTTPS", "defaultActions"
            )
        elif (redirected := action.get("redirect")) is not None:
            target = str(redirected.get("protocol", "#{protocol}"))
            if target.upper() != "HTTPS":
                yield Finding(f"redirect.protocol: {target}", "HTTPS", "defaultActions")
    if not len(actions):
        yield Finding("defaultActions: not set", "a redirect to HTTPS", "defaultActions")


@rule(
    "load-balancer-rate-limited",
    section="ingress",
    severity="high",
    types=LOAD_BALANCERS,
    scope="stack",
    lines=("001:141",),
    why="Without a limit one address can take the service from everybody else.",
    fix=Fix(
        "ingress.rate_limits: {everywhere: {requests: 100, period_seconds: 60}}",
        "aws.wafv2.WebAclAssociation to an aws.wafv2.WebAcl with a rate_based_statement",
    ),
    reference="https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html",
    tiers=NOT_DEV,
)
def load_balancer_rate_limited(balancer: Resource, stack: Stack) -> Findings:
    """Each internet-facing application load balancer has a web ACL with a rate-based rule."""
    kind = str(balancer.get("loadBalancerType", "application"))
    if kind != "application":
        skip(f"WAF does not stand before a {kind} load balancer")
    if _is_internal(balancer):
        skip("inside the network only")
    associations = stack.referring(balancer, "resourceArn", ASSOCIATION)
    if not associations:
        yield Finding("no web ACL", "a web ACL with a rate-based rule", "webAclAssociation")
        return
    lists = [found for item in associations for found in stack.referred(item, "webAclArn", WEB_ACL)]
    if not lists:
        skip("its web ACL is not declared in this stack")
    for web_acl in lists:
        if not _limits_rate(web_acl):
            yield Finding(
                f"web ACL '{web_acl.name}' without a rate-based rule that blocks",
                "a rate-based rule whose action is block, challenge or captcha",
                "rules",
            )


def _limits_rate(web_acl: Resource) -> bool:
    if web_acl.has("ruleJson"):
        try:
            rules = json.loads(str(web_acl.get("ruleJson")))
        except ValueError as error:
            raise Undecidable(f"ruleJson is not valid JSON ({error})", "ruleJson") from error
        return any(_is_rate_rule(_lowered(item)) for item in rules)
    return any(_is_rate_rule(item) for item in web_acl.get("rules") or ())


def _lowered(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key[:1].lower() + key[1:]: value for key, value in item.items()}


def _is_rate_rule(item: Mapping[str, Any]) -> bool:
    statement = item.get("statement") or {}
    rate = statement.get("rateBasedStatement") or statement.get("RateBasedStatement")
    if rate is None:
        return False
    action = item.get("action") or {}
    return any(key.lower() in {"block", "challenge", "captcha"} for key in action)
