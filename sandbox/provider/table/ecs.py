"""ECS: clusters, task definitions, services."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import (
    arn_tags,
    arn_text,
    between,
    json_document,
    lone,
    named,
    one_of,
)

_NAME: Final = named(r"[A-Za-z0-9_-]+", 255, "expected letters, digits, - and _")
_TAGS: Final = arn_tags(
    "resourceArn",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    keys="tagKeys",
    path="tags",
    form="lower",
    tags="tags",
    create="tags",
)


def _read_cluster(call: Call) -> Any:
    answer = call.aws(
        "DescribeClusters", {"clusters": [call.id], "include": ["SETTINGS", "CONFIGURATIONS"]}
    )
    for found in answer.get("clusters", []):
        if found.get("status") != "INACTIVE":
            return found
    return MISSING


CLUSTER: Final = ResourceType(
    pulumi_type="aws:ecs/cluster:Cluster",
    title="ECS Cluster",
    service="ecs",
    create=Op("CreateCluster"),
    id="cluster.clusterArn",
    read=Step(_read_cluster),
    update=(Op("UpdateCluster", {"cluster": "{id}"}, at_create=False),),
    delete=lone("DeleteCluster", {"cluster": "{id}"}),
    replace=("name",),
    name="name",
    computed=("settings",),
    rename={
        "name": "clusterName",
        "configuration.executeCommandConfiguration.logConfiguration.s3BucketEncryptionEnabled": (
            "s3EncryptionEnabled"
        ),
    },
    output={"arn": "clusterArn"},
    tags=_TAGS,
    checks={"name": _NAME},
    gone=("ClusterNotFoundException",),
    adopt=True,
)


def _read_providers(call: Call) -> Any:
    found = lookup(call.aws("DescribeClusters", {"clusters": [call.id]}), "clusters[0]")
    if found is MISSING or found.get("status") == "INACTIVE":
        return MISSING
    return found


_PUT_PROVIDERS: Final = Op("PutClusterCapacityProviders", {"cluster": "{clusterName}"})


def _put_providers(call: Call) -> dict[str, Any]:
    params: dict[str, Any] = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
    return call.aws("PutClusterCapacityProviders", {**params, **call.build(_PUT_PROVIDERS)})


CLUSTER_CAPACITY_PROVIDERS: Final = ResourceType(
    pulumi_type="aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    title="ECS Cluster Capacity Providers",
    service="ecs",
    create=Step(_put_providers, base=_PUT_PROVIDERS),
    id="={clusterName}",
    read=Step(_read_providers),
    update=(Step(_put_providers, base=_PUT_PROVIDERS, at_create=False),),
    delete=lone(
        "PutClusterCapacityProviders",
        {"cluster": "{id}", "capacityProviders": [], "defaultCapacityProviderStrategy": []},
    ),
    replace=("clusterName",),
    unique=True,
    rename={"defaultCapacityProviderStrategies": "defaultCapacityProviderStrategy"},
    gone=("ClusterNotFoundException",),
)

#: CPU units → memory in MB that Fargate allows for it.
#: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
FARGATE: Final[Mapping[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
_CONTAINER_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")


def _units(value: Any, per_unit: int) -> int | None:
    """``1024``, ``1 vCPU``, ``2 GB`` as units."""
    found = re.fullmatch(r"([\d.]+)\s*(vcpu|gb)?", str(value).strip().lower())
    if found is None:
        return None
    number = float(found.group(1))
    return int(number * per_unit) if found.group(2) else int(number)


def _fargate(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    compatibilities = inputs.get("requiresCompatibilities")
    if not isinstance(compatibilities, list) or "FARGATE" not in compatibilities:
        return
    if inputs.get("networkMode") != "awsvpc" and isinstance(inputs.get("networkMode"), str):
        yield "networkMode", "has to be awsvpc for Fargate"
    for name in ("cpu", "memory"):
        if inputs.get(name) is None:
            yield name, "has to be given for Fargate"
    if not isinstance(inputs.get("cpu"), str) or not isinstance(inputs.get("memory"), str):
        return
    cpu, memory = _units(inputs["cpu"], 1024), _units(inputs["memory"], 1024)
    if cpu is None or cpu not in FARGATE:
        allowed = ", ".join(map(str, FARGATE))
        yield "cpu", f"Fargate has no {inputs['cpu']!r} CPU units; it has {allowed}"
    elif memory not in FARGATE[cpu]:
        sizes = FARGATE[cpu]
        yield (
            "memory",
            f"Fargate has no {inputs['memory']!r} MB at {cpu} CPU units; it has {sizes[0]} to "
            f"{sizes[-1]} in steps of {sizes[1] - sizes[0]}",
        )


def _containers(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    text = inputs.get("containerDefinitions")
    if not isinstance(text, str) or json_document(text):
        return
    where = "containerDefinitions"
    definitions = json.loads(text)
    if not isinstance(definitions, list) or not definitions:
        yield where, "has to be a JSON list with at least one container"
        return
    names: set[str] = set()
    for index, container in enumerate(definitions):
        if not isinstance(container, dict):
            yield f"{where}[{index}]", "is not an object"
            continue
        name = container.get("name")
        if not isinstance(name, str) or not _CONTAINER_NAME.fullmatch(name):
            yield f"{where}[{index}].name", "has to be 1 to 255 letters, digits, - and _"
        elif name in names:
            yield f"{where}[{index}].name", f"{name!r} is there twice"
        names.add(str(name))
        if not container.get("image"):
            yield f"{where}[{index}].image", "has to be given"
    if not any(isinstance(c, dict) and c.get("essential", True) for c in definitions):
        yield where, "at least one container has to be essential"


_REGISTER: Final = Op(
    "RegisterTaskDefinition",
    rename={
        "volumes.hostPath": "host.sourcePath",
        "volumes.configureAtLaunch": "configuredAtLaunch",
    },
    skip=("containerDefinitions",),
)


def _definitions(call: Call) -> list[dict[str, Any]]:
    """The containers; values that ECS wants as texts may come as numbers."""
    definitions: list[dict[str, Any]] = json.loads(call.inputs["containerDefinitions"])
    for container in definitions:
        for entry in container.get("environment") or ():
            entry["value"] = "" if entry.get("value") is None else str(entry["value"])
    return definitions


def _register(call: Call) -> dict[str, Any]:
    params = call.build(_REGISTER)
    params["containerDefinitions"] = _definitions(call)
    return call.aws("RegisterTaskDefinition", call.tagged(params))


def _read_task(call: Call) -> Any:
    name = call.state.get("arn") or lookup(call.response, "taskDefinition.taskDefinitionArn")
    try:
        answer = call.aws(
            "DescribeTaskDefinition", {"taskDefinition": call.id if name is MISSING else name}
        )
    except CallError as error:
        if error.code == "ClientException":  # "Unable to describe task definition."
            return MISSING
        raise
    found = dict(answer["taskDefinition"])
    if found.get("status") == "INACTIVE":
        return MISSING
    found["arnWithoutRevision"] = found["taskDefinitionArn"].rpartition(":")[0]
    return found


def _deregister(call: Call) -> None:
    if call.inputs.get("skipDestroy"):
        return
    name = call.state.get("arn") or call.response.get("taskDefinition", {}).get(
        "taskDefinitionArn", call.id
    )
    call.aws("DeregisterTaskDefinition", {"taskDefinition": name})


TASK_DEFINITION: Final = ResourceType(
    pulumi_type="aws:ecs/taskDefinition:TaskDefinition",
    title="ECS Task Definition",
    service="ecs",
    create=Step(_register, ("containerDefinitions",), base=_REGISTER),
    id="={family}",
    read=Step(_read_task),
    delete=Step(_deregister),
    replace=("*",),
    update_only=("skipDestroy", "trackLatest"),
    defaults={"skipDestroy": False, "trackLatest": False},
    local=("skipDestroy", "trackLatest"),
    computed=("networkMode",),
    output={"arn": "taskDefinitionArn"},
    unread=("containerDefinitions", "volumes", "proxyConfiguration"),
    tags=_TAGS,
    checks={
        "family": _NAME,
        "containerDefinitions": json_document,
        "networkMode": one_of("awsvpc", "bridge", "host", "none"),
        "executionRoleArn": arn_text,
        "taskRoleArn": arn_text,
    },
    rules=(_fargate, _containers),
    gone=("ClientException",),
)

_CREATE_SERVICE: Final = Op(
    "CreateService",
    rename={
        "capacityProviderStrategies": "capacityProviderStrategy",
        "networkConfiguration": "networkConfiguration.awsvpcConfiguration",
        "orderedPlacementStrategies": "placementStrategy",
        "iamRole": "role",
        "enableEcsManagedTags": "enableECSManagedTags",
        "deploymentMaximumPercent": "deploymentConfiguration.maximumPercent",
        "deploymentMinimumHealthyPercent": "deploymentConfiguration.minimumHealthyPercent",
        "deploymentCircuitBreaker": "deploymentConfiguration.deploymentCircuitBreaker",
        "alarms": "deploymentConfiguration.alarms",
        "loadBalancers.elbName": "loadBalancerName",
        "serviceConnectConfiguration.services.tls.issuerCertAuthority": (
            "issuerCertificateAuthority"
        ),
        "volumeConfiguration.managedEbsVolume.sizeInGb": "sizeInGiB",
    },
    skip=("deploymentConfiguration",),
)


def _service_params(call: Call, op: Op) -> dict[str, Any]:
    params = call.build(op)
    network = params.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if network is not None:
        network.setdefault("assignPublicIp", "DISABLED")  # the API's own default is ENABLED
    if params.get("schedulingStrategy") == "DAEMON":
        params.pop("desiredCount", None)
    return params


def _create_service(call: Call) -> dict[str, Any]:
    params = _service_params(call, _CREATE_SERVICE)
    return call.aws("CreateService", call.tagged(params))


_UPDATE_SERVICE: Final = Op(
    "UpdateService",
    {"service": "{id}", "cluster": "{cluster}"},
    rename=_CREATE_SERVICE.rename,
    skip=("deploymentConfiguration",),
)


def _update_service(call: Call) -> None:
    params = _service_params(call, _UPDATE_SERVICE)
    if "desiredCount" not in call.changed:
        params.pop("desiredCount", None)  # an autoscaler may have moved it
    call.aws("UpdateService", params)


def _read_service(call: Call) -> Any:
    params: dict[str, Any] = {"services": [call.id]}
    cluster = call.value("cluster") or _cluster_of(call.id)
    if cluster:
        params["cluster"] = cluster
    for found in call.aws("DescribeServices", params).get("services", []):
        if found.get("status") != "INACTIVE":
            return _service_found(call, found)
    return MISSING


def _cluster_of(arn: str) -> str:
    parts = arn.split("/")
    return parts[1] if len(parts) == 3 else ""


def _service_found(call: Call, found: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(found)
    given = call.inputs.get("cluster")
    if isinstance(given, str) and str(found.get("clusterArn", "")).endswith("/" + given):
        result["clusterArn"] = given
    return result


def _delete_service(call: Call) -> None:
    params: dict[str, Any] = {"service": call.id, "force": True}
    if call.value("cluster"):
        params["cluster"] = call.value("cluster")
    if call.value("schedulingStrategy") != "DAEMON":
        call.aws(
            "UpdateService",
            {**{key: value for key, value in params.items() if key != "force"}, "desiredCount": 0},
        )
    call.aws("DeleteService", params)


def _valid_service(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if inputs.get("launchType") and inputs.get("capacityProviderStrategies"):
        yield "launchType", "conflicts with capacityProviderStrategies"
    if inputs.get("launchType") == "FARGATE" and not inputs.get("networkConfiguration"):
        yield "networkConfiguration", "has to be given for Fargate"
    if inputs.get("healthCheckGracePeriodSeconds") and not inputs.get("loadBalancers"):
        yield "healthCheckGracePeriodSeconds", "is for services behind a load balancer only"
    low, high = (
        inputs.get("deploymentMinimumHealthyPercent"),
        inputs.get("deploymentMaximumPercent"),
    )
    if isinstance(low, int) and isinstance(high, int) and low >= 100 >= high:
        yield "deploymentMaximumPercent", f"{low} to {high} per cent leaves no room to deploy"


SERVICE: Final = ResourceType(
    pulumi_type="aws:ecs/service:Service",
    title="ECS Service",
    service="ecs",
    create=Step(_create_service, base=_CREATE_SERVICE),
    id="service.serviceArn",
    read=Step(_read_service),
    update=(Step(_update_service, base=_UPDATE_SERVICE, at_create=False),),
    delete=Step(_delete_service),
    replace=(
        "name",
        "cluster",
        "launchType",
        "schedulingStrategy",
        "deploymentController",
        "iamRole",
    ),
    name="name",
    defaults={
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "schedulingStrategy": "REPLICA",
        "waitForSteadyState": False,
    },
    local=("waitForSteadyState", "forceDelete", "triggers", "sigintRollback"),
    computed=(
        "cluster",
        "iamRole",
        "launchType",
        "platformVersion",
        "availabilityZoneRebalancing",
    ),
    rename={
        **_CREATE_SERVICE.rename,
        "name": "serviceName",
        "cluster": "clusterArn",
        "iamRole": "roleArn",
    },
    output={"arn": "serviceArn"},
    unread=("deploymentController", "serviceConnectConfiguration", "forceNewDeployment"),
    tags=_TAGS,
    checks={
        "name": _NAME,
        "desiredCount": between(0, 5000),
        "deploymentMaximumPercent": between(100, 200),
        "deploymentMinimumHealthyPercent": between(0, 100),
    },
    rules=(_valid_service,),
    gone=("ServiceNotFoundException", "ServiceNotActiveException", "ClusterNotFoundException"),
    adopt=True,
)

ROWS: Final = (CLUSTER, CLUSTER_CAPACITY_PROVIDERS, TASK_DEFINITION, SERVICE)
