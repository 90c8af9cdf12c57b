"""Cases of IAM."""

from __future__ import annotations

from policies.testing import UNKNOWN
from tests.policies.rules.cases import Case, allow, one, policy

ROLE = "aws:iam/role:Role"
INLINE = "aws:iam/rolePolicy:RolePolicy"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
RULE = "iam-no-wildcards"
TRUST = "role-trust-not-public"


def doc(*statements: dict[str, object]) -> dict[str, str]:
    return {"policy": policy(*statements)}


def trust(principal: object, **more: object) -> dict[str, str]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"assumeRolePolicy": policy(statement)}


CASES: list[Case] = [
    one(RULE, "pass", INLINE, doc(allow("s3:GetObject", "arn:aws:s3:::b/*")), "named"),
    one(RULE, "pass", INLINE, doc(allow("ecr:GetAuthorizationToken")), "knows no resource"),
    one(RULE, "pass", INLINE, doc(allow(["logs:PutLogEvents", "ec2:Describe*"])), "harmless"),
    one(
        RULE,
        "pass",
        INLINE,
        doc(allow("cloudwatch:*", Condition={"StringEquals": {"cloudwatch:namespace": "atc"}})),
        "narrowed by a condition",
    ),
    one(RULE, "pass", INLINE, doc({"Effect": "Deny", "Action": "*", "Resource": "*"}), "a denial"),
    one(
        RULE,
        "pass",
        INLINE,
        doc(allow("s3:*", ["arn:aws:s3:::b", "arn:aws:s3:::b/*"])),
        "one bucket",
    ),
    one(RULE, "fail", INLINE, doc(allow("*")), "everything", found="Allow * on *"),
    one(RULE, "fail", INLINE, doc(allow(["ec2:DescribeTags", "s3:*"])), "a service", found="s3:*"),
    one(RULE, "fail", INLINE, doc(allow("secretsmanager:Get*")), "all secrets", found="Get* on *"),
    one(RULE, "fail", INLINE, doc(allow("iam:PassRole")), "any role", found="iam:PassRole"),
    one(
        RULE,
        "fail",
        INLINE,
        doc({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        "all but",
        found="everything but iam:*",
    ),
    one(RULE, "undecided", INLINE, {"policy": UNKNOWN}, "unknown"),
    one(RULE, "undecided", INLINE, {"policy": "{"}, "broken"),
    one(RULE, "fail", ROLE, {"inlinePolicies": [doc(allow("*"))]}, "inline", found="Allow * on *"),
    one(
        RULE,
        "fail",
        ROLE,
        {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
        "managed",
        found="AdministratorAccess",
    ),
    one(
        RULE,
        "fail",
        ATTACHED,
        {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        "attached",
        found="AdministratorAccess",
    ),
    one(
        RULE,
        "pass",
        ATTACHED,
        {"policyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"},
        "ordinary",
    ),
    one(TRUST, "pass", ROLE, trust({"Service": "ecs-tasks.amazonaws.com"}), "a service"),
    one(TRUST, "fail", ROLE, trust("*"), "all", found="Principal *"),
    one(TRUST, "fail", ROLE, trust({"AWS": ["*"]}), "all accounts", found="Principal *"),
    one(
        TRUST,
        "pass",
        ROLE,
        trust("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o"}}),
        "org",
    ),
    one(TRUST, "undecided", ROLE, {"assumeRolePolicy": UNKNOWN}, "unknown"),
]
