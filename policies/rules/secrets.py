"""Secrets: none in plain text, each marked."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from policies.framework import (
    ANY_AWS,
    STACK_TYPE,
    Finding,
    Findings,
    Fix,
    Resource,
    Stack,
    UnknownRead,
    rule,
    skip,
)
from policies.framework.detectors import looks_random, name_says_secret, secret_literal
from policies.framework.documents import container_environment, containers

TASK = "aws:ecs/taskDefinition:TaskDefinition"
FUNCTION = "aws:lambda/function:Function"
PARAMETER = "aws:ssm/parameter:Parameter"

_ECS_DOCS = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html"
)

_BY_REFERENCE = Fix(
    "services.<name>.secrets: {<VARIABLE>: <secret>}",
    'aws.ecs.TaskDefinition(container_definitions=[{"secrets": [{"name": ..., "valueFrom": '
    "<secret ARN>}]}])",
)


@rule(
    "environment-no-secrets",
    section="secrets",
    severity="critical",
    types=(TASK, FUNCTION),
    lines=("001:24", "001:62", "001:159"),
    why="AWS shows the environment of a task or function to everybody who may describe it.",
    fix=_BY_REFERENCE,
    reference=_ECS_DOCS,
)
def environment_no_secrets(workload: Resource) -> Findings:
    """Plain environment variables, by name and by content. Pulumi's secret mark is no excuse: it
    hides the value in Pulumi's state, while AWS still shows it."""
    if workload.type == TASK:
        for container in containers(workload):
            for name, value in container_environment(container):
                if reason := secret_literal(name, value):
                    where = f"{container.get('name', 'container')}.environment.{name}"
                    yield _literal(where, value, reason, "containerDefinitions")
        return
    for path, value, marked in workload.strings("environment.variables"):
        name = path.rpartition(".")[2]
        reason = secret_literal(name, value) or ("Pulumi has it marked secret" if marked else None)
        if reason:
            yield _literal(path, value, reason, path, _LAMBDA_FIX)


_LAMBDA_FIX = Fix(
    "secrets.<name>, read by the function at run time",
    "aws.lambda_.Function(environment=...) with the secret's ARN, and GetSecretValue in the code",
)


def _literal(where: str, value: str, reason: str, path: str, fix: Fix | None = None) -> Finding:
    """A finding that never shows the value."""
    return Finding(
        f"{where}: a literal of {len(value)} characters, and {reason}",
        "a reference to Secrets Manager or SSM",
        path,
        fix,
    )


@rule(
    "command-no-secrets",
    section="secrets",
    severity="critical",
    types=(TASK,),
    lines=("001:62", "001:155"),
    why="Command lines are shown by AWS, by process lists and by logs.",
    fix=_BY_REFERENCE,
    reference=_ECS_DOCS,
)
def command_no_secrets(task: Resource) -> Findings:
    """Commands, entry points and health checks of containers."""
    for container in containers(task):
        words: list[tuple[str, str]] = []
        for key in ("command", "entryPoint"):
            words += [(key, str(word)) for word in container.get(key) or ()]
        health = container.get("healthCheck") or {}
        words += [("healthCheck.command", str(word)) for word in health.get("command") or ()]
        for place, reason, length in _secrets_in_words(words):
            yield Finding(
                f"{container.get('name', 'container')}.{place}: a literal of {length} characters, "
                f"and {reason}",
                "an environment variable that comes from Secrets Manager",
                "containerDefinitions",
            )


_OPTION = re.compile(r"^-{1,2}([A-Za-z][\w.-]*)(?:=(.*))?$", re.DOTALL)
_ASSIGNMENT = re.compile(r"\b([A-Za-z_]\w*)=(?:\"([^\"]*)\"|'([^']*)'|([^\s;&|]+))")


def _secrets_in_words(words: list[tuple[str, str]]) -> Iterator[tuple[str, str, int]]:
    """Secrets on a command line: `--password=x`, `--password x`, `PASSWORD=x`, or by shape."""
    option = ""
    for place, word in words:
        named = _OPTION.match(word)
        if option and not named and (reason := secret_literal(option, word)):
            yield place, reason, len(word)
        elif named and named.group(2) and (reason := secret_literal(named[1], named[2])):
            yield place, reason, len(named[2])
        elif found := _secret_in_text(word):
            yield place, *found
        option = named.group(1) if named and named.group(2) is None else ""


