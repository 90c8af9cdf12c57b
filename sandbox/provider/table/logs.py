"""CloudWatch Logs: groups and metric filters."""

from __future__ import annotations

from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import arn_tags, arn_template, arn_text, lone, named, one_of

#: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS: Final = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
    2922, 3288, 3653,
)  # fmt: skip


def _retention(call: Call) -> None:
    days = call.inputs.get("retentionInDays")
    if days:
        call.aws("PutRetentionPolicy", {"logGroupName": call.id, "retentionInDays": days})
    elif call.old.get("retentionInDays"):
        call.aws("DeleteRetentionPolicy", {"logGroupName": call.id})


def _key(call: Call) -> None:
    if call.given("kmsKeyId"):
        params = {"logGroupName": call.id, "kmsKeyId": call.inputs["kmsKeyId"]}
        call.aws("AssociateKmsKey", params)
    else:
        call.aws("DisassociateKmsKey", {"logGroupName": call.id})


def _read_group(call: Call) -> Any:
    answer = call.aws("DescribeLogGroups", {"logGroupNamePrefix": call.id})
    for group in answer.get("logGroups", []):
        if group["logGroupName"] == call.id:
            return {**group, "retentionInDays": group.get("retentionInDays", 0)}
    return MISSING


LOG_GROUP: Final = ResourceType(
    pulumi_type="aws:cloudwatch/logGroup:LogGroup",
    title="CloudWatch Logs Log Group",
    service="logs",
    create=Op("CreateLogGroup"),
    id="={name}",
    read=Step(_read_group),
    update=(
        Step(_retention, ("retentionInDays",)),
        Step(_key, watches=("kmsKeyId",), at_create=False),
    ),
    delete=lone("DeleteLogGroup", {"logGroupName": "{id}"}),
    replace=("name", "logGroupClass"),
    name="name",
    name_max=512,
    defaults={"skipDestroy": False, "retentionInDays": 0},
    local=("skipDestroy",),
    computed=("logGroupClass",),
    rename={"name": "logGroupName"},
    output={"arn": arn_template("logs", "log-group:{id}")},
    tags=arn_tags(
        "resourceArn",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        keys="tagKeys",
        path="tags",
        form="map",
        tags="tags",
        create="tags",
        resource="arn:{partition}:logs:{region}:{account}:log-group:{id}",
    ),
    checks={
        "name": named(r"[.\-_/#A-Za-z0-9]+", 512, "expected letters, digits and . - _ / #"),
        "retentionInDays": one_of(*RETENTION_DAYS),
        "kmsKeyId": arn_text,
    },
)


def _read_filter(call: Call) -> Any:
    group, _, name = call.id.rpartition(":")
    group, name = call.value("logGroupName") or group, call.value("name") or name
    answer = call.aws("DescribeMetricFilters", {"logGroupName": group, "filterNamePrefix": name})
    for found in answer.get("metricFilters", []):
        if found["filterName"] == name:
            return found
    return MISSING


_PUT_FILTER: Final = Op("PutMetricFilter")

LOG_METRIC_FILTER: Final = ResourceType(
    pulumi_type="aws:cloudwatch/logMetricFilter:LogMetricFilter",
    title="CloudWatch Logs Metric Filter",
    service="logs",
    create=_PUT_FILTER,
    id="={name}",
    read=Step(_read_filter),
    update=(_PUT_FILTER,),
    delete=lone("DeleteMetricFilter", {"logGroupName": "{logGroupName}", "filterName": "{name}"}),
    replace=("name", "logGroupName"),
    name="name",
    name_max=512,
    rename={
        "name": "filterName",
        "pattern": "filterPattern",
        "metricTransformation": "metricTransformations",
        "metricTransformation.name": "metricName",
        "metricTransformation.namespace": "metricNamespace",
        "metricTransformation.value": "metricValue",
    },
    checks={"name": named(r"[^:*]+", 512, "may not have : or *")},
)

ROWS: Final = (LOG_GROUP, LOG_METRIC_FILTER)
