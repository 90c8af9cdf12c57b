"""RDS: subnet groups, parameter groups, event subscriptions."""

from __future__ import annotations

from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import (
    arn_tags,
    arn_text,
    each,
    lone,
    named,
    one_of,
)

TAGS: Final = arn_tags(
    "ResourceName", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"
)


def _tags(kind: str) -> Any:
    return arn_tags(
        "ResourceName",
        "AddTagsToResource",
        "RemoveTagsFromResource",
        "ListTagsForResource",
        resource=f"arn:{{partition}}:rds:{{region}}:{{account}}:{kind}:{{id}}",
    )


SUBNET_GROUP: Final = ResourceType(
    pulumi_type="aws:rds/subnetGroup:SubnetGroup",
    title="RDS DB Subnet Group",
    service="rds",
    create=Op("CreateDBSubnetGroup"),
    id="={name}",
    read=lone("DescribeDBSubnetGroups", {"DBSubnetGroupName": "{id}"}, result="DBSubnetGroups[0]"),
    update=(Op("ModifyDBSubnetGroup", at_create=False),),
    delete=lone("DeleteDBSubnetGroup", {"DBSubnetGroupName": "{id}"}),
    replace=("name",),
    name="name",
    name_lower=True,
    defaults={"description": "Managed by Pulumi"},
    rename={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
    output={
        "arn": "DBSubnetGroupArn",
        "subnetIds": lambda found, _c: [
            subnet["SubnetIdentifier"] for subnet in found.get("Subnets", [])
        ],
    },
    tags=_tags("subgrp"),
    checks={
        "name": named(r"(?!default$)[a-z0-9._ -]+", 255, "expected small letters, digits and ._-")
    },
    gone=("DBSubnetGroupNotFoundFault",),
)


def _settle_parameters(call: Call) -> None:
    """Apply what changed, twenty at a time; reset what is not there any more."""
    before = {item["name"]: item for item in call.old.get("parameters") or ()}
    now = {item["name"]: item for item in call.inputs.get("parameters") or ()}
    changed = [item for name, item in now.items() if before.get(name) != item]
    for start in range(0, len(changed), 20):
        entries = [
            {
                "ParameterName": item["name"],
                "ParameterValue": str(item["value"]),
                "ApplyMethod": item.get("applyMethod") or "immediate",
            }
            for item in changed[start : start + 20]
        ]
        params = {"DBParameterGroupName": call.id, "Parameters": entries}
        call.aws("ModifyDBParameterGroup", params)
    removed = [item for name, item in before.items() if name not in now]
    if removed:
        entries = [
            {"ParameterName": item["name"], "ApplyMethod": item.get("applyMethod") or "immediate"}
            for item in removed
        ]
        params = {"DBParameterGroupName": call.id, "Parameters": entries}
        call.aws("ResetDBParameterGroup", params)


def _read_parameter_group(call: Call) -> Any:
    answer = call.aws("DescribeDBParameterGroups", {"DBParameterGroupName": call.id})
    found = lookup(answer, "DBParameterGroups[0]")
    if found is MISSING:
        return found
    given = {item["name"]: item for item in call.inputs.get("parameters") or ()}
    if not given:
        return found
    values: dict[str, Any] = {}
    marker = ""
    while True:
        params = {"DBParameterGroupName": call.id, "Source": "user"}
        answer = call.aws(
            "DescribeDBParameters", {**params, **({"Marker": marker} if marker else {})}
        )
        for item in answer.get("Parameters", []):
            if item.get("ParameterName") in given and "ParameterValue" in item:
                values[item["ParameterName"]] = item["ParameterValue"]
        marker = answer.get("Marker", "")
        if not marker:
            break
    if values:
        found = {
            **found,
            "parameters": [
                {**item, "value": values.get(name, item["value"])} for name, item in given.items()
            ],
        }
    return found


PARAMETER_GROUP: Final = ResourceType(
    pulumi_type="aws:rds/parameterGroup:ParameterGroup",
    title="RDS DB Parameter Group",
    service="rds",
    create=Op("CreateDBParameterGroup"),
    id="={name}",
    read=Step(_read_parameter_group),
    update=(Step(_settle_parameters, ("parameters",)),),
    delete=lone("DeleteDBParameterGroup", {"DBParameterGroupName": "{id}"}),
    replace=("name", "family", "description"),
    name="name",
    name_lower=True,
    defaults={"description": "Managed by Pulumi", "skipDestroy": False},
    local=("skipDestroy",),
    rename={
        "name": "DBParameterGroupName",
        "family": "DBParameterGroupFamily",
        "parameters": "parameters",
    },
    output={"arn": "DBParameterGroupArn"},
    tags=_tags("pg"),
    checks={
        "name": named(
            r"[a-z](?:-?[a-z0-9.])*", 255, "expected small letters, digits and -, a letter first"
        ),
        "family": named(r"[a-z][a-z0-9.-]*\d+(\.\d+)?", 60, "expected a family like postgres16"),
    },
    gone=("DBParameterGroupNotFoundFault",),
)


def _modify_subscription(call: Call) -> None:
    params = call.build(_MODIFY_SUBSCRIPTION)
    params["Enabled"] = bool(call.inputs.get("enabled", True))
    call.aws("ModifyEventSubscription", params)
    before, now = set(call.old.get("sourceIds") or ()), set(call.inputs.get("sourceIds") or ())
    for operation, names in (
        ("AddSourceIdentifierToSubscription", now - before),
        ("RemoveSourceIdentifierFromSubscription", before - now),
    ):
        for name in sorted(names):
            call.aws(operation, {"SubscriptionName": call.id, "SourceIdentifier": name})


_MODIFY_SUBSCRIPTION: Final = Op("ModifyEventSubscription")

EVENT_SUBSCRIPTION: Final = ResourceType(
    pulumi_type="aws:rds/eventSubscription:EventSubscription",
    title="RDS Event Subscription",
    service="rds",
    create=Op("CreateEventSubscription"),
    id="={name}",
    read=lone(
        "DescribeEventSubscriptions",
        {"SubscriptionName": "{id}"},
        result="EventSubscriptionsList[0]",
    ),
    update=(
        Step(
            _modify_subscription,
            watches=("sourceIds",),
            base=_MODIFY_SUBSCRIPTION,
            at_create=False,
        ),
    ),
    delete=lone("DeleteEventSubscription", {"SubscriptionName": "{id}"}),
    replace=("name",),
    name="name",
    defaults={"enabled": True},
    rename={"name": "SubscriptionName", "snsTopic": "SnsTopicArn"},
    output={
        "arn": "EventSubscriptionArn",
        "customerAwsId": "CustomerAwsId",
        "name": "CustSubscriptionId",
        "eventCategories": "EventCategoriesList",
        "sourceIds": "SourceIdsList",
    },
    tags=_tags("es"),
    checks={
        "snsTopic": arn_text,
        "eventCategories": each(named(r"[A-Za-z0-9 -]+", 100, "is not a category")),
        "sourceType": one_of(
            "db-instance",
            "db-security-group",
            "db-parameter-group",
            "db-snapshot",
            "db-cluster",
            "db-cluster-snapshot",
            "db-proxy",
            "blue-green-deployment",
            "custom-engine-version",
            "db-shard-group",
            "zero-etl",
        ),
    },
    gone=("SubscriptionNotFound", "SubscriptionNotFoundFault"),
)

ROWS: Final = (SUBNET_GROUP, PARAMETER_GROUP, EVENT_SUBSCRIPTION)
