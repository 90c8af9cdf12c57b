"""EventBridge: rules, targets, connections, API destinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import (
    arn_tags,
    arn_text,
    between,
    event_schedule,
    json_document,
    lone,
    named,
    one_of,
)

_NAME: Final = named(r"[.\-_A-Za-z0-9]+", 64, "expected letters, digits and . - _")
_PUT_RULE: Final = Op("PutRule")


def _put_rule(call: Call) -> dict[str, Any]:
    params = call.build(_PUT_RULE)
    if "state" not in call.inputs and call.inputs.get("isEnabled") is not None:
        params["State"] = "ENABLED" if call.inputs["isEnabled"] else "DISABLED"
    return call.aws("PutRule", params if call.old else call.tagged(params))


def _bus(call: Call) -> dict[str, Any]:
    bus = call.value("eventBusName")
    return {"EventBusName": bus} if bus and bus != "default" else {}


def _read_rule(call: Call) -> Any:
    return call.aws("DescribeRule", {"Name": call.value("name") or call.id, **_bus(call)})


def _delete_rule(call: Call) -> None:
    name = call.value("name") or call.id
    if call.inputs.get("forceDestroy"):
        targets = call.aws("ListTargetsByRule", {"Rule": name, **_bus(call)})["Targets"]
        if targets:
            ids = [target["Id"] for target in targets]
            call.aws("RemoveTargets", {"Rule": name, "Ids": ids, **_bus(call)})
    call.aws("DeleteRule", {"Name": name, **_bus(call)})


def _valid_rule(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if inputs.get("scheduleExpression") is None and inputs.get("eventPattern") is None:
        yield "scheduleExpression", "one of scheduleExpression and eventPattern has to be given"
    if inputs.get("isEnabled") is not None and inputs.get("state") is not None:
        yield "isEnabled", "conflicts with state"


EVENT_RULE: Final = ResourceType(
    pulumi_type="aws:cloudwatch/eventRule:EventRule",
    title="EventBridge Rule",
    service="events",
    create=Step(_put_rule, ("isEnabled",), base=_PUT_RULE),
    id="={name}",
    read=Step(_read_rule),
    update=(Step(_put_rule, ("isEnabled",), base=_PUT_RULE, at_create=False),),
    delete=Step(_delete_rule),
    replace=("name", "eventBusName"),
    name="name",
    name_max=64,
    defaults={"eventBusName": "default", "forceDestroy": False},
    local=("forceDestroy",),
    output={"arn": "Arn", "isEnabled": lambda _f, _c: MISSING},
    unread=("eventBusName",),
    tags=arn_tags(
        "ResourceARN", "TagResource", "UntagResource", "ListTagsForResource", path="Tags"
    ),
    checks={
        "name": _NAME,
        "scheduleExpression": event_schedule,
        "eventPattern": json_document,
        "roleArn": arn_text,
        "state": one_of("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
    },
    rules=(_valid_rule,),
)

#: property → member of a Target, dotted where the two are cut differently
_TARGET: Final = {
    "targetId": "Id",
    "arn": "Arn",
    "roleArn": "RoleArn",
    "input": "Input",
    "inputPath": "InputPath",
    "inputTransformer": "InputTransformer",
    "inputTransformer.inputPaths": "InputPathsMap",
    "deadLetterConfig": "DeadLetterConfig",
    "retryPolicy": "RetryPolicy",
    "httpTarget": "HttpParameters",
    "sqsTarget": "SqsParameters",
    "kinesisTarget": "KinesisParameters",
    "appsyncTarget": "AppSyncParameters",
    "ecsTarget": "EcsParameters",
    "ecsTarget.networkConfiguration": "NetworkConfiguration.awsvpcConfiguration",
    "ecsTarget.capacityProviderStrategies": "CapacityProviderStrategy",
    "ecsTarget.orderedPlacementStrategies": "PlacementStrategy",
    "runCommandTargets": "RunCommandParameters.RunCommandTargets",
    "redshiftTarget": "RedshiftDataParameters",
    "redshiftTarget.secretsManagerArn": "SecretManagerArn",  # pragma: allowlist secret
    "batchTarget": "BatchParameters",
    "batchTarget.arraySize": "ArrayProperties.Size",
    "batchTarget.jobAttempts": "RetryStrategy.Attempts",
    "sagemakerPipelineTarget": "SageMakerPipelineParameters",
}
#: the members of one target, as PutTargets wraps them in a list
_PUT_TARGET: Final = Op(
    "PutTargets",
    rename={
        name: member if "." in name else f"Targets.{member}" for name, member in _TARGET.items()
    },
)


def _put_target(call: Call) -> dict[str, Any]:
    params = call.build(_PUT_TARGET)
    target = params["Targets"]
    ecs = target.get("EcsParameters")
    if ecs is not None:
        network = ecs.get("NetworkConfiguration", {}).get("awsvpcConfiguration")
        if network is not None:
            network.setdefault("AssignPublicIp", "DISABLED")
        ecs.setdefault("TaskCount", 1)
    answer = call.aws("PutTargets", {**params, "Targets": [target]})
    for failed in answer.get("FailedEntries") or ():
        raise CallError(
            "EventBridge",
            "PutTargets",
            str(failed.get("ErrorCode")),
            str(failed.get("ErrorMessage")),
            400,
        )
    return answer


def _read_target(call: Call) -> Any:
    answer = call.aws("ListTargetsByRule", {"Rule": call.value("rule"), **_bus(call)})
    for target in answer["Targets"]:
        if target["Id"] == call.value("targetId"):
            return target
    return MISSING


def _remove_target(call: Call) -> None:
    params = {"Rule": call.value("rule"), "Ids": [call.value("targetId")], **_bus(call)}
    call.aws("RemoveTargets", params)


def _one_input(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = [
        name for name in ("input", "inputPath", "inputTransformer") if inputs.get(name) is not None
    ]
    if len(given) > 1:
        yield given[1], f"conflicts with {given[0]}"
    retry = inputs.get("retryPolicy")
    if isinstance(retry, Mapping):
        for name, low, high in (
            ("maximumEventAgeInSeconds", 60, 86400),
            ("maximumRetryAttempts", 0, 185),
        ):
            value = retry.get(name)
            if isinstance(value, int) and not low <= value <= high:
                yield f"retryPolicy.{name}", f"expected {low} to {high}, got {value}"


EVENT_TARGET: Final = ResourceType(
    pulumi_type="aws:cloudwatch/eventTarget:EventTarget",
    title="EventBridge Target",
    service="events",
    create=Step(_put_target, base=_PUT_TARGET),
    id="={rule}-{targetId}",
    read=Step(_read_target),
    update=(Step(_put_target, base=_PUT_TARGET, at_create=False),),
    delete=Step(_remove_target),
    replace=("rule", "eventBusName", "targetId"),
    name="targetId",
    name_max=64,
    defaults={"eventBusName": "default", "forceDestroy": False},
    local=("forceDestroy",),
    rename=_TARGET,
    output={"rule": lambda _f, _c: MISSING},
    unread=("ecsTarget",),
    checks={"targetId": _NAME, "arn": arn_text, "roleArn": arn_text},
    rules=(_one_input,),
)

_AUTH: Final = {
    "authParameters.apiKey": "ApiKeyAuthParameters",  # pragma: allowlist secret
    "authParameters.apiKey.key": "ApiKeyName",
    "authParameters.apiKey.value": "ApiKeyValue",
    "authParameters.basic": "BasicAuthParameters",
    "authParameters.oauth": "OAuthParameters",
    "authParameters.oauth.clientParameters.clientId": "ClientID",
    # AWS tells these; they are no inputs of the call
    "authParameters.connectivityParameters.resourceParameters.resourceAssociationArn": "-",
    "invocationConnectivityParameters.resourceParameters.resourceAssociationArn": "-",
    **{
        f"authParameters.{where}.{name}": member
        for where in ("invocationHttpParameters", "oauth.oauthHttpParameters")
        for name, member in (
            ("bodies", "BodyParameters"),
            ("headers", "HeaderParameters"),
            ("queryStrings", "QueryStringParameters"),
        )
    },
}
_NEEDED: Final = {
    "API_KEY": "apiKey",  # pragma: allowlist secret
    "BASIC": "basic",
    "OAUTH_CLIENT_CREDENTIALS": "oauth",
}


def _valid_connection(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind, parameters = inputs.get("authorizationType"), inputs.get("authParameters")
    if isinstance(parameters, Mapping) and isinstance(kind, str):
        wanted = _NEEDED.get(kind)
        if wanted and parameters.get(wanted) is None:
            yield f"authParameters.{wanted}", f"has to be given for {kind}"


_CREATE_CONNECTION: Final = Op("CreateConnection", rename=_AUTH)

EVENT_CONNECTION: Final = ResourceType(
    pulumi_type="aws:cloudwatch/eventConnection:EventConnection",
    title="EventBridge Connection",
    service="events",
    create=_CREATE_CONNECTION,
    id="={name}",
    read=lone("DescribeConnection", {"Name": "{id}"}),
    update=(Op("UpdateConnection", rename=_AUTH, at_create=False),),
    delete=lone("DeleteConnection", {"Name": "{id}"}),
    replace=("name",),
    name="name",
    name_max=64,
    rename=_AUTH,
    output={"arn": "ConnectionArn", "secretArn": "SecretArn"},  # pragma: allowlist secret
    # AWS tells no value back
    unread=("authParameters",),
    secrets=("authParameters",),
    checks={
        "name": _NAME,
        "authorizationType": one_of(*_NEEDED),
    },
    rules=(_valid_connection,),
)


def _endpoint(value: Any) -> str | None:
    if value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return None
    return f"{value!r} has to begin with https://"


API_DESTINATION: Final = ResourceType(
    pulumi_type="aws:cloudwatch/eventApiDestination:EventApiDestination",
    title="EventBridge API Destination",
    service="events",
    create=Op("CreateApiDestination"),
    id="={name}",
    read=lone("DescribeApiDestination", {"Name": "{id}"}),
    update=(Op("UpdateApiDestination", at_create=False),),
    delete=lone("DeleteApiDestination", {"Name": "{id}"}),
    replace=("name",),
    name="name",
    name_max=64,
    defaults={"invocationRateLimitPerSecond": 300},
    output={"arn": "ApiDestinationArn"},
    checks={
        "name": _NAME,
        "invocationEndpoint": _endpoint,
        "httpMethod": one_of("POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"),
        "invocationRateLimitPerSecond": between(1, 300),
        "connectionArn": arn_text,
    },
)

ROWS: Final = (EVENT_RULE, EVENT_TARGET, EVENT_CONNECTION, API_DESTINATION)
