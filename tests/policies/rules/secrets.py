"""Cases of the rules on secrets. Every value here is made up."""

from __future__ import annotations

import base64
from typing import Any

from policies.testing import UNKNOWN, Plan, Secret
from tests.policies.rules.cases import Case, container, one, task

TASK = "aws:ecs/taskDefinition:TaskDefinition"
FUNCTION = "aws:lambda/function:Function"
MACHINE = "aws:ec2/instance:Instance"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
PARAMETER = "aws:ssm/parameter:Parameter"
DB = "aws:rds/instance:Instance"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
SECRET = "aws:secretsmanager/secret:Secret"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
USER = "aws:elasticache/user:User"
BUCKET = "aws:s3/bucket:Bucket"

ACCESS_KEY = "AKIA" + "QYLPMN5HFIQR7XYA"
CONNECTION = "postgresql://app:correcthorse@db.internal:5432/app"
ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:atc-prod/alpaca"


def environment(**variables: str) -> dict[str, Any]:
    entries = [{"name": name, "value": value} for name, value in variables.items()]
    return task(container(environment=entries))


def exports(note: str, outcome: str, found: str = "", **outputs: Any) -> Case:
    return Case(
        "output-no-plaintext-secrets", outcome, "stack", Plan().export(**outputs), note, found
    )


def rotated(
    rules: dict[str, Any] | None, *, name: str = "alpaca", value: str = "", **properties: Any
) -> Plan:
    """A secret, with a rotation when rules are given and a version when a value is."""
    plan = Plan().add(SECRET, "it", {"name": name, **properties})
    depends = {"secretId": "it"}
    if rules is not None:
        plan.add(
            ROTATION, "rotation", {"secretId": UNKNOWN, "rotationRules": rules}, depends=depends
        )
    if value:
        version = {"secretId": UNKNOWN, "secretString": Secret(value)}
        plan.add(VERSION, "version", version, depends=depends)
    return plan


def days(count: Any) -> dict[str, Any]:
    return {"automaticallyAfterDays": count}


