"""EventBridge Scheduler: schedules and their groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.table.common import arn_tags, arn_text, lone, named, scheduler_schedule

_NAME: Final = named(r"[.\-_A-Za-z0-9]+", 64, "expected letters, digits and . - _")
_NAMES: Final = {
    "target.ecsParameters": "EcsParameters",
    "target.ecsParameters.networkConfiguration": "NetworkConfiguration.awsvpcConfiguration",
    "target.ecsParameters.capacityProviderStrategies": "CapacityProviderStrategy",
    "target.ecsParameters.placementStrategies": "PlacementStrategy",
    "target.eventbridgeParameters": "EventBridgeParameters",
    "target.sagemakerPipelineParameters": "SageMakerPipelineParameters",
    "target.sagemakerPipelineParameters.pipelineParameters": "PipelineParameterList",
}
_CREATE: Final = Op("CreateSchedule", rename=_NAMES)
_UPDATE: Final = Op("UpdateSchedule", rename=_NAMES)


def _put(op: Op) -> Any:
    def run(call: Call) -> dict[str, Any]:
        params = call.build(op)
        ecs = params.get("Target", {}).get("EcsParameters")
        if ecs is not None:
            network = ecs.get("NetworkConfiguration", {}).get("awsvpcConfiguration")
            if network is not None:
                network.setdefault("AssignPublicIp", "DISABLED")
            ecs.setdefault("TaskCount", 1)
        return call.aws(op.name, params)

    return run


def _which(call: Call) -> dict[str, Any]:
    group, _, name = call.id.rpartition("/")
    return {
        "Name": call.value("name") or name,
        "GroupName": call.value("groupName") or group or "default",
    }


def _read(call: Call) -> Any:
    return call.aws("GetSchedule", _which(call))


def _delete(call: Call) -> None:
    call.aws("DeleteSchedule", _which(call))


def _window(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    window = inputs.get("flexibleTimeWindow")
    if not isinstance(window, Mapping):
        return
    minutes = window.get("maximumWindowInMinutes")
    if window.get("mode") == "FLEXIBLE" and minutes is None:
        yield "flexibleTimeWindow.maximumWindowInMinutes", "has to be given for FLEXIBLE"
    if window.get("mode") == "OFF" and minutes:
        yield "flexibleTimeWindow.maximumWindowInMinutes", "may not be given for OFF"


def _timezone(value: Any) -> str | None:
    import zoneinfo

    known = zoneinfo.available_timezones()
    return None if not known or value in known else f"{value!r} is not a known time zone"


SCHEDULE: Final = ResourceType(
    pulumi_type="aws:scheduler/schedule:Schedule",
    title="EventBridge Scheduler Schedule",
    service="scheduler",
    create=Step(_put(_CREATE), base=_CREATE),
    id="={groupName}/{name}",
    read=Step(_read),
    update=(Step(_put(_UPDATE), base=_UPDATE, at_create=False),),
    delete=Step(_delete),
    replace=("name", "groupName"),
    name="name",
    name_max=64,
    defaults={
        "actionAfterCompletion": "NONE",
        "groupName": "default",
        "scheduleExpressionTimezone": "UTC",
        "state": "ENABLED",
    },
    rename=_NAMES,
    output={"arn": "Arn"},
    unread=("target", "startDate", "endDate"),
    checks={
        "name": _NAME,
        "groupName": _NAME,
        "scheduleExpression": scheduler_schedule,
        "scheduleExpressionTimezone": _timezone,
        "kmsKeyArn": arn_text,
    },
    rules=(_window,),
)

SCHEDULE_GROUP: Final = ResourceType(
    pulumi_type="aws:scheduler/scheduleGroup:ScheduleGroup",
    title="EventBridge Scheduler Schedule Group",
    service="scheduler",
    create=Op("CreateScheduleGroup"),
    id="={name}",
    read=lone("GetScheduleGroup", {"Name": "{id}"}),
    delete=lone("DeleteScheduleGroup", {"Name": "{id}"}),
    replace=("name",),
    name="name",
    name_max=64,
    output={
        "arn": "Arn",
        "creationDate": "CreationDate",
        "lastModificationDate": "LastModificationDate",
    },
    tags=arn_tags(
        "ResourceArn", "TagResource", "UntagResource", "ListTagsForResource", path="Tags"
    ),
    checks={"name": _NAME},
)

ROWS: Final = (SCHEDULE, SCHEDULE_GROUP)
