"""A service: its task, its way in, its deployment, its alarms."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import pytest

from components.network import Network
from components.redis import Redis
from components.service import Service
from components.task import Platform
from systems import model
from tests.components.parts import (
    ALARM,
    DIGEST,
    ECS_SERVICE,
    ROLE_POLICY,
    SERVICE,
    TASK,
    containers,
    platform,
    references,
    statements,
    variables,
)
from tests.components.recording import ACCOUNT, CONTEXT, REGION, UNKNOWN, Records, record

SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:atc-prod"


def declared(args: model.Service = SERVICE, *, preview: bool = True, **more: Any) -> Records:
    return record(lambda: Service("web", args, CONTEXT, platform(**more)), preview=preview)


def without_nat() -> Platform:
    there = platform()
    network = Network("open", model.Network(nat_gateways="none"), CONTEXT)
    return dataclasses.replace(there, network=network)


@cache
def usual() -> Records:
    return declared()


def changed(**changes: Any) -> model.Service:
    return SERVICE.model_copy(update=changes)


def test_the_task_definition_is_known_at_preview() -> None:
    web = containers(usual(), "web")["web"]
    assert web["image"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/atc/app@{DIGEST}"
    assert web["portMappings"] == [{"containerPort": 8080, "protocol": "tcp", "name": "http"}]


def test_an_image_from_elsewhere_is_taken_as_written() -> None:
    records = declared(changed(image=f"public.ecr.aws/x/app@{DIGEST}"))
    assert containers(records, "web")["web"]["image"] == f"public.ecr.aws/x/app@{DIGEST}"
    actions = str(statements(records.one(ROLE_POLICY, "web-execution")))
    assert "ecr:" not in actions


def test_secrets_are_references() -> None:
    web = containers(usual(), "web")["web"]
    assert references(web) == {
        "DATABASE_URL": f"{SECRETS}/main/application:url::",
        "TOKEN": f"{SECRETS}/token",
        "PROVIDER_KEY": f"{SECRETS}/provider:api_key::",
    }


def test_the_application_is_told_where_it_is() -> None:
    found = variables(containers(usual(), "web")["web"])
    assert found == {
        "SYSTEM": "atc",
        "TIER": "prod",
        "WORKLOAD": "web",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "json",
        "METRICS_NAMESPACE": "atc/prod",
        "PORT": "8080",
        "NODE_ENV": "production",
    }


def test_a_workloads_own_variables_win() -> None:
    args = changed(environment={"CORS_ORIGINS": "mine", "LOG_LEVEL": "DEBUG"})
    records = declared(args, environment={"CORS_ORIGINS": "the system's", "RETRIES": "3"})
    found = variables(containers(records, "web")["web"])
    assert (found["CORS_ORIGINS"], found["LOG_LEVEL"], found["RETRIES"]) == ("mine", "DEBUG", "3")


def test_the_container_is_locked_down() -> None:
    web = containers(usual(), "web")["web"]
    assert web["readonlyRootFilesystem"] is True
    assert web["linuxParameters"] == {
        "initProcessEnabled": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert web["mountPoints"] == [{"sourceVolume": "tmp", "containerPath": "/tmp"}]
    assert usual().one(TASK).inputs["volumes"] == [{"name": "tmp"}]


def test_the_container_is_asked_for_its_liveness() -> None:
    check = containers(usual(), "web")["web"]["healthCheck"]
    assert check["command"][0] == "CMD-SHELL"
    assert check["command"][1].count("http://127.0.0.1:8080/health ") == 2
    assert (check["interval"], check["timeout"], check["retries"], check["startPeriod"]) == (
        15,
        5,
        3,
        30,
    )


def test_a_health_command_of_its_own_wins() -> None:
    args = changed(health=model.ContainerHealth(command="node check.js"))
    check = containers(declared(args), "web")["web"]["healthCheck"]
    assert check["command"] == ["CMD-SHELL", "node check.js"]


def test_the_load_balancer_asks_for_readiness() -> None:
    group = usual().one("aws:lb/targetGroup:TargetGroup")
    check = group.inputs["healthCheck"]
    assert (check["path"], check["matcher"]) == ("/health/ready", "200")
    assert check["timeout"] < check["interval"]
    assert group.inputs["name"] == "atc-prod-web-8080"
    assert group.inputs["targetType"] == "ip"


def test_a_long_name_is_cut_to_what_target_groups_allow() -> None:
    args, name = SERVICE, "a-service-with-a-very-long-name"[:30]
    records = record(lambda: Service(name, args, CONTEXT, platform()), preview=True)
    physical = records.one("aws:lb/targetGroup:TargetGroup").inputs["name"]
    assert len(physical) <= 32
    assert physical.startswith("atc-prod-a-service")


def test_logs_are_kept_and_never_hold_up_the_application() -> None:
    group = usual().one("aws:cloudwatch/logGroup:LogGroup", "web")
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == ("atc-prod/web", 30)
    options = containers(usual(), "web")["web"]["logConfiguration"]["options"]
    assert options["awslogs-group"] == "atc-prod/web"
    assert options["mode"] == "non-blocking"


def test_the_execution_role_reads_exactly_its_secrets() -> None:
    policy = statements(usual().one(ROLE_POLICY, "web-execution"))
    readable = {
        resource
        for statement in policy
        if statement["Action"] == "secretsmanager:GetSecretValue"
        for resource in statement["Resource"]
    }
    assert readable == {
        f"{SECRETS}/{name}{suffix}"
        for name in ("token", "provider", "main/application")
        for suffix in ("", "-??????")
    }
    logs = next(one for one in policy if "logs:PutLogEvents" in one["Action"])
    assert logs["Resource"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:atc-prod/web:*"
    everywhere = [one["Action"] for one in policy if one["Resource"] == "*"]
    assert everywhere == ["ecr:GetAuthorizationToken"]


def test_the_application_may_only_publish_its_own_metrics() -> None:
    (own,) = statements(usual().one(ROLE_POLICY, "tasks"))
    assert own["Action"] == "cloudwatch:PutMetricData"
    assert own["Condition"] == {"StringEquals": {"cloudwatch:namespace": "atc/prod"}}
    assert usual().one(TASK).inputs["taskRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/atc-prod-tasks"


def test_roles_are_assumed_by_tasks_of_this_account_only() -> None:
    role = usual().one("aws:iam/role:Role", "web-execution")
    (trust,) = statements(role, "assumeRolePolicy")
    assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_failed_deployment_is_taken_back() -> None:
    service = usual().one(ECS_SERVICE).inputs
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert service["alarms"] == {
        "alarmNames": ["atc-prod-web-error-rate"],
        "enable": True,
        "rollback": True,
    }
    assert service["waitForSteadyState"] is True
    assert service["deploymentMinimumHealthyPercent"] == 100
    assert service["deploymentMaximumPercent"] == 200


def test_the_tasks_are_private_and_pinned() -> None:
    service = usual().one(ECS_SERVICE).inputs
    network = service["networkConfiguration"]
    assert network["assignPublicIp"] is False
    assert network["subnets"] == [UNKNOWN] * 3
    assert service["platformVersion"] == "1.4.0"
    assert service["enableExecuteCommand"] is False
    assert service["propagateTags"] == "SERVICE"


def test_without_nat_tasks_have_public_addresses() -> None:
    without = record(
        lambda: Service("web", changed(databases=()), CONTEXT, without_nat()), preview=False
    )
    placed = without.one(ECS_SERVICE).inputs["networkConfiguration"]
    assert placed["assignPublicIp"] is True
    assert len(placed["subnets"]) == 3
    assert all("-public-" in subnet for subnet in placed["subnets"])


def test_scaling_owns_the_count() -> None:
    assert usual().one(ECS_SERVICE).ignore_changes == ("desiredCount",)
    target = usual().one("aws:appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 4)
    assert target["resourceId"] == "service/atc-prod/atc-prod-web"
    policy = usual().one("aws:appautoscaling/policy:Policy", "web-cpu").inputs
    tracking = policy["targetTrackingScalingPolicyConfiguration"]
    assert tracking["targetValue"] == 60
    assert tracking["predefinedMetricSpecification"] == {
        "predefinedMetricType": "ECSServiceAverageCPUUtilization"
    }


def test_without_scaling_the_count_is_pulumis() -> None:
    records = declared(changed(autoscaling=None))
    assert records.one(ECS_SERVICE).ignore_changes == ()
    assert records.all("aws:appautoscaling/target:Target") == []


def test_only_the_load_balancer_reaches_the_port() -> None:
    records = declared(preview=False)
    group = records.one("aws:ec2/securityGroup:SecurityGroup", "web")
    assert "ingress" not in group.inputs
    rule = records.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "web").inputs
    assert rule["securityGroupId"] == "web-id"
    assert rule["referencedSecurityGroupId"] == "ingress-id"
    assert (rule["fromPort"], rule["toPort"]) == (8080, 8080)
    back = records.one("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "web").inputs
    assert back["securityGroupId"] == "ingress-id"
    assert back["referencedSecurityGroupId"] == "web-id"


def test_the_database_is_reached_by_the_group_of_those_that_name_it() -> None:
    records = declared(preview=False)
    service = records.one(ECS_SERVICE).inputs
    assert service["networkConfiguration"]["securityGroups"] == ["tasks-main-id", "web-id"]
    egress = records.one(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "tasks-main-to-main"
    ).inputs
    assert (egress["fromPort"], egress["securityGroupId"]) == (5432, "tasks-main-id")
    assert "cidrIpv4" not in egress
    ingress = [
        one.inputs
        for one in records.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if one.inputs.get("referencedSecurityGroupId") == "tasks-main-id"
    ]
    assert [one["fromPort"] for one in ingress] == [5432]


def test_a_service_without_stores_reaches_none() -> None:
    records = declared(changed(databases=()), preview=False)
    groups = records.one(ECS_SERVICE).inputs["networkConfiguration"]["securityGroups"]
    assert groups == ["tasks-id", "web-id"]
    assert "DATABASE_URL" not in references(containers(records, "web")["web"])


def test_routes_become_rules_by_priority() -> None:
    records = declared(changed(default_route=True), preview=False)
    rules = {
        one.inputs["priority"]: one.inputs["conditions"][0]["pathPattern"]["values"]
        for one in records.all("aws:lb/listenerRule:ListenerRule")
    }
    assert rules == {10: ["/api/*"], 50000: ["/*"]}
    actions = records.one("aws:lb/listenerRule:ListenerRule", "web-10").inputs["actions"]
    assert actions[0]["targetGroupArn"].endswith("atc-prod-web-8080-made")


def test_sticky_sessions_when_asked() -> None:
    kept = declared(changed(sticky_seconds=600)).one("aws:lb/targetGroup:TargetGroup").inputs
    assert kept["stickiness"]["enabled"] is True
    assert kept["stickiness"]["cookieDuration"] == 600
    usually = usual().one("aws:lb/targetGroup:TargetGroup").inputs
    assert usually["stickiness"]["enabled"] is False


def test_it_has_its_alarms() -> None:
    found = {
        name: (
            one.inputs["threshold"],
            one.inputs["treatMissingData"],
            one.inputs["tags"]["severity"],
        )
        for name, one in usual().named(ALARM).items()
        if name.startswith("web-")
    }
    assert found == {
        "web-cpu": (85, "missing", "warning"),
        "web-memory": (90, "missing", "warning"),
        "web-tasks": (2, "breaching", "critical"),
        "web-unhealthy": (0, "notBreaching", "critical"),
        "web-error-rate": (1, "notBreaching", "critical"),
        "web-response-time": (2, "notBreaching", "warning"),
    }


def test_the_error_rate_is_failed_requests_of_all() -> None:
    queries = usual().one(ALARM, "web-error-rate").inputs["metricQueries"]
    by_id = {query["id"]: query for query in queries}
    assert by_id["requests"]["metric"]["metricName"] == "RequestCount"
    assert by_id["errors"]["metric"]["metricName"] == "HTTPCode_Target_5XX_Count"
    assert by_id["rate"]["expression"] == "100 * FILL(errors, 0) / requests"
    assert {query["metric"]["period"] for query in queries if "metric" in query} == {300}


def test_an_alarm_that_is_left_out_is_not_there() -> None:
    alarms = model.ServiceAlarms(error_rate_percent=None, response_p95_ms=None, cpu_percent=None)
    records = declared(changed(alarms=alarms))
    names = {name for name in records.named(ALARM) if name.startswith("web-")}
    assert names == {"web-memory", "web-tasks", "web-unhealthy"}
    assert "alarms" not in records.one(ECS_SERVICE).inputs


def test_load_may_wake_somebody() -> None:
    records = declared(changed(alarms=model.ServiceAlarms(load_severity="critical")))
    for part in ("cpu", "memory", "response-time"):
        assert records.one(ALARM, f"web-{part}").inputs["tags"]["severity"] == "critical"


@pytest.mark.parametrize(("percent", "minutes"), [(99.9, 2), (99, 15), (99.99, 1), (50, 721)])
def test_an_uptime_objective_is_so_many_minutes_of_a_day(percent: float, minutes: int) -> None:
    alarms = model.ServiceAlarms(daily_uptime_percent=percent)
    alarm = declared(changed(alarms=alarms)).one(ALARM, "web-daily-uptime").inputs
    assert (alarm["metricName"], alarm["statistic"]) == ("HealthyHostCount", "Maximum")
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert (alarm["period"], alarm["evaluationPeriods"]) == (60, 1440)
    assert alarm["datapointsToAlarm"] == minutes
    assert alarm["treatMissingData"] == "breaching"


def test_an_error_objective_is_over_a_day() -> None:
    alarms = model.ServiceAlarms(daily_error_rate_percent=0.1)
    alarm = declared(changed(alarms=alarms)).one(ALARM, "web-daily-errors").inputs
    by_id = {query["id"]: query for query in alarm["metricQueries"]}
    assert by_id["rate"]["expression"] == "100 * FILL(errors, 0) / requests"
    assert {one["metric"]["period"] for one in by_id.values() if "metric" in one} == {86400}
    assert (alarm["threshold"], alarm["treatMissingData"]) == (0.1, "notBreaching")
    assert alarm["tags"]["severity"] == "warning"


def test_load_is_an_alarm_after_as_many_minutes_as_are_said() -> None:
    alarms = model.ServiceAlarms(cpu_minutes=7, memory_minutes=3)
    records = declared(changed(alarms=alarms))
    for part, minutes in (("cpu", 7), ("memory", 3)):
        alarm = records.one(ALARM, f"web-{part}").inputs
        assert (alarm["period"], alarm["evaluationPeriods"]) == (60, minutes)
        assert f"for {minutes} minutes" in alarm["alarmDescription"]


def test_a_service_is_down_when_no_target_is_ready() -> None:
    alarm = declared(changed(alarms=model.ServiceAlarms(down_minutes=2))).one(ALARM, "web-down")
    found = alarm.inputs
    assert (found["metricName"], found["statistic"]) == ("HealthyHostCount", "Maximum")
    assert (found["comparisonOperator"], found["threshold"]) == ("LessThanThreshold", 1)
    assert (found["period"], found["evaluationPeriods"]) == (60, 2)
    assert found["treatMissingData"] == "breaching"
    assert found["tags"]["severity"] == "critical"


def test_logged_errors_are_counted_when_a_limit_is_given() -> None:
    alarms = model.ServiceAlarms(errors_logged_per_minute=5)
    records = declared(changed(alarms=alarms))
    log_filter = records.one("aws:cloudwatch/logMetricFilter:LogMetricFilter")
    log_group = records.one("aws:cloudwatch/logGroup:LogGroup", "web")
    assert log_filter.property_dependencies["logGroupName"] == (log_group.urn,), "made after it"
    counted = log_filter.inputs
    assert counted["logGroupName"] == "atc-prod/web"
    assert '$.level = "CRITICAL"' in counted["pattern"]
    found = records.one(ALARM, "web-errors-logged").inputs
    assert (found["threshold"], found["namespace"]) == (5, "atc/prod")
    assert found["metricName"] == counted["metricTransformation"]["name"]


def test_tracing_puts_a_pinned_collector_beside_it() -> None:
    records = declared(tracing=True)
    found = containers(records, "web")
    assert set(found) == {"web", "collector"}
    assert "@sha256:" in found["collector"]["image"]
    assert found["collector"]["essential"] is False
    assert variables(found["web"])["OTEL_TRACES_SAMPLER_ARG"] == "0.05"
    actions = [one["Action"] for one in statements(records.one(ROLE_POLICY, "tasks"))]
    assert "xray:PutTraceSegments" in actions[1]


def test_without_tracing_there_is_no_collector() -> None:
    assert set(containers(usual(), "web")) == {"web"}
    assert not [name for name in variables(containers(usual(), "web")["web"]) if "OTEL" in name]


def test_it_waits_for_what_a_task_needs() -> None:
    records = declared(preview=False)
    service = records.one(ECS_SERVICE)
    needed = {records.by_urn(urn).type for urn in service.dependencies}
    assert {
        "aws:lb/listenerRule:ListenerRule",
        "aws:rds/instance:Instance",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:secretsmanager/secretRotation:SecretRotation",
        TASK,
    } <= needed
    task = records.one(TASK)
    assert {"aws:iam/rolePolicy:RolePolicy", "aws:cloudwatch/logGroup:LogGroup"} <= {
        records.by_urn(urn).type for urn in task.dependencies
    }


def test_without_an_ingress_it_says_so() -> None:
    with pytest.raises(ValueError, match="service web needs an ingress"):
        declared(ingress=False)


def test_a_deployment_that_fails_is_told_to_the_topic() -> None:
    rule = usual().one("aws:cloudwatch/eventRule:EventRule", "deployment-failed").inputs
    assert "SERVICE_DEPLOYMENT_FAILED" in rule["eventPattern"]
    assert "service/atc-prod/" in rule["eventPattern"]
    target = usual().one("aws:cloudwatch/eventTarget:EventTarget", "deployment-failed").inputs
    assert target["arn"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:atc-prod-alerts-critical"
    assert "deployment-failed.md" in target["inputTransformer"]["inputTemplate"]


def test_everything_belongs_to_the_service() -> None:
    for record_ in usual().custom():
        if record_.name.startswith("web"):
            assert "gonogo:components:Service" in {one.type for one in usual().family(record_)}


def cached(store: model.Cache, *, preview: bool = True) -> Records:
    """A service with a database and a cache that are both called main."""

    def program() -> None:
        shared = platform()
        redis = Redis("main", store, CONTEXT, shared.network, topics=shared.topics)
        Service(
            "web",
            changed(caches=("main",)),
            CONTEXT,
            dataclasses.replace(shared, caches={"main": redis}),
        )

    return record(program, preview=preview)


def test_a_cache_is_reached_with_its_token() -> None:
    records = cached(model.Cache(), preview=False)
    found = references(containers(records, "web")["web"])
    assert found["REDIS_URL"].startswith(f"{SECRETS}/main/")
    assert found["REDIS_URL"].endswith(":url::")
    assert found["DATABASE_URL"] == f"{SECRETS}/main/application:url::"
    rules = records.named("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    ports = {
        name: rules[f"tasks-cache-main-main-to-{name}"].inputs["fromPort"]
        for name in ("main", "cache-main")
    }
    assert ports == {"main": 5432, "cache-main": 6379}


def test_a_cache_without_a_password_is_a_plain_address() -> None:
    records = cached(model.Cache(auth=False), preview=False)
    web = containers(records, "web")["web"]
    assert variables(web)["REDIS_URL"].startswith("rediss://")
    assert variables(web)["REDIS_URL"].endswith(":6379")
    assert "REDIS_URL" not in references(web)
    assert "DATABASE_URL" in references(web)
