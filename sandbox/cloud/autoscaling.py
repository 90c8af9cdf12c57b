"""Application Auto Scaling: what is registered is checked, kept and read back. Nothing scales.

Source: Application Auto Scaling's API reference; each call is also listed as *recorded*.
"""

from __future__ import annotations

import datetime
import re
import threading
import time
import uuid
from typing import Any

from sandbox.cloud import emulator
from sandbox.cloud.answer import Response
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.errors import AwsError
from sandbox.cloud.recorded import Recorded
from sandbox.cloud.validation import check

Key = tuple[str, ...]
TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
CONFIGURATIONS = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}
SCHEDULE = re.compile(r"(cron\(.+ .+ .+ .+ .+ .+\)|rate\(\d+ (minute|hour|day)s?\)|at\(\d{4}-.+\))")
ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_ECSService"
)


class Autoscaling:
    """Scalable targets, scaling policies and scheduled actions of every account and region."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._lock = threading.RLock()
        self._kept: dict[str, dict[str, dict[str, Any]]] = {}

    def handlers(self) -> dict[str, Handler]:
        """The operations that are answered here."""
        named = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "PutScheduledAction": self._put_action,
            "DeleteScheduledAction": self._delete_action,
            "DescribeScheduledActions": self._describe_actions,
            "DescribeScalingActivities": self._describe_activities,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }
        return {name: self._checked(handler) for name, handler in named.items()}

    def state(self) -> dict[str, Any]:
        """For saving."""
        with self._lock:
            return {"kept": {name: dict(values) for name, values in self._kept.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """After loading."""
        with self._lock:
            self._kept = state.get("kept", {})

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _checked(self, handler: Any) -> Handler:
        def handle(call: Call) -> Response:
            check(call.operation, call.parameters)
            with self._lock:
                value: dict[str, Any] = handler(call, call.parameters)
            if not call.operation.name.startswith(("Describe", "List")):
                self._recorded.remember(call)
            return call.result(value)

        return handle

    def _register(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        targets = self._store(call, "targets")
        key = _key(wanted)
        known = targets.get(key, {})
        merged = {**known, **_plain(wanted)}
        merged.pop("Tags", None)
        for name in ("MinCapacity", "MaxCapacity"):
            if name not in merged:
                raise AwsError(
                    "ValidationException", f"{name} must be specified for a new scalable target"
                )
        if merged["MinCapacity"] > merged["MaxCapacity"]:
            raise AwsError(
                "ValidationException",
                f"Minimum capacity {merged['MinCapacity']} must not be greater than maximum"
                f" capacity {merged['MaxCapacity']}",
            )
        _check_service(wanted)
        suspended = {"DynamicScalingInSuspended", "DynamicScalingOutSuspended",
                     "ScheduledScalingSuspended"}  # fmt: skip
        state = merged.get("SuspendedState") or {}
        merged["SuspendedState"] = {name: bool(state.get(name)) for name in suspended}
        merged.setdefault("RoleARN", ROLE.format(account=call.account))
        merged.setdefault("CreationTime", time.time())
        merged.setdefault("ScalableTargetARN", _arn(call, f"scalable-target/{uuid.uuid4().hex}"))
        targets[key] = merged
        if wanted.get("Tags"):
            self._store(call, "tags")[merged["ScalableTargetARN"]] = dict(wanted["Tags"])
        return {"ScalableTargetARN": merged["ScalableTargetARN"]}

    def _deregister(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        key = _key(wanted)
        target = self._target(call, wanted)
        del self._store(call, "targets")[key]
        self._store(call, "tags").pop(target["ScalableTargetARN"], None)
        for kind in ("policies", "actions"):
            store = self._store(call, kind)
            for name in [each for each in store if each.startswith(f"{key}|")]:
                del store[name]
        return {}

    def _describe_targets(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        ids = wanted.get("ResourceIds")
        found = [
            target
            for target in self._store(call, "targets").values()
            if _matches(target, wanted) and (not ids or target["ResourceId"] in ids)
        ]
        return {"ScalableTargets": found}

    def _put_policy(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        self._target(call, wanted)
        policies = self._store(call, "policies")
        key = f"{_key(wanted)}|{wanted['PolicyName']}"
        known = policies.get(key, {})
        policy = {**known, **_plain(wanted)}
        policy.setdefault("PolicyType", "StepScaling")
        configuration = CONFIGURATIONS[policy["PolicyType"]]
        if configuration not in policy:
            raise AwsError(
                "ValidationException",
                f"{configuration} is required for the policy type {policy['PolicyType']}",
            )
        policy.setdefault("CreationTime", time.time())
        resource = f"scalingPolicy:{uuid.uuid4()}:resource/{wanted['ServiceNamespace']}"
        resource += f"/{wanted['ResourceId']}:policyName/{wanted['PolicyName']}"
        arn = f"arn:aws:autoscaling:{call.region}:{call.account}:{resource}"
        policy.setdefault("PolicyARN", arn)
        policy["Alarms"] = []
        policies[key] = policy
        return {"PolicyARN": policy["PolicyARN"], "Alarms": []}

    def _delete_policy(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        self._remove(call, "policies", wanted, "PolicyName", "scaling policy")
        return {}

    def _describe_policies(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        names = wanted.get("PolicyNames")
        found = [
            policy
            for policy in self._store(call, "policies").values()
            if _matches(policy, wanted) and (not names or policy["PolicyName"] in names)
        ]
        return {"ScalingPolicies": found}

    def _put_action(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        self._target(call, wanted)
        actions = self._store(call, "actions")
        key = f"{_key(wanted)}|{wanted['ScheduledActionName']}"
        action = {**actions.get(key, {}), **_plain(wanted)}
        schedule = action.get("Schedule")
        if not schedule or not SCHEDULE.fullmatch(schedule):
            raise AwsError("ValidationException", f"Schedule expression is not valid: {schedule}")
        capacity = action.get("ScalableTargetAction") or {}
        if "MinCapacity" not in capacity and "MaxCapacity" not in capacity:
            raise AwsError(
                "ValidationException",
                "ScalableTargetAction must have a MinCapacity, a MaxCapacity or both",
            )
        action.setdefault("CreationTime", time.time())
        resource = f"scheduledAction:{uuid.uuid4()}:resource/{wanted['ServiceNamespace']}"
        resource += f"/{wanted['ResourceId']}:scheduledActionName/{wanted['ScheduledActionName']}"
        arn = f"arn:aws:autoscaling:{call.region}:{call.account}:{resource}"
        action.setdefault("ScheduledActionARN", arn)
        actions[key] = action
        return {}

    def _delete_action(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        self._remove(call, "actions", wanted, "ScheduledActionName", "scheduled action")
        return {}

    def _describe_actions(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        names = wanted.get("ScheduledActionNames")
        found = [
            action
            for action in self._store(call, "actions").values()
            if _matches(action, wanted) and (not names or action["ScheduledActionName"] in names)
        ]
        return {"ScheduledActions": found}

    def _describe_activities(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        del call, wanted
        return {"ScalingActivities": []}

    def _tag(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        self._by_arn(call, wanted["ResourceARN"])
        self._store(call, "tags").setdefault(wanted["ResourceARN"], {}).update(wanted["Tags"])
        return {}

    def _untag(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        self._by_arn(call, wanted["ResourceARN"])
        tags = self._store(call, "tags").get(wanted["ResourceARN"], {})
        for key in wanted["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        self._by_arn(call, wanted["ResourceARN"])
        return {"Tags": self._store(call, "tags").get(wanted["ResourceARN"], {})}

    def _store(self, call: Call, kind: str) -> dict[str, dict[str, Any]]:
        return self._kept.setdefault(f"{call.account}/{call.region}/{kind}", {})

    def _target(self, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
        target = self._store(call, "targets").get(_key(wanted))
        if target is None:
            raise AwsError("ObjectNotFoundException", _absent("scalable target registered", wanted))
        return target

    def _remove(self, call: Call, kind: str, wanted: dict[str, Any], name: str, what: str) -> None:
        key = f"{_key(wanted)}|{wanted[name]}"
        if self._store(call, kind).pop(key, None) is None:
            raise AwsError("ObjectNotFoundException", _absent(f"{what} {wanted[name]}", wanted))

    def _by_arn(self, call: Call, arn: str) -> None:
        targets = self._store(call, "targets").values()
        if not any(target["ScalableTargetARN"] == arn for target in targets):
            raise AwsError(
                "ResourceNotFoundException", f"The scalable target {arn} does not exist."
            )


def _key(wanted: dict[str, Any]) -> str:
    return "|".join(str(wanted[name]) for name in TARGET)


def _matches(kept: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(wanted.get(name) in (None, kept[name]) for name in TARGET)


def _absent(what: str, wanted: dict[str, Any]) -> str:
    return (
        f"No {what} found for service namespace: {wanted['ServiceNamespace']}, resource ID:"
        f" {wanted['ResourceId']}, scalable dimension: {wanted['ScalableDimension']}"
    )


def _arn(call: Call, resource: str) -> str:
    return f"arn:aws:application-autoscaling:{call.region}:{call.account}:{resource}"


def _plain(value: Any) -> Any:
    """Parameters as they are kept: times as seconds since 1970."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _check_service(wanted: dict[str, Any]) -> None:
    """An ECS service must be there before it can be scaled."""
    if wanted["ServiceNamespace"] != "ecs":
        return
    parts = str(wanted["ResourceId"]).split("/")
    services = getattr(emulator.service("ecs"), "_services", None)
    if len(parts) != 3 or parts[0] != "service":
        raise AwsError(
            "ValidationException",
            f"Unsupported service namespace, resource type or scalable dimension:"
            f" {wanted['ResourceId']}",
        )
    if services is None:
        return
    names = {
        (str(each.get("clusterArn", "")).rpartition("/")[2], each.get("serviceName"))
        for each in services.values()
        if each.get("status") != "INACTIVE"
    }
    if (parts[1], parts[2]) not in names:
        raise AwsError("ValidationException", f"ECS service doesn't exist: {wanted['ResourceId']}")
