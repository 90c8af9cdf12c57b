"""What a Pulumi program registers, recorded.

    records = record(lambda: Network("network", model.Network(), CONTEXT))
    vpc = records.one("aws:ec2/vpc:Vpc")
    assert vpc.inputs["enableDnsSupport"] is True

The program runs on Pulumi's own SDK with a monitor of ours in the engine's place. All is over when
`record` returns, so an assertion on what was recorded always runs; an assertion inside an output
might never. Values marked secret arrive as `Secret`, unknown ones as `UNKNOWN`, assets as their
Pulumi objects. `record(…, preview=True)` leaves unknown what a preview leaves unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import rpc

from components.base import Context

ACCOUNT = "000000000000"
REGION = "us-east-1"

CONTEXT = Context(
    code="atc",
    tier="prod",
    region=REGION,
    account=ACCOUNT,
    protect=True,
    tags={"system": "autonomous-trading-company"},
    runbook_base_url="https://runbooks.example.com/atc",
)

_SIGNATURE = "4dabf18193072939515e22adb298388d"  # pragma: allowlist secret
_SECRET = "1b47061264138c4ac30d75fd1eb44270"


class Unknown:
    """A value that the preview does not know."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that was marked secret."""

    value: Any


@dataclass(frozen=True)
class Record:
    """One registration, as the engine gets it."""

    type: str
    name: str
    urn: str
    parent: str
    inputs: dict[str, Any]
    protect: bool
    custom: bool
    ignore_changes: tuple[str, ...]
    dependencies: tuple[str, ...]
    property_dependencies: dict[str, tuple[str, ...]]

    def plain(self, key: str) -> Any:
        """An input, whether it was marked secret or not."""
        value = self.inputs[key]
        return value.value if isinstance(value, Secret) else value


@dataclass
class Records:
    """All registrations of a program, in order, and the calls (invokes) it made."""

    resources: list[Record] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def all(self, type_: str) -> list[Record]:
        """Every registration of a type."""
        return [record for record in self.resources if record.type == type_]

    def one(self, type_: str, name: str | None = None) -> Record:
        """The only registration of a type (and name); none or several is a failure."""
        found = [record for record in self.all(type_) if name in {None, record.name}]
        assert len(found) == 1, f"{type_} {name or ''}: {[record.name for record in found]}"
        return found[0]

    def named(self, type_: str) -> dict[str, Record]:
        """Registrations of a type by name; a name that comes twice is a failure."""
        found = self.all(type_)
        by_name = {record.name: record for record in found}
        assert len(by_name) == len(found), f"{type_}: names come twice"
        return by_name

    def custom(self) -> list[Record]:
        """What a provider makes: everything but components."""
        return [record for record in self.resources if record.custom]

    def by_urn(self, urn: str) -> Record:
        """The registration with this URN."""
        return next(record for record in self.resources if record.urn == urn)

    def family(self, record: Record) -> list[Record]:
        """The components above a registration, nearest first."""
        above = []
        while record.parent and any(r.urn == record.parent for r in self.resources):
            record = self.by_urn(record.parent)
            above.append(record)
        return above


def secrets_of(value: Any) -> Iterator[Any]:
    """The values inside that were marked secret."""
    if isinstance(value, Secret):
        yield value.value
    elif isinstance(value, dict):
        for item in value.values():
            yield from secrets_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_of(item)


def plain_text(records: Iterable[Record]) -> str:
    """Everything that was registered without a secret mark, as one text to search in."""
    return "\n".join(repr(_without_secrets(record.inputs)) for record in records)


def record(program: Callable[[], Any], *, preview: bool = False) -> Records:
    """Run a program and return what it registered. What it raises is raised."""
    records = Records()
    mocks = _Mocks(records, preview)
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(mocks, project="gonogo", stack="test", preview=preview)
    pulumi.runtime.settings.SETTINGS.monitor = _Monitor(mocks)
    pulumi_mocks.test(lambda: _ignored(program()))()  # type: ignore[no-untyped-call]
    return records


