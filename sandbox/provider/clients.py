"""botocore clients of the sandbox: one a service and region, made when first needed."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.model import OperationModel, ServiceModel

from sandbox.provider.errors import ProviderError, translate

ACCOUNT = "000000000000"

_RETRY_ATTEMPTS = 4
_CONNECT_TIMEOUT_SECONDS = 5
#: a database that really starts behind CreateDBInstance takes its time
_READ_TIMEOUT_SECONDS = 300


class ForeignEndpointError(ProviderError):
    """The provider was pointed at something that is not this machine."""


def require_loopback(endpoint: str) -> str:
    """The endpoint, if it lies on this machine's loopback interface.

    Raises:
        ForeignEndpointError: it does not; the stand-in must never talk to an account.
    """
    host = urlsplit(endpoint).hostname or ""
    try:
        fine = ipaddress.ip_address(host).is_loopback
    except ValueError:
        fine = host == "localhost"
    if not fine:
        raise ForeignEndpointError(
            f"the sandbox's provider talks to 127.0.0.1 only; {endpoint} is refused. For an AWS "
            "account use the official plugin: `./gonogo up --cloud aws`"
        )
    return endpoint


@lru_cache(maxsize=1)
def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.set_credentials(ACCOUNT, "sandbox", None)
    return session


_SESSION_LOCK = threading.RLock()


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service; no client is made."""
    with _SESSION_LOCK:
        return _session().get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """botocore's model of one call. Raises KeyError-like when there is no such call."""
    return service_model(service).operation_model(operation)


class Clients:
    """The clients of one emulator."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = require_loopback(endpoint)
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        """The client, made once."""
        key = (service, region)
        known = self._clients.get(key)
        if known is not None:
            return known
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(service, region)
            return self._clients[key]

    def _make(self, service: str, region: str) -> Any:
        with _SESSION_LOCK:
            return _session().create_client(
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": _RETRY_ATTEMPTS},
                    connect_timeout=_CONNECT_TIMEOUT_SECONDS,
                    read_timeout=_READ_TIMEOUT_SECONDS,
                    max_pool_connections=32,
                    proxies={},
                    parameter_validation=True,
                    s3={"addressing_style": "path"},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    inject_host_prefix=False,
                ),
            )

    def call(
        self, service: str, region: str, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One call of AWS's API.

        Raises:
            ProviderError: refused by botocore's model, by the emulator, or not answered.
        """
        try:
            client = self.client(service, region)
            method = getattr(client, xform_name(operation))
            response: dict[str, Any] = method(**params)
        except Exception as error:
            name = str(service_model(service).service_id)
            raise translate(error, name, operation, self.endpoint) from None
        return response

    def warm(self, services: Iterable[str], region: str) -> None:
        """Make the clients before they are needed; failures show when they are used."""
        for service in services:
            self.client(service, region)
