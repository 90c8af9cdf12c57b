"""PostgreSQL on RDS: the instance, its pooling, its backups and the alarms it cannot be without."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from systems.model.base import Model, Percent, Region, Says, misfit


class DatabaseAlarms(Model):
    """Thresholds of the alarms every database has. Percentages are of the instance's own limits."""

    cpu_percent: Percent = 80
    memory_used_percent: Percent = 80
    connections_percent: Percent = 80
    pool_exhausted: bool = Field(
        default=False, description="one more alarm, without delay, when no connection is free"
    )
    free_storage_percent: Percent = 20
    read_latency_ms: float = Field(default=50, gt=0)
    write_latency_ms: float = Field(default=50, gt=0)
    replica_lag_seconds: float = Field(default=30, gt=0)
    slow_queries_per_minute: int | None = Field(
        default=None, ge=0, description="more queries over slow_query_log_ms; null: no such alarm"
    )


class Pooling(Model):
    """RDS Proxy in front of the instance.

    `max_connections_percent` and `idle_client_timeout_seconds` are RDS Proxy's own settings.
    """

    max_connections_percent: int = Field(default=80, ge=1, le=100)
    max_idle_connections_percent: int = Field(default=40, ge=0, le=100)
    idle_client_timeout_seconds: int = Field(default=1800, ge=1, le=28800)
    connection_borrow_timeout_seconds: int = Field(default=10, ge=0, le=300)


class Database(Model):
    """One RDS instance of PostgreSQL.

    Secure and available by default; whatever is weaker has to be written out, and the policy pack
    judges it. `statement_timeout_seconds` becomes PostgreSQL's `statement_timeout`.
    """

    engine_version: Annotated[
        str,
        StringConstraints(pattern=r"^1[4-8](\.\d+)?$"),
        Says('a version of PostgreSQL from 14 to 18 in quotes, such as "16" or "16.9"'),
    ] = "16"
    instance_class: Annotated[
        str,
        StringConstraints(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$"),
        Says("an instance class, such as db.t4g.medium or db.m7g.large"),
    ] = "db.m7g.large"
    instance_memory_gb: float = Field(
        default=8, gt=0, description="what the instance class has: percentages are of it"
    )
    database_name: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$"),
        Says("a name in PostgreSQL: lower case, digits and underscores, 63 characters at most"),
    ] = "app"
    master_username: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,15}$"),
        Says("a user's name: lower case, digits and underscores, 16 characters at most"),
    ] = "administrator"
    application_username: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$"),
        Says("a user's name: lower case, digits and underscores, 63 characters at most"),
    ] = "application"
    storage_gb: int = Field(default=100, ge=20, le=65536)
    max_storage_gb: int | None = Field(default=None, ge=20, le=65536)
    storage_type: Literal["gp3", "io2"] = "gp3"
    multi_az: bool = True
    publicly_accessible: bool = False
    storage_encrypted: bool = True
    tls_required: bool = True
    deletion_protection: bool = True
    backup_retention_days: Annotated[
        int,
        Field(ge=0, le=35),
        Says(todo="give days in that range; longer copies belong to backup.retention_days"),
    ] = 35
    backup_window: Annotated[
        str,
        StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"),
        Says('half an hour or more in UTC, such as "05:00-05:30"'),
    ] = "05:00-05:30"
    maintenance_window: Annotated[
        str,
        StringConstraints(
            pattern=r"^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d"
            r"-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$"
        ),
        Says('half an hour or more of a week in UTC, such as "sun:06:00-sun:07:00"'),
    ] = "sun:06:00-sun:07:00"
    final_snapshot: bool = True
    statement_timeout_seconds: int = Field(default=30, ge=1, le=3600)
    idle_in_transaction_timeout_seconds: int = Field(default=60, ge=1, le=3600)
    slow_query_log_ms: int = Field(default=1000, ge=0)
    max_connections: int = Field(default=200, ge=20, le=10000)
    performance_insights_days: Literal[0, 7, 31, 93, 186, 372, 731] = 7
    monitoring_interval_seconds: Literal[0, 1, 5, 10, 15, 30, 60] = 60
    application_password_rotation_days: int = Field(default=30, ge=1, le=1000)
    pooling: Pooling | None = Pooling()
    read_replica_count: int = Field(default=0, ge=0, le=5)
    alarms: DatabaseAlarms = DatabaseAlarms()

    @model_validator(mode="after")
    def _storage_grows(self) -> Self:
        least = math.ceil(self.storage_gb * 1.1)
        if self.max_storage_gb is not None and self.max_storage_gb < least:
            raise misfit(
                "max_storage_gb",
                f"{self.max_storage_gb} with storage_gb {self.storage_gb}",
                f"a whole number of at least {least}: 10 % above storage_gb",
                "raise it, or write null to switch storage autoscaling off",
            )
        return self


class Backup(Model):
    """AWS Backup on top of the databases' own snapshots: a second copy, in a second region.

    AWS Backup starts no job in the hour before RDS's own backup or maintenance window, so keep
    `schedule` away from those. https://docs.aws.amazon.com/aws-backup/latest/devguide/limitations.html
    Recovery objectives: `rto_minutes` is what the restore drill is measured against.
    """

    schedule: Annotated[
        str, StringConstraints(pattern=r"^cron\(.+\)$"), Says('"cron(0 8 * * ? *)" or another time')
    ] = "cron(0 8 * * ? *)"
    retention_days: int = Field(default=35, ge=1, le=36500)
    copy_to_region: Region | None = None
    copy_retention_days: int = Field(default=35, ge=1, le=36500)
    rto_minutes: int = Field(default=60, ge=1)
    rpo_minutes: int = Field(default=5, ge=1)
