"""Redis (or Valkey) on ElastiCache."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import Model, Percent


class CacheAlarms(Model):
    """Thresholds of the alarms every cache has."""

    cpu_percent: Percent = 80
    memory_used_percent: Percent = 80
    evictions_per_minute: int = Field(default=100, ge=0)
    replication_lag_seconds: float = Field(default=10, gt=0)


class Cache(Model):
    """One ElastiCache replication group."""

    engine: Literal["redis", "valkey"] = "redis"
    engine_version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+$")] = "7.1"
    node_type: Annotated[str, StringConstraints(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$")] = (
        "cache.m7g.large"
    )
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
            raise ValueError(f"shards: {self.shards} needs cluster_mode: true")
        if self.multi_az and self.replicas_per_shard == 0:
            raise ValueError("multi_az: true needs replicas_per_shard of 1 or more")
        return self
