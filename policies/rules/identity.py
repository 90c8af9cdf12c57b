"""Identity: who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.framework import Finding, Findings, Fix, Resource, rule
from policies.framework.documents import as_list, document, statements

ROLE = "aws:iam/role:Role"
POLICIES = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
)
ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
)

_DOCS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

# What gives away data or rights when it is allowed on everything; each of these can be narrowed.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_SENSITIVE = (
    "secretsmanager:getsecretvalue",
    "secretsmanager:batchgetsecretvalue",
    "secretsmanager:putsecretvalue",
    "ssm:getparameter",
    "ssm:getparameters",
    "ssm:getparametersbypath",
    "kms:decrypt",
    "s3:getobject",
    "s3:putobject",
    "s3:deleteobject",
    "iam:passrole",
    "iam:attachrolepolicy",
    "iam:putrolepolicy",
    "iam:createpolicyversion",
    "iam:createaccesskey",
    "sts:assumerole",
    "dynamodb:getitem",
    "dynamodb:putitem",
    "rds-db:connect",
    "lambda:invokefunction",
    "lambda:updatefunctioncode",
    "sqs:receivemessage",
)

_TOO_MUCH = re.compile(r"(?:^|:policy/)(AdministratorAccess|PowerUserAccess|IAMFullAccess)$")


@rule(
    "iam-no-wildcards",
    section="identity",
    severity="critical",
    types=(ROLE, *POLICIES, *ATTACHMENTS),
    lines=("001:342",),
    why="A role that may do everything turns any break-in into a complete one.",
    fix=Fix(
        "",
        "aws.iam.RolePolicy(policy=...) with actions and resource ARNs by name",
    ),
    reference=f"{_DOCS}best-practices.html#grant-least-privilege",
)
def iam_no_wildcards(subject: Resource) -> Findings:
    """All actions, a whole service, or sensitive actions, allowed on everything.

    Many actions know no resource (`ecr:GetAuthorizationToken`): those may stand with `*`. So may
    what a condition narrows.
    """
    if subject.type in ATTACHMENTS:
        yield from _too_much(str(subject.get("policyArn", "")), "policyArn")
        return
    if subject.type != ROLE:
        yield from _judge(document(subject, "policy"), "policy")
        return
    for arn in subject.get("managedPolicyArns") or ():
        yield from _too_much(str(arn), "managedPolicyArns")
    for index, inline in enumerate(subject.get("inlinePolicies") or ()):
        path = f"inlinePolicies[{index}].policy"
        if "policy" in inline:
            yield from _judge(document(subject, path), path)


def _too_much(arn: str, path: str) -> Findings:
    if _TOO_MUCH.search(arn):
        yield Finding(f"{path}: {arn}", "a policy of what the role needs", path)


def _judge(policy: Any, path: str) -> Findings:
    for statement in statements(policy):
        if statement.get("Effect") != "Allow" or not _on_everything(statement):
            continue
        for action in _too_wide(statement):
            sid = statement.get("Sid")
            yield Finding(
                f"{path}{f' statement {sid}' if sid else ''}: Allow {action} on *",
                "the actions and resources that are needed, by name",
                path,
            )


def _on_everything(statement: Mapping[str, Any]) -> bool:
    resources = [str(item) for item in as_list(statement.get("Resource"))]
    everything = "*" in resources or "NotResource" in statement
    return everything and not statement.get("Condition")


def _too_wide(statement: Mapping[str, Any]) -> Iterator[str]:
    if "NotAction" in statement:
        yield f"everything but {', '.join(map(str, as_list(statement['NotAction'])))}"
        return
    for action in map(str, as_list(statement.get("Action"))):
        if action == "*" or re.fullmatch(r"[\w-]+:\*+", action):
            yield action
            continue
        pattern = re.compile(
            "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in action.lower())
        )
        if any(pattern.fullmatch(sensitive) for sensitive in _SENSITIVE):
            yield action


@rule(
    "role-trust-not-public",
    section="identity",
    severity="critical",
    types=(ROLE,),
    lines=("001:342",),
    why="A role that everybody may take is everybody's.",
    fix=Fix(
        "",
        'aws.iam.Role(assume_role_policy=...) with "Principal": {"Service": "..."}',
    ),
    reference=f"{_DOCS}reference_policies_elements_principal.html",
)
def role_trust_not_public(role: Resource) -> Findings:
    """No statement of the trust policy is for any principal, unless a condition narrows it."""
    path = "assumeRolePolicy"
    for statement in statements(document(role, path)):
        if statement.get("Effect") != "Allow" or statement.get("Condition"):
            continue
        principal = statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, Mapping) else principal
        if "*" in [str(item) for item in as_list(named)]:
            yield Finding(f"{path}: Principal *", "the principals that need it, by name", path)