RULE = "environment-no-secrets"
MONTHLY = "bearer-token-rotated-monthly"
CASES: list[Case] = [
    one(RULE, "pass", TASK, environment(LOG_LEVEL="INFO", WORKERS="4"), "ordinary"),
    one(RULE, "pass", TASK, environment(API_KEY=ARN), "an ARN"),
    one(RULE, "pass", TASK, environment(TOKEN_TTL_SECONDS="3600", SECRET_ARN=ARN), "about secrets"),
    one(RULE, "pass", TASK, environment(DB_SECRET_NAME="atc-prod/main"), "a secret's name"),
    one(RULE, "pass", TASK, environment(PUBLIC_KEY="abcdefgh", MAX_TOKENS="4096"), "public"),
    one(
        RULE,
        "fail",
        TASK,
        environment(NEXT_PUBLIC_API_TOKEN="a-value-of-it"),
        "in the browser's bundle",
        found="NEXT_PUBLIC_API_TOKEN",
    ),
    one(
        RULE, "pass", TASK, environment(DATABASE_URL="postgresql://db.internal/app"), "no password"
    ),
    one(RULE, "pass", TASK, environment(DATABASE_URL="postgresql://u:${PW}@db/app"), "a template"),
    one(
        RULE, "pass", TASK, task(container(secrets=[{"name": "API_KEY", "valueFrom": ARN}])), "ref"
    ),
    one(RULE, "pass", TASK, {"containerDefinitions": [container()]}, "a structure"),
    one(RULE, "fail", TASK, environment(DB_PASSWORD="hunter2"), "by name", found="DB_PASSWORD"),
    one(RULE, "fail", TASK, environment(DB_PASSWORD="12345678"), "digits", found="8 characters"),
    one(RULE, "fail", TASK, environment(ALPACA_API_KEY="pk123"), "api key", found="ALPACA_API_KEY"),
    one(RULE, "fail", TASK, environment(X=ACCESS_KEY), "by shape", found="an AWS access key"),
    one(RULE, "fail", TASK, environment(URL=CONNECTION), "connection", found="connection string"),
    one(
        RULE,
        "fail",
        TASK,
        {
            "containerDefinitions": Secret(
                environment(DB_PASSWORD="hunter2")["containerDefinitions"]
            )
        },
        "Pulumi's mark is no excuse",
        found="DB_PASSWORD",
    ),
    one(RULE, "undecided", TASK, {"containerDefinitions": UNKNOWN}, "unknown"),
    one(RULE, "undecided", TASK, {"containerDefinitions": "{"}, "broken JSON"),
    one(RULE, "pass", FUNCTION, {"environment": {"variables": {"TABLE": "t"}}}, "function"),
    one(RULE, "pass", FUNCTION, {}, "function without"),
    one(
        RULE,
        "fail",
        FUNCTION,
        {"environment": {"variables": {"STRIPE": Secret("anything")}}},
        "function, marked",
        found="marked secret",
    ),
    one(
        RULE,
        "fail",
        FUNCTION,
        {"environment": {"variables": {"A": UNKNOWN, "DB_PASSWORD": "hunter2"}}},
        "a neighbour that is unknown hides nothing",
        found="DB_PASSWORD",
    ),
    one(
        "command-no-secrets", "pass", TASK, task(container(command=["serve", "--port", "80"])), "ok"
    ),
    one(
        "command-no-secrets",
        "fail",
        TASK,
        task(container(command=["serve", "--password", "hunter2"])),
        "option",
        found="web.command",
    ),
    one(
        "command-no-secrets",
        "fail",
        TASK,
        task(container(command=["sh", "-c", "TOKEN=abcdef123 exec serve"])),
        "assignment",
        found="web.command",
    ),
    one(
        "command-no-secrets",
        "fail",
        TASK,
        task(container(entryPoint=[f"--dsn={CONNECTION}"])),
        "entry point",
        found="web.entryPoint",
    ),
    one(
        "command-no-secrets",
        "pass",
        TASK,
        task(container(command=["sh", "-c", "TOKEN=$API_TOKEN serve --password $PW"])),
        "variables",
    ),
    one("command-no-secrets", "undecided", TASK, {"containerDefinitions": UNKNOWN}, "unknown"),
    one("user-data-no-secrets", "pass", MACHINE, {"userData": "#!/bin/sh\nyum update -y"}, "ok"),
    one("user-data-no-secrets", "pass", MACHINE, {}, "missing"),
    one(
        "user-data-no-secrets",
        "fail",
        MACHINE,
        {"userData": "#!/bin/sh\nexport DB_PASSWORD='hunter2'"},
        "by name",
        found="userData, line 2",
    ),
    one(
        "user-data-no-secrets",
        "fail",
        TEMPLATE,
        {"userData": base64.b64encode(f"aws_key={ACCESS_KEY}".encode()).decode()},
        "base64",
        found="an AWS access key",
    ),
    one("user-data-no-secrets", "undecided", MACHINE, {"userData": UNKNOWN}, "unknown"),
    one(
        "parameter-no-plaintext-secrets",
        "pass",
        PARAMETER,
        {"type": "String", "name": "/atc/log-level", "value": Secret("INFO")},
        "ordinary",
    ),
    one(
        "parameter-no-plaintext-secrets",
        "pass",
        PARAMETER,
        {"type": "SecureString", "name": "/atc/api-key", "value": Secret("whatever")},
        "secure",
    ),
    one(
        "parameter-no-plaintext-secrets",
        "fail",
        PARAMETER,
        {"type": "String", "name": "/atc/api-key", "value": Secret("whatever")},
        "a plain type",
        found="type: String",
    ),
    one(
        "parameter-no-plaintext-secrets",
        "fail",
        PARAMETER,
        {"type": "SecureString", "name": "/atc/api-key", "value": "whatever"},
        "not marked",
        found="not marked secret",
    ),
    one(
        "parameter-no-plaintext-secrets",
        "undecided",
        PARAMETER,
        {"type": "String", "value": UNKNOWN},
        "unknown",
    ),
    one("secret-value-marked", "pass", DB, {"password": Secret("x")}, "marked"),
    one("secret-value-marked", "pass", DB, {"password": Secret(UNKNOWN)}, "marked and unknown"),
    one(
        "secret-value-marked", "fail", DB, {"password": "x"}, "plain", found="password: not marked"
    ),
    one("secret-value-marked", "fail", DB, {"password": UNKNOWN}, "unknown", found="not marked"),
    one("secret-value-marked", "pass", USER, {"passwords": [Secret("x")]}, "marked inside a list"),
    one(
        "secret-value-marked",
        "fail",
        USER,
        {"passwords": [Secret("x"), "y"]},
        "half",
        found="passw",
    ),
    one("secret-value-marked", "not_applicable", DB, {}, "none given"),
    one(
        "tags-no-secrets", "pass", BUCKET, {"tags": {"Name": "x", "token": "heartbeat-token"}}, "ok"
    ),
    one("tags-no-secrets", "pass", BUCKET, {}, "missing"),
    one("tags-no-secrets", "fail", BUCKET, {"tags": {"k": ACCESS_KEY}}, "shape", found="tags.k"),
    one(
        "tags-no-secrets", "fail", BUCKET, {"tags": {"password": "hunter2X!"}}, "name", found="tags"
    ),
    one("tags-no-secrets", "fail", BUCKET, {"tags": {"a": Secret("b")}}, "marked", found="marked"),
    one("tags-no-secrets", "undecided", BUCKET, {"tags": {"a": UNKNOWN}}, "unknown"),
    exports("ordinary", "pass", url="https://example.com", secretArn=ARN, tokenName="x/token"),
    exports("marked", "pass", databasePassword=Secret("hunter2")),
    exports("marked inside", "pass", database={"password": Secret("hunter2"), "host": "db"}),
    exports("by name", "fail", "output databasePassword", databasePassword="hunter2"),
    exports("nested", "fail", "output database.password", database={"password": "hunter2"}),
    exports("in a list", "fail", "output urls[0]", urls=[CONNECTION]),
    exports("an address that AWS gives", "pass", endpoint=UNKNOWN, subnets=[UNKNOWN]),
    exports("unknown", "undecided", endpoint=UNKNOWN, apiKey=UNKNOWN),
    exports("an entry that AWS makes", "pass", masterSecret=UNKNOWN, database_secret=UNKNOWN),
    exports("unknown, a value's name", "undecided", clientSecret=UNKNOWN),
    exports("unknown, snake case", "undecided", client_secret=UNKNOWN),
    exports("unknown and marked", "pass", apiKey=Secret(UNKNOWN)),
    Case("secret-rotated", "pass", "it", rotated(days(30)), "monthly"),
    Case("secret-rotated", "pass", "it", rotated({"scheduleExpression": "rate(10 days)"}), "rate"),
    Case(
        "secret-rotated",
        "fail",
        "it",
        rotated(days(91)),
        "too seldom",
        "automaticallyAfterDays: 91",
    ),
    Case("secret-rotated", "fail", "it", rotated(None), "missing", "no rotation"),
    Case(
        "secret-rotated", "fail", "it", rotated(None, value="generated"), "own value", "no rotation"
    ),
    Case(
        "secret-rotated",
        "not_applicable",
        "it",
        rotated(None, value="GONOGO-PLACEHOLDER: fill with the broker's key"),
        "to be filled in",
    ),
    Case(
        "secret-rotated",
        "not_applicable",
        "it",
        rotated(None, tags={"gonogo:rotation": "by-issuer"}),
        "tagged",
    ),
    Case("secret-rotated", "undecided", "it", rotated(days(UNKNOWN)), "unknown"),
    Case(MONTHLY, "pass", "it", rotated(days(30), name="atc-prod/heartbeat-token"), "monthly"),
    Case(MONTHLY, "fail", "it", rotated(days(60), name="atc/heartbeat-token"), "60", "Days: 60"),
    Case(MONTHLY, "fail", "it", rotated(None, name="cron-secret"), "none", "no rotation"),
    Case(MONTHLY, "undecided", "it", rotated(days(UNKNOWN), name="bearer-token"), "unknown"),
    Case(MONTHLY, "not_applicable", "it", rotated(days(60)), "another secret"),
]
