"""A provider that takes everything: what a program says is what there is.

Serves Pulumi's ResourceProvider for any type, keeps nothing, and says at preview that ids and ARNs
are not known. Enough for the engine to judge a program by the pack.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as messages
from pulumi.runtime.proto import provider_pb2_grpc as services

from policies.testing import UNKNOWN_STRING


class EchoProvider(services.ResourceProviderServicer):
    """Counts what it creates, so that a test can see that nothing was."""

    def __init__(self) -> None:
        self.created: list[str] = []

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ProviderHandshakeResponse(accept_secrets=True, accept_outputs=False)

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version="7.51.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.DiffResponse(changes=messages.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False
        )

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        same = request.olds == request.news
        none, some = messages.DiffResponse.DIFF_NONE, messages.DiffResponse.DIFF_SOME
        return messages.DiffResponse(changes=none if same else some)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.properties)
        name = request.urn.rpartition("::")[2]
        if request.preview:
            outputs.fields["arn"].string_value = UNKNOWN_STRING
            return messages.CreateResponse(id="", properties=outputs)
        self.created.append(request.urn)
        outputs.fields["arn"].string_value = f"arn:aws:echo:us-east-1:000000000000:{name}"
        return messages.CreateResponse(id=f"{name}-id", properties=outputs)

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.UpdateResponse(properties=request.news)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.InvokeResponse()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


@contextmanager
def echo_provider() -> Iterator[tuple[EchoProvider, int]]:
    """The provider and its port on loopback."""
    provider = EchoProvider()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    services.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield provider, port
    finally:
        server.stop(0)
