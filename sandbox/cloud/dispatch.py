"""Every AWS call passes here: to an extension, to MiniStack, or to the record.

MiniStack's dispatcher is wrapped. A call that an extension answers goes to it; any other goes
to MiniStack; what MiniStack does not know is validated and recorded.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel, ServiceModel

from sandbox.cloud import answer, emulator, models, parse
from sandbox.cloud.answer import Response
from sandbox.cloud.errors import AwsError
from sandbox.cloud.models import Request

Dispatcher = Callable[..., Coroutine[Any, Any, Response]]
Handler = Callable[["Call"], Response]
logger = logging.getLogger("gonogo.cloud")

READ_ONLY = (
    "Describe", "List", "Get", "Head", "BatchGet", "Search", "Lookup", "Filter", "Query", "Scan",
    "Select", "Preview", "Validate", "Simulate", "Estimate", "Test",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call of an operation."""

    service: ServiceModel
    operation: OperationModel
    protocol: str
    request: Request
    account: str
    region: str
    original: Dispatcher
    loop: asyncio.AbstractEventLoop

    @functools.cached_property
    def parameters(self) -> dict[str, Any]:
        """The call's parameters by the model's names."""
        return parse.parameters(self.operation, self.request)

    def forward(self, request: Request | None = None) -> Response:
        """MiniStack's answer; only from an extension's thread, never from the loop's."""
        coroutine = _original(self.original, request or self.request)
        # The request's account and region are context variables, which travel along.
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def result(self, value: dict[str, Any]) -> Response:
        """A successful answer."""
        return answer.result(self.operation, self.protocol, value)


class Dispatch:
    """The wrapper around MiniStack's dispatcher."""

    def __init__(
        self,
        original: Dispatcher,
        changed: Callable[[], None],
        unknown: Handler,
        is_known: Callable[[str], bool],
    ) -> None:
        self._original = original
        self._changed = changed
        self._unknown = unknown
        self._is_known = is_known
        self._handlers: dict[tuple[str, str], Handler] = {}

    def add(self, service: str, handlers: dict[str, Handler]) -> None:
        """Let handlers answer operations of a service (botocore's name of it)."""
        for operation, handler in handlers.items():
            self._handlers[service, operation] = handler

    async def __call__(  # noqa: PLR0917 - MiniStack's own signature
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, list[str]],
        request_id: str,
    ) -> Response:
        del request_id
        request = Request(method, path, headers, body, query_params)
        try:
            return await self._answer(request)
        finally:
            if not is_read_only(request):
                self._changed()

    async def _answer(self, request: Request) -> Response:
        name = models.signing_name(request)
        known = name is None or self._is_known(name)
        if known and not self._is_extended(name, request):
            response = await _original(self._original, request)
            if not says_unknown(response):
                return response
        service = models.service_of(request)
        operation = models.operation_of(service, request) if service else None
        if service is None or operation is None:
            return await _original(self._original, request)
        protocol = models.protocol_of(service, request)
        handler = self._handlers.get((service.service_name, operation.name), self._unknown)
        account, region = emulator.here()
        loop = asyncio.get_running_loop()
        call = Call(service, operation, protocol, request, account, region, self._original, loop)
        try:
            # A thread of its own: a handler waits for MiniStack, which takes threads of the pool.
            answered: Response = await emulator.in_own_thread(handler, call)
        except AwsError as failure:
            return answer.error(service, protocol, failure)
        except Exception:
            logger.exception("%s %s failed", service.service_name, operation.name)
            internal = AwsError(
                "InternalFailure",
                f"The sandbox failed in {service.service_name} {operation.name}."
                " logs/emulator.log in its folder says why.",
                500,
            )
            return answer.error(service, protocol, internal)
        return answered

    def _is_extended(self, name: str | None, request: Request) -> bool:
        """True when a handler of ours may answer; cheap, for it runs before every call."""
        if name is None:
            return False
        service = models.SERVICE_OF_SIGNING_NAME.get(name, name)
        action = action_of(request)
        if action is None:
            if not any(each == service for each, _ in self._handlers):
                return False
            model = models.service_of(request)
            found = models.operation_of(model, request) if model else None
            action = found.name if found else None
        return (service, str(action)) in self._handlers


def action_of(request: Request) -> str | None:
    """The operation's name where the request itself says it (not so in REST protocols)."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    if request.headers.get("smithy-protocol"):
        return request.path.rpartition("/operation/")[2]
    return request.form.get("Action")


def is_read_only(request: Request) -> bool:
    """True when the request changes nothing, as far as its name or method tells."""
    action = action_of(request)
    if action is None:
        return request.method in ("GET", "HEAD", "OPTIONS")
    return action.startswith(READ_ONLY)


_UNKNOWN = (
    b"InvalidAction", b"UnknownOperationException", b"Unknown action", b"Unsupported service",
    b"UnknownOperation", b"NotImplemented", b"not implemented", b"Unknown operation",
    b"Unsupported action", b"Unsupported operation", b"Unknown path",
)  # fmt: skip


def says_unknown(response: Response) -> bool:
    """True when MiniStack's answer says that it has no such service or operation."""
    status, _, body = response
    if status not in (400, 404, 405, 501) or not isinstance(body, bytes):
        return False
    return any(word in body for word in _UNKNOWN)


async def _original(dispatcher: Dispatcher, request: Request) -> Response:
    identifier = str(uuid.uuid4())
    return await dispatcher(
        request.method, request.path, request.headers, request.body, request.query, identifier
    )
