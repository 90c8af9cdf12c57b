"""Application Auto Scaling: checked, kept, read back, listed as recorded."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import lifecycle
from tests.sandbox.clouds import TestCloud

pytestmark = pytest.mark.slow
TARGET = {
    "ServiceNamespace": "ecs", "ResourceId": "service/scaled/worker",
    "ScalableDimension": "ecs:service:DesiredCount",
}  # fmt: skip
TRACKING: dict[str, Any] = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
        },
    },
}


@pytest.fixture(scope="module")
def scaling(cloud: TestCloud) -> Iterator[Any]:
    ecs = cloud.client("ecs")
    ecs.create_cluster(clusterName="scaled")
    container = {"name": "a", "image": "x", "memory": 128}
    ecs.register_task_definition(family="scaled", containerDefinitions=[container])
    ecs.create_service(cluster="scaled", serviceName="worker", taskDefinition="scaled")
    yield cloud.client("application-autoscaling")
    ecs.delete_service(cluster="scaled", service="worker", force=True)
    ecs.delete_cluster(cluster="scaled")


@pytest.fixture
def target(scaling: Any) -> Iterator[str]:
    answer = scaling.register_scalable_target(
        **TARGET, MinCapacity=1, MaxCapacity=4, Tags={"tier": "prod"}
    )
    yield answer["ScalableTargetARN"]
    if scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]:
        scaling.deregister_scalable_target(**TARGET)


def code_of(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_a_target_reads_back_and_an_update_keeps_the_rest(scaling: Any, target: str) -> None:
    scaling.register_scalable_target(**TARGET, MaxCapacity=9)
    found = scaling.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=["service/scaled/worker"]
    )["ScalableTargets"]
    assert [(each["MinCapacity"], each["MaxCapacity"]) for each in found] == [(1, 9)]
    assert found[0]["ScalableTargetARN"] == target
    assert scaling.list_tags_for_resource(ResourceARN=target)["Tags"] == {"tier": "prod"}


def test_a_policy_reads_back_and_goes_with_its_target(scaling: Any, target: str) -> None:
    del target
    arn = scaling.put_scaling_policy(**TARGET, PolicyName="cpu", **TRACKING)["PolicyARN"]
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs", PolicyNames=["cpu"])
    policy = found["ScalingPolicies"][0]
    assert policy["PolicyARN"] == arn
    name = "TargetTrackingScalingPolicyConfiguration"
    assert policy[name] == TRACKING[name]
    again = scaling.put_scaling_policy(**TARGET, PolicyName="cpu", **TRACKING)["PolicyARN"]
    assert again == arn
    scaling.deregister_scalable_target(**TARGET)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []


def test_a_scheduled_action_reads_back_with_its_time(scaling: Any, target: str) -> None:
    del target
    start = datetime.datetime(2030, 1, 2, 3, 4, tzinfo=datetime.UTC)
    scaling.put_scheduled_action(
        **TARGET, ScheduledActionName="night", Schedule="cron(0 22 * * ? *)", StartTime=start,
        ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 1},
    )  # fmt: skip
    found = scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"][0]
    assert found["StartTime"] == start
    assert found["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 1}
    scaling.delete_scheduled_action(**TARGET, ScheduledActionName="night")
    assert scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []


def test_what_aws_refuses_is_refused(scaling: Any, target: str) -> None:
    del target
    register, put = scaling.register_scalable_target, scaling.put_scaling_policy
    other = {**TARGET, "ResourceId": "service/scaled/missing"}
    action = {**TARGET, "ScheduledActionName": "n", "ScalableTargetAction": {"MinCapacity": 0}}
    cases = [
        (lambda: register(**other, MinCapacity=1, MaxCapacity=2), "ValidationException"),
        (lambda: register(**TARGET, MinCapacity=9, MaxCapacity=2), "ValidationException"),
        (lambda: put(**other, PolicyName="cpu", **TRACKING), "ObjectNotFoundException"),
        (lambda: put(**TARGET, PolicyName="cpu", PolicyType="TargetTrackingScaling"),
         "ValidationException"),
        (lambda: put(**{**TARGET, "ScalableDimension": "ecs:service:Mood"}, PolicyName="cpu",
                     **TRACKING), "ValidationException"),
        (lambda: scaling.put_scheduled_action(**action, Schedule="every day"),
         "ValidationException"),
        (lambda: scaling.delete_scaling_policy(**TARGET, PolicyName="missing"),
         "ObjectNotFoundException"),
    ]  # fmt: skip
    assert [code_of(call) for call, _ in cases] == [code for _, code in cases]


def test_every_change_is_listed_as_recorded(cloud: TestCloud, scaling: Any, target: str) -> None:
    del target
    scaling.put_scaling_policy(**TARGET, PolicyName="listed", **TRACKING)
    listed = [
        (each["operation"], each["parameters"].get("PolicyName"))
        for each in lifecycle.status(cloud.home).recorded
        if each["service"] == "application-autoscaling"
    ]
    assert ("PutScalingPolicy", "listed") in listed
    assert not any(name.startswith("Describe") for name, _ in listed)
