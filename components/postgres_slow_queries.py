"""Slow queries: PostgreSQL writes them to its log, a filter counts them, an alarm tells."""

from __future__ import annotations

import pulumi

from components.alarms import Topics
from components.base import Component
from components.log_lines import log_line_alarm
from systems import model

# As `log_min_duration_statement` writes a query that took longer:
# `…:application@app:[1234]:LOG:  duration: 1532.112 ms  statement: SELECT …`
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.Query_Logging.html
_PATTERN = '"LOG:  duration:"'


def slow_query_alarm(
    parent: Component,
    name: str,
    args: model.Database,
    topics: Topics | None,
    log_group: pulumi.Input[str],
) -> None:
    """Counts lines of the server's exported log; nothing where no limit is given.

    What counts as slow is `slow_query_log_ms`; only such queries are in the log at all.
    """
    limit = args.alarms.slow_queries_per_minute
    if limit is None:
        return
    log_line_alarm(
        parent,
        f"database-{name}-slow-queries",
        log_group=log_group,
        pattern=_PATTERN,
        limit_per_minute=limit,
        topics=topics,
        description=(
            f"Database {name}: more than {limit} queries in a minute took longer than "
            f"{args.slow_query_log_ms} ms."
        ),
        runbook="database-latency",
    )
