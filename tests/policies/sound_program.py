"""A small production system on raw pulumi_aws that no rule has anything against.

Run as a Pulumi program with `MUTANT` defined before it: `m(name, sound, broken)` gives the broken
value to the mutant of that name, and the sound one to all others.
"""

SOURCE = """
def m(name, sound, broken):
    return broken if MUTANT == name else sound

def trust(service, principal=None):
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": principal or {"Service": f"{service}.amazonaws.com"}}]})

A, R = "000000000000", "us-east-1"
DIGEST = "@sha256:" + "a" * 64
key = aws.kms.Key("key", enable_key_rotation=m("kms-key-rotated", True, False))
topic = aws.sns.Topic("topic", name="alerts")
if m("alarm-topic-has-subscription", True, False):
    aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="a@b.example")

def alarm(name, metric, namespace, dimensions):
    actions = [] if name == "queue" and MUTANT == "alarm-has-action" else [topic.arn]
    aws.cloudwatch.MetricAlarm(name, name=name, comparison_operator="GreaterThanThreshold",
        evaluation_periods=1, threshold=1, period=60, statistic="Average", metric_name=metric,
        namespace=namespace, dimensions=dimensions, alarm_actions=actions)

alarm("queue", "Depth", "app", {"queue": "work"})

# Database
params = aws.rds.ParameterGroup("params", name="params", family="postgres14", parameters=[
    {"name": "rds.force_ssl", "value": m("database-tls-enforced", "1", "0")},
    {"name": "statement_timeout", "value": m("database-statement-timeout", "30000", "0")}])
aws.rds.Instance("db", identifier="main", engine="postgres", engine_version="14.12",
    instance_class="db.m7g.large", allocated_storage=20, username="administrator",
    manage_master_user_password=True, parameter_group_name="params",
    multi_az=m("database-multi-az", True, False),
    backup_retention_period=m("database-backup-retention", 7, 6),
    storage_encrypted=m("database-encrypted-at-rest", True, False),
    publicly_accessible=m("database-not-public", False, True),
    deletion_protection=m("database-deletion-protection", True, False))
if m("database-has-alarms", True, None):
    alarm("storage", "FreeStorageSpace", "AWS/RDS", {"DBInstanceIdentifier": "main"})
    if m("database-connections-alarm", True, False):
        alarm("connections", "DatabaseConnections", "AWS/RDS", {"DBInstanceIdentifier": "main"})

# Cache
aws.elasticache.ReplicationGroup("cache", replication_group_id="cache", description="cache",
    engine="redis", num_cache_clusters=2, automatic_failover_enabled=True,
    multi_az_enabled=m("cache-multi-az", True, False),
    at_rest_encryption_enabled=m("cache-encrypted-at-rest", True, False),
    transit_encryption_enabled=m("cache-encrypted-in-transit", True, False),
    user_group_ids=m("cache-authenticated", ["users"], None))
if m("cache-has-alarms", True, False):
    alarm("memory", "DatabaseMemoryUsagePercentage", "AWS/ElastiCache",
        {"CacheClusterId": "cache-001"})

# Secrets
secret = aws.secretsmanager.Secret("token", name="app/heartbeat-token")
other = aws.secretsmanager.Secret("broker", name="app/broker")
for name, entry, days in (("token", secret, m("bearer-token-rotated-monthly", 30, 60)),
                          ("broker", other, m("secret-rotated", 90, 120))):
    aws.secretsmanager.SecretRotation(name, secret_id=entry.id, rotation_lambda_arn="arn:aws:x",
        rotation_rules={"automatically_after_days": days})
aws.ssm.Parameter("level", name="/app/" + m("parameter-no-plaintext-secrets", "level", "api-key"),
    type="String", value="INFOINFO")
aws.cloudwatch.EventConnection("call", authorization_type="API_KEY", auth_parameters={"api_key": {
    "key": "Authorization", "value": m("secret-value-marked", pulumi.Output.secret("x"), "x")}})

# Compute
role = aws.iam.Role("role", assume_role_policy=trust("ecs-tasks",
    m("role-trust-not-public", None, "*")))
aws.iam.RolePolicy("policy", role="role", policy=json.dumps({"Statement": [
    {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
    {"Effect": "Allow", "Action": m("iam-no-wildcards", "logs:PutLogEvents", "logs:*"),
     "Resource": "*"}]}))
container = {"name": "web", "image": "r/web" + m("image-pinned-by-digest", DIGEST, ":1"),
    "command": ["serve", "--password", m("command-no-secrets", "$PASSWORD", "hunter2")],
    "environment": [
        {"name": m("environment-no-secrets", "LOG_LEVEL", "API_KEY"), "value": "INFOINFO"},
        {"name": "CORS_ORIGINS", "value": m("cors-no-wildcard", "https://a.example", "*")}],
    "healthCheck": m("container-health-check", {"command": ["CMD", "true"]}, None),
    "logConfiguration": m("container-logs-shipped", {"logDriver": "awslogs"}, None)}
task = aws.ecs.TaskDefinition("task", family="web", container_definitions=json.dumps([container]))
service = aws.ecs.Service("service", name="web", task_definition=task.arn, desired_count=2,
    deployment_circuit_breaker={"enable": True,
        "rollback": m("service-deployment-rolls-back", True, False)})
if m("service-has-alarms", True, False):
    alarm("cpu", "CPUUtilization", "AWS/ECS", {"ServiceName": service.name})
aws.ecr.Repository("web", image_tag_mutability=m("image-tags-immutable", "IMMUTABLE", "MUTABLE"),
    image_scanning_configuration={"scan_on_push": m("image-scanned-on-push", True, False)})
aws.cloudwatch.LogGroup("logs", retention_in_days=m("log-group-retention", 30, 14))
aws.ec2.LaunchTemplate("bastion", user_data=m("user-data-no-secrets", "ZWNobyBoZWxsbw==",
    "ZXhwb3J0IERCX1BBU1NXT1JEPWh1bnRlcjI="))

# Ingress
group = aws.ec2.SecurityGroup("group", tags={
    "owner": m("tags-no-secrets", "platform", "AKIA" + "QYLPMN5HFIQR7XYA")})
aws.vpc.SecurityGroupIngressRule("https", security_group_id=group.id, ip_protocol="tcp",
    cidr_ipv4="0.0.0.0/0", from_port=m("security-group-not-open", 443, 8443),
    to_port=m("security-group-not-open", 443, 8443))
balancer = aws.lb.LoadBalancer("balancer", security_groups=[group.id], subnets=["a", "b"])
targets = aws.lb.TargetGroup("targets", port=80, protocol="HTTP",
    health_check=m("target-group-health-check", {"path": "/health/ready"}, None))
aws.lb.Listener("https", load_balancer_arn=balancer.arn, port=443, protocol="HTTPS",
    ssl_policy=m("listener-tls-modern", "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "ELBSecurityPolicy-2016-08"),
    default_actions=[{"type": "forward", "target_group_arn": targets.arn}])
aws.lb.Listener("http", load_balancer_arn=balancer.arn, port=80, protocol="HTTP",
    default_actions=[m("listener-http-redirected",
        {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443",
            "status_code": "HTTP_301"}},
        {"type": "forward", "target_group_arn": targets.arn})])
acl = aws.wafv2.WebAcl("acl", scope="REGIONAL", default_action={"allow": {}}, visibility_config={
    "cloudwatch_metrics_enabled": True, "metric_name": "acl", "sampled_requests_enabled": True},
    rules=[] if MUTANT == "load-balancer-rate-limited" else [{"name": "rate", "priority": 1,
        "action": {"block": {}}, "statement": {"rate_based_statement": {"limit": 100,
            "aggregate_key_type": "IP"}}, "visibility_config": {"metric_name": "rate",
            "cloudwatch_metrics_enabled": True, "sampled_requests_enabled": True}}])
aws.wafv2.WebAclAssociation("acl", resource_arn=balancer.arn, web_acl_arn=acl.arn)
if m("load-balancer-has-alarms", True, False):
    alarm("errors", "HTTPCode_Target_5XX_Count", "AWS/ApplicationELB",
        {"LoadBalancer": balancer.arn_suffix})

# Storage
bucket = aws.s3.Bucket("bucket", bucket="app-bucket")
aws.s3.BucketPublicAccessBlock("block", bucket=bucket.id, block_public_acls=True,
    block_public_policy=m("bucket-public-access-blocked", True, False), ignore_public_acls=True,
    restrict_public_buckets=True)
pulumi.export(m("output-no-plaintext-secrets", "release", "password"), "hunter2")
"""
