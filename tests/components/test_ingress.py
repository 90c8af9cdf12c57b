"""The way in: load balancer, TLS, web ACL, access logs."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from components.ingress import Ingress
from components.network import Network
from systems import model
from tests.components.parts import ALARM, INGRESS, statements, topics
from tests.components.recording import ACCOUNT, CONTEXT, REGION, UNKNOWN, Record, Records, record

LISTENER = "aws:lb/listener:Listener"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
BUCKET = "atc-prod-ingress-logs-000000000000-us-east-1"
GIVEN = "arn:aws:acm:us-east-1:000000000000:certificate/given"


def declared(args: model.Ingress = INGRESS, *, preview: bool = True) -> Records:
    def program() -> None:
        network = Network("network", model.Network(), CONTEXT)
        Ingress("ingress", args, CONTEXT, network, topics())

    return record(program, preview=preview)


@cache
def usual() -> Records:
    return declared()


@cache
def made() -> Records:
    return declared(preview=False)


def changed(**changes: Any) -> model.Ingress:
    return INGRESS.model_copy(update=changes)


def rule(records: Records, name: str) -> dict[str, Any]:
    rules = {one["name"]: one for one in records.one(WEB_ACL).inputs["rules"]}
    found: dict[str, Any] = rules[name]
    return found


def test_the_load_balancer_is_hardened() -> None:
    balancer = usual().one("aws:lb/loadBalancer:LoadBalancer")
    assert balancer.inputs["dropInvalidHeaderFields"] is True
    assert balancer.inputs["enableDeletionProtection"] is True
    assert balancer.inputs["desyncMitigationMode"] == "defensive"
    assert balancer.inputs["idleTimeout"] == 60
    assert balancer.inputs["accessLogs"] == {"bucket": BUCKET, "enabled": True}
    assert balancer.protect is True
    assert len(balancer.inputs["name"]) <= 32


def test_https_with_a_policy_and_nothing_by_default() -> None:
    https = usual().one(LISTENER, "ingress-https").inputs
    assert (https["port"], https["protocol"]) == (443, "HTTPS")
    assert https["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    (action,) = https["defaultActions"]
    assert action["type"] == "fixed-response"
    assert action["fixedResponse"]["statusCode"] == "404"


def test_http_only_redirects() -> None:
    (action,) = usual().one(LISTENER, "ingress-http").inputs["defaultActions"]
    assert action["redirect"] == {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}


def test_security_headers() -> None:
    https = usual().one(LISTENER, "ingress-https").inputs
    assert https["routingHttpResponseStrictTransportSecurityHeaderValue"].startswith(
        "max-age=31536000"
    )
    assert https["routingHttpResponseXContentTypeOptionsHeaderValue"] == "nosniff"
    assert https["routingHttpResponseXFrameOptionsHeaderValue"] == "DENY"
    policy = https["routingHttpResponseContentSecurityPolicyHeaderValue"]
    assert "frame-ancestors 'none'" in policy
    assert https["routingHttpResponseServerEnabled"] is False


def test_without_security_headers_none_is_set() -> None:
    https = declared(changed(security_headers=False)).one(LISTENER, "ingress-https").inputs
    assert not [key for key in https if key.endswith("HeaderValue")]


def test_only_the_load_balancer_is_open_to_the_internet() -> None:
    rules = usual().all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    world = {
        one.name: one.inputs["fromPort"]
        for one in rules
        if one.inputs.get("cidrIpv4") == "0.0.0.0/0"
    }
    assert world == {"ingress-443": 443, "ingress-80": 80}
    # Where it may go, each service says for itself.
    assert usual().all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") == []


def test_the_certificate_is_proved_in_the_zone() -> None:
    certificate = made().one("aws:acm/certificate:Certificate").inputs
    assert certificate["domainName"] == "trading.example.com"
    assert certificate["validationMethod"] == "DNS"
    proof = made().one("aws:route53/record:Record", "ingress-proof").inputs
    assert (proof["name"], proof["type"]) == ("_proof.example.com", "CNAME")
    assert proof["records"] == ["_value.acm-validations.aws"]
    validation = made().one("aws:acm/certificateValidation:CertificateValidation").inputs
    assert validation["certificateArn"].startswith("arn:aws:acm")


def test_a_given_certificate_needs_no_proof() -> None:
    records = declared(changed(certificate_arn=GIVEN, hosted_zone_id=None))
    assert records.one(LISTENER, "ingress-https").inputs["certificateArn"] == GIVEN
    assert records.all("aws:acm/certificate:Certificate") == []
    assert records.all("aws:route53/record:Record") == []


def test_the_domain_leads_to_the_load_balancer() -> None:
    alias = made().one("aws:route53/record:Record", "ingress").inputs
    assert (alias["name"], alias["type"]) == ("trading.example.com", "A")
    assert alias["aliases"][0]["zoneId"] == "Z0000000000"
    assert alias["aliases"][0]["evaluateTargetHealth"] is True


def test_an_address_above_the_limit_is_answered_429() -> None:
    found = rule(usual(), "rate-api")
    assert found["action"] == {"block": {"customResponse": {"responseCode": 429}}}
    statement = found["statement"]["rateBasedStatement"]
    assert (statement["limit"], statement["evaluationWindowSec"]) == (100, 60)
    assert statement["aggregateKeyType"] == "IP"


def test_a_limit_holds_for_its_paths_however_they_are_written() -> None:
    match = rule(usual(), "rate-api")["statement"]["rateBasedStatement"]["scopeDownStatement"][
        "byteMatchStatement"
    ]
    assert (match["searchString"], match["positionalConstraint"]) == ("/api/", "STARTS_WITH")
    assert [one["type"] for one in match["textTransformations"]] == ["URL_DECODE", "LOWERCASE"]


def test_a_limit_on_everything_has_no_scope() -> None:
    limits = {"all": model.RateLimit(requests=500, period_seconds=300)}
    statement = rule(declared(changed(rate_limits=limits)), "rate-all")["statement"]
    assert "scopeDownStatement" not in statement["rateBasedStatement"]
    assert statement["rateBasedStatement"]["evaluationWindowSec"] == 300


def test_a_limit_may_count_users_instead_of_addresses() -> None:
    limit = model.RateLimit(requests=20, path_prefix="/api/orders", by_header="authorization")
    statement = rule(declared(changed(rate_limits={"trades": limit})), "rate-trades")["statement"]
    rate = statement["rateBasedStatement"]
    assert rate["aggregateKeyType"] == "CUSTOM_KEYS"
    (key,) = rate["customKeys"]
    assert key["header"]["name"] == "authorization"
    assert key["header"]["textTransformations"] == [{"priority": 0, "type": "NONE"}]
    assert rate["scopeDownStatement"]["byteMatchStatement"]["searchString"] == "/api/orders"


def test_the_managed_rules_come_after_the_limits() -> None:
    rules = usual().one(WEB_ACL).inputs["rules"]
    assert [one["priority"] for one in rules] == [1, 2, 3, 4, 5]
    assert [one["name"] for one in rules] == [
        "rate-api",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesSQLiRuleSet",
        "AWSManagedRulesCommonRuleSet",
    ]
    assert {str(one["overrideAction"]) for one in rules[1:]} == {"{'none': {}}"}


def test_large_bodies_pass_where_uploads_are_and_nowhere_else() -> None:
    records = declared(changed(large_body_paths=("/api/uploads/", "/api/Imports/")))
    group = rule(records, "AWSManagedRulesCommonRuleSet")["statement"]["managedRuleGroupStatement"]
    assert group["ruleActionOverrides"] == [
        {"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}
    ]
    found = rule(records, "large-bodies")
    assert found["priority"] == 6, "after AWS's rules, whose label it reads"
    assert found["action"] == {"block": {"customResponse": {"responseCode": 413}}}
    label, elsewhere = found["statement"]["andStatement"]["statements"]
    assert label["labelMatchStatement"]["key"].endswith("SizeRestrictions_Body")
    allowed = elsewhere["notStatement"]["statement"]["orStatement"]["statements"]
    matches = [one["byteMatchStatement"] for one in allowed]
    assert [one["searchString"] for one in matches] == ["/api/uploads/", "/api/imports/"]
    for one in matches:
        kinds = [item["type"] for item in one["textTransformations"]]
        assert kinds == ["URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"]


def test_aws_refuses_large_bodies_where_no_path_is_named() -> None:
    group = rule(usual(), "AWSManagedRulesCommonRuleSet")["statement"]["managedRuleGroupStatement"]
    assert "ruleActionOverrides" not in group


def test_the_web_acl_has_the_properties_of_the_provider() -> None:
    """It is registered by hand, so nothing but this checks its keys."""
    import pulumi_aws as aws
    from pulumi._types import input_type_py_to_pulumi_names

    known = set(input_type_py_to_pulumi_names(aws.wafv2.WebAclArgs).values())
    assert set(usual().one(WEB_ACL).inputs) <= known
    rule_keys = set(input_type_py_to_pulumi_names(aws.wafv2.WebAclRuleArgs).values())
    for one in usual().one(WEB_ACL).inputs["rules"]:
        assert set(one) <= rule_keys
    rate_keys = set(
        input_type_py_to_pulumi_names(aws.wafv2.WebAclRuleStatementRateBasedStatementArgs).values()
    )
    assert set(rule(usual(), "rate-api")["statement"]["rateBasedStatement"]) <= rate_keys


def test_the_web_acl_guards_the_load_balancer() -> None:
    association = made().one("aws:wafv2/webAclAssociation:WebAclAssociation").inputs
    assert association["resourceArn"].endswith("atc-prod-ingress-made")
    assert association["webAclArn"].endswith("atc-prod-ingress-firewall-made")


def test_what_the_web_acl_does_is_logged_without_credentials() -> None:
    found = usual().one("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration").inputs
    group = "aws-waf-logs-atc-prod-ingress-firewall"
    assert found["logDestinationConfigs"] == [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"]
    assert [one["singleHeader"]["name"] for one in found["redactedFields"]] == [
        "authorization",
        "cookie",
    ]
    kept = usual().one("aws:cloudwatch/logGroup:LogGroup", "ingress-firewall").inputs
    assert (kept["name"], kept["retentionInDays"]) == (group, 30)


def bucket(kind: str) -> Record:
    return usual().one(f"aws:s3/bucket{kind}")


def test_access_logs_are_private_encrypted_and_end() -> None:
    block = bucket("PublicAccessBlock:BucketPublicAccessBlock").inputs
    assert {key: value for key, value in block.items() if key != "bucket"} == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    encryption = bucket(
        "ServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs
    assert encryption["rules"][0]["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "AES256"
    }
    (lifecycle,) = bucket("LifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert lifecycle["expiration"] == {"days": 90}
    # Protected systems keep their logs even when the bucket is to go.
    assert bucket(":Bucket").inputs["forceDestroy"] is False


def test_only_log_delivery_writes_and_only_over_tls() -> None:
    delivery, tls = statements(bucket("Policy:BucketPolicy"))
    assert delivery["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert delivery["Resource"] == f"arn:aws:s3:::{BUCKET}/AWSLogs/{ACCOUNT}/*"
    assert (tls["Effect"], tls["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_the_load_balancer_waits_for_its_bucket_and_the_internet() -> None:
    balancer = made().one("aws:lb/loadBalancer:LoadBalancer")
    needed = {made().by_urn(urn).type for urn in balancer.dependencies}
    assert {"aws:s3/bucketPolicy:BucketPolicy", "aws:ec2/internetGateway:InternetGateway"} <= needed


@pytest.mark.parametrize(
    ("name", "metric", "threshold", "severity"),
    [
        ("ingress-errors", "HTTPCode_ELB_5XX_Count", 10, "critical"),
        ("ingress-connection-errors", "TargetConnectionErrorCount", 10, "warning"),
        ("ingress-rejected", "RejectedConnectionCount", 0, "warning"),
        ("ingress-certificate", "DaysToExpiry", 30, "warning"),
        ("ingress-firewall-blocked", "BlockedRequests", 1000, "warning"),
    ],
)
def test_alarms(name: str, metric: str, threshold: float, severity: str) -> None:
    found = usual().one(ALARM, name).inputs
    assert (found["metricName"], found["threshold"]) == (metric, threshold)
    assert found["alarmActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:atc-prod-alerts-{severity}"]


def test_the_certificates_alarm_is_below_its_threshold() -> None:
    found = usual().one(ALARM, "ingress-certificate").inputs
    assert found["comparisonOperator"] == "LessThanThreshold"
    assert found["dimensions"] == {"CertificateArn": UNKNOWN}
