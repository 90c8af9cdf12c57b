"""Application Auto Scaling: targets, policies, scheduled actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import (
    arn_tags,
    arn_text,
    between,
    lone,
    one_of,
    scheduler_schedule,
)

_SERVICE: Final = "application-autoscaling"
_WHICH: Final = {
    "ServiceNamespace": "{serviceNamespace}",
    "ResourceId": "{resourceId}",
    "ScalableDimension": "{scalableDimension}",
}


def _capacities(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    low, high = inputs.get("minCapacity"), inputs.get("maxCapacity")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield "minCapacity", f"{low} is more than maxCapacity, {high}"


_REGISTER: Final = Op("RegisterScalableTarget", rename={"roleArn": "RoleARN"})

TARGET: Final = ResourceType(
    pulumi_type="aws:appautoscaling/target:Target",
    title="Application AutoScaling Target",
    service=_SERVICE,
    create=_REGISTER,
    id="={resourceId}",
    read=lone(
        "DescribeScalableTargets",
        {
            "ServiceNamespace": "{serviceNamespace}",
            "ResourceIds": ["{resourceId}"],
            "ScalableDimension": "{scalableDimension}",
        },
        result="ScalableTargets[0]",
    ),
    update=(Op("RegisterScalableTarget", _WHICH, at_create=False),),
    delete=lone("DeregisterScalableTarget", _WHICH),
    replace=("resourceId", "scalableDimension", "serviceNamespace"),
    unique=True,
    computed=("roleArn", "suspendedState"),
    output={"arn": "ScalableTargetARN", "roleArn": "RoleARN"},
    tags=arn_tags(
        "ResourceARN",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        path="Tags",
        form="map",
    ),
    checks={
        "minCapacity": between(0, 1_000_000),
        "maxCapacity": between(0, 1_000_000),
        "roleArn": arn_text,
    },
    rules=(_capacities,),
    gone=("ObjectNotFoundException",),
)

_POLICY: Final = Op("PutScalingPolicy", rename={"name": "PolicyName"})
_MATCHING: Final = {
    "stepScalingPolicyConfiguration": "StepScaling",
    "targetTrackingScalingPolicyConfiguration": "TargetTrackingScaling",
    "predictiveScalingPolicyConfiguration": "PredictiveScaling",
}


def _read_policy(call: Call) -> Any:
    params = call.build(lone("DescribeScalingPolicies", _WHICH))
    answer = call.aws("DescribeScalingPolicies", {**params, "PolicyNames": [call.value("name")]})
    found = answer.get("ScalingPolicies") or []
    return found[0] if found else MISSING


def _valid_policy(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = inputs.get("policyType")
    for name, wanted in _MATCHING.items():
        if inputs.get(name) is not None and isinstance(kind, str) and kind != wanted:
            yield name, f"is for the policy type {wanted}, not for {kind}"
        if kind == wanted and inputs.get(name) is None:
            yield name, f"has to be given for the policy type {kind}"
    tracking = inputs.get("targetTrackingScalingPolicyConfiguration")
    if isinstance(tracking, Mapping):
        metrics = [
            name
            for name in ("customizedMetricSpecification", "predefinedMetricSpecification")
            if tracking.get(name)
        ]
        if len(metrics) != 1:
            yield (
                "targetTrackingScalingPolicyConfiguration",
                "exactly one of customizedMetricSpecification and predefinedMetricSpecification "
                f"has to be given, here are {len(metrics)}",
            )


POLICY: Final = ResourceType(
    pulumi_type="aws:appautoscaling/policy:Policy",
    title="Application AutoScaling Scaling Policy",
    service=_SERVICE,
    create=_POLICY,
    id="={name}",
    read=Step(_read_policy),
    update=(Op("PutScalingPolicy", {"PolicyName": "{name}", **_WHICH}, at_create=False),),
    delete=lone("DeleteScalingPolicy", {"PolicyName": "{name}", **_WHICH}),
    replace=("name", "resourceId", "scalableDimension", "serviceNamespace"),
    name="name",
    name_max=255,
    defaults={"policyType": "StepScaling"},
    rename={"name": "PolicyName"},
    output={
        "arn": "PolicyARN",
        "alarmArns": lambda found, _c: [alarm["AlarmARN"] for alarm in found.get("Alarms", [])],
    },
    checks={"policyType": one_of(*_MATCHING.values())},
    rules=(_valid_policy,),
    gone=("ObjectNotFoundException",),
)

_ACTION: Final = Op("PutScheduledAction", rename={"name": "ScheduledActionName"})


def _read_action(call: Call) -> Any:
    params = call.build(lone("DescribeScheduledActions", _WHICH))
    names = [call.value("name")]
    answer = call.aws("DescribeScheduledActions", {**params, "ScheduledActionNames": names})
    found = answer.get("ScheduledActions") or []
    return found[0] if found else MISSING


SCHEDULED_ACTION: Final = ResourceType(
    pulumi_type="aws:appautoscaling/scheduledAction:ScheduledAction",
    title="Application AutoScaling Scheduled Action",
    service=_SERVICE,
    create=_ACTION,
    id="={name}-{serviceNamespace}-{resourceId}",
    read=Step(_read_action),
    update=(
        Op("PutScheduledAction", {"ScheduledActionName": "{name}", **_WHICH}, at_create=False),
    ),
    delete=lone("DeleteScheduledAction", {"ScheduledActionName": "{name}", **_WHICH}),
    replace=("name", "resourceId", "scalableDimension", "serviceNamespace"),
    name="name",
    name_max=256,
    defaults={"timezone": "UTC"},
    rename={"name": "ScheduledActionName"},
    output={"arn": "ScheduledActionARN"},
    checks={"schedule": scheduler_schedule},
    gone=("ObjectNotFoundException",),
)

ROWS: Final = (TARGET, POLICY, SCHEDULED_ACTION)
