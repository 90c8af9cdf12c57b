"""The web ACL in front of the load balancer: rate limits by path, and AWS's managed rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi_aws import _utilities

from components.alarms import Topics, metric_alarm
from components.base import Component, Context, known
from systems.model import RateLimit

MANAGED_RULES = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesSQLiRuleSet",
    "AWSManagedRulesCommonRuleSet",
)

BLOCKED_IN_FIVE_MINUTES = 1000
"""Blocked requests that make an attack, or a rule that hits the innocent, worth a look."""


class Firewall(Component):
    """A web ACL, associated with one load balancer, logging what it does.

    An address above a rate limit is answered 429 until it slows down. A body of more than 8 kB,
    the most that WAF looks into before a load balancer, is refused except under `large_body_paths`.
    """

    def __init__(
        self,
        name: str,
        rate_limits: Mapping[str, RateLimit],
        load_balancer_arn: pulumi.Input[str],
        context: Context,
        topics: Topics | None = None,
        *,
        opts: pulumi.ResourceOptions | None = None,
        log_retention_days: int = 30,
        large_body_paths: Sequence[str] = (),
    ) -> None:
        super().__init__("Firewall", name, context, opts)
        self.acl_name = context.name(name)
        acl = self._acl(name, rate_limits, large_body_paths)
        aws.wafv2.WebAclAssociation(
            name,
            web_acl_arn=acl.arn,
            resource_arn=load_balancer_arn,
            opts=self.child(),
        )
        # WAF writes only to groups of this prefix.
        log_group_name = f"aws-waf-logs-{self.acl_name}"
        log_group = aws.cloudwatch.LogGroup(
            name,
            name=log_group_name,
            retention_in_days=log_retention_days,
            tags=self.tagged(log_group_name),
            opts=self.child(),
        )
        Wafv2(
            "WebAclLoggingConfiguration",
            name,
            {
                "resourceArn": acl.arn,
                "logDestinationConfigs": [
                    known(context.arn("logs", f"log-group:{log_group_name}"), log_group)
                ],
                "redactedFields": [
                    {"singleHeader": {"name": "authorization"}},
                    {"singleHeader": {"name": "cookie"}},
                ],
            },
            self.child(),
        )
        metric_alarm(
            self,
            f"{name}-blocked",
            topics=topics,
            severity="warning",
            description=f"WAF blocked more than {BLOCKED_IN_FIVE_MINUTES} requests in 5 minutes.",
            runbook="load-balancer",
            namespace="AWS/WAFV2",
            metric="BlockedRequests",
            statistic="Sum",
            period_seconds=300,
            dimensions={"WebACL": self.acl_name, "Region": context.region, "Rule": "ALL"},
            threshold=BLOCKED_IN_FIVE_MINUTES,
            missing_data="notBreaching",
        )
        self.register_outputs({"name": self.acl_name})

    def _acl(
        self, name: str, rate_limits: Mapping[str, RateLimit], large_body_paths: Sequence[str]
    ) -> Wafv2:
        rules = [
            _rate_rule(priority, key, limit)
            for priority, (key, limit) in enumerate(rate_limits.items(), start=1)
        ]
        rules.extend(
            _managed_rule(priority, group)
            for priority, group in enumerate(MANAGED_RULES, start=len(rules) + 1)
        )
        if large_body_paths:
            _let_bodies_through(rules, large_body_paths)
        return Wafv2(
            "WebAcl",
            name,
            {
                "name": self.acl_name,
                "description": "Rate limits by path and AWS managed rules",
                "scope": "REGIONAL",
                "defaultAction": {"allow": {}},
                "rules": rules,
                "visibilityConfig": _visibility(self.acl_name),
                "tags": self.tagged(self.acl_name),
            },
            self.child(),
        )


class Wafv2(pulumi.CustomResource):
    """A resource of `aws:wafv2` by its properties' own names.

    The classes of `pulumi_aws` bring 90 000 lines of types with them, a third of a second in every
    preview; the resources are the same, in code as in the state.
    """

    arn: pulumi.Output[str]

    def __init__(
        self,
        kind: str,
        name: str,
        properties: dict[str, Any],
        opts: pulumi.ResourceOptions,
    ) -> None:
        # The version of pulumi_aws, so that no second provider is started beside the first.
        opts.version = _utilities.get_version()  # type: ignore[no-untyped-call]
        file = kind[0].lower() + kind[1:]
        outputs = {"arn": None} if kind == "WebAcl" else {}
        super().__init__(f"aws:wafv2/{file}:{kind}", name, {**properties, **outputs}, opts)


def _rate_rule(priority: int, name: str, limit: RateLimit) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "limit": limit.requests,
        "evaluationWindowSec": limit.period_seconds,
        "aggregateKeyType": "CUSTOM_KEYS" if limit.by_header else "IP",
    }
    if limit.by_header:
        statement["customKeys"] = [
            {
                "header": {
                    "name": limit.by_header,
                    "textTransformations": [{"priority": 0, "type": "NONE"}],
                }
            }
        ]
    if limit.path_prefix != "/":
        statement["scopeDownStatement"] = _path_begins(limit.path_prefix, _AS_WRITTEN)
    return {
        "name": f"rate-{name}",
        "priority": priority,
        "action": {"block": {"customResponse": {"responseCode": 429}}},
        "statement": {"rateBasedStatement": statement},
        "visibilityConfig": _visibility(f"rate-{name}"),
    }


# Else /%61pi and /API would pass uncounted.
_AS_WRITTEN = ("URL_DECODE", "LOWERCASE")
# Else /uploads/../trades would pass as an upload.
_AS_MEANT = ("URL_DECODE", "NORMALIZE_PATH", "LOWERCASE")


def _path_begins(prefix: str, transformations: Sequence[str]) -> dict[str, Any]:
    return {
        "byteMatchStatement": {
            "fieldToMatch": {"uriPath": {}},
            "positionalConstraint": "STARTS_WITH",
            "searchString": prefix.lower(),
            "textTransformations": [
                {"priority": priority, "type": kind}
                for priority, kind in enumerate(transformations)
            ],
        }
    }


_BODY_RULES = "AWSManagedRulesCommonRuleSet"
_BODY_RULE = "SizeRestrictions_BODY"
_BODY_LABEL = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"


def _let_bodies_through(rules: list[dict[str, Any]], paths: Sequence[str]) -> None:
    """AWS's rule only marks large bodies; one of ours, after it, refuses them elsewhere.

    https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
    """
    managed = next(rule for rule in rules if rule["name"] == _BODY_RULES)
    managed["statement"]["managedRuleGroupStatement"]["ruleActionOverrides"] = [
        {"name": _BODY_RULE, "actionToUse": {"count": {}}}
    ]
    begins = [_path_begins(path, _AS_MEANT) for path in paths]
    allowed = begins[0] if len(begins) == 1 else {"orStatement": {"statements": begins}}
    name = "large-bodies"
    rules.append(
        {
            "name": name,
            "priority": len(rules) + 1,
            "action": {"block": {"customResponse": {"responseCode": 413}}},
            "statement": {
                "andStatement": {
                    "statements": [
                        {"labelMatchStatement": {"scope": "LABEL", "key": _BODY_LABEL}},
                        {"notStatement": {"statement": allowed}},
                    ]
                }
            },
            "visibilityConfig": _visibility(name),
        }
    )


def _managed_rule(priority: int, group: str) -> dict[str, Any]:
    return {
        "name": group,
        "priority": priority,
        "overrideAction": {"none": {}},
        "statement": {"managedRuleGroupStatement": {"vendorName": "AWS", "name": group}},
        "visibilityConfig": _visibility(group),
    }


def _visibility(metric: str) -> dict[str, Any]:
    return {
        "cloudwatchMetricsEnabled": True,
        "metricName": metric,
        "sampledRequestsEnabled": True,
    }
