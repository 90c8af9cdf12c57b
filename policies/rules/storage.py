"""Buckets and keys."""

from __future__ import annotations

from policies.framework import Finding, Findings, Fix, Resource, Stack, expect, rule, skip

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ACCOUNT_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
KEY = "aws:kms/key:Key"

_SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


@rule(
    "bucket-public-access-blocked",
    section="storage",
    severity="critical",
    types=BUCKETS,
    scope="stack",
    lines=("001:341", "001:342"),
    why="With the block on, no later policy or ACL can open the bucket to everybody by mistake.",
    fix=Fix(
        "",
        "aws.s3.BucketPublicAccessBlock(bucket=..., block_public_acls=True, "
        "block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True)",
    ),
    reference="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
)
def bucket_blocked(bucket: Resource, stack: Stack) -> Findings:
    """All four switches, on the bucket or on the account."""
    blocks = stack.referring(bucket, "bucket", BLOCK) or stack.of_type(ACCOUNT_BLOCK)
    if not blocks:
        yield Finding("no BucketPublicAccessBlock", "one, with all four switches on", "bucket")
    for block in blocks:
        for switch in _SWITCHES:
            yield from expect(block, switch, True, default=False)


@rule(
    "kms-key-rotated",
    section="storage",
    severity="medium",
    types=(KEY,),
    lines=("001:160", "001:341"),
    why="A rotated key limits what one leaked key opens.",
    fix=Fix("", "aws.kms.Key(enable_key_rotation=True)"),
    reference="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
)
def kms_key_rotated(key: Resource) -> Findings:
    """Yearly rotation of symmetric keys; AWS rotates no others."""
    usage = str(key.get("keyUsage", "ENCRYPT_DECRYPT"))
    spec = str(key.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"))
    if usage != "ENCRYPT_DECRYPT" or spec != "SYMMETRIC_DEFAULT":
        skip("AWS rotates symmetric encryption keys only")
    if key.has("customKeyStoreId"):
        skip("AWS rotates no keys of a custom key store")
    yield from expect(key, "enableKeyRotation", True, default=False)
