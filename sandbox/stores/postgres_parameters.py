"""A DB parameter group's parameters, as a real PostgreSQL takes them.

Source of names, units and kinds: the server's own `--describe-config`; AWS uses the same names
and the same base units ("Parameters on your RDS for PostgreSQL DB instance").
"""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.stores.postgres_binaries import Installation, run_as

FORCE_TLS = "rds.force_ssl"
# Since major version 15 AWS's default groups set it to 1.
FORCE_TLS_SINCE_MAJOR = 15
# These size a cloud machine's memory or take over what the sandbox itself decides.
OURS = frozenset({
    "shared_buffers", "listen_addresses", "port", "unix_socket_directories", "data_directory",
    "hba_file", "ident_file", "config_file", "external_pid_file", "ssl", "ssl_cert_file",
    "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "log_destination", "logging_collector",
    "log_directory", "log_filename", "huge_pages", "fsync", "wal_level", "archive_mode",
    "archive_command", "password_encryption",
})  # fmt: skip
MAX_CONNECTIONS_HERE = 1000


@dataclass(frozen=True)
class Setting:
    """What PostgreSQL says about one parameter."""

    name: str
    context: str
    kind: str
    smallest: str
    largest: str

    @property
    def is_static(self) -> bool:
        """True when a change needs a restart (AWS calls such a parameter static)."""
        return self.context in ("postmaster", "internal")


@dataclass(frozen=True)
class Translation:
    """Parameters for `postgresql.conf`, whether TLS is forced, and what was left out and why."""

    applied: Mapping[str, str]
    force_tls: bool
    left_out: Mapping[str, str] = field(default_factory=dict)


@functools.lru_cache
def settings(installation: Installation) -> dict[str, Setting]:
    """Every parameter that this PostgreSQL has, by name."""
    output = run_as(installation.user, [installation.program("postgres"), "--describe-config"])
    known: dict[str, Setting] = {}
    for line in output.splitlines():
        fields = line.split("\t")
        if len(fields) >= 7:
            name, context, _, kind, _, smallest, largest = fields[:7]
            known[name.lower()] = Setting(name, context, kind, smallest, largest)
    return known


def problem(installation: Installation, name: str, value: str) -> str | None:
    """Why AWS would refuse this value, or None. Formulas (`{...}`) are AWS's to compute."""
    setting = settings(installation).get(name.lower())
    if _is_formula(value):
        return None
    if name == FORCE_TLS:
        return None if value in ("0", "1") else "allowed values are: 0,1"
    if setting is None:
        return None
    if setting.kind in ("INTEGER", "REAL"):
        return _number_problem(setting, value)
    if setting.kind == "BOOLEAN" and value.lower() not in _BOOLEANS:
        return "allowed values are: 0,1"
    return None


def is_static(installation: Installation, name: str) -> bool:
    """True when a change of this parameter needs a restart."""
    setting = settings(installation).get(name.lower())
    return setting is not None and setting.is_static


def translate(
    installation: Installation, parameters: Mapping[str, str], engine_major: int
) -> Translation:
    """What of a parameter group this server takes. `parameters` has the group's own values only."""
    default_force = "1" if engine_major >= FORCE_TLS_SINCE_MAJOR else "0"
    force = parameters.get(FORCE_TLS, default_force) == "1"
    applied: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for name, value in parameters.items():
        if name == FORCE_TLS:
            continue
        reason = _reason_to_leave_out(installation, name, value)
        if reason:
            left_out[name] = reason
        elif name == "shared_preload_libraries":
            loadable = [each for each in _names(value) if _is_loadable(installation, each)]
            missing = sorted(set(_names(value)) - set(loadable))
            applied[name] = ",".join(loadable)
            if missing:
                left_out[name] = f"not on this machine: {', '.join(missing)}"
        else:
            applied[name] = value
    return Translation(applied, force, left_out)


def render(applied: Mapping[str, str]) -> str:
    """The lines for the server's configuration file."""
    lines = []
    for name, value in sorted(applied.items()):
        quoted = value.replace("\\", "\\\\").replace("'", "''").replace("\n", " ")
        lines.append(f"{name} = '{quoted}'\n")
    return "".join(lines)


_BOOLEANS = frozenset({"0", "1", "on", "off", "true", "false", "yes", "no"})


def _reason_to_leave_out(installation: Installation, name: str, value: str) -> str | None:
    setting = settings(installation).get(name.lower())
    many = name == "max_connections" and value.isdigit() and int(value) > MAX_CONNECTIONS_HERE
    reasons = (
        (name in OURS, "the sandbox decides this itself"),
        (setting is None, f"PostgreSQL {installation.version} has no such parameter"),
        (setting and setting.context == "internal", "fixed when PostgreSQL was built"),
        (_is_formula(value), "a formula over the instance class's memory"),
        (many, f"more than {MAX_CONNECTIONS_HERE} connections are not given room here"),
        (
            problem(installation, name, value),
            f"PostgreSQL {installation.version} does not take {value!r}",
        ),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _is_formula(value: str) -> bool:
    """AWS computes `{DBInstanceClassMemory/9531392}` and functions of it from the instance."""
    return "{" in value


def _number_problem(setting: Setting, value: str) -> str | None:
    allowed = f"allowed values are: {setting.smallest}-{setting.largest}"
    try:
        number, low, high = float(value), float(setting.smallest), float(setting.largest)
    except ValueError:
        return allowed if not re.fullmatch(r"-?\d+(\.\d+)?", value) else None
    return None if low <= number <= high else allowed


def _names(value: str) -> list[str]:
    return [each.strip() for each in value.split(",") if each.strip()]


@functools.lru_cache
def _is_loadable(installation: Installation, library: str) -> bool:
    if not re.fullmatch(r"[A-Za-z0-9_]+", library):
        return False
    try:
        folder = run_as(installation.user, [installation.program("pg_config"), "--pkglibdir"])
    except (OSError, subprocess.SubprocessError):
        return False
    from pathlib import Path

    return any((Path(folder.strip()) / f"{library}.{end}").exists() for end in ("so", "dylib"))
