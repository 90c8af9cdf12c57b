"""Lambda: functions and who may call them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.archives import zipped
from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import arn_text, between, lone, named, one_of

_RENAME: Final = {
    "name": "FunctionName",
    "fileSystemConfig": "FileSystemConfigs",
    "imageConfig.commands": "Command",
    "imageConfig.entryPoints": "EntryPoint",
    "ephemeralStorage.size": "Size",
    "vpcConfig.vpcId": "-",
    "snapStart.optimizationStatus": "-",
    "durableConfig.retentionPeriod": "RetentionPeriodInDays",
}
_CODE: Final = {
    "imageUri": "ImageUri",
    "s3Bucket": "S3Bucket",
    "s3Key": "S3Key",
    "s3ObjectVersion": "S3ObjectVersion",
    "sourceKmsKeyArn": "SourceKMSKeyArn",
}
_CREATE: Final = Op(
    "CreateFunction",
    rename={
        **_RENAME,
        **{name: f"Code.{member}" for name, member in _CODE.items()},
        "code": "-",
    },
)
_CONFIGURE: Final = Op(
    "UpdateFunctionConfiguration",
    {"FunctionName": "{id}"},
    rename={**_RENAME, "sourceKmsKeyArn": "-"},
    at_create=False,
)


def _create_function(call: Call) -> dict[str, Any]:
    params = call.tagged(call.build(_CREATE))
    if call.given("code"):
        params.setdefault("Code", {})["ZipFile"] = zipped(call.inputs["code"])
    return call.aws("CreateFunction", params)


def _update_code(call: Call) -> None:
    params: dict[str, Any] = {"FunctionName": call.id}
    if call.given("code"):
        params["ZipFile"] = zipped(call.inputs["code"])
    else:
        params.update(
            {member: call.inputs[name] for name, member in _CODE.items() if call.given(name)}
        )
    if call.given("architectures"):
        params["Architectures"] = call.inputs["architectures"]
    call.aws("UpdateFunctionCode", params)


def _publish(call: Call) -> None:
    if call.old and call.inputs.get("publish"):
        call.aws("PublishVersion", {"FunctionName": call.id})


def _concurrency(call: Call) -> None:
    reserved = call.inputs.get("reservedConcurrentExecutions")
    if reserved is not None and reserved >= 0:
        call.aws(
            "PutFunctionConcurrency",
            {"FunctionName": call.id, "ReservedConcurrentExecutions": reserved},
        )
    elif call.old:
        call.aws("DeleteFunctionConcurrency", {"FunctionName": call.id})


def _read_function(call: Call) -> Any:
    answer = call.aws("GetFunction", {"FunctionName": call.id})
    found = dict(answer["Configuration"])
    found["Tags"] = answer.get("Tags", {})
    reserved = lookup(answer, "Concurrency.ReservedConcurrentExecutions")
    found["ReservedConcurrentExecutions"] = -1 if reserved is MISSING else reserved
    arn = str(found["FunctionArn"])
    found["FunctionArn"] = arn
    return found


def _invoke_arn(arn: str, call: Call) -> str:
    gateway = f"arn:{call.partition}:apigateway:{call.region}:lambda:path/2015-03-31"
    return f"{gateway}/functions/{arn}/invocations"


def _qualified(found: Any, _call: Call) -> Any:
    if not found.get("FunctionArn"):
        return MISSING
    return f"{found['FunctionArn']}:{found.get('Version', '$LATEST')}"


def _valid_function(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sources = [name for name in ("code", "imageUri", "s3Bucket") if inputs.get(name) is not None]
    if len(sources) != 1:
        yield (
            sources[0] if sources else "code",
            f"exactly one of code, imageUri and s3Bucket has to be given, here are {len(sources)}",
        )
    if inputs.get("packageType", "Zip") == "Zip":
        for name in ("handler", "runtime"):
            if inputs.get(name) is None:
                yield name, "has to be given for a function from a zip"
    elif inputs.get("imageUri") is None:
        yield "imageUri", "has to be given for a function from an image"


FUNCTION: Final = ResourceType(
    pulumi_type="aws:lambda/function:Function",
    title="Lambda Function",
    service="lambda",
    create=Step(_create_function, ("code",), base=_CREATE),
    id="={name}",
    read=Step(_read_function),
    update=(
        _CONFIGURE,
        Step(
            _update_code,
            watches=("code", "sourceCodeHash", "architectures", *_CODE),
            at_create=False,
        ),
        Step(_concurrency, ("reservedConcurrentExecutions",)),
        Step(_publish, watches=("code", "sourceCodeHash", "publish", *_CODE), at_create=False),
    ),
    delete=lone("DeleteFunction", {"FunctionName": "{id}"}),
    replace=("name", "packageType", "tenancyConfig"),
    name="name",
    name_max=64,
    defaults={
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "timeout": 3,
    },
    local=(
        "codeSha256",
        "skipDestroy",
        "sourceCodeHash",
        "replaceSecurityGroupsOnDestroy",
        "useResourceTimeoutForPropagation",
    ),
    computed=(
        "architectures",
        "ephemeralStorage",
        "loggingConfig",
        "tracingConfig",
        "sourceCodeHash",
        "codeSha256",
    ),
    volatile=(
        "codeSha256",
        "lastModified",
        "qualifiedArn",
        "qualifiedInvokeArn",
        "sourceCodeSize",
        "version",
    ),
    rename=_RENAME,
    output={
        "arn": "FunctionArn",
        "codeSha256": "CodeSha256",
        "invokeArn": lambda found, call: _invoke_arn(found["FunctionArn"], call),
        "qualifiedArn": _qualified,
        "qualifiedInvokeArn": lambda found, call: _invoke_arn(_qualified(found, call), call),
        "sourceCodeSize": "CodeSize",
        "sourceCodeHash": "CodeSha256",
        "code": lambda _f, _c: MISSING,
        "layers": lambda found, _c: [
            layer.get("Arn", layer) if isinstance(layer, Mapping) else layer
            for layer in found.get("Layers", [])
        ],
        "ephemeralStorage": "EphemeralStorage",
    },
    unread=("code", "codeSha256", "publish", "sourceCodeHash"),
    tags=Tags(
        add=lone("TagResource", {"Resource": "{arn}"}),
        remove=lone("UntagResource", {"Resource": "{arn}"}),
        form="map",
    ),
    checks={
        "name": named(r"[A-Za-z0-9_-]+", 64, "expected letters, digits, - and _"),
        "memorySize": between(128, 10240, "MB"),
        "timeout": between(1, 900, "seconds"),
        "role": arn_text,
        "packageType": one_of("Zip", "Image"),
    },
    rules=(_valid_function,),
)


def _statement(call: Call) -> Any:
    answer = call.aws("GetPolicy", {"FunctionName": call.value("function")})
    for statement in json.loads(answer["Policy"]).get("Statement", []):
        if statement.get("Sid") == call.id:
            return statement
    return MISSING


PERMISSION: Final = ResourceType(
    pulumi_type="aws:lambda/permission:Permission",
    title="Lambda Permission",
    service="lambda",
    create=Op("AddPermission", rename={"function": "FunctionName"}),
    id="={statementId}",
    read=Step(_statement),
    delete=lone("RemovePermission", {"FunctionName": "{function}", "StatementId": "{id}"}),
    replace=("*",),
    name="statementId",
    name_max=100,
    output={
        name: (lambda _f, _c: MISSING)
        for name in (
            "action",
            "principal",
            "sourceArn",
            "sourceAccount",
            "function",
            "qualifier",
            "principalOrgId",
            "eventSourceToken",
            "functionUrlAuthType",
            "invokedViaFunctionUrl",
        )
    },
    checks={
        "action": named(r"lambda:[A-Za-z*]+|\*", 100, "expected something like lambda:Invoke"),
        "statementId": named(r"[A-Za-z0-9_-]+", 100, "expected letters, digits, - and _"),
    },
)

ROWS: Final = (FUNCTION, PERMISSION)
