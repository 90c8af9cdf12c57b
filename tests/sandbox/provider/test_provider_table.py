"""Checks over all rows at once: a misspelt name anywhere in the table fails here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from sandbox.provider import shapes, table
from sandbox.provider.call import carried, mapped
from sandbox.provider.clients import operation_model
from sandbox.provider.resource import Op, ResourceType, Step
from sandbox.provider.schema import Property, resource_schema
from tests.sandbox.provider.cases import CASES

ROWS = {row.pulumi_type: row for row in table.rows()}
#: recursion of WAF's statements ends here
DEEPEST = 7

#: what the table does not carry out, and refuses: a list that should get shorter
UNCARRIED = {
    "aws:acm/certificate:Certificate": {"privateKeyWo", "privateKeyWoVersion"},
    "aws:ec2/eip:Eip": {"associateWithPrivateIp", "instance", "networkInterface"},
    "aws:ec2/flowLog:FlowLog": {
        "deliverCrossAccountRole",
        "destinationOptions",
        "regionalNatGatewayId",
        "tagFieldSpecifications",
        "transitGatewayAttachmentId",
    },
    "aws:ec2/routeTable:RouteTable": {"propagatingVgws"},
    "aws:ec2/subnet:Subnet": {
        "customerOwnedIpv4Pool",
        "enableLniAtDeviceIndex",
        "enableResourceNameDnsARecordOnLaunch",
        "enableResourceNameDnsAaaaRecordOnLaunch",
        "mapCustomerOwnedIpOnLaunch",
    },
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"autoAccept"},
    "aws:ecs/service:Service": {"deploymentConfiguration"},
    "aws:elasticache/replicationGroup:ReplicationGroup": {"authTokenWo", "authTokenWoVersion"},
    "aws:elasticache/user:User": {"passwordsWo", "passwordsWoVersion"},
    "aws:lambda/function:Function": {"replacementSecurityGroupIds"},
    "aws:lb/loadBalancer:LoadBalancer": {
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
        "minimumLoadBalancerCapacity",
        "secondaryIpsAutoAssignedPerSubnet",
    },
    "aws:lb/targetGroup:TargetGroup": {
        "targetFailovers",
        "targetGroupHealth",
        "targetHealthStates",
    },
    "aws:rds/instance:Instance": {
        "blueGreenUpdate",
        "passwordWo",
        "passwordWoVersion",
        "restoreToPointInTime",
        "s3Import",
        "snapshotIdentifier",
        "upgradeStorageConfig",
        "warningEventCategories",
    },
    "aws:route53/record:Record": {"cidrRoutingPolicy", "geoproximityRoutingPolicy"},
    "aws:route53/zone:Zone": {"enableAcceleratedRecovery"},
    "aws:s3/bucket:Bucket": {
        "accelerationStatus",
        "acl",
        "bucketNamespace",
        "corsRules",
        "grants",
        "lifecycleRules",
        "logging",
        "objectLockConfiguration",
        "policy",
        "replicationConfiguration",
        "requestPayer",
        "serverSideEncryptionConfiguration",
        "versioning",
        "website",
    },
    "aws:secretsmanager/secretRotation:SecretRotation": {"rotationEnabled"},
    "aws:secretsmanager/secretVersion:SecretVersion": {"secretStringWo", "secretStringWoVersion"},
    "aws:sns/topic:Topic": {"maximumMessageSize"},
    "aws:ssm/parameter:Parameter": {"valueWo", "valueWoVersion"},
}


def ops(row: ResourceType) -> Iterator[Op]:
    """Every call that a row states."""
    tags = (row.tags.add, row.tags.remove, row.tags.read) if row.tags else ()
    found = (row.create, row.read, row.delete, *row.update, row.find.op if row.find else None)
    for step in (*found, *tags):
        if isinstance(step, Step):
            step = step.base  # noqa: PLW2901
        if step is not None:
            yield step


@pytest.mark.parametrize("token", list(ROWS))
def test_every_property_named_in_a_row_exists(token: str) -> None:
    row, schema = ROWS[token], resource_schema(token)
    assert schema.inputs, "the installed pulumi_aws has no such type"
    named = {
        *row.replace,
        *row.update_only,
        *row.local,
        *row.handled,
        *row.computed,
        *row.volatile,
        *row.unread,
        *row.ordered,
        *row.secrets,
        *row.defaults,
        *row.output,
        *row.checks,
        *(name.split(".")[0] for name in row.rename),
    }
    for step in row.steps:
        if isinstance(step, Step):
            named.update(step.takes, step.watches)
        base = step.base if isinstance(step, Step) else step
        if base is not None:
            named.update(name.split(".")[0] for name in base.rename)
            named.update(base.take or ())
            named.update(base.skip)
    assert named - {"*"} - set(schema.properties) == set()


@pytest.mark.parametrize("token", list(ROWS))
def test_every_call_and_member_exists(token: str) -> None:
    row = ROWS[token]
    for op in ops(row):
        shape = operation_model(op.service or row.service, op.name).input_shape
        for member in op.params:
            assert shapes.member_shape(shape, member) is not None, f"{op.name}.{member}"
        for name, member in mapped(row, op).members.items():
            assert shapes.member_shape(shape, member) is not None, f"{op.name}: {name} → {member}"
        for name in op.take or ():
            assert name in mapped(row, op).members, f"{op.name} does not take {name}"
        if op.result:
            output = operation_model(op.service or row.service, op.name).output_shape
            path = re.sub(r"\[\d+\]", "", op.result)
            assert shapes.member_shape(output, path) is not None, f"{op.name} answers no {path}"
    tags = row.tags
    if tags is not None and tags.settle is None:
        for op, member in ((tags.add, tags.add_member), (tags.remove, tags.remove_member)):
            shape = operation_model(op.service or row.service, op.name).input_shape
            assert shapes.member_shape(shape, member) is not None, f"{op.name}.{member}"
        create = row.create.base if isinstance(row.create, Step) else row.create
        if tags.create and create is not None:
            shape = operation_model(create.service or row.service, create.name).input_shape
            assert tags.create in shape.members, f"{create.name}.{tags.create}"


@pytest.mark.parametrize("token", list(ROWS))
def test_what_is_not_carried_out_is_known(token: str) -> None:
    row = ROWS[token]
    prefix = {f"{row.name}Prefix"} if row.name else set()
    left = set(resource_schema(token).inputs) - carried(row) - prefix
    assert left == UNCARRIED.get(token, set())


def unknown_nested(
    fields: Mapping[str, Property], shape: Any, rename: Mapping[str, str], path: str, depth: int
) -> Iterator[str]:
    """Nested properties that have no member in the call's shape."""
    if depth > DEEPEST or shape is None:
        return
    while shape.type_name == "list":
        shape = shape.member
    if shape.type_name != "structure":
        return
    for name, prop in fields.items():
        inner = f"{path}.{name}"
        member = rename.get(inner) or shapes.member(shape, name)
        if member == "-":
            continue
        target = shapes.member_shape(shape, member) if member else None
        if target is None:
            yield inner
            continue
        kind = prop.type.element if prop.type.kind == "list" else prop.type
        if kind is not None and kind.kind == "object":
            yield from unknown_nested(kind.fields, target, rename, inner, depth + 1)


