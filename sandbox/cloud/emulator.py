"""MiniStack in this process: its settings, and the few of its inner parts that we reach for.

MiniStack is pinned exactly; every inner name that is used is checked when it is loaded, so
that another version fails at the start and not in the middle of a deployment.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

VERSION = "1.5.33"
ACCOUNT = "000000000000"
INNER_NAMES = {
    "ministack.app": (
        "app", "_dispatch_service_request", "_state_map", "_get_module", "_reset_all_state",
        "_build_persistence_save_dict", "SERVICE_HANDLERS", "PERSIST_STATE",
        "_docker_socket_present", "_handle_lifespan",
    ),
    "ministack.core.persistence": ("PERSIST_STATE", "_json_default", "_json_object_hook"),
    "ministack.core.concurrency": ("run_reentrant",),
    "ministack.core.responses": ("request_scope", "get_account_id", "get_region"),
}  # fmt: skip
INNER_NAMES_OF_SERVICES = {
    "rds": (
        "_instances", "_param_groups", "_subnet_groups", "_instance_xml", "_handle_request_sync",
        "_single_instance_response", "_resolve_instance", "_db_proxies", "_db_proxy_xml", "_tags",
        "_create_snapshot_internal", "_rotate_instance_password", "_snapshots",
    ),
    "elasticache": (
        "_replication_groups", "_clusters", "_param_group_params", "_users", "_user_groups",
        "_publish_endpoint", "_rg_xml", "_cluster_xml_inner", "_user_xml", "_xml",
        "_subnet_groups", "_param_groups", "_pending_cluster_respawn", "_pending_rg_respawn",
    ),
    "secretsmanager": (
        "_store_new_secret", "_secrets", "_resolve", "_apply_current_promotion", "_add_stage",
        "_find_stage_version", "put_secret_value_in_process", "delete_secret_in_process",
    ),
    "lambda_svc": ("handle_request",),
    "route53": ("_lock", "_zones", "_records", "_default_records"),
}  # fmt: skip


class EmulatorError(RuntimeError):
    """The installed MiniStack is not the one that the sandbox is made for."""


def prepare(state: Path, port: int) -> None:
    """Set what MiniStack reads from the environment when it is imported."""
    os.environ.update({
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": "us-east-1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state / "current"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": os.environ.get("GONOGO_LOG_LEVEL", "WARNING"),
        "AUTH": "false",
    })  # fmt: skip


def load() -> ModuleType:
    """Import MiniStack and check it; `ministack.app` is returned."""
    from importlib.metadata import version

    if version("ministack") != VERSION:
        raise EmulatorError(
            f"MiniStack {version('ministack')} is installed, {VERSION} is needed:"
            f" pip install ministack=={VERSION}"
        )
    # Somebody's Docker containers are not ours to start or to sweep away.
    sys.modules["docker"] = None  # type: ignore[assignment]
    for name, inner in INNER_NAMES.items():
        _check(importlib.import_module(name), inner)
    application: Any = importlib.import_module("ministack.app")
    application._docker_socket_present = lambda: False
    _original_get_module.append(application._get_module)
    application._get_module = service
    return importlib.import_module("ministack.app")


def when_loaded(name: str, change: Callable[[Any], None]) -> None:
    """Have a service's module changed when it is first used; importing all of them is slow."""
    _changes.setdefault(name, []).append(change)


def service(name: str) -> Any:
    """A service's module of MiniStack, checked and changed as the sandbox needs it."""
    with _loading:
        module = _original_get_module[0](name)
        if name not in _seen:
            _check(module, INNER_NAMES_OF_SERVICES.get(name, ()))
            for change in _changes.get(name, ()):
                change(module)
            _seen.add(name)
    return module


def has_any(name: str, store: str) -> bool:
    """True when a service was used and a store of it holds something, of any account."""
    return name in _seen and bool(getattr(service(name), store)._data)


async def in_own_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a blocking function that may call the emulator again, in a thread of its own."""
    concurrency: Any = importlib.import_module("ministack.core.concurrency")
    return await concurrency.run_reentrant(function, *arguments, thread_name="gonogo")


def scope(account: str, region: str) -> Any:
    """A context in which MiniStack's stores are those of this account and region."""
    responses: Any = importlib.import_module("ministack.core.responses")
    return responses.request_scope(account, region)


def here() -> tuple[str, str]:
    """Account and region of the request that is being answered."""
    responses: Any = importlib.import_module("ministack.core.responses")
    return str(responses.get_account_id()), str(responses.get_region())


def _check(module: ModuleType, names: tuple[str, ...]) -> None:
    missing = [name for name in names if not hasattr(module, name)]
    if missing:
        raise EmulatorError(f"{module.__name__} lacks {', '.join(missing)}; reinstall MiniStack.")


_loading = threading.RLock()
_seen: set[str] = set()
_changes: dict[str, list[Callable[[Any], None]]] = {}
_original_get_module: list[Callable[[str], Any]] = []
