"""The engine's side of the provider's wire: what a test says to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.provider.values import Path, decode, encode

SECRET_KEY = "4dabf18193072939515e22adb298388d"


@dataclass
class Resource:
    """What the engine's state would hold."""

    token: str
    name: str
    urn: str
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    input_secrets: frozenset[Path] = frozenset()
    outputs: dict[str, Any] = field(default_factory=dict)
    output_secrets: frozenset[Path] = frozenset()


@dataclass(frozen=True)
class Checked:
    inputs: dict[str, Any]
    secrets: frozenset[Path]
    failures: dict[str, str]


class Refused(Exception):  # noqa: N818
    """Check had failures."""

    def __init__(self, failures: dict[str, str]) -> None:
        super().__init__(str(failures))
        self.failures = failures


class Engine:
    """Drives one provider as the engine does."""

    def __init__(self, port: int, stack: str = "test", region: str = "us-east-1") -> None:
        self.stack = stack
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{port}",
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.max_receive_message_length", -1),
            ],
        )
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.configure({"region": region})

    def configure(self, args: Mapping[str, Any]) -> None:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(args), acceptSecrets=True))

    def close(self) -> None:
        self.channel.close()

    def urn(self, token: str, name: str) -> str:
        return f"urn:pulumi:{self.stack}::gonogo::{token}::{name}"

    def check(
        self,
        token: str,
        name: str,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
        secrets: Iterable[Path] = (),
    ) -> Checked:
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=self.urn(token, name),
                type=token,
                name=name,
                olds=encode(olds or {}),
                news=encode(inputs, secrets),
                randomSeed=f"{self.stack}{token}{name}".encode(),
            )
        )
        plain, marked = decode(answer.inputs)
        return Checked(plain, marked, {f.property: f.reason for f in answer.failures})

    def create(
        self,
        token: str,
        name: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool = False,
        secrets: Iterable[Path] = (),
    ) -> Resource:
        checked = self.check(token, name, inputs, secrets=secrets)
        if checked.failures:
            raise Refused(checked.failures)
        resource = Resource(token, name, self.urn(token, name))
        resource.inputs, resource.input_secrets = checked.inputs, checked.secrets
        answer = self.stub.Create(
            provider_pb2.CreateRequest(
                urn=resource.urn,
                type=token,
                name=name,
                preview=preview,
                properties=encode(checked.inputs, checked.secrets),
            )
        )
        resource.id = answer.id
        resource.outputs, resource.output_secrets = decode(answer.properties)
        return resource

    def diff(self, resource: Resource, inputs: Mapping[str, Any]) -> Any:
        """Check and Diff, as an `up` does for what is in the state."""
        checked = self.check(
            resource.token, resource.name, inputs, resource.inputs, resource.input_secrets
        )
        if checked.failures:
            raise Refused(checked.failures)
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                id=resource.id,
                urn=resource.urn,
                type=resource.token,
                name=resource.name,
                olds=encode(resource.outputs),
                old_inputs=encode(resource.inputs),
                news=encode(checked.inputs),
            )
        )

    def update(
        self, resource: Resource, inputs: Mapping[str, Any], *, preview: bool = False
    ) -> None:
        checked = self.check(
            resource.token, resource.name, inputs, resource.inputs, resource.input_secrets
        )
        if checked.failures:
            raise Refused(checked.failures)
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=resource.id,
                urn=resource.urn,
                type=resource.token,
                name=resource.name,
                olds=encode(resource.outputs),
                old_inputs=encode(resource.inputs),
                news=encode(checked.inputs, checked.secrets),
                preview=preview,
            )
        )
        resource.inputs, resource.input_secrets = checked.inputs, checked.secrets
        resource.outputs, resource.output_secrets = decode(answer.properties)

    def read(self, resource: Resource) -> Resource:
        """A refresh: answers what the state would become."""
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=resource.id,
                urn=resource.urn,
                type=resource.token,
                name=resource.name,
                properties=encode(resource.outputs, resource.output_secrets),
                inputs=encode(resource.inputs, resource.input_secrets),
            )
        )
        fresh = Resource(resource.token, resource.name, resource.urn, answer.id)
        fresh.inputs, fresh.input_secrets = decode(answer.inputs)
        fresh.outputs, fresh.output_secrets = decode(answer.properties)
        return fresh

    def delete(self, resource: Resource) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=resource.id,
                urn=resource.urn,
                type=resource.token,
                name=resource.name,
                properties=encode(resource.outputs),
                old_inputs=encode(resource.inputs),
            )
        )

    def invoke(self, token: str, args: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[Path]]:
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(args)))
        return decode(getattr(answer, "return"))
