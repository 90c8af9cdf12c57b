"""RDS Proxy: the pool of connections before a database."""

from __future__ import annotations

import time
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError, ProviderError
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import arn_text, between, lone, named, one_of
from sandbox.provider.table.rds import TAGS

_NAME: Final = named(
    r"[A-Za-z](?:-?[A-Za-z0-9])*", 63, "expected letters, digits and single hyphens"
)
_GONE: Final = ("DBProxyNotFoundFault", "DBProxyTargetGroupNotFoundFault")
_READY_SECONDS: Final = 60.0


def _read_proxy(call: Call) -> Any:
    return lookup(call.aws("DescribeDBProxies", {"DBProxyName": call.id}), "DBProxies[0]")


def _wait(call: Call) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        found = _read_proxy(call)
        if found is not MISSING and found.get("Status", "available") == "available":
            return
        if time.monotonic() > deadline:
            raise ProviderError(f"still not available after {_READY_SECONDS:g} seconds")
        time.sleep(0.1)


PROXY: Final = ResourceType(
    pulumi_type="aws:rds/proxy:Proxy",
    title="RDS DB Proxy",
    service="rds",
    create=Op("CreateDBProxy"),
    id="={name}",
    read=Step(_read_proxy),
    update=(
        Op(
            "ModifyDBProxy",
            {"SecurityGroups": "{vpcSecurityGroupIds}"},
            rename={"vpcSecurityGroupIds": "SecurityGroups"},
            at_create=False,
        ),
    ),
    delete=lone("DeleteDBProxy", {"DBProxyName": "{id}"}),
    replace=(
        "name",
        "engineFamily",
        "vpcSubnetIds",
        "endpointNetworkType",
        "targetConnectionNetworkType",
    ),
    name="name",
    name_max=63,
    computed=(
        "idleClientTimeout",
        "vpcSecurityGroupIds",
        "defaultAuthScheme",
        "endpointNetworkType",
        "targetConnectionNetworkType",
    ),
    rename={"name": "DBProxyName", "auths": "Auth"},
    output={"arn": "DBProxyArn"},
    tags=TAGS,
    checks={
        "name": _NAME,
        "engineFamily": one_of("MYSQL", "POSTGRESQL", "SQLSERVER"),
        "idleClientTimeout": between(1, 28800, "seconds"),
        "roleArn": arn_text,
    },
    ready=_wait,
    gone=_GONE,
)

_POOL: Final = Op(
    "ModifyDBProxyTargetGroup",
    {"DBProxyName": "{dbProxyName}", "TargetGroupName": "default"},
)


def _keep_pool(_call: Call) -> None:
    """The default group lives as long as its proxy."""


DEFAULT_TARGET_GROUP: Final = ResourceType(
    pulumi_type="aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
    title="RDS DB Proxy Default Target Group",
    service="rds",
    create=_POOL,
    id="={dbProxyName}",
    read=lone("DescribeDBProxyTargetGroups", {"DBProxyName": "{id}"}, result="TargetGroups[0]"),
    update=(_POOL,),
    delete=Step(_keep_pool),
    replace=("dbProxyName",),
    computed=("connectionPoolConfig",),
    rename={"connectionPoolConfig": "ConnectionPoolConfig"},
    output={
        "arn": "TargetGroupArn",
        "name": "TargetGroupName",
        "connectionPoolConfig": lambda found, _c: found.get(
            "ConnectionPoolConfig", found.get("ConnectionPoolConfigInfo", MISSING)
        ),
    },
    gone=_GONE,
)


def _read_target(call: Call) -> Any:
    proxy, group = call.value("dbProxyName"), call.value("targetGroupName")
    wanted = call.value("dbInstanceIdentifier") or call.value("dbClusterIdentifier")
    answer = call.aws("DescribeDBProxyTargets", {"DBProxyName": proxy, "TargetGroupName": group})
    for found in answer.get("Targets", []):
        if found.get("RdsResourceId") == wanted:
            return found
    return MISSING


def _create_target(call: Call) -> dict[str, Any]:
    answer = call.aws("RegisterDBProxyTargets", call.build(_REGISTER))
    kind = "RDS_INSTANCE" if call.given("dbInstanceIdentifier") else "TRACKED_CLUSTER"
    wanted = call.value("dbInstanceIdentifier") or call.value("dbClusterIdentifier")
    parts = (call.inputs["dbProxyName"], call.inputs["targetGroupName"], kind, wanted)
    return {**answer, "Id": "/".join(map(str, parts))}


def _delete_target(call: Call) -> None:
    try:
        call.aws("DeregisterDBProxyTargets", call.build(_DEREGISTER))
    except CallError as error:
        if error.code != "InvalidDBInstanceState":
            raise


_MEMBERS: Final = {
    "DBProxyName": "{dbProxyName}",
    "TargetGroupName": "{targetGroupName}",
    "DBInstanceIdentifiers": ["{dbInstanceIdentifier}"],
    "DBClusterIdentifiers": ["{dbClusterIdentifier}"],
}
_REGISTER: Final = lone("RegisterDBProxyTargets", _MEMBERS)
_DEREGISTER: Final = lone("DeregisterDBProxyTargets", _MEMBERS)

PROXY_TARGET: Final = ResourceType(
    pulumi_type="aws:rds/proxyTarget:ProxyTarget",
    title="RDS DB Proxy Target",
    service="rds",
    create=Step(
        _create_target,
        ("dbProxyName", "targetGroupName", "dbInstanceIdentifier", "dbClusterIdentifier"),
    ),
    id="Id",
    read=Step(_read_target),
    delete=Step(_delete_target),
    replace=("*",),
    unique=True,
    gone=(*_GONE, "DBProxyTargetNotFoundFault"),
    output={
        name: (lambda _f, _c: MISSING)
        for name in ("dbInstanceIdentifier", "dbClusterIdentifier", "targetGroupName")
    },
)

ROWS: Final = (PROXY, DEFAULT_TARGET_GROUP, PROXY_TARGET)
