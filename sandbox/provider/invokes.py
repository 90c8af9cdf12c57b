"""Invokes: what a program asks for without making anything."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.provider.call import PARTITION
from sandbox.provider.clients import ACCOUNT, Clients
from sandbox.provider.errors import ProviderError

Answer = tuple[dict[str, Any], tuple[str, ...]]
Invoke = Callable[[Clients, str, Mapping[str, Any]], Answer]


def _caller_identity(clients: Clients, region: str, _args: Mapping[str, Any]) -> Answer:
    found = clients.call("sts", region, "GetCallerIdentity", {})
    account = str(found["Account"])
    return {
        "id": account,
        "accountId": account,
        "arn": found["Arn"],
        "userId": found["UserId"],
    }, ()


def _region(_clients: Clients, region: str, args: Mapping[str, Any]) -> Answer:
    name = str(args.get("region") or args.get("name") or region)
    return {
        "id": name,
        "name": name,
        "region": name,
        "description": name,
        "endpoint": f"ec2.{name}.amazonaws.com",
    }, ()


def _partition(_clients: Clients, _region: str, _args: Mapping[str, Any]) -> Answer:
    return {
        "id": PARTITION,
        "partition": PARTITION,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }, ()


def _availability_zones(clients: Clients, region: str, args: Mapping[str, Any]) -> Answer:
    region = str(args.get("region") or region)
    params: dict[str, Any] = {}
    if args.get("allAvailabilityZones"):
        params["AllAvailabilityZones"] = True
    found = clients.call("ec2", region, "DescribeAvailabilityZones", params)
    state = args.get("state")
    not_names = set(args.get("excludeNames") or ())
    not_ids = set(args.get("excludeZoneIds") or ())
    zones = [
        zone
        for zone in found["AvailabilityZones"]
        if (not state or zone.get("State") == state)
        and zone["ZoneName"] not in not_names
        and zone.get("ZoneId") not in not_ids
    ]
    zones.sort(key=lambda zone: str(zone["ZoneName"]))
    return {
        **args,
        "id": region,
        "region": region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone.get("ZoneId", "") for zone in zones],
        "groupNames": sorted({zone.get("GroupName") or region for zone in zones}),
    }, ()


_PUNCTUATION: Final = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def _random_password(_clients: Clients, _region: str, args: Mapping[str, Any]) -> Answer:
    """As Secrets Manager makes it; the randomness is this machine's."""
    length = int(args.get("passwordLength") or 32)
    if not 1 <= length <= 4096:
        raise ProviderError(f"passwordLength: expected 1 to 4096, got {length}")
    kinds = [
        ("excludeLowercase", string.ascii_lowercase),
        ("excludeUppercase", string.ascii_uppercase),
        ("excludeNumbers", string.digits),
        ("excludePunctuation", _PUNCTUATION),
    ]
    refused = set(args.get("excludeCharacters") or "")
    groups = [
        "".join(sorted(set(letters) - refused)) for name, letters in kinds if not args.get(name)
    ]
    if args.get("includeSpace"):
        groups.append(" ")
    groups = [group for group in groups if group]
    if not groups:
        raise ProviderError("getRandomPassword: every kind of character is excluded")
    letters = "".join(groups)
    chosen = [secrets.choice(letters) for _ in range(length)]
    if args.get("requireEachIncludedType", True):
        if length < len(groups):
            raise ProviderError(f"passwordLength: {length} has no room for each kind of character")
        places = secrets.SystemRandom().sample(range(length), len(groups))
        for place, group in zip(places, groups, strict=True):
            chosen[place] = secrets.choice(group)
    result = {**args, "id": "random-password", "randomPassword": "".join(chosen)}
    result.setdefault("region", _region)
    return result, ("randomPassword",)


