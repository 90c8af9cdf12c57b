"""What the server is told to do: the DB parameter group's parameters."""

from __future__ import annotations

import pulumi_aws as aws

from systems import model

# The server takes it only when it starts.
_STATIC = frozenset({"max_connections"})


def major(engine_version: str) -> str:
    """`16` of `16.9`."""
    return engine_version.partition(".")[0]


def family(engine_version: str) -> str:
    """The parameter group family: `postgres16`."""
    return f"postgres{major(engine_version)}"


def parameters(args: model.Database) -> list[aws.rds.ParameterGroupParameterArgs]:
    """TLS, passwords, limits in time and number, and what goes to the log."""
    return [
        aws.rds.ParameterGroupParameterArgs(
            name=name,
            value=value,
            apply_method="pending-reboot" if name in _STATIC else "immediate",
        )
        for name, value in sorted(_values(args).items())
    ]


def _values(args: model.Database) -> dict[str, str]:
    in_transaction = args.idle_in_transaction_timeout_seconds
    return {
        "rds.force_ssl": "1" if args.tls_required else "0",
        "password_encryption": "scram-sha-256",  # pragma: allowlist secret
        "max_connections": str(args.max_connections),
        "statement_timeout": str(args.statement_timeout_seconds * 1000),
        "idle_in_transaction_session_timeout": str(in_transaction * 1000),
        "log_min_duration_statement": str(args.slow_query_log_ms),
        "log_connections": "1",
        "log_disconnections": "1",
        "log_lock_waits": "1",
        "log_statement": "ddl",
    }
