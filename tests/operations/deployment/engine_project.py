"""A small Pulumi project on the real engine, with a provider that takes its time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as messages
from pulumi.runtime.proto import provider_pb2_grpc as services

from operations.deployment.backend import FileBackend
from operations.deployment.events import Event
from operations.deployment.pulumi import Pulumi
from operations.deployment.stacks import config_file, create
from operations.deployment.tally import Tally
from operations.deployment.target import Pack, Target
from sandbox import engine

CHECKOUT = Path(__file__).parents[3]

PROGRAM = """
import pulumi

class Group(pulumi.ComponentResource):
    def __init__(self, kind, name):
        super().__init__(f"gonogo:components:{kind}", name)

class Thing(pulumi.CustomResource):
    def __init__(self, name, props, opts):
        super().__init__("slow:index:Thing", name, props, opts)

config = pulumi.Config()
group = Group("Postgres", "main")
protected = config.get_bool("protect") or False
for index in range(config.get_int("count") or 4):
    props = {"seconds": config.get_float("seconds") or 0.0, "value": config.get("value") or "a"}
    if config.get("fail") == str(index):
        props["fail"] = True
    opts = pulumi.ResourceOptions(parent=group, protect=protected and index == 0)
    Thing(f"thing-{index}", props, opts)
pulumi.export("url", config.get("url") or "https://a.example.com")
pulumi.export("key", pulumi.Output.secret("hidden"))
"""

STACK_FILE = "# Kept as it is.\nconfig:\n  slow-project:count:   4  # with its spaces\n"


class SlowProvider(services.ResourceProviderServicer):
    """Makes things in the time they ask for, or refuses to."""

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version="1.0.0")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.DiffResponse(changes=messages.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        was, will = request.old_inputs.fields, request.news.fields
        same = was["value"] == will["value"]
        kinds = messages.DiffResponse
        return kinds(
            changes=kinds.DIFF_NONE if same else kinds.DIFF_SOME, diffs=[] if same else ["value"]
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.preview:
            return messages.CreateResponse(id="", properties=request.properties)
        time.sleep(request.properties.fields["seconds"].number_value)
        if "fail" in request.properties.fields:
            context.abort(grpc.StatusCode.UNKNOWN, "creating Thing: ValidationError: not like this")
        name = request.urn.rpartition("::")[2]
        return messages.CreateResponse(id=f"{name}-id", properties=request.properties)

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.UpdateResponse(properties=request.news)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


@contextmanager
def slow_provider() -> Iterator[int]:
    """The provider's port on loopback."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    services.add_ResourceProviderServicer_to_server(SlowProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0)


@dataclass
class Watching:
    """A view that remembers, and may act on an event."""

    events: list[Event] = field(default_factory=list)
    interrupts: list[int] = field(default_factory=list)
    act: Any = None

    def event(self, event: Event, tally: Tally) -> None:
        self.events.append(event)
        if self.act is not None:
            self.act(event, tally)

    def tick(self, tally: Tally) -> None:
        pass

    def interrupted(self, times: int) -> None:
        self.interrupts.append(times)


@dataclass
class Project:
    """A project of its own, its state on disk."""

    folder: Path
    pulumi: Pulumi
    backend: FileBackend

    def configure(self, **values: object) -> None:
        """Sets the program's config, besides what the stack's file begins with."""
        lines = "".join(f"  slow-project:{key}: {value}\n" for key, value in values.items())
        text = STACK_FILE if "count" not in values else "config:\n"
        (self.folder / "Pulumi.prod.yaml").write_text(text + lines)

    def target(self) -> Target:
        """The stack, made where it is missing, to be run with our own pack."""
        create(self.pulumi, self.backend, "prod", self.folder / "home")
        salt = self.backend.salt("prod")
        copied = config_file(self.folder, "prod", salt, self.folder / "home")
        pack = CHECKOUT / "policies"
        return Target(
            self.pulumi, "prod", copied, Pack(pack, pack / "tiers/prod.json"), self.folder / "home"
        )


@contextmanager
def engine_project(folder: Path) -> Iterator[Project]:
    """The project in `folder`, ready for the real engine."""
    found = engine.ensure()
    (folder / "Pulumi.yaml").write_text("name: slow-project\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "passphrase").write_text("of this test")
    state = folder / "state"
    state.mkdir()
    with slow_provider() as port:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PULUMI_", "AWS_"))
        }
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {
            **kept,
            "PATH": found.path(path),
            "PYTHONPATH": str(CHECKOUT),
            "PULUMI_HOME": str(folder / "pulumi-home"),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": f"slow:{port}",
        }
        pulumi = Pulumi(found.pulumi, folder, environment, folder / "logs")
        project = Project(folder, pulumi, FileBackend.at(state.as_uri(), "slow-project"))
        project.configure()
        yield project
