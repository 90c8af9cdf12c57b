"""How ElastiCache names the nodes of a replication group, and its parameter families."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from systems import model


@dataclass(frozen=True)
class Shard:
    """A shard: its number, its nodes' identifiers, and the group that makes them."""

    number: int
    nodes: tuple[str, ...]
    group: pulumi.Resource


def shards(identifier: str, args: model.Cache, group: pulumi.Resource) -> list[Shard]:
    """`<id>-001` without cluster mode, `<id>-0001-001` with it."""
    nodes = range(1, args.replicas_per_shard + 2)
    if not args.cluster_mode:
        return [Shard(1, tuple(f"{identifier}-{node:03}" for node in nodes), group)]
    return [
        Shard(shard, tuple(f"{identifier}-{shard:04}-{node:03}" for node in nodes), group)
        for shard in range(1, args.shards + 1)
    ]


def family(engine: str, engine_version: str) -> str:
    """The parameter group family: `redis7`, `redis6.x`, `valkey8`.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
    """
    major = engine_version.partition(".")[0]
    return f"{engine}{major}.x" if (engine, major) == ("redis", "6") else f"{engine}{major}"
