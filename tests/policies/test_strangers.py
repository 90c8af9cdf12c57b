"""Programs as strangers write them, on raw pulumi_aws, under the real engine.

What the pack says of each is what an expert would agree with: no more, no less.
"""

from __future__ import annotations

import pytest

from tests.policies.conftest import EngineRun

pytestmark = pytest.mark.slow

TRUST = (
    'json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": '
    '"sts:AssumeRole", "Principal": {"Service": "%s.amazonaws.com"}}]})'
)

STATIC_SITE = """
    site = aws.s3.Bucket("site")
    aws.s3.BucketPublicAccessBlock("block", bucket=site.id, block_public_acls=True,
        block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True)
    logs = aws.s3.Bucket("logs", bucket="stranger-logs")
    access = aws.cloudfront.OriginAccessControl("access", origin_access_control_origin_type="s3",
        signing_behavior="always", signing_protocol="sigv4")
    cdn = aws.cloudfront.Distribution("cdn", enabled=True, restrictions={"geo_restriction":
        {"restriction_type": "none"}}, viewer_certificate={"cloudfront_default_certificate": True},
        origins=[{"domain_name": site.bucket_regional_domain_name, "origin_id": "s3",
            "origin_access_control_id": access.id}],
        default_cache_behavior={"target_origin_id": "s3", "allowed_methods": ["GET", "HEAD"],
            "cached_methods": ["GET", "HEAD"], "viewer_protocol_policy": "redirect-to-https"})
    pulumi.export("url", cdn.domain_name)
    pulumi.export("bucket", site.id)
"""

FUNCTION = f"""
    role = aws.iam.Role("role", assume_role_policy={TRUST % "lambda"})
    aws.iam.RolePolicyAttachment("basic", role=role.name,
        policy_arn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    table = aws.dynamodb.Table("orders", name="orders", billing_mode="PAY_PER_REQUEST",
        hash_key="id", attributes=[{{"name": "id", "type": "S"}}])
    aws.iam.RolePolicy("access", role=role.id, policy=json.dumps({{"Statement": {{"Effect": "Allow",
        "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
        "Resource": "arn:aws:dynamodb:us-east-1:000000000000:table/orders"}}}}))
    aws.lambda_.Function("api", role=role.arn, runtime="python3.12", handler="app.handler",
        code=pulumi.AssetArchive({{"app.py": pulumi.StringAsset("def handler(*_): pass")}}),
        environment={{"variables": {{"TABLE_NAME": table.name, "TOKEN_TTL_SECONDS": "60"}}}})
    aws.cloudwatch.LogGroup("logs", name="/aws/lambda/api")
    pulumi.export("table", table.name)
"""

FARGATE = f"""
    group = aws.ec2.SecurityGroup("web", ingress=[{{"protocol": "tcp", "from_port": 80,
        "to_port": 80, "cidr_blocks": ["0.0.0.0/0"]}}], egress=[{{"protocol": "-1", "from_port": 0,
        "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}}])
    balancer = aws.lb.LoadBalancer("balancer", security_groups=[group.id], subnets=["a", "b"])
    targets = aws.lb.TargetGroup("targets", port=80, protocol="HTTP", target_type="ip", vpc_id="v")
    aws.lb.Listener("http", load_balancer_arn=balancer.arn, port=80, default_actions=[
        {{"type": "forward", "target_group_arn": targets.arn}}])
    role = aws.iam.Role("role", assume_role_policy={TRUST % "ecs-tasks"})
    task = aws.ecs.TaskDefinition("task", family="web", execution_role_arn=role.arn,
        container_definitions=json.dumps([{{"name": "web", "image": "nginx", "portMappings":
            [{{"containerPort": 80}}]}}]))
    aws.ecs.Service("service", task_definition=task.arn, desired_count=2, launch_type="FARGATE")
    pulumi.export("url", balancer.dns_name)
"""

WEB_SERVER = """
    group = aws.ec2.SecurityGroup("web")
    for port in (80, 443):
        aws.vpc.SecurityGroupIngressRule(f"in-{port}", security_group_id=group.id,
            cidr_ipv4="0.0.0.0/0", ip_protocol="tcp", from_port=port, to_port=port)
    aws.vpc.SecurityGroupEgressRule("out", security_group_id=group.id, cidr_ipv4="0.0.0.0/0",
        ip_protocol="-1")
    aws.ec2.SecurityGroupRule("ssh", security_group_id=group.id, type="ingress", protocol="tcp",
        from_port=22, to_port=22, cidr_blocks=["0.0.0.0/0"])
    server = aws.ec2.Instance("server", ami="ami-0", instance_type="t3.micro",
        vpc_security_group_ids=[group.id], tags={"Name": "web"},
        user_data="#!/bin/bash\\ndnf install -y nginx\\nsystemctl enable --now nginx\\n")
    pulumi.export("ip", server.public_ip)
"""

PROGRAMS = {
    "a static site": (STATIC_SITE, {("bucket-public-access-blocked", "logs")}),
    "a function and a table": (FUNCTION, {("log-group-retention", "logs")}),
    "a first Fargate service": (
        FARGATE,
        {
            ("container-health-check", "task"),
            ("container-logs-shipped", "task"),
            ("image-pinned-by-digest", "task"),
            ("listener-http-redirected", "http"),
            ("load-balancer-has-alarms", "balancer"),
            ("load-balancer-rate-limited", "balancer"),
            ("service-deployment-rolls-back", "service"),
            ("service-has-alarms", "service"),
            ("target-group-health-check", "targets"),
        },
    ),
    "a web server": (WEB_SERVER, {("security-group-not-open", "ssh")}),
}


@pytest.mark.parametrize(("program", "expected"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_strangers_program(
    shared_engine: EngineRun, program: str, expected: set[tuple[str, str]]
) -> None:
    shared_engine.program(program)
    ran = shared_engine.run("preview")
    verdicts = ran.report["verdicts"]
    assert {(v["rule"], v["name"]) for v in verdicts if v["outcome"] == "fail"} == expected
    assert [v for v in verdicts if v["outcome"] == "undecided"] == []
    assert ran.report["complete"]
    assert "Traceback" not in ran.output