def _ignored(_: Any) -> None:
    """A program's result may be a component, which is nothing to wait for."""


class _Mocks(pulumi_mocks.Mocks):
    """Answers as AWS would, as far as components look at the answers."""

    def __init__(self, records: Records, preview: bool) -> None:
        self.records = records
        self.preview = preview

    def call(self, args: pulumi_mocks.MockCallArgs) -> Any:
        self.records.calls.append((args.token, args.args))
        return _answer(args.token, args.args)

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if not args.custom:
            return "", outputs
        made = {} if self.preview else _made_by_aws(args)
        return ("" if self.preview else f"{args.name}-id"), {**outputs, **made}


class _Monitor(pulumi_mocks.MockMonitor):
    """Records each registration as it is sent, with marks, parents and options."""

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            self.mocks.records.resources.append(  # type: ignore[attr-defined]
                Record(
                    type=request.type,
                    name=request.name,
                    urn=answer.urn,
                    parent=request.parent,
                    inputs={k: _value(v) for k, v in request.object.fields.items()},
                    protect=request.protect,
                    custom=request.custom,
                    ignore_changes=tuple(request.ignoreChanges),
                    dependencies=tuple(request.dependencies),
                    property_dependencies={
                        key: tuple(d.urns) for key, d in request.propertyDependencies.items()
                    },
                )
            )
        return answer


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _struct(value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _struct(value: struct_pb2.Value) -> Any:
    fields = value.struct_value.fields
    if _SIGNATURE not in fields:
        return {key: _value(item) for key, item in fields.items()}
    if fields[_SIGNATURE].string_value == _SECRET:
        return Secret(_value(fields["value"]))
    wrapped = struct_pb2.Struct()
    wrapped.fields["it"].CopyFrom(value)
    return rpc.deserialize_properties(wrapped)["it"]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Secret):
        return "[secret]"
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


RANDOM = "made-by-get-random-password"
ZONE_LETTERS = "dcab"  # AWS promises no order


def _answer(token: str, args: dict[str, Any]) -> dict[str, Any]:
    if token == "aws:index/getAvailabilityZones:getAvailabilityZones":
        region = args.get("region") or REGION
        return {
            "names": [f"{region}{letter}" for letter in ZONE_LETTERS],
            "id": region,
            "region": region,
        }
    if token == "aws:secretsmanager/getRandomPassword:getRandomPassword":
        return {"randomPassword": RANDOM, "id": RANDOM}
    if token == "aws:index/getCallerIdentity:getCallerIdentity":
        return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "userId": ACCOUNT}
    raise AssertionError(f"the program called {token}, which the recording does not answer")


def _made_by_aws(args: pulumi_mocks.MockResourceArgs) -> dict[str, Any]:
    """Outputs that AWS decides and components read."""
    physical = args.inputs.get("name") or args.inputs.get("identifier") or args.name
    service = args.typ.split(":")[1].split("/")[0]
    host = f"{physical}.example.{REGION}.amazonaws.com"
    return {
        "arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{physical}-made",
        "keyId": f"{physical}-key-id",
        "address": host,
        "port": args.inputs.get("port", 6379 if service == "elasticache" else 5432),
        "endpoint": host,
        "primaryEndpointAddress": host,
        "readerEndpointAddress": f"reader.{host}",
        "configurationEndpointAddress": f"config.{host}",
        "dnsName": host,
        "zoneId": "Z0000000000",
        "arnSuffix": f"app/{physical}/1234567890abcdef",
        "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{physical}",
        "fqdn": f"{physical}.example.com",
        "domainValidationOptions": [
            {
                "domainName": args.inputs.get("domainName"),
                "resourceRecordName": "_proof.example.com",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_value.acm-validations.aws",
            }
        ],
        "masterUserSecrets": [
            {
                "secretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-1-AbCdEf",
                "secretStatus": "active",
                "kmsKeyId": "key",
            }
        ],
    }
