"""Redis (or Valkey) on ElastiCache."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import Model, Percent, Says, misfit


class CacheAlarms(Model):
    """Thresholds of the alarms every cache has."""

    cpu_percent: Percent = 80
    memory_used_percent: Percent = 80
    evictions_per_minute: int = Field(default=100, ge=0)
    replication_lag_seconds: float = Field(default=10, gt=0)


class Cache(Model):
    """One ElastiCache replication group."""

    engine: Literal["redis", "valkey"] = "redis"
    engine_version: Annotated[
        str, StringConstraints(pattern=r"^\d+\.\d+$"), Says('a version in quotes, such as "7.1"')
    ] = "7.1"
    node_type: Annotated[
        str,
        StringConstraints(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$"),
        Says("a node type, such as cache.t4g.small or cache.m7g.large"),
    ] = "cache.m7g.large"
    replicas_per_shard: int = Field(default=1, ge=0, le=5)
    shards: int = Field(default=1, ge=1, le=90)
    cluster_mode: bool = False
    multi_az: bool = True
    at_rest_encryption: bool = True
    transit_encryption: bool = True
    auth: bool = True
    snapshot_retention_days: int = Field(default=7, ge=0, le=35)
    maxmemory_policy: Literal[
        "noeviction", "allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-lfu", "volatile-ttl"
    ] = "noeviction"
    alarms: CacheAlarms = CacheAlarms()

    @model_validator(mode="after")
    def _shards_need_cluster_mode(self) -> Self:
        if self.shards > 1 and not self.cluster_mode:
            raise misfit(
                "shards",
                f"{self.shards} without cluster mode",
                "1, or more with cluster_mode: true",
                "set cluster_mode: true, or shards: 1",
            )
        if self.multi_az and self.replicas_per_shard == 0:
            raise misfit(
                "replicas_per_shard",
                "0 with multi_az: true",
                "1 to 5 where there is failover to another zone",
                "set replicas_per_shard: 1, or multi_az: false",
            )
        return self
