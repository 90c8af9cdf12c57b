"""S3: buckets and the settings that are resources of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING, tags_to
from sandbox.provider.table.common import lone, named, one_of, policy_document

#: https://docs.aws.amazon.com/general/latest/gr/s3.html
_ZONES: Final = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "ap-southeast-2": "Z1WCIGYICN2BYD",
}
_BUCKET_GONE: Final = ("404", "NoSuchBucket")


def _create_bucket(call: Call) -> dict[str, Any]:
    params: dict[str, Any] = {"Bucket": call.inputs["bucket"]}
    if call.region != "us-east-1":
        params["CreateBucketConfiguration"] = {"LocationConstraint": call.region}
    if call.inputs.get("objectLockEnabled"):
        params["ObjectLockEnabledForBucket"] = True
    try:
        return call.aws("CreateBucket", params)
    except CallError as error:
        # us-east-1 answers 200 to the owner; the emulator keeps to that
        if error.code != "BucketAlreadyOwnedByYou":
            raise
        raise CallError("S3", "CreateBucket", error.code, error.detail, error.status) from None


def _settle_tags(call: Call) -> None:
    if call.tags():
        tagging = {"TagSet": tags_to(call.tags(), "list")}
        call.aws("PutBucketTagging", {"Bucket": call.id, "Tagging": tagging})
    else:
        call.aws("DeleteBucketTagging", {"Bucket": call.id})


def _read_bucket(call: Call) -> Any:
    call.aws("HeadBucket", {"Bucket": call.id})
    name = call.id
    return {
        "Bucket": name,
        "Arn": f"arn:{call.partition}:s3:::{name}",
        "BucketDomainName": f"{name}.s3.amazonaws.com",
        "BucketRegionalDomainName": f"{name}.s3.{call.region}.amazonaws.com",
        "BucketRegion": call.region,
        "HostedZoneId": _ZONES.get(call.region, ""),
    }


def _delete_bucket(call: Call) -> None:
    if call.inputs.get("forceDestroy"):
        _empty(call)
    call.aws("DeleteBucket", {"Bucket": call.id})


def _empty(call: Call) -> None:
    while True:
        answer = call.aws("ListObjectVersions", {"Bucket": call.id})
        objects = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            for entry in (*answer.get("Versions", []), *answer.get("DeleteMarkers", []))
        ]
        if not objects:
            return
        delete = {"Objects": objects, "Quiet": True}
        call.aws("DeleteObjects", {"Bucket": call.id, "Delete": delete})


_NAME: Final = named(
    r"(?!xn--)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)(?!.*-s3alias$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    63,
    "expected 3 to 63 small letters, digits, . and -",
)

BUCKET: Final = ResourceType(
    pulumi_type="aws:s3/bucket:Bucket",
    title="S3 Bucket",
    service="s3",
    create=Step(_create_bucket, ("bucket", "objectLockEnabled")),
    id="={bucket}",
    read=Step(_read_bucket),
    delete=Step(_delete_bucket),
    replace=("bucket", "objectLockEnabled"),
    name="bucket",
    name_max=63,
    name_lower=True,
    defaults={"forceDestroy": False},
    local=("forceDestroy",),
    tags=Tags(
        add=lone("PutBucketTagging", {}),
        remove=lone("DeleteBucketTagging", {}),
        settle=_settle_tags,
        create="",
        read=lone("GetBucketTagging", {"Bucket": "{id}"}),
        path="TagSet",
    ),
    checks={"bucket": _NAME},
    gone=_BUCKET_GONE,
)


def _setting(
    pulumi_type: str,
    title: str,
    put: Op | Step,
    read: Op | Step,
    delete: Op | Step,
    **more: Any,
) -> ResourceType:
    """A part of a bucket that is a resource of its own."""
    return ResourceType(
        pulumi_type=pulumi_type,
        title=title,
        service="s3",
        create=put,
        id="={bucket}",
        read=read,
        update=(put,),
        delete=delete,
        replace=("bucket", *more.pop("replace", ())),
        unique=True,
        gone=(*_BUCKET_GONE, *more.pop("gone", ())),
        **more,
    )


_BLOCKS: Final = (
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
)
PUBLIC_ACCESS_BLOCK: Final = _setting(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "S3 Bucket Public Access Block",
    Op(
        "PutPublicAccessBlock",
        rename={
            name: f"PublicAccessBlockConfiguration.{name[0].upper()}{name[1:]}" for name in _BLOCKS
        },
    ),
    lone("GetPublicAccessBlock", {"Bucket": "{id}"}, result="PublicAccessBlockConfiguration"),
    lone("DeletePublicAccessBlock", {"Bucket": "{id}"}),
    defaults=dict.fromkeys(_BLOCKS, False),
    local=("skipDestroy",),
)

_SSE: Final = {
    "rules": "ServerSideEncryptionConfiguration.Rules",
    "rules.applyServerSideEncryptionByDefault.sseAlgorithm": "SSEAlgorithm",
    "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "KMSMasterKeyID",
    "rules.blockedEncryptionTypes": "BlockedEncryptionTypes.EncryptionType",
}
ENCRYPTION: Final = _setting(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "S3 Bucket Server-side Encryption Configuration",
    Op("PutBucketEncryption", rename=_SSE),
    lone("GetBucketEncryption", {"Bucket": "{id}"}, result="ServerSideEncryptionConfiguration"),
    lone("DeleteBucketEncryption", {"Bucket": "{id}"}),
    rename={name: member for name, member in _SSE.items() if name != "rules"},
    replace=("expectedBucketOwner",),
)


def _suspend(call: Call) -> None:
    """A bucket cannot forget versioning: it can only be suspended."""
    status = (call.inputs.get("versioningConfiguration") or {}).get("status")
    if status == "Enabled":
        configuration = {"Status": "Suspended"}
        params = {"Bucket": call.id, "VersioningConfiguration": configuration}
        call.aws("PutBucketVersioning", params)


def _read_versioning(call: Call) -> Any:
    answer = call.aws("GetBucketVersioning", {"Bucket": call.id})
    configuration = {name: answer[name] for name in ("Status", "MFADelete") if answer.get(name)}
    return {"VersioningConfiguration": configuration or {"Status": "Disabled"}}


VERSIONING: Final = _setting(
    "aws:s3/bucketVersioning:BucketVersioning",
    "S3 Bucket Versioning",
    Op("PutBucketVersioning", rename={"versioningConfiguration.mfaDelete": "MFADelete"}),
    Step(_read_versioning),
    Step(_suspend),
    rename={"versioningConfiguration.mfaDelete": "MFADelete", "mfa": "MFA"},
    replace=("expectedBucketOwner",),
)

_RULES: Final = {
    "rules": "LifecycleConfiguration.Rules",
    "rules.id": "ID",
    "rules.expiration.expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
}


def _put_lifecycle(call: Call) -> dict[str, Any]:
    params = call.build(_LIFECYCLE)
    for rule in params["LifecycleConfiguration"]["Rules"]:
        # AWS wants a filter; an empty one means all objects
        if "Prefix" not in rule:
            rule.setdefault("Filter", {"Prefix": ""})
            rule["Filter"] = rule["Filter"] or {"Prefix": ""}
    return call.aws("PutBucketLifecycleConfiguration", params)


def _valid_lifecycle(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rules = inputs.get("rules")
    ids: set[str] = set()
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, Mapping):
            continue
        if rule.get("status") not in ("Enabled", "Disabled") and isinstance(
            rule.get("status"), str
        ):
            yield f"rules[{index}].status", "expected Enabled or Disabled"
        if rule.get("id") in ids:
            yield f"rules[{index}].id", f"{rule['id']!r} is there twice"
        ids.add(str(rule.get("id")))
        actions = (
            "abortIncompleteMultipartUpload", "expiration", "noncurrentVersionExpiration",
            "noncurrentVersionTransitions", "transitions",
        )  # fmt: skip
        if not any(rule.get(name) for name in actions):
            yield f"rules[{index}]", f"does nothing: give one of {', '.join(actions)}"


_LIFECYCLE: Final = Op("PutBucketLifecycleConfiguration", rename=_RULES)
LIFECYCLE: Final = _setting(
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "S3 Bucket Lifecycle Configuration",
    Step(_put_lifecycle, base=_LIFECYCLE),
    lone("GetBucketLifecycleConfiguration", {"Bucket": "{id}"}),
    lone("DeleteBucketLifecycle", {"Bucket": "{id}"}),
    rename={name: member for name, member in _RULES.items() if name != "rules"},
    local=("timeouts",),
    replace=("expectedBucketOwner",),
    unread=("rules",),
    rules=(_valid_lifecycle,),
)

POLICY: Final = _setting(
    "aws:s3/bucketPolicy:BucketPolicy",
    "S3 Bucket Policy",
    Op("PutBucketPolicy"),
    lone("GetBucketPolicy", {"Bucket": "{id}"}),
    lone("DeleteBucketPolicy", {"Bucket": "{id}"}),
    checks={"policy": policy_document},
)


def _valid_ownership(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rule = inputs.get("rule")
    value = rule.get("objectOwnership") if isinstance(rule, Mapping) else None
    if isinstance(value, str):
        reason = one_of("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")(value)
        if reason:
            yield "rule.objectOwnership", reason


OWNERSHIP: Final = _setting(
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "S3 Bucket Ownership Controls",
    Op("PutBucketOwnershipControls", rename={"rule": "OwnershipControls.Rules"}),
    lone("GetBucketOwnershipControls", {"Bucket": "{id}"}, result="OwnershipControls"),
    lone("DeleteBucketOwnershipControls", {"Bucket": "{id}"}),
    output={"rule": lambda found, _c: found.get("Rules", MISSING)},
    rules=(_valid_ownership,),
)

ROWS: Final = (
    BUCKET,
    PUBLIC_ACCESS_BLOCK,
    ENCRYPTION,
    VERSIONING,
    LIFECYCLE,
    POLICY,
    OWNERSHIP,
)
