"""IAM: roles and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import (
    arn_text,
    between,
    lone,
    named,
    policy_document,
)

_NAME: Final = r"[\w+=,.@-]+"
_NAME_RULE: Final = "expected letters, digits and +=,.@-_"


def _document(raw: Any) -> Any:
    """IAM answers documents URL-encoded; botocore decodes them to objects."""
    return unquote(raw) if isinstance(raw, str) else raw


def _settle_managed(call: Call) -> None:
    before = set(call.old.get("managedPolicyArns") or ())
    now = set(call.inputs.get("managedPolicyArns") or ())
    for arn in sorted(before - now):
        call.aws("DetachRolePolicy", {"RoleName": call.id, "PolicyArn": arn})
    for arn in sorted(now - before):
        call.aws("AttachRolePolicy", {"RoleName": call.id, "PolicyArn": arn})


def _settle_inline(call: Call) -> None:
    before = {entry.get("name", ""): entry for entry in call.old.get("inlinePolicies") or ()}
    now = {entry.get("name", ""): entry for entry in call.inputs.get("inlinePolicies") or ()}
    for name in sorted(before.keys() - now.keys()):
        call.aws("DeleteRolePolicy", {"RoleName": call.id, "PolicyName": name})
    for name, entry in now.items():
        if entry != before.get(name):
            params = {"RoleName": call.id, "PolicyName": name, "PolicyDocument": entry["policy"]}
            call.aws("PutRolePolicy", params)


def _delete_role(call: Call) -> None:
    """What the role resource itself attached goes with it; what others attached stops it."""
    everything = bool(call.inputs.get("forceDetachPolicies"))
    attached = set(call.inputs.get("managedPolicyArns") or ())
    inline = {entry.get("name", "") for entry in call.inputs.get("inlinePolicies") or ()}
    answer = call.aws("ListAttachedRolePolicies", {"RoleName": call.id})
    for policy in answer["AttachedPolicies"]:
        if everything or policy["PolicyArn"] in attached:
            params = {"RoleName": call.id, "PolicyArn": policy["PolicyArn"]}
            call.aws("DetachRolePolicy", params)
    for name in call.aws("ListRolePolicies", {"RoleName": call.id})["PolicyNames"]:
        if everything or name in inline:
            call.aws("DeleteRolePolicy", {"RoleName": call.id, "PolicyName": name})
    call.aws("DeleteRole", {"RoleName": call.id})


ROLE: Final = ResourceType(
    pulumi_type="aws:iam/role:Role",
    title="IAM Role",
    service="iam",
    create=Op("CreateRole"),
    id="={name}",
    read=lone("GetRole", {"RoleName": "{id}"}, result="Role"),
    update=(
        lone(
            "UpdateAssumeRolePolicy",
            {"RoleName": "{id}", "PolicyDocument": "{assumeRolePolicy}"},
            at_create=False,
        ),
        Op("UpdateRole", {"RoleName": "{id}"}, at_create=False),
        Step(
            lambda call: (
                call.aws(
                    "PutRolePermissionsBoundary",
                    {
                        "RoleName": call.id,
                        "PermissionsBoundary": call.inputs["permissionsBoundary"],
                    },
                )
                if call.given("permissionsBoundary")
                else call.aws("DeleteRolePermissionsBoundary", {"RoleName": call.id})
            ),
            watches=("permissionsBoundary",),
            at_create=False,
        ),
        Step(_settle_managed, ("managedPolicyArns",)),
        Step(_settle_inline, ("inlinePolicies",)),
    ),
    delete=Step(_delete_role),
    replace=("name", "path"),
    name="name",
    name_max=64,
    defaults={"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False},
    local=("forceDetachPolicies",),
    computed=("managedPolicyArns", "inlinePolicies"),
    rename={
        "name": "RoleName",
        "assumeRolePolicy": "AssumeRolePolicyDocument",
    },
    output={
        "uniqueId": "RoleId",
        "assumeRolePolicy": lambda found, _c: _document(found.get("AssumeRolePolicyDocument")),
        "permissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn",
    },
    tags=Tags(
        add=lone("TagRole", {"RoleName": "{id}"}),
        remove=lone("UntagRole", {"RoleName": "{id}"}),
        read=lone("ListRoleTags", {"RoleName": "{id}"}),
    ),
    checks={
        "name": named(_NAME, 64, _NAME_RULE),
        "assumeRolePolicy": policy_document,
        "maxSessionDuration": between(3600, 43200, "seconds"),
        "path": named(r"/|/[\x21-\x7e]+/", 512, "a path begins and ends with /"),
        "permissionsBoundary": arn_text,
    },
    adopt=True,
)


def _read_role_policy(call: Call) -> Any:
    answer = call.aws(
        "GetRolePolicy", {"RoleName": call.value("role"), "PolicyName": call.value("name")}
    )
    return {
        "Role": answer["RoleName"],
        "Name": answer["PolicyName"],
        "Policy": _document(answer["PolicyDocument"]),
    }


def _parts(call: Call) -> tuple[str, str]:
    role, _, name = call.id.partition(":")
    return str(call.value("role") or role), str(call.value("name") or name)


def _read_role_policy_by_id(call: Call) -> Any:
    role, name = _parts(call)
    call.state = {"role": role, "name": name, **call.state}
    return _read_role_policy(call)


_PUT_ROLE_POLICY: Final = lone(
    "PutRolePolicy",
    {"RoleName": "{role}", "PolicyName": "{name}", "PolicyDocument": "{policy}"},
)

ROLE_POLICY: Final = ResourceType(
    pulumi_type="aws:iam/rolePolicy:RolePolicy",
    title="IAM Role Policy",
    service="iam",
    create=_PUT_ROLE_POLICY,
    id="={role}:{name}",
    read=Step(_read_role_policy_by_id),
    update=(_PUT_ROLE_POLICY,),
    delete=lone("DeleteRolePolicy", {"RoleName": "{role}", "PolicyName": "{name}"}),
    replace=("role", "name"),
    name="name",
    name_max=128,
    checks={"name": named(_NAME, 128, _NAME_RULE), "policy": policy_document},
)


def _read_attachment(call: Call) -> Any:
    role, _, arn = call.id.partition("/")
    role, arn = str(call.value("role") or role), str(call.value("policyArn") or arn)
    answer = call.aws("ListAttachedRolePolicies", {"RoleName": role})
    for policy in answer["AttachedPolicies"]:
        if policy["PolicyArn"] == arn:
            return {"Role": role, "PolicyArn": arn}
    return MISSING


ROLE_POLICY_ATTACHMENT: Final = ResourceType(
    pulumi_type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    title="IAM Role Policy Attachment",
    service="iam",
    create=lone("AttachRolePolicy", {"RoleName": "{role}", "PolicyArn": "{policyArn}"}),
    id="={role}/{policyArn}",
    read=Step(_read_attachment),
    delete=lone("DetachRolePolicy", {"RoleName": "{role}", "PolicyArn": "{policyArn}"}),
    replace=("*",),
    unique=True,
    checks={"policyArn": arn_text},
)

_MOST_VERSIONS: Final = 5


def _versions(call: Call) -> Iterator[dict[str, Any]]:
    yield from call.aws("ListPolicyVersions", {"PolicyArn": call.id})["Versions"]


def _new_version(call: Call) -> None:
    old = [version for version in _versions(call) if not version["IsDefaultVersion"]]
    if len(old) >= _MOST_VERSIONS - 1:
        eldest = min(old, key=lambda version: version["CreateDate"])
        params = {"PolicyArn": call.id, "VersionId": eldest["VersionId"]}
        call.aws("DeletePolicyVersion", params)
    call.aws(
        "CreatePolicyVersion",
        {"PolicyArn": call.id, "PolicyDocument": call.inputs["policy"], "SetAsDefault": True},
    )


def _read_policy(call: Call) -> Any:
    policy = dict(call.aws("GetPolicy", {"PolicyArn": call.id})["Policy"])
    version = call.aws(
        "GetPolicyVersion", {"PolicyArn": call.id, "VersionId": policy["DefaultVersionId"]}
    )
    policy["Policy"] = _document(version["PolicyVersion"]["Document"])
    return policy


def _delete_policy(call: Call) -> None:
    try:
        for version in _versions(call):
            if not version["IsDefaultVersion"]:
                params = {"PolicyArn": call.id, "VersionId": version["VersionId"]}
                call.aws("DeletePolicyVersion", params)
    except CallError as error:
        if not error.gone:
            raise
    call.aws("DeletePolicy", {"PolicyArn": call.id})


POLICY: Final = ResourceType(
    pulumi_type="aws:iam/policy:Policy",
    title="IAM Policy",
    service="iam",
    create=Op("CreatePolicy"),
    id="Policy.Arn",
    read=Step(_read_policy),
    update=(Step(_new_version, watches=("policy",), at_create=False),),
    delete=Step(_delete_policy),
    replace=("name", "path", "description"),
    name="name",
    name_max=128,
    defaults={"path": "/"},
    local=("delayAfterPolicyCreationInMs",),
    rename={"name": "PolicyName", "policy": "PolicyDocument"},
    output={
        "policy": lambda found, _c: found.get("Policy", MISSING),
        "name": "PolicyName",
    },
    tags=Tags(
        add=lone("TagPolicy", {"PolicyArn": "{id}"}),
        remove=lone("UntagPolicy", {"PolicyArn": "{id}"}),
        read=lone("ListPolicyTags", {"PolicyArn": "{id}"}),
    ),
    checks={
        "name": named(_NAME, 128, _NAME_RULE),
        "policy": policy_document,
        "path": named(r"/|/[\x21-\x7e]+/", 512, "a path begins and ends with /"),
    },
)

ROWS: Final = (ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, POLICY)
