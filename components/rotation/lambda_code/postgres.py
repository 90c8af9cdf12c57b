"""The password of a role of PostgreSQL, and the role itself.

Tags: `gonogo:database` (the RDS instance's identifier), `gonogo:dbname`, `gonogo:role`
(`application`: reads and writes rows; `migration`: makes and changes tables), and optionally
`gonogo:proxy`: the RDS Proxy that clients connect through. `gonogo:peer` names the other role.

The master user's credentials are read from the secret that RDS manages for the instance. Where the
server is, is asked of RDS each time, so that nothing has to be told at deployment.

One role, one password: from `setSecret` until the readers are deployed anew, connections that are
open stay open, but a new one with the old password is refused. RDS Proxy reads the new one by
itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from . import roles
from .aws import client
from .randomness import random_text
from .tls import connect

_PASSWORD_LENGTH = 40


@dataclass(frozen=True)
class Server:
    """Where an instance answers, and the secret that RDS keeps for its master user."""

    host: str
    port: int
    master_secret: str


def fresh(current: str | None, tags: Mapping[str, str]) -> str:
    """The new value: the same role, a new password, and where to connect."""
    before = json.loads(current) if current else {}
    server = find_server(tags["gonogo:database"])
    host = find_proxy(tags["gonogo:proxy"]) if tags.get("gonogo:proxy") else server.host
    value = {
        **before,
        "engine": "postgres",
        "username": before.get("username") or tags["gonogo:role"],
        "password": random_text(_PASSWORD_LENGTH),
        "host": host,
        "port": server.port,
        "dbname": tags["gonogo:dbname"],
    }
    return json.dumps({**value, "url": url_of(value)})


def apply(pending: str, tags: Mapping[str, str]) -> None:
    """The role exists, may do what it is for, and has the new password."""
    wanted = json.loads(pending)
    server = find_server(tags["gonogo:database"])
    manager = client("secretsmanager")
    master = json.loads(manager.get_secret_value(SecretId=server.master_secret)["SecretString"])
    database = connect(
        host=server.host,
        port=server.port,
        user=master["username"],
        password=master["password"],
        database=tags["gonogo:dbname"],
    )
    try:
        roles.ensure(
            database,
            roles.Role(
                name=wanted["username"],
                password=wanted["password"],
                purpose=tags["gonogo:role"],
                database=tags["gonogo:dbname"],
                peer=tags.get("gonogo:peer"),
            ),
        )
    finally:
        database.close()


def check(pending: str, tags: Mapping[str, str]) -> None:
    """The role logs in with the new password.

    At the instance: RDS Proxy knows a password only once it is current.
    """
    value = json.loads(pending)
    server = find_server(tags["gonogo:database"])
    database = connect(
        host=server.host,
        port=server.port,
        user=value["username"],
        password=value["password"],
        database=value["dbname"],
    )
    try:
        database.run("SELECT 1")
    finally:
        database.close()


def finished(current: str, tags: Mapping[str, str]) -> None:
    """Nothing is left to do."""


def find_server(identifier: str) -> Server:
    """The instance's address and its master user's secret, as RDS says now."""
    answer = client("rds").describe_db_instances(DBInstanceIdentifier=identifier)
    found = [
        instance
        for instance in answer["DBInstances"]
        if instance["DBInstanceIdentifier"] == identifier
    ]
    if not found or "Endpoint" not in found[0] or "MasterUserSecret" not in found[0]:
        raise LookupError(
            f"RDS instance {identifier} has no endpoint or no managed master secret yet"
        )
    return Server(
        host=found[0]["Endpoint"]["Address"],
        port=int(found[0]["Endpoint"]["Port"]),
        master_secret=found[0]["MasterUserSecret"]["SecretArn"],
    )


def find_proxy(name: str) -> str:
    """The proxy's address."""
    answer: dict[str, Any] = client("rds").describe_db_proxies(DBProxyName=name)
    return str(answer["DBProxies"][0]["Endpoint"])


def url_of(value: Mapping[str, Any]) -> str:
    """`postgresql://…` with TLS required, unless the function's own `PGSSLMODE` says otherwise."""
    mode = os.environ.get("PGSSLMODE", "require")
    user, password = quote(value["username"], safe=""), quote(value["password"], safe="")
    place = f"{value['host']}:{value['port']}/{quote(value['dbname'], safe='')}"
    return f"postgresql://{user}:{password}@{place}?sslmode={mode}"
