"""The alarms that every database has.

Thresholds are the model's: percentages are of the instance's own limits, latencies in
milliseconds. CloudWatch has bytes and seconds (`AWS/RDS`, "Amazon CloudWatch metrics for RDS").
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.alarms import (
    Comparison,
    MissingData,
    Topics,
    expression_query,
    metric_alarm,
    metric_query,
)
from components.base import Component
from systems import model
from systems.model import Severity

_GB = 1024**3
_RDS = "AWS/RDS"


@dataclass(frozen=True)
class Watched:
    """One instance's metric and its limit."""

    part: str
    metric: str
    threshold: float
    description: str
    runbook: str
    severity: Severity = "warning"
    statistic: str = "Average"
    comparison: Comparison = "GreaterThanThreshold"
    periods: int = 5
    missing_data: MissingData = "missing"


def instance_alarms(
    parent: Component,
    name: str,
    args: model.Database,
    topics: Topics | None,
    identifier: pulumi.Input[str],
) -> None:
    """Load, memory, connections, storage and latency of the instance called `identifier`."""
    for watched in _instance(args):
        metric_alarm(
            parent,
            f"database-{name}-{watched.part}",
            topics=topics,
            severity=watched.severity,
            description=f"Database {name}: {watched.description}",
            runbook=watched.runbook,
            namespace=_RDS,
            metric=watched.metric,
            statistic=watched.statistic,
            threshold=watched.threshold,
            comparison=watched.comparison,
            evaluation_periods=watched.periods,
            datapoints_to_alarm=watched.periods,
            missing_data=watched.missing_data,
            dimensions={"DBInstanceIdentifier": identifier},
        )


def _instance(args: model.Database) -> tuple[Watched, ...]:
    limits = args.alarms
    free_memory = args.instance_memory_gb * _GB * (1 - limits.memory_used_percent / 100)
    return (
        Watched(
            "cpu",
            "CPUUtilization",
            limits.cpu_percent,
            f"CPU above {limits.cpu_percent:g} % for five minutes, or no word from the instance.",
            "database-load",
            severity="critical",
            missing_data="breaching",
        ),
        Watched(
            "memory",
            "FreeableMemory",
            round(free_memory),
            f"more than {limits.memory_used_percent:g} % of the memory used for five minutes.",
            "database-load",
            comparison="LessThanThreshold",
        ),
        Watched(
            "connections",
            "DatabaseConnections",
            args.max_connections * limits.connections_percent / 100,
            f"more than {limits.connections_percent:g} % of {args.max_connections} connections.",
            "database-connections",
            severity="critical",
            statistic="Maximum",
            periods=3,
        ),
        Watched(
            "storage",
            "FreeStorageSpace",
            round(args.storage_gb * _GB * limits.free_storage_percent / 100),
            f"less than {limits.free_storage_percent:g} % of {args.storage_gb} GB free.",
            "database-storage",
            severity="critical",
            statistic="Minimum",
            comparison="LessThanThreshold",
            periods=3,
        ),
        Watched(
            "read-latency",
            "ReadLatency",
            limits.read_latency_ms / 1000,
            f"reads take more than {limits.read_latency_ms:g} ms for five minutes.",
            "database-latency",
        ),
        Watched(
            "write-latency",
            "WriteLatency",
            limits.write_latency_ms / 1000,
            f"writes take more than {limits.write_latency_ms:g} ms for five minutes.",
            "database-latency",
        ),
    )


def replica_alarm(
    parent: Component,
    name: str,
    args: model.Database,
    topics: Topics | None,
    identifier: pulumi.Input[str],
) -> None:
    """How far a read replica is behind; `name` is the replica's."""
    limit = args.alarms.replica_lag_seconds
    metric_alarm(
        parent,
        f"database-{name}-lag",
        topics=topics,
        severity="warning",
        description=f"Read replica {name} is more than {limit:g} seconds behind.",
        runbook="database-replica-lag",
        namespace=_RDS,
        metric="ReplicaLag",
        statistic="Maximum",
        threshold=limit,
        evaluation_periods=5,
        datapoints_to_alarm=5,
        missing_data="breaching",
        dimensions={"DBInstanceIdentifier": identifier},
    )


def pool_alarms(
    parent: Component,
    name: str,
    args: model.Database,
    topics: Topics | None,
    proxy_name: pulumi.Input[str],
) -> None:
    """The pool's use, the wait for a connection, and clients that were turned away.

    A proxy is served by several machines, each of which counts for itself: sums, not averages.
    """
    limit = args.alarms.connections_percent
    proxy = {"ProxyName": proxy_name}
    borrowed = metric_query(
        "borrowed",
        namespace=_RDS,
        metric="DatabaseConnectionsCurrentlyBorrowed",
        statistic="Sum",
        dimensions=proxy,
    )
    allowed = metric_query(
        "allowed",
        namespace=_RDS,
        metric="MaxDatabaseConnectionsAllowed",
        statistic="Sum",
        dimensions=proxy,
    )
    metric_alarm(
        parent,
        f"database-{name}-pool-usage",
        topics=topics,
        severity="critical",
        description=f"Database {name}: more than {limit:g} % of the pool's connections in use.",
        runbook="database-connections",
        queries=[
            borrowed,
            allowed,
            expression_query("usage", "100 * borrowed / allowed", label="Pool in use, percent"),
        ],
        threshold=limit,
        evaluation_periods=3,
        datapoints_to_alarm=2,
        missing_data="notBreaching",
    )
    if args.alarms.pool_exhausted:
        metric_alarm(
            parent,
            f"database-{name}-pool-exhausted",
            topics=topics,
            severity="critical",
            description=f"Database {name}: all of the pool's connections are in use.",
            runbook="database-connections",
            queries=[
                borrowed,
                allowed,
                expression_query("free", "allowed - borrowed", label="Connections free"),
            ],
            comparison="LessThanOrEqualToThreshold",
            threshold=0,
            missing_data="notBreaching",
        )
    _pool_wait(parent, name, args, topics, proxy)
    metric_alarm(
        parent,
        f"database-{name}-pool-refused",
        topics=topics,
        severity="critical",
        description=f"Database {name}: the pool refuses clients' passwords, or TLS is missing.",
        runbook="database-connections",
        namespace=_RDS,
        metric="ClientConnectionsSetupFailedAuth",
        statistic="Sum",
        threshold=5,
        evaluation_periods=3,
        datapoints_to_alarm=3,
        missing_data="notBreaching",
        dimensions=proxy,
    )


def _pool_wait(
    parent: Component,
    name: str,
    args: model.Database,
    topics: Topics | None,
    proxy: dict[str, pulumi.Input[str]],
) -> None:
    """Half of the time after which a client gives up waiting for a connection."""
    timeout = args.pooling.connection_borrow_timeout_seconds if args.pooling else 0
    wait_seconds = max(timeout / 2, 1)
    metric_alarm(
        parent,
        f"database-{name}-pool-wait",
        topics=topics,
        severity="warning",
        description=f"Database {name}: clients wait {wait_seconds:g} seconds for a connection.",
        runbook="database-connections",
        namespace=_RDS,
        metric="DatabaseConnectionsBorrowLatency",
        statistic="Average",
        # CloudWatch has it in microseconds.
        threshold=wait_seconds * 1_000_000,
        evaluation_periods=3,
        datapoints_to_alarm=3,
        missing_data="notBreaching",
        dimensions=proxy,
    )