@pytest.mark.parametrize("token", list(ROWS))
def test_every_nested_property_has_a_member(token: str) -> None:
    row, schema = ROWS[token], resource_schema(token)
    unknown: set[str] = set()
    for step in row.steps:
        op = step.base if isinstance(step, Step) else step
        if op is None:
            continue
        shape = operation_model(op.service or row.service, op.name).input_shape
        rename = {**row.rename, **op.rename}
        for name, member in mapped(row, op).members.items():
            prop = schema.inputs[name].type
            kind = prop.element if prop.kind == "list" else prop
            if kind is not None and kind.kind == "object":
                target = shapes.member_shape(shape, member)
                unknown.update(unknown_nested(kind.fields, target, rename, name, 0))
    assert not unknown


def single_call(name: str) -> Op | None:
    """The call that makes an example, if one call does."""
    create = ROWS[CASES[name].token].create
    return create.base if isinstance(create, Step) else create


@pytest.mark.parametrize("name", [name for name in CASES if single_call(name)])
def test_an_example_is_what_the_model_of_the_call_allows(name: str) -> None:
    """The create's parameters of every example, judged by botocore without any emulator."""
    from sandbox.provider.call import Call
    from sandbox.provider.check import check
    from sandbox.provider.clients import Clients

    case = CASES[name]
    row = ROWS[case.token]
    op = single_call(name)
    assert op is not None
    arn = "arn:aws:x:us-east-1:000000000000:aws-waf-logs-name"
    known = {
        alias: arn if output.lower().endswith(("arn", "id")) else "name"
        for alias, (_, output) in case.needs.items()
    }
    inputs = _filled(dict(case.inputs), known)
    checked, failures = check(row, inputs, {}, urn_name=name, seed=b"x", default_tags={})
    assert not failures
    call = Call(row, Clients("http://127.0.0.1:1"), "us-east-1", inputs=checked)
    shape = operation_model(op.service or row.service, op.name).input_shape
    params = call.build(op)
    if op.name == "PutTargets":
        params["Targets"] = [params["Targets"]]
    report = ParamValidator().validate(params, shape).generate_report()
    # hooks add required members of their own: only wrong ones count here
    assert not [line for line in report.splitlines() if "Missing required" not in line]


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for alias, text in known.items():
            value = value.replace(f"{{{alias}}}", text)
        return value
    if isinstance(value, Mapping):
        return {key: _filled(item, known) for key, item in value.items()}
    return [_filled(item, known) for item in value] if isinstance(value, list) else value


def test_every_row_has_an_example() -> None:
    without = set(ROWS) - {case.token for case in CASES.values()}
    assert without == {"aws:acm/certificateValidation:CertificateValidation"}


def test_a_wrong_member_is_refused_by_the_model() -> None:
    """The check that the whole table relies on does fail."""
    shape = operation_model("ec2", "CreateVpc").input_shape
    report = ParamValidator().validate({"CidrBlok": "10.0.0.0/16"}, shape)
    assert report.has_errors()
    with pytest.raises(ParamValidationError):
        raise ParamValidationError(report=report.generate_report())
