"""The provider on the wire: Pulumi's ``ResourceProvider`` over gRPC, on 127.0.0.1."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.provider import invokes, table
from sandbox.provider.clients import ACCOUNT
from sandbox.provider.errors import ProviderError
from sandbox.provider.provider import DEFAULT_REGION, Asked, Change, Provider, Settings
from sandbox.provider.schema import UnknownTypeError, resource_schema
from sandbox.provider.values import Path as ValuePath
from sandbox.provider.values import decode, encode, reach

VERSION = "7.51.1"
_THREADS = 32
_MOST_PEERS = 256
_KINDS = {
    "add": (provider_pb2.PropertyDiff.ADD, provider_pb2.PropertyDiff.ADD_REPLACE),
    "delete": (provider_pb2.PropertyDiff.DELETE, provider_pb2.PropertyDiff.DELETE_REPLACE),
    "update": (provider_pb2.PropertyDiff.UPDATE, provider_pb2.PropertyDiff.UPDATE_REPLACE),
}


def token_of(urn: str) -> str:
    """The resource type in a URN (its parents' types come before it)."""
    return urn.split("::", 3)[2].rsplit("$", 1)[-1]


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine. One for all engines that attach to this sandbox.

    Configure is remembered by connection: every provider instance of every engine has its own, so
    that two stacks, or a second provider for another region, do not meet.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._settings: dict[str, Settings] = {}
        self._last = Settings()

    # -- the plugin itself ----------------------------------------------------------------

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.GetSchemaResponse(
            schema=json.dumps({"name": "aws", "version": VERSION, "resources": {}})
        )

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        old, _ = decode(request.old_inputs)
        new, _ = decode(request.news)
        changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
        some = (
            provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        )
        return provider_pb2.DiffResponse(changes=some, diffs=changed)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        args, _ = decode(request.args)
        try:
            settings = settings_from(args)
        except ProviderError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            raise
        if len(self._settings) >= _MOST_PEERS:
            self._settings.pop(next(iter(self._settings)))
        self._settings[context.peer()] = self._last = settings
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    # -- resources ------------------------------------------------------------------------

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        asked = self._asked(request, context)
        news, secrets = decode(request.news)
        olds, _ = decode(request.olds)

        def work() -> Any:
            inputs, failures = self.provider.check(asked, news, olds, request.randomSeed)
            return provider_pb2.CheckResponse(
                inputs=encode(inputs, _marks(secrets, inputs)),
                failures=[
                    provider_pb2.CheckFailure(property=item.property, reason=item.reason)
                    for item in failures
                ],
            )

        return _answer(context, work)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        asked = self._asked(request, context)
        state, _ = decode(request.olds)
        old, _ = decode(request.old_inputs)
        new, _ = decode(request.news)

        def work() -> Any:
            difference = self.provider.diff(asked, old, state, new, tuple(request.ignoreChanges))
            response = provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME
                if difference.changes
                else provider_pb2.DiffResponse.DIFF_NONE,
                diffs=difference.properties,
                replaces=difference.replaces,
                deleteBeforeReplace=difference.delete_first,
                hasDetailedDiff=bool(difference.changes),
            )
            for change in difference.changes:
                entry = response.detailedDiff[change.path]
                entry.kind = _KINDS[change.kind][change.replaces]
                entry.inputDiff = True
            return response

        return _answer(context, work)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        asked = self._asked(request, context)
        inputs, secrets = decode(request.properties)

        def work() -> Any:
            outcome = self.provider.create(asked, inputs, secrets, preview=request.preview)
            marks = _marks(secrets, outcome.outputs, asked.pulumi_type)
            return provider_pb2.CreateResponse(
                id=outcome.id, properties=encode(outcome.outputs, marks)
            )

        return _answer(context, work)

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        asked = self._asked(request, context)
        state, state_secrets = decode(request.properties)
        inputs, secrets = decode(request.inputs)

        def work() -> Any:
            outcome = self.provider.read(asked, inputs, state)
            return provider_pb2.ReadResponse(
                id=outcome.id,
                properties=encode(
                    outcome.outputs,
                    _marks(secrets | state_secrets, outcome.outputs, asked.pulumi_type),
                ),
                inputs=encode(outcome.inputs, _marks(secrets, outcome.inputs, asked.pulumi_type)),
            )

        return _answer(context, work)

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        asked = self._asked(request, context)
        state, state_secrets = decode(request.olds)
        old, _ = decode(request.old_inputs)
        new, secrets = decode(request.news)

        def work() -> Any:
            outputs = self.provider.update(
                asked, Change(old, new, state), secrets, preview=request.preview
            )
            kept = {path for path in state_secrets if path[0] not in new}
            return provider_pb2.UpdateResponse(
                properties=encode(outputs, _marks(secrets | kept, outputs, asked.pulumi_type))
            )

        return _answer(context, work)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        asked = self._asked(request, context)
        state, _ = decode(request.properties)
        inputs, _ = decode(request.old_inputs)

        def work() -> Any:
            self.provider.delete(asked, inputs or state, state)
            return empty_pb2.Empty()

        return _answer(context, work)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        args, secrets = decode(request.args)

        def work() -> Any:
            result, hidden = invokes.invoke(
                self.provider.clients, self._of(context).region, request.tok, args
            )
            marks: set[ValuePath] = {(name,) for name in hidden}
            if secrets:
                marks |= {(name,) for name in result}
            return provider_pb2.InvokeResponse(**{"return": encode(result, marks)})

        return _answer(context, work)

    def _asked(self, request: Any, context: Any) -> Asked:
        return Asked(
            self._of(context),
            request.urn,
            request.type or token_of(request.urn),
            getattr(request, "id", ""),
        )

    def _of(self, context: Any) -> Settings:
        return self._settings.get(context.peer(), self._last)


