"""ElastiCache: subnet groups, parameter groups, users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.table.common import arn_tags, lone, named, one_of


def tags_of(kind: str) -> Any:
    """Tags of an ElastiCache resource of this kind, by the ARN made from its id."""
    return arn_tags(
        "ResourceName",
        "AddTagsToResource",
        "RemoveTagsFromResource",
        "ListTagsForResource",
        resource=f"arn:{{partition}}:elasticache:{{region}}:{{account}}:{kind}:{{id}}",
    )


SUBNET_GROUP: Final = ResourceType(
    pulumi_type="aws:elasticache/subnetGroup:SubnetGroup",
    title="ElastiCache Subnet Group",
    service="elasticache",
    create=Op("CreateCacheSubnetGroup"),
    id="={name}",
    read=lone(
        "DescribeCacheSubnetGroups",
        {"CacheSubnetGroupName": "{id}"},
        result="CacheSubnetGroups[0]",
    ),
    update=(Op("ModifyCacheSubnetGroup", at_create=False),),
    delete=lone("DeleteCacheSubnetGroup", {"CacheSubnetGroupName": "{id}"}),
    replace=("name",),
    name="name",
    name_lower=True,
    defaults={"description": "Managed by Pulumi"},
    rename={"name": "CacheSubnetGroupName", "description": "CacheSubnetGroupDescription"},
    output={
        "arn": "ARN",
        "subnetIds": lambda found, _c: [
            subnet["SubnetIdentifier"] for subnet in found.get("Subnets", [])
        ],
    },
    tags=tags_of("subnetgroup"),
    checks={"name": named(r"[a-z0-9-]+", 255, "expected small letters, digits and -")},
    gone=("CacheSubnetGroupNotFoundFault",),
)


def _settle_parameters(call: Call) -> None:
    before = {item["name"]: item for item in call.old.get("parameters") or ()}
    now = {item["name"]: item for item in call.inputs.get("parameters") or ()}
    changed = [item for name, item in now.items() if before.get(name) != item]
    for start in range(0, len(changed), 20):
        entries = [
            {"ParameterName": item["name"], "ParameterValue": str(item["value"])}
            for item in changed[start : start + 20]
        ]
        params = {"CacheParameterGroupName": call.id, "ParameterNameValues": entries}
        call.aws("ModifyCacheParameterGroup", params)
    removed = [{"ParameterName": name} for name in before if name not in now]
    if removed:
        params = {"CacheParameterGroupName": call.id, "ParameterNameValues": removed}
        call.aws("ResetCacheParameterGroup", params)


PARAMETER_GROUP: Final = ResourceType(
    pulumi_type="aws:elasticache/parameterGroup:ParameterGroup",
    title="ElastiCache Parameter Group",
    service="elasticache",
    create=Op("CreateCacheParameterGroup"),
    id="={name}",
    read=lone(
        "DescribeCacheParameterGroups",
        {"CacheParameterGroupName": "{id}"},
        result="CacheParameterGroups[0]",
    ),
    update=(Step(_settle_parameters, ("parameters",)),),
    delete=lone("DeleteCacheParameterGroup", {"CacheParameterGroupName": "{id}"}),
    replace=("name", "family", "description"),
    name="name",
    name_lower=True,
    defaults={"description": "Managed by Pulumi"},
    rename={"name": "CacheParameterGroupName", "family": "CacheParameterGroupFamily"},
    output={"arn": "ARN"},
    tags=tags_of("parametergroup"),
    checks={
        "name": named(
            r"[a-z](?:-?[a-z0-9.])*", 255, "expected small letters, digits and -, a letter first"
        ),
        "family": named(
            r"(redis|valkey|memcached)[0-9.x]+", 60, "expected a family like redis7 or valkey8"
        ),
    },
    gone=("CacheParameterGroupNotFound", "CacheParameterGroupNotFoundFault"),
)


def _passwords(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    passwords = inputs.get("passwords")
    for password in passwords if isinstance(passwords, list) else ():
        if isinstance(password, str) and not 16 <= len(password) <= 128:
            yield "passwords", "each has 16 to 128 characters"
    if passwords and inputs.get("noPasswordRequired"):
        yield "passwords", "conflicts with noPasswordRequired"


USER: Final = ResourceType(
    pulumi_type="aws:elasticache/user:User",
    title="ElastiCache User",
    service="elasticache",
    create=Op("CreateUser"),
    id="={userId}",
    read=lone("DescribeUsers", {"UserId": "{id}"}, result="Users[0]"),
    update=(Op("ModifyUser", changed_only=True, params={"UserId": "{id}"}, at_create=False),),
    delete=lone("DeleteUser", {"UserId": "{id}"}),
    replace=("userId", "userName"),
    # AWS counts them; it is no input of the call
    rename={"authenticationMode.passwordCount": "-"},
    name="userId",
    defaults={"noPasswordRequired": False},
    output={"arn": "ARN"},
    unread=("passwords", "noPasswordRequired", "authenticationMode", "accessString"),
    secrets=("authenticationMode",),
    tags=tags_of("user"),
    checks={"engine": lambda value: one_of("redis", "valkey")(value.lower())},
    rules=(_passwords,),
    gone=("UserNotFound", "UserNotFoundFault"),
)


def _members(call: Call) -> None:
    before, now = set(call.old.get("userIds") or ()), set(call.inputs.get("userIds") or ())
    params: dict[str, Any] = {"UserGroupId": call.id}
    if now - before:
        params["UserIdsToAdd"] = sorted(now - before)
    if before - now:
        params["UserIdsToRemove"] = sorted(before - now)
    if len(params) > 1:
        call.aws("ModifyUserGroup", params)


USER_GROUP: Final = ResourceType(
    pulumi_type="aws:elasticache/userGroup:UserGroup",
    title="ElastiCache User Group",
    service="elasticache",
    create=Op("CreateUserGroup"),
    id="={userGroupId}",
    read=lone("DescribeUserGroups", {"UserGroupId": "{id}"}, result="UserGroups[0]"),
    update=(Step(_members, watches=("userIds",), at_create=False),),
    delete=lone("DeleteUserGroup", {"UserGroupId": "{id}"}),
    replace=("userGroupId", "engine"),
    name="userGroupId",
    output={"arn": "ARN"},
    tags=tags_of("usergroup"),
    checks={"engine": lambda value: one_of("redis", "valkey")(value.lower())},
    gone=("UserGroupNotFound", "UserGroupNotFoundFault"),
)

ROWS: Final = (SUBNET_GROUP, PARAMETER_GROUP, USER, USER_GROUP)
