"""Route 53: zones and records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import between, lone, named, one_of

_NAME: Final = named(
    r"(\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9-]+\.?",
    255,
    "is not a domain name",
)
_DEFAULT_COMMENT: Final = "Managed by Pulumi"


def _vpc(raw: Mapping[str, Any], call: Call) -> dict[str, Any]:
    return {"VPCId": raw["vpcId"], "VPCRegion": raw.get("vpcRegion") or call.region}


def _create_zone(call: Call) -> dict[str, Any]:
    vpcs = call.inputs.get("vpcs") or []
    params: dict[str, Any] = {
        "Name": call.inputs["name"],
        "CallerReference": uuid.uuid4().hex,
        "HostedZoneConfig": {"Comment": call.inputs["comment"], "PrivateZone": bool(vpcs)},
    }
    if vpcs:
        params["VPC"] = _vpc(vpcs[0], call)
    if call.given("delegationSetId"):
        params["DelegationSetId"] = call.inputs["delegationSetId"]
    answer = call.aws("CreateHostedZone", params)
    call.id = answer["HostedZone"]["Id"].rpartition("/")[2]
    for vpc in vpcs[1:]:
        call.aws("AssociateVPCWithHostedZone", {"HostedZoneId": call.id, "VPC": _vpc(vpc, call)})
    return {"Id": call.id}


def _vpcs(call: Call) -> None:
    before, now = call.old.get("vpcs") or [], call.inputs.get("vpcs") or []
    for vpc in now:
        if vpc not in before:
            params = {"HostedZoneId": call.id, "VPC": _vpc(vpc, call)}
            call.aws("AssociateVPCWithHostedZone", params)
    for vpc in before:
        if vpc not in now:
            params = {"HostedZoneId": call.id, "VPC": _vpc(vpc, call)}
            call.aws("DisassociateVPCFromHostedZone", params)


def _read_zone(call: Call) -> Any:
    answer = call.aws("GetHostedZone", {"Id": call.id})
    zone = answer["HostedZone"]
    servers = answer.get("DelegationSet", {}).get("NameServers", [])
    return {
        "Name": zone["Name"].rstrip("."),
        "Comment": zone.get("Config", {}).get("Comment", ""),
        "NameServers": servers,
        "PrimaryNameServer": servers[0] if servers else "",
        "ZoneId": call.id,
    }


def _empty_zone(call: Call) -> None:
    """With forceDestroy its records go first; AWS refuses a zone that has any."""
    if call.inputs.get("forceDestroy"):
        apex = str(call.value("name")).rstrip(".") + "."
        answer = call.aws("ListResourceRecordSets", {"HostedZoneId": call.id})
        for record in answer["ResourceRecordSets"]:
            if record["Name"] == apex and record["Type"] in ("NS", "SOA"):
                continue
            _change(call, call.id, "DELETE", record)
    call.aws("DeleteHostedZone", {"Id": call.id})


def _change(call: Call, zone: str, action: str, record: Mapping[str, Any]) -> None:
    change = {"Action": action, "ResourceRecordSet": dict(record)}
    call.aws(
        "ChangeResourceRecordSets",
        {"HostedZoneId": zone, "ChangeBatch": {"Comment": _DEFAULT_COMMENT, "Changes": [change]}},
    )


ZONE: Final = ResourceType(
    pulumi_type="aws:route53/zone:Zone",
    title="Route 53 Hosted Zone",
    service="route53",
    create=Step(_create_zone, ("name", "comment", "vpcs", "delegationSetId")),
    id="Id",
    read=Step(_read_zone),
    update=(
        lone("UpdateHostedZoneComment", {"Id": "{id}", "Comment": "{comment}"}, at_create=False),
        Step(_vpcs, watches=("vpcs",), at_create=False),
    ),
    delete=Step(_empty_zone),
    replace=("name", "delegationSetId"),
    name="name",
    defaults={"comment": _DEFAULT_COMMENT, "forceDestroy": False},
    local=("forceDestroy",),
    output={"arn": "=arn:{partition}:route53:::hostedzone/{id}"},
    tags=Tags(
        add=lone("ChangeTagsForResource", {"ResourceType": "hostedzone", "ResourceId": "{id}"}),
        remove=lone("ChangeTagsForResource", {"ResourceType": "hostedzone", "ResourceId": "{id}"}),
        create="",
        add_member="AddTags",
        remove_member="RemoveTagKeys",
        read=lone("ListTagsForResource", {"ResourceType": "hostedzone", "ResourceId": "{id}"}),
        path="ResourceTagSet.Tags",
    ),
    checks={"name": _NAME},
)


def _full_name(call: Call) -> str:
    """The record's name with its zone's, as Terraform completes it."""
    name = str(call.value("name")).rstrip(".").lower()
    zone = call.aws("GetHostedZone", {"Id": call.value("zoneId")})["HostedZone"]["Name"]
    zone = zone.rstrip(".").lower()
    if not name:
        return str(zone)
    return name if name == zone or name.endswith("." + zone) else f"{name}.{zone}"


_ROUTING: Final[Mapping[str, Any]] = {
    "failoverRoutingPolicies": lambda raw: {"Failover": raw["type"]},
    "latencyRoutingPolicies": lambda raw: {"Region": raw["region"]},
    "weightedRoutingPolicies": lambda raw: {"Weight": raw["weight"]},
    "geolocationRoutingPolicies": lambda raw: {
        "GeoLocation": {
            member: raw[name]
            for name, member in (
                ("continent", "ContinentCode"),
                ("country", "CountryCode"),
                ("subdivision", "SubdivisionCode"),
            )
            if raw.get(name)
        }
    },
}


def _record(call: Call) -> dict[str, Any]:
    inputs = call.inputs
    record: dict[str, Any] = {"Name": _full_name(call) + ".", "Type": inputs["type"]}
    if call.given("aliases"):
        alias = inputs["aliases"][0]
        record["AliasTarget"] = {
            "HostedZoneId": alias["zoneId"],
            "DNSName": alias["name"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
    else:
        record["TTL"] = inputs["ttl"]
        quote = inputs["type"] in ("TXT", "SPF")
        record["ResourceRecords"] = [
            {"Value": f'"{value}"' if quote and not value.startswith('"') else value}
            for value in inputs.get("records") or ()
        ]
    for name, make in _ROUTING.items():
        if call.given(name):
            record.update(make(inputs[name][0]))
    for name, member in (("setIdentifier", "SetIdentifier"), ("healthCheckId", "HealthCheckId")):
        if call.given(name):
            record[member] = inputs[name]
    if inputs.get("multivalueAnswerRoutingPolicy"):
        record["MultiValueAnswer"] = True
    return record


def _create_record(call: Call) -> dict[str, Any]:
    action = "UPSERT" if call.inputs.get("allowOverwrite") else "CREATE"
    _change(call, call.inputs["zoneId"], action, _record(call))
    parts = [call.inputs["zoneId"], _full_name(call), call.inputs["type"]]
    if call.given("setIdentifier"):
        parts.append(call.inputs["setIdentifier"])
    return {"Id": "_".join(parts)}


def _update_record(call: Call) -> None:
    _change(call, call.inputs["zoneId"], "UPSERT", _record(call))


def _found_record(call: Call) -> Any:
    wanted = _full_name(call) + "."
    params = {"HostedZoneId": call.value("zoneId"), "StartRecordName": wanted}
    for record in call.aws("ListResourceRecordSets", params)["ResourceRecordSets"]:
        same_set = record.get("SetIdentifier") == (call.value("setIdentifier") or None)
        name = record["Name"].replace("\\052", "*")
        if name == wanted and record["Type"] == call.value("type") and same_set:
            return record
    return MISSING


def _read_record(call: Call) -> Any:
    record = _found_record(call)
    if record is MISSING:
        return record
    found: dict[str, Any] = {"Fqdn": record["Name"].rstrip("."), "Type": record["Type"]}
    if "TTL" in record:
        found["Ttl"] = record["TTL"]
    if record.get("ResourceRecords"):
        values = [entry["Value"] for entry in record["ResourceRecords"]]
        quoted = record["Type"] in ("TXT", "SPF")
        found["Records"] = [value.strip('"') if quoted else value for value in values]
    return found


def _delete_record(call: Call) -> None:
    record = _found_record(call)
    if record is not MISSING:
        _change(call, str(call.value("zoneId")), "DELETE", record)


def _valid_record(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if bool(inputs.get("aliases")) == (inputs.get("records") is not None):
        yield "records", "exactly one of records and aliases has to be given"
    if inputs.get("records") is not None and inputs.get("ttl") is None:
        yield "ttl", "has to be given beside records"
    if any(inputs.get(name) for name in _ROUTING) and inputs.get("setIdentifier") is None:
        yield "setIdentifier", "has to be given for a routing policy"


RECORD: Final = ResourceType(
    pulumi_type="aws:route53/record:Record",
    title="Route 53 Record",
    service="route53",
    create=Step(
        _create_record,
        (
            "name",
            "type",
            "zoneId",
            "aliases",
            "records",
            "ttl",
            "setIdentifier",
            "healthCheckId",
            "multivalueAnswerRoutingPolicy",
            *_ROUTING,
        ),
    ),
    id="Id",
    read=Step(_read_record),
    update=(
        Step(
            _update_record,
            watches=(
                "aliases",
                "records",
                "ttl",
                "healthCheckId",
                *_ROUTING,
                "multivalueAnswerRoutingPolicy",
            ),
            at_create=False,
        ),
    ),
    delete=Step(_delete_record),
    replace=("name", "type", "zoneId", "setIdentifier"),
    unique=True,
    local=("allowOverwrite",),
    output={"name": lambda _f, _c: MISSING},
    checks={
        "name": named(r"\S*", 255, "has blanks"),
        "type": one_of(
            "A",
            "AAAA",
            "CAA",
            "CNAME",
            "DS",
            "HTTPS",
            "MX",
            "NAPTR",
            "NS",
            "PTR",
            "SOA",
            "SPF",
            "SRV",
            "SSHFP",
            "SVCB",
            "TLSA",
            "TXT",
        ),
        "ttl": between(0, 2147483647, "seconds"),
    },
    rules=(_valid_record,),
)

ROWS: Final = (ZONE, RECORD)
