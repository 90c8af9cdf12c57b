"""CloudWatch: metric alarms, composite alarms, dashboards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import (
    arn_tags,
    arn_template,
    arn_text,
    between,
    each,
    json_document,
    lone,
    named,
    one_of,
)

_COMPARISONS: Final = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanThreshold",
)
_BANDS: Final = frozenset(_COMPARISONS[2:5])
_ALARM_TAGS: Final = arn_tags(
    "ResourceARN", "TagResource", "UntagResource", "ListTagsForResource", path="Tags"
)


def _dimensions(raw: Mapping[str, Any] | None) -> list[dict[str, str]]:
    return [{"Name": name, "Value": str(value)} for name, value in (raw or {}).items()]


def _metric(raw: Mapping[str, Any]) -> dict[str, Any]:
    metric: dict[str, Any] = {"MetricName": raw["metricName"]}
    if raw.get("namespace"):
        metric["Namespace"] = raw["namespace"]
    if raw.get("dimensions"):
        metric["Dimensions"] = _dimensions(raw["dimensions"])
    stat: dict[str, Any] = {"Metric": metric, "Period": raw["period"], "Stat": raw["stat"]}
    if raw.get("unit"):
        stat["Unit"] = raw["unit"]
    return stat


def _query(raw: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any] = {"Id": raw["id"]}
    for name, member in (
        ("accountId", "AccountId"),
        ("expression", "Expression"),
        ("label", "Label"),
        ("period", "Period"),
    ):
        if raw.get(name):
            query[member] = raw[name]
    if raw.get("metric"):
        query["MetricStat"] = _metric(raw["metric"])
    query["ReturnData"] = bool(raw.get("returnData"))
    return query


_PLAIN: Final = Op(
    "PutMetricAlarm",
    rename={
        "name": "AlarmName",
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    },
)


def _put_alarm(call: Call) -> dict[str, Any]:
    params = call.build(_PLAIN)
    if call.given("dimensions"):
        params["Dimensions"] = _dimensions(call.inputs["dimensions"])
    if call.given("metricQueries"):
        params["Metrics"] = [_query(raw) for raw in call.inputs["metricQueries"]]
        params.pop("Period", None)
    return call.aws("PutMetricAlarm", params if call.old else call.tagged(params))


def _read_alarm(kind: str, member: str) -> Any:
    def read(call: Call) -> Any:
        answer = call.aws("DescribeAlarms", {"AlarmNames": [call.id], "AlarmTypes": [kind]})
        found = answer.get(member) or []
        return found[0] if found else MISSING

    return read


def _read_dimensions(found: Any, _call: Call) -> Any:
    raw = found.get("Dimensions")
    return MISSING if raw is None else {entry["Name"]: entry["Value"] for entry in raw}


def _valid_alarm(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    queries = inputs.get("metricQueries")
    if queries and inputs.get("metricName"):
        yield "metricName", "conflicts with metricQueries"
    if not queries and inputs.get("metricName") is None:
        yield "metricName", "one of metricName and metricQueries has to be given"
    if inputs.get("metricName") is not None:
        if inputs.get("namespace") is None:
            yield "namespace", "has to be given beside metricName"
        if inputs.get("period") is None:
            yield "period", "has to be given beside metricName"
        if (inputs.get("statistic") is None) == (inputs.get("extendedStatistic") is None):
            yield "statistic", "exactly one of statistic and extendedStatistic has to be given"
    band = inputs.get("comparisonOperator") in _BANDS
    if band and not inputs.get("thresholdMetricId"):
        yield "thresholdMetricId", "has to be given for an anomaly detection comparison"
    if not band and isinstance(inputs.get("comparisonOperator"), str):
        if inputs.get("threshold") is None:
            yield "threshold", "has to be given"
        if inputs.get("thresholdMetricId"):
            yield "thresholdMetricId", "is for anomaly detection comparisons only"
    yield from _valid_counts(inputs)
    if isinstance(queries, list):
        yield from _valid_queries(queries, 2 if band else 1)


def _valid_counts(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    periods, points = inputs.get("evaluationPeriods"), inputs.get("datapointsToAlarm")
    if periods is None:
        yield "evaluationPeriods", "has to be given"
    if inputs.get("comparisonOperator") is None:
        yield "comparisonOperator", "has to be given"
    if isinstance(periods, int) and isinstance(points, int) and points > periods:
        yield "datapointsToAlarm", f"{points} is more than the {periods} evaluation periods"


def _valid_queries(queries: list[Any], wanted: int) -> Iterator[tuple[str, str]]:
    """With an anomaly band, both the band and what is watched return data."""
    returning = 0
    for index, query in enumerate(queries):
        if not isinstance(query, Mapping):
            return
        where = f"metricQueries[{index}]"
        returning += bool(query.get("returnData"))
        if bool(query.get("expression")) == bool(query.get("metric")):
            yield where, "exactly one of expression and metric has to be given"
    if returning != wanted:
        count = "two have" if wanted == 2 else "one has"
        yield "metricQueries", f"exactly {count} returnData, here are {returning}"


def _period(value: Any) -> str | None:
    if value in (10, 20, 30) or (value >= 60 and value % 60 == 0):
        return None
    return f"expected 10, 20, 30 or a multiple of 60 seconds, got {value}"


_QUERIES: Final = ("dimensions", "metricQueries")

METRIC_ALARM: Final = ResourceType(
    pulumi_type="aws:cloudwatch/metricAlarm:MetricAlarm",
    title="CloudWatch Metric Alarm",
    service="cloudwatch",
    create=Step(_put_alarm, _QUERIES, base=_PLAIN),
    id="={name}",
    read=Step(_read_alarm("MetricAlarm", "MetricAlarms")),
    update=(Step(_put_alarm, _QUERIES, base=_PLAIN, at_create=False),),
    delete=lone("DeleteAlarms", {"AlarmNames": ["{id}"]}),
    replace=("name",),
    name="name",
    defaults={"actionsEnabled": True, "treatMissingData": "missing"},
    rename=_PLAIN.rename,
    output={
        "arn": arn_template("cloudwatch", "alarm:{id}"),
        "dimensions": _read_dimensions,
    },
    unread=("metricQueries",),
    tags=_ALARM_TAGS,
    checks={
        "name": named(r"[^\x00-\x1f]+", 255, "has control characters"),
        "comparisonOperator": one_of(*_COMPARISONS),
        "statistic": one_of("SampleCount", "Average", "Sum", "Minimum", "Maximum"),
        "treatMissingData": one_of("missing", "ignore", "breaching", "notBreaching"),
        "evaluationPeriods": between(1, 1_000_000),
        "datapointsToAlarm": between(1, 1_000_000),
        "period": _period,
        "extendedStatistic": named(
            r"(p|tm|tc|ts|wm)\d{1,2}(\.\d{0,10})?|p100|IQM|(TM|TC|TS|WM|PR)\(.*\)",
            100,
            "expected a percentile like p99",
        ),
        "alarmActions": each(arn_text),
        "okActions": each(arn_text),
        "insufficientDataActions": each(arn_text),
    },
    rules=(_valid_alarm,),
)


def _suppressor(call: Call) -> dict[str, Any]:
    params = call.build(_COMPOSITE)
    suppressor = call.inputs.get("actionsSuppressor")
    if suppressor:
        params["ActionsSuppressor"] = suppressor["alarm"]
        params["ActionsSuppressorWaitPeriod"] = suppressor["waitPeriod"]
        params["ActionsSuppressorExtensionPeriod"] = suppressor["extensionPeriod"]
    return call.aws("PutCompositeAlarm", params if call.old else call.tagged(params))


def _read_suppressor(found: Any, _call: Call) -> Any:
    if not found.get("ActionsSuppressor"):
        return MISSING
    return {
        "alarm": found["ActionsSuppressor"],
        "waitPeriod": found.get("ActionsSuppressorWaitPeriod"),
        "extensionPeriod": found.get("ActionsSuppressorExtensionPeriod"),
    }


_COMPOSITE: Final = Op("PutCompositeAlarm")

COMPOSITE_ALARM: Final = ResourceType(
    pulumi_type="aws:cloudwatch/compositeAlarm:CompositeAlarm",
    title="CloudWatch Composite Alarm",
    service="cloudwatch",
    create=Step(_suppressor, ("actionsSuppressor",), base=_COMPOSITE),
    id="={alarmName}",
    read=Step(_read_alarm("CompositeAlarm", "CompositeAlarms")),
    update=(Step(_suppressor, ("actionsSuppressor",), base=_COMPOSITE, at_create=False),),
    delete=lone("DeleteAlarms", {"AlarmNames": ["{id}"]}),
    replace=("alarmName", "actionsEnabled"),
    defaults={"actionsEnabled": True},
    output={
        "arn": arn_template("cloudwatch", "alarm:{id}"),
        "actionsSuppressor": _read_suppressor,
    },
    tags=_ALARM_TAGS,
    checks={
        "alarmName": named(r"[^\x00-\x1f]+", 255, "has control characters"),
        "alarmRule": named(r"(?s).+", 10240, "is empty"),
        "alarmActions": each(arn_text),
        "okActions": each(arn_text),
        "insufficientDataActions": each(arn_text),
    },
)

_PUT_DASHBOARD: Final = Op("PutDashboard")

DASHBOARD: Final = ResourceType(
    pulumi_type="aws:cloudwatch/dashboard:Dashboard",
    title="CloudWatch Dashboard",
    service="cloudwatch",
    create=_PUT_DASHBOARD,
    id="={dashboardName}",
    read=lone("GetDashboard", {"DashboardName": "{id}"}),
    update=(_PUT_DASHBOARD,),
    delete=lone("DeleteDashboards", {"DashboardNames": ["{id}"]}),
    replace=("dashboardName",),
    output={"dashboardArn": "=arn:{partition}:cloudwatch::{account}:dashboard/{id}"},
    checks={
        "dashboardName": named(r"[A-Za-z0-9_-]+", 255, "expected letters, digits, - and _"),
        "dashboardBody": json_document,
    },
    gone=("ResourceNotFound", "DashboardNotFoundError"),
)

ROWS: Final = (METRIC_ALARM, COMPOSITE_ALARM, DASHBOARD)