def settings_from(args: Mapping[str, Any]) -> Settings:
    """Configure's arguments; nested ones may come as JSON texts."""
    tags = args.get("defaultTags") or {}
    if isinstance(tags, str):
        tags = json.loads(tags)
    pairs = tags.get("tags") if isinstance(tags, Mapping) else None
    _require_account(args)
    return Settings(
        region=str(args.get("region") or DEFAULT_REGION),
        default_tags=dict(pairs or {}),
    )


def _require_account(args: Mapping[str, Any]) -> None:
    """A program may say which accounts it is for; the sandbox is one like any other."""
    for name, wanted in (("allowedAccountIds", True), ("forbiddenAccountIds", False)):
        accounts = args.get(name)
        if isinstance(accounts, str):
            accounts = json.loads(accounts)
        if accounts and (ACCOUNT in accounts) is not wanted:
            raise ProviderError(
                f"AWS account ID not allowed: the sandbox is {ACCOUNT}, {name} says "
                f"{', '.join(map(str, accounts))}"
            )


def _marks(
    secrets: frozenset[ValuePath], values: Mapping[str, Any], pulumi_type: str = ""
) -> set[ValuePath]:
    """The paths to mark secret: what came marked, and what always is.

    Where a path is no more (an object became a JSON text), what holds it is marked.
    """
    marks = {reached for path in secrets if (reached := reach(values, path))}
    if pulumi_type:
        always = (*resource_schema(pulumi_type).secrets, *table.row(pulumi_type).secrets)
        for name in always:
            if values.get(name) is not None:
                marks.add((name,))
    if any(path[0] == "tags" for path in marks) and "tagsAll" in values:
        marks.add(("tagsAll",))
    return marks


def _answer(context: Any, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (ProviderError, UnknownTypeError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except Exception as error:  # the engine shows a person the text, not our stack
        logging.getLogger(__name__).exception("a request failed in the provider itself")
        context.abort(
            grpc.StatusCode.INTERNAL,
            f"the sandbox's aws provider failed: {type(error).__name__}: {error}. "
            "Its log is .gonogo/logs/provider.log",
        )
    return None


def serve(endpoint: str, home: Path, port: int = 0) -> tuple[Any, int, Provider]:
    """Start serving on 127.0.0.1; answer the server, its port and what it serves."""
    provider = Provider(endpoint, home)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="provider"),
        options=[
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(provider), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    if not bound:
        raise ProviderError(f"port {port} of 127.0.0.1 is taken")
    server.start()
    return server, bound, provider
