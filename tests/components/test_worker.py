"""A worker: no port, drains, scales on its queue."""

from __future__ import annotations

from functools import cache
from typing import Any

from components.worker import Worker
from systems import model
from tests.components.parts import ALARM, ECS_SERVICE, WORKER, containers, platform
from tests.components.recording import CONTEXT, Records, record


def declared(args: model.Worker = WORKER, *, preview: bool = True) -> Records:
    return record(lambda: Worker("crypto", args, CONTEXT, platform(ingress=False)), preview=preview)


@cache
def usual() -> Records:
    return declared()


def changed(**changes: Any) -> model.Worker:
    return WORKER.model_copy(update=changes)


def test_nobody_calls_it() -> None:
    crypto = containers(usual(), "crypto")["crypto"]
    assert "portMappings" not in crypto
    assert "loadBalancers" not in usual().one(ECS_SERVICE).inputs
    assert "healthCheckGracePeriodSeconds" not in usual().one(ECS_SERVICE).inputs
    records = declared(preview=False)
    groups = records.one(ECS_SERVICE).inputs["networkConfiguration"]["securityGroups"]
    assert groups == ["tasks-main-id"]
    assert not [
        one
        for one in records.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if one.inputs["securityGroupId"] == "tasks-main-id"
    ]


def test_its_own_command_says_how_it_is() -> None:
    check = containers(usual(), "crypto")["crypto"]["healthCheck"]
    assert check["command"] == ["CMD-SHELL", "node healthcheck.js"]


def test_it_has_two_minutes_to_finish_its_step() -> None:
    assert containers(usual(), "crypto")["crypto"]["stopTimeout"] == 120


def test_it_scales_on_its_queue_by_task() -> None:
    policies = usual().named("aws:appautoscaling/policy:Policy")
    assert set(policies) == {"crypto-cpu", "crypto-queue"}
    tracking = policies["crypto-queue"].inputs["targetTrackingScalingPolicyConfiguration"]
    assert tracking["targetValue"] == 10
    metrics = {one["id"]: one for one in tracking["customizedMetricSpecification"]["metrics"]}
    depth = metrics["depth"]["metricStat"]["metric"]
    assert (depth["namespace"], depth["metricName"]) == ("atc/prod", "QueueDepth")
    assert depth["dimensions"] == [{"name": "Worker", "value": "crypto"}]
    tasks = metrics["tasks"]["metricStat"]["metric"]["dimensions"]
    assert {one["name"]: one["value"] for one in tasks} == {
        "ClusterName": "atc-prod",
        "ServiceName": "atc-prod-crypto",
    }
    assert [one["id"] for one in metrics.values() if one["returnData"]] == ["backlog"]


def test_scaling_on_the_queue_alone() -> None:
    scaling = WORKER.autoscaling
    assert scaling is not None
    records = declared(changed(autoscaling=scaling.model_copy(update={"cpu_percent": None})))
    assert set(records.named("aws:appautoscaling/policy:Policy")) == {"crypto-queue"}


def test_too_few_tasks_are_an_alarm() -> None:
    found = usual().one(ALARM, "crypto-tasks").inputs
    assert (found["metricName"], found["namespace"]) == (
        "RunningTaskCount",
        "ECS/ContainerInsights",
    )
    assert (found["comparisonOperator"], found["threshold"]) == ("LessThanThreshold", 2)
    assert found["dimensions"] == {"ClusterName": "atc-prod", "ServiceName": "atc-prod-crypto"}
    assert "worker-failure.md" in found["alarmDescription"]


def test_a_worker_that_is_switched_off_misses_nobody() -> None:
    records = declared(changed(desired_count=0))
    assert "crypto-tasks" not in records.named(ALARM)


def test_zones_are_balanced_only_where_there_is_room() -> None:
    tight = model.Deployment(minimum_healthy_percent=0, maximum_percent=100)
    service = declared(changed(deployment=tight)).one(ECS_SERVICE).inputs
    assert service["availabilityZoneRebalancing"] == "DISABLED"
    assert usual().one(ECS_SERVICE).inputs["availabilityZoneRebalancing"] == "ENABLED"


def test_workers_of_the_same_stores_share_a_security_group() -> None:
    def program() -> None:
        shared = platform(ingress=False)
        Worker("crypto", WORKER, CONTEXT, shared)
        Worker("options", WORKER, CONTEXT, shared)
        Worker("idle", changed(databases=()), CONTEXT, shared)

    records = record(program, preview=False)
    groups = {
        one.name: one.inputs["networkConfiguration"]["securityGroups"]
        for one in records.all(ECS_SERVICE)
    }
    assert groups == {
        "crypto": ["tasks-main-id"],
        "options": ["tasks-main-id"],
        "idle": ["tasks-id"],
    }