def _secret_in_text(text: str) -> tuple[str, int] | None:
    if reason := secret_literal("", text):
        return reason, len(text)
    for match in _ASSIGNMENT.finditer(text):
        value = next((group for group in match.groups()[1:] if group), "")
        if reason := secret_literal(match.group(1), value):
            return reason, len(value)
    return None


@rule(
    "user-data-no-secrets",
    section="secrets",
    severity="critical",
    types=(
        "aws:ec2/instance:Instance",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/launchConfiguration:LaunchConfiguration",
        "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
    ),
    lines=("001:62", "001:155"),
    why="User data is readable by every process of the machine and everybody who may describe it.",
    fix=Fix(
        "secrets.<name>, read at start by the machine's role",
        "aws.ec2.Instance(user_data=...) that calls secretsmanager get-secret-value",
    ),
    reference="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html",
)
def user_data_no_secrets(machine: Resource) -> Findings:
    """User data, plain or in base64."""
    for key in ("userData", "userDataBase64"):
        text = machine.get(key)
        if not isinstance(text, str):
            continue
        for number_, line in enumerate(_readable(text).splitlines(), start=1):
            if found := _secret_in_text(line):
                yield Finding(
                    f"{key}, line {number_}: a literal of {found[1]} characters, and {found[0]}",
                    "a call to Secrets Manager or SSM",
                    key,
                )