def _one_or_many(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else sorted(values, reverse=True)


def _principals(raw: list[Mapping[str, Any]]) -> Any:
    if any(entry["type"] == "*" for entry in raw):
        return "*"
    merged: dict[str, list[Any]] = {}
    for entry in raw:
        merged.setdefault(entry["type"], []).extend(entry["identifiers"])
    return {kind: _one_or_many(values) for kind, values in merged.items()}


def _statement(raw: Mapping[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {}
    if raw.get("sid"):
        statement["Sid"] = raw["sid"]
    statement["Effect"] = raw.get("effect") or "Allow"
    for name, member in (
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    ):
        if raw.get(name):
            statement[member] = _one_or_many(raw[name])
    for name, member in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if raw.get(name):
            statement[member] = _principals(raw[name])
    conditions: dict[str, dict[str, Any]] = {}
    for condition in raw.get("conditions") or ():
        tests = conditions.setdefault(condition["test"], {})
        tests[condition["variable"]] = _one_or_many(condition["values"])
    if conditions:
        statement["Condition"] = conditions
    return statement


def _merge(documents: list[str], statements: list[dict[str, Any]], *, override: bool) -> Any:
    """Statements of source documents with ours; one Sid stands once."""
    result: list[dict[str, Any]] = [] if not override else list(statements)
    for text in documents:
        raw = json.loads(text).get("Statement", [])
        for statement in raw if isinstance(raw, list) else [raw]:
            sid = statement.get("Sid")
            if override and sid:
                result = [entry for entry in result if entry.get("Sid") != sid]
            result.append(statement)
    if override:
        return result
    sids = {entry["Sid"] for entry in statements if "Sid" in entry}
    return [entry for entry in result if entry.get("Sid") not in sids] + statements


def _policy_document(_clients: Clients, _region: str, args: Mapping[str, Any]) -> Answer:
    statements = [_statement(raw) for raw in args.get("statements") or ()]
    statements = _merge(args.get("sourcePolicyDocuments") or [], statements, override=False)
    statements = _merge(args.get("overridePolicyDocuments") or [], statements, override=True)
    document: dict[str, Any] = {"Version": args.get("version") or "2012-10-17"}
    if args.get("policyId"):
        document["Id"] = args["policyId"]
    document["Statement"] = statements
    text = json.dumps(document, indent=2)
    import zlib

    return {
        **args,
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }, ()


#: accounts that write the access logs of load balancers, by region.
#: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
_LOG_ACCOUNTS: Final = {
    "us-east-1": "127311923021",
    "us-east-2": "033677994240",
    "us-west-1": "027434742980",
    "us-west-2": "797873946194",
    "af-south-1": "098369216593",
    "ap-east-1": "754344448648",
    "ap-northeast-1": "582318560864",
    "ap-northeast-2": "600734575887",
    "ap-northeast-3": "383597477331",
    "ap-south-1": "718504428378",
    "ap-southeast-1": "114774131450",
    "ap-southeast-2": "783225319266",
    "ap-southeast-3": "589379963580",
    "ca-central-1": "985666609251",
    "eu-central-1": "054676820928",
    "eu-north-1": "897822967062",
    "eu-south-1": "635631232127",
    "eu-west-1": "156460612806",
    "eu-west-2": "652711504416",
    "eu-west-3": "009996457667",
    "me-south-1": "076674570225",
    "sa-east-1": "507241528517",
}


def _elb_account(_clients: Clients, region: str, args: Mapping[str, Any]) -> Answer:
    region = str(args.get("region") or region)
    account = _LOG_ACCOUNTS.get(region)
    if account is None:
        raise ProviderError(f"unsupported ELB Service Account Region ({region})")
    return {
        "id": account,
        "region": region,
        "arn": f"arn:{PARTITION}:iam::{account}:root",
    }, ()


def _prefix_list(clients: Clients, region: str, args: Mapping[str, Any]) -> Answer:
    region = str(args.get("region") or region)
    params: dict[str, Any] = {}
    if args.get("id"):
        params["PrefixListIds"] = [args["id"]]
    if args.get("name"):
        params["Filters"] = [{"Name": "prefix-list-name", "Values": [args["name"]]}]
    found = clients.call("ec2", region, "DescribeManagedPrefixLists", params)["PrefixLists"]
    if len(found) != 1:
        raise ProviderError(f"reading EC2 Managed Prefix List: {len(found)} match {dict(args)}")
    entry = found[0]
    return {
        "id": entry["PrefixListId"],
        "region": region,
        "name": entry["PrefixListName"],
        "arn": entry.get("PrefixListArn", ""),
        "addressFamily": entry.get("AddressFamily", "IPv4"),
        "maxEntries": entry.get("MaxEntries", 0),
        "ownerId": entry.get("OwnerId", ACCOUNT),
        "version": entry.get("Version", 0),
        "entries": [],
        "tags": {},
    }, ()


def _engine_version(clients: Clients, region: str, args: Mapping[str, Any]) -> Answer:
    region = str(args.get("region") or region)
    params = {"Engine": args["engine"]}
    if args.get("version") and not args.get("latest"):
        params["EngineVersion"] = args["version"]
    if args.get("parameterGroupFamily"):
        params["DBParameterGroupFamily"] = args["parameterGroupFamily"]
    answer = clients.call("rds", region, "DescribeDBEngineVersions", params)
    found = answer["DBEngineVersions"]
    wanted = args.get("version")
    if wanted:
        found = [
            entry
            for entry in found
            if entry["EngineVersion"] == wanted or entry["EngineVersion"].startswith(f"{wanted}.")
        ]
    preferred = args.get("preferredVersions") or []
    for version in preferred:
        match = [entry for entry in found if entry["EngineVersion"] == version]
        if match:
            found = match
            break
    if not found:
        raise ProviderError(
            f"no RDS engine version matches the criteria: {args['engine']} {wanted or ''}".rstrip()
        )
    entry = max(found, key=_version_key)
    version = entry["EngineVersion"]
    return {
        **args,
        "id": version,
        "region": region,
        "engine": entry["Engine"],
        "version": version,
        "versionActual": version,
        "versionDescription": entry.get("DBEngineVersionDescription", ""),
        "engineDescription": entry.get("DBEngineDescription", ""),
        "parameterGroupFamily": entry.get("DBParameterGroupFamily", ""),
        "defaultCharacterSet": "",
        "exportableLogTypes": entry.get("ExportableLogTypes", []),
        "status": entry.get("Status", "available"),
        "supportedCharacterSets": [],
        "supportedFeatureNames": [],
        "supportedModes": [],
        "supportedTimezones": [],
        "supportsGlobalDatabases": False,
        "supportsLimitlessDatabase": False,
        "supportsLogExportsToCloudwatch": True,
        "supportsParallelQuery": False,
        "supportsReadReplica": True,
        "validMajorTargets": [],
        "validMinorTargets": [],
        "validUpgradeTargets": [],
    }, ()


def _version_key(entry: Mapping[str, Any]) -> tuple[int, ...]:
    parts = str(entry["EngineVersion"]).split(".")
    return tuple(int(part) if part.isdigit() else -1 for part in parts)


INVOKES: Final[Mapping[str, Invoke]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:secretsmanager/getRandomPassword:getRandomPassword": _random_password,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:elb/getServiceAccount:getServiceAccount": _elb_account,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": _prefix_list,
    "aws:rds/getEngineVersion:getEngineVersion": _engine_version,
}


def invoke(clients: Clients, region: str, token: str, args: Mapping[str, Any]) -> Answer:
    """The answer, and the names in it that are secret.

    Raises:
        ProviderError: there is no such invoke here, or AWS refused.
    """
    known = INVOKES.get(token)
    if known is None:
        raise ProviderError(
            f"the sandbox's aws provider does not answer {token}; it answers "
            f"{', '.join(sorted(INVOKES))}"
        )
    given = {key: value for key, value in args.items() if value is not None}
    return known(clients, region, given)
