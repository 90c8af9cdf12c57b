"""Caches: ElastiCache for Redis and Valkey."""

from __future__ import annotations

from policies.framework import NOT_DEV, Finding, Findings, Fix, Resource, expect, number, rule, skip

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
NODE = "aws:elasticache/cluster:Cluster"

_DOCS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/"


def _skip_what_others_decide(cache: Resource) -> None:
    if cache.has("globalReplicationGroupId"):
        skip("a member of a global datastore, whose primary decides")
    if cache.type == NODE:
        if cache.has("replicationGroupId"):
            skip("a member of a replication group, which decides")
        if cache.has("engine") and str(cache.get("engine")).lower() == "memcached":
            skip("Memcached keeps nothing that has to survive")


@rule(
    "cache-multi-az",
    section="cache",
    severity="critical",
    types=(GROUP, NODE),
    lines=("001:325",),
    why="Without a replica in another zone that takes over, a failed node takes the cache away.",
    fix=Fix(
        "caches.<name>.multi_az: true",
        "aws.elasticache.ReplicationGroup(multi_az_enabled=True, "
        "automatic_failover_enabled=True, num_cache_clusters=2)",
    ),
    reference=f"{_DOCS}AutoFailover.html",
    tiers=NOT_DEV,
)
def cache_multi_az(cache: Resource) -> Findings:
    """Multi-AZ, automatic failover, and somewhere to fail over to."""
    _skip_what_others_decide(cache)
    if cache.type == NODE:
        yield Finding("a single cache node", "a replication group over two zones", "engine")
        return
    yield from expect(cache, "multiAzEnabled", True, default=False)
    yield from expect(cache, "automaticFailoverEnabled", True, default=False)
    nodes = number(cache.get("numCacheClusters"))
    replicas = number(cache.get("replicasPerNodeGroup"))
    if (nodes is not None and nodes < 2) or (replicas is not None and replicas < 1):
        found = "numCacheClusters" if nodes is not None else "replicasPerNodeGroup"
        yield Finding(f"{found}: {cache.get(found)}", "a primary and a replica at least", found)


@rule(
    "cache-encrypted-at-rest",
    section="cache",
    severity="high",
    types=(GROUP,),
    lines=("001:341",),
    why="Snapshots and swap of a cache hold what was cached: sessions, quotes, positions.",
    fix=Fix(
        "caches.<name>.at_rest_encryption: true",
        "aws.elasticache.ReplicationGroup(at_rest_encryption_enabled=True)",
    ),
    reference=f"{_DOCS}at-rest-encryption.html",
)
def cache_encrypted_at_rest(cache: Resource) -> Findings:
    """Encryption at rest. Valkey has it on when nothing is said, Redis has not."""
    _skip_what_others_decide(cache)
    valkey = str(cache.known("engine", "redis")).lower() == "valkey"
    yield from expect(cache, "atRestEncryptionEnabled", True, default=valkey)


@rule(
    "cache-encrypted-in-transit",
    section="cache",
    severity="critical",
    types=(GROUP, NODE),
    lines=("001:64",),
    why="Without TLS the password and everything cached cross the network in plain text.",
    fix=Fix(
        "caches.<name>.transit_encryption: true",
        "aws.elasticache.ReplicationGroup(transit_encryption_enabled=True)",
    ),
    reference=f"{_DOCS}in-transit-encryption.html",
)
def cache_encrypted_in_transit(cache: Resource) -> Findings:
    """TLS between clients and nodes, and not only as an offer."""
    _skip_what_others_decide(cache)
    yield from expect(cache, "transitEncryptionEnabled", True, default=False)
    if cache.has("transitEncryptionMode"):
        yield from expect(cache, "transitEncryptionMode", "required")


@rule(
    "cache-authenticated",
    section="cache",
    severity="high",
    types=(GROUP,),
    lines=("001:158", "001:342"),
    why="A cache without a password serves whoever reaches its port.",
    fix=Fix(
        "caches.<name>.auth: true",
        "aws.elasticache.ReplicationGroup(user_group_ids=[...]) or auth_token=...",
    ),
    reference=f"{_DOCS}auth.html",
)
def cache_authenticated(cache: Resource) -> Findings:
    """A token or a user group. Whether one is given is known even when its value is not."""
    _skip_what_others_decide(cache)
    if cache.has("authToken"):
        return
    groups = cache.get("userGroupIds")
    if not groups:
        yield Finding("neither authToken nor userGroupIds", "one of them", "userGroupIds")
