"""The alarms that every cache has.

ElastiCache has its metrics node by node, and which node is the primary changes; so an alarm looks
at the worst node of a shard. Shards count for themselves: one full shard is a full cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.alarms import Topics, expression_query, metric_alarm, metric_query
from components.base import Component, known
from components.redis_nodes import Shard
from systems import model
from systems.model import Severity

_SWAP_MB = 300


@dataclass(frozen=True)
class Watched:
    """One metric of the nodes and its limit."""

    part: str
    metric: str
    threshold: float
    description: str
    runbook: str
    severity: Severity = "warning"
    statistic: str = "Average"


def declare_alarms(
    parent: Component,
    name: str,
    args: model.Cache,
    topics: Topics | None,
    shards: list[Shard],
) -> None:
    """Load, memory, evictions, swapping and, with replicas, how far they are behind."""
    for shard in shards:
        suffix = f"-{shard.number}" if len(shards) > 1 else ""
        for watched in _watched(args):
            metric_alarm(
                parent,
                f"cache-{name}-{watched.part}{suffix}",
                topics=topics,
                severity=watched.severity,
                description=f"Cache {name}{suffix}: {watched.description}",
                runbook=watched.runbook,
                queries=[
                    *(
                        metric_query(
                            f"node{number}",
                            namespace="AWS/ElastiCache",
                            metric=watched.metric,
                            statistic=watched.statistic,
                            dimensions={"CacheClusterId": known(node, shard.group)},
                        )
                        for number, node in enumerate(shard.nodes, 1)
                    ),
                    expression_query("worst", "MAX(METRICS())", label="Worst node"),
                ],
                threshold=watched.threshold,
                evaluation_periods=5,
                datapoints_to_alarm=5,
                missing_data="breaching" if watched.part == "cpu" else "missing",
            )


def _watched(args: model.Cache) -> list[Watched]:
    limits = args.alarms
    watched = [
        Watched(
            "cpu",
            "EngineCPUUtilization",
            limits.cpu_percent,
            f"engine above {limits.cpu_percent:g} % for five minutes, or no word from the nodes.",
            "cache-load",
            severity="critical",
        ),
        Watched(
            "memory",
            "DatabaseMemoryUsagePercentage",
            limits.memory_used_percent,
            f"more than {limits.memory_used_percent:g} % of the memory used.",
            "cache-memory",
            severity="critical",
        ),
        Watched(
            "evictions",
            "Evictions",
            limits.evictions_per_minute,
            f"more than {limits.evictions_per_minute} keys a minute thrown out to make room.",
            "cache-memory",
            statistic="Sum",
        ),
        Watched(
            "swap",
            "SwapUsage",
            _SWAP_MB * 1024**2,
            f"more than {_SWAP_MB} MB swapped out.",
            "cache-memory",
        ),
    ]
    if args.replicas_per_shard:
        watched.append(
            Watched(
                "lag",
                "ReplicationLag",
                limits.replication_lag_seconds,
                f"a replica is more than {limits.replication_lag_seconds:g} seconds behind.",
                "cache-load",
                statistic="Maximum",
            )
        )
    return watched
