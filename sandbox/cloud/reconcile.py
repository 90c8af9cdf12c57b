"""Servers and records brought together again when the emulator starts.

A record whose server does not run gets it back on its data; a server that no record owns is
ended and its data removed. What was mended is said, not hidden.
"""

from __future__ import annotations

import logging
import shutil

from sandbox.cloud import emulator
from sandbox.cloud.caches import Caches
from sandbox.cloud.database_servers import NOT_SERVERS, DatabaseServers
from sandbox.stores import postgres_binaries, valkey
from sandbox.stores.placement import data_root
from sandbox.stores.postgres import Server

logger = logging.getLogger("gonogo.reconcile")


def caches(these: Caches, *, unclean: bool) -> list[str]:
    """Reconcile Valkey servers with replication groups; what was mended."""
    notes: list[str] = []
    cache = emulator.service("elasticache")
    # MiniStack would give its restored groups the endpoint of a container.
    cache._pending_cluster_respawn.clear()
    cache._pending_rg_respawn.clear()
    owned = {group["_gonogo"] for _, _, group in these.groups()}
    for folder in sorted(these.root.iterdir()) if these.root.exists() else ():
        if folder.name not in owned:
            valkey.Server(folder, valkey.find()).remove()
            notes.append(
                f"A Valkey server that no replication group owns was removed: {folder.name}"
            )
    for account, region, group in these.groups():
        with emulator.scope(account, region):
            notes += these.restore(group, unclean=unclean)
    return notes


def databases(these: DatabaseServers, *, unclean: bool) -> list[str]:
    """Reconcile PostgreSQL servers with DB instances; what was mended."""
    notes: list[str] = []
    root = data_root(these.home)
    owned = {str(instance["DbiResourceId"]).lower() for _, _, instance in these.instances()}
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in owned | NOT_SERVERS:
            Server(folder, these.home, postgres_binaries.find(root)).remove()
            shutil.rmtree(folder, ignore_errors=True)
            notes.append(f"A PostgreSQL server that no DB instance owns was removed: {folder.name}")
    for account, region, instance in these.instances():
        with emulator.scope(account, region):
            if instance["DBInstanceStatus"] != "stopped":
                notes += these.restore(instance, unclean=unclean)
    return notes