def _readable(text: str) -> str:
    """User data as text: launch templates carry base64, and so may `userData`."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return text


@rule(
    "parameter-no-plaintext-secrets",
    section="secrets",
    severity="critical",
    types=(PARAMETER,),
    lines=("001:159",),
    why="An SSM parameter of type String is stored, and shown, in plain text.",
    fix=Fix(
        "secrets.<name> instead of a parameter",
        'aws.ssm.Parameter(type="SecureString", value=pulumi.Output.secret(...))',
    ),
    reference="https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-securestring.html",
)
def parameter_no_secrets(parameter: Resource) -> Findings:
    """A secret belongs in a SecureString, and marked secret on its way there."""
    kind = str(parameter.get("type", "String"))
    name = str(parameter.known("name", parameter.name)).rpartition("/")[2]
    for key in ("value", "insecureValue"):
        if not parameter.has(key):
            continue
        if kind == "SecureString" and key == "value":
            if not parameter.is_secret(key):
                yield Finding(
                    "value: not marked secret, so Pulumi's state and output show it",
                    "a value that Pulumi has marked secret",
                    key,
                )
            continue
        # The provider marks every `value` secret, so the mark says nothing of a String.
        value = parameter.get(key)
        if isinstance(value, str) and (reason := secret_literal(name, value)):
            yield Finding(
                f"type: {kind}, {key}: a literal of {len(value)} characters, and {reason}",
                "type: SecureString",
                key,
            )


# Properties that hold a secret by their nature.
_SECRET_PROPERTIES = {
    "aws:rds/instance:Instance": ("password",),
    "aws:rds/cluster:Cluster": ("masterPassword",),
    "aws:docdb/cluster:Cluster": ("masterPassword",),
    "aws:neptune/cluster:Cluster": (),
    "aws:redshift/cluster:Cluster": ("masterPassword",),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("authToken",),
    "aws:elasticache/user:User": ("passwords",),
    "aws:memorydb/user:User": ("authenticationMode.passwords",),
    "aws:mq/broker:Broker": ("users",),
    "aws:secretsmanager/secretVersion:SecretVersion": ("secretString", "secretBinary"),
    "aws:cloudwatch/eventConnection:EventConnection": (
        "authParameters.apiKey.value",
        "authParameters.basic.password",
        "authParameters.oauth.clientParameters.clientSecret",
    ),
    "aws:cognito/identityProvider:IdentityProvider": ("providerDetails.client_secret",),
    "aws:directoryservice/directory:Directory": ("password",),
    "aws:dms/endpoint:Endpoint": ("password",),
}


@rule(
    "secret-value-marked",
    section="secrets",
    severity="critical",
    types=tuple(_SECRET_PROPERTIES),
    lines=("001:62", "001:155"),
    why="A secret that Pulumi does not know to be one is kept and printed in plain text.",
    fix=Fix(
        "secrets.<name> (Gonogo marks every value it makes)",
        "pulumi.Output.secret(...) or config.require_secret(...)",
    ),
    reference="https://www.pulumi.com/docs/iac/concepts/secrets/",
)
def secret_value_marked(resource: Resource) -> Findings:
    """Passwords and tokens given to AWS are marked secret in Pulumi."""
    given = [path for path in _SECRET_PROPERTIES[resource.type] if resource.has(path)]
    if not given:
        skip("no secret value is given")
    for path in given:
        if not resource.is_secret(path) and not _all_marked(resource, path):
            yield Finding(
                f"{path}: not marked secret", "a value that Pulumi has marked secret", path
            )


def _all_marked(resource: Resource, path: str) -> bool:
    """Whether every secret inside is marked, where the whole is not: a list of passwords, or of
    users with one each."""
    try:
        marks = [
            marked
            for where, _, marked in resource.strings(path)
            if re.fullmatch(rf"{re.escape(path)}\[\d+\]", where)
            or name_says_secret(where.rpartition(".")[2])
        ]
    except UnknownRead:
        return False
    return bool(marks) and all(marks)


@rule(
    "tags-no-secrets",
    section="secrets",
    severity="high",
    types=(ANY_AWS,),
    lines=("001:155",),
    why="Tags go to bills, inventories and logs: they are for everybody.",
    fix=Fix("tags: without the value", "tags={...} without the value"),
    reference="https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html",
)
def tags_no_secrets(resource: Resource) -> Findings:
    """Tag values, by content; by name only when the value could be a password at all."""
    found = False
    for block in ("tags", "tagsAll"):
        if found or not resource.has(block):
            continue
        for path, value, marked in resource.strings(block):
            name = path.rpartition(".")[2]
            reason = secret_literal("", value)
            if reason is None and looks_random(value):
                reason = secret_literal(name, value)
            if reason is None and marked:
                reason = "Pulumi has it marked secret"
            if reason:
                found = True
                yield Finding(
                    f"{path}: a literal of {len(value)} characters, and {reason}",
                    "no secret in a tag",
                    path,
                )


@rule(
    "output-no-plaintext-secrets",
    section="secrets",
    severity="critical",
    types=(STACK_TYPE,),
    scope="stack",
    lines=("001:62", "001:155"),
    why="Outputs are printed by every run and read by other stacks.",
    fix=Fix(
        "",
        'pulumi.export("name", pulumi.Output.secret(value))',
    ),
    reference="https://www.pulumi.com/docs/iac/concepts/secrets/",
)
def output_no_secrets(root: Resource, _stack: Stack) -> Findings:
    """What the stack exports, unless it is marked secret.

    An address or an id that AWS gives is not known at preview, and most stacks export some: an
    unknown output is judged by its name, and by its content when the stack is judged at apply.
    """
    exported = Resource(root.type, root.name, root.urn, root.outputs)
    try:
        for path, value, marked in exported.strings():
            if not marked and (reason := secret_literal(_last_name(path), value)):
                yield Finding(
                    f"output {path}: a literal of {len(value)} characters, and {reason}",
                    "an output that Pulumi has marked secret, or the secret's ARN",
                    path,
                )
    except UnknownRead as unknown:
        for path in unknown.paths:
            name = _last_name(path)
            if name_says_secret(name) and (_VALUE.search(name) or not _ENTRY.search(name)):
                raise UnknownRead(path, root.urn) from unknown


# `masterSecret`, not known yet and not marked, is the ARN of an entry that AWS makes; of a
# `clientSecret` the value itself is called so.
_ENTRY = re.compile(r"(?i)secrets?$")
_VALUE = re.compile(r"(?i)(client|shared|signing|jwt|webhook|consumer)[_-]?secrets?$")


def _last_name(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
