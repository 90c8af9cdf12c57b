"""A stand-in for Pulumi's Python language host, for a CLI built from its Go module.

The engine starts it as `pulumi-language-python … ADDRESS`, reads a port from its first line and
calls `LanguageRuntime` there. It runs the program (`program.py`) and policy packs with the Python
that it runs itself, so their libraries are those of its venv.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import platform
import queue
import signal
import stat
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from concurrent import futures
from importlib.machinery import PathFinder
from pathlib import Path
from typing import IO, Any

REPORTED_EXIT_CODE = 32
"""A program that has already told the user what is wrong ends with this."""


def sdk_folder() -> Path:
    """Where the installed `pulumi` package is; ends the process when there is none."""
    spec = PathFinder.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("pulumi-language-python: this Python has no Pulumi SDK. Next: run ./gonogo once.")
    return Path(next(iter(spec.submodule_search_locations)))


def import_stubs(sdk: Path) -> Any:
    """The gRPC stubs without the rest of the SDK, whose import takes three times as long."""
    for name in ("", ".runtime", ".runtime.proto", ".runtime.proto.codegen"):
        module = types.ModuleType(f"pulumi{name}")
        module.__path__ = [str(sdk) + name.replace(".", "/")]
        sys.modules[module.__name__] = module
    return importlib.import_module("pulumi.runtime.proto.language_pb2_grpc")


SDK = sdk_folder()
language_grpc = import_stubs(SDK)
language = importlib.import_module("pulumi.runtime.proto.language_pb2")
plugin = importlib.import_module("pulumi.runtime.proto.plugin_pb2")
grpc = importlib.import_module("grpc")
empty = importlib.import_module("google.protobuf.empty_pb2")

Servicer: Any = language_grpc.LanguageRuntimeServicer


class LanguageHost(Servicer):  # type: ignore[misc]  # the stubs are loaded by name, untyped
    """What the engine asks of a language. Methods are named by its protocol."""

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._children: set[subprocess.Popen[bytes]] = set()

    def close(self) -> None:
        """End what was started here and still runs."""
        for child in list(self._children):
            child.terminate()

    @contextlib.contextmanager
    def _child(
        self, command: list[str], environment: dict[str, str], folder: str, output: int | None
    ) -> Iterator[subprocess.Popen[bytes]]:
        child = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=folder or None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        self._children.add(child)
        try:
            yield child
        finally:
            self._children.discard(child)

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the engine's address, when it attaches to a host that runs already."""
        self._engine_address = request.engine_address or self._engine_address
        return language.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The version of the SDK, since this host has none of its own."""
        # Asked on every start, and importlib.metadata alone takes a quarter of a start to import.
        found = [one.stem.split("-")[1] for one in SDK.parent.glob("pulumi-*.dist-info")]
        return plugin.PluginInfo(version=found[0] if found else "")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The provider plugins of the installed libraries, but for those that are attached."""
        return language.GetRequiredPackagesResponse(packages=list(required_packages()))

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The installed distributions."""
        from importlib import metadata

        found = sorted((one.name, one.version) for one in metadata.distributions())
        return language.GetProgramDependenciesResponse(
            dependencies=[language.DependencyInfo(name=n, version=v) for n, v in found]
        )

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Which Python runs the programs."""
        return language.AboutResponse(executable=sys.executable, version=platform.python_version())

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run a program to its end; its output goes to ours, which the engine shows."""
        environment = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = program_command(request, self._engine_address)
        with self._child(command, environment, request.pwd, None) as child:
            ended = child.wait()
        if ended == 0:
            return language.RunResponse()
        if ended == REPORTED_EXIT_CODE:
            return language.RunResponse(bail=True)
        how = (
            f"was ended by {signal.Signals(-ended).name}"
            if ended < 0
            else (f"exited with non-zero exit code: {ended}")
        )
        return language.RunResponse(error=f"Program {how}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Run a plugin written in Python (a policy pack); stream what it writes, then its end."""
        command = [sys.executable, "-u", request.info.program_directory, *request.args]
        environment = dict(pair.split("=", 1) for pair in request.env)
        with self._child(command, environment, request.pwd, subprocess.PIPE) as child:
            context.add_callback(child.terminate)
            for name, data in _output(child):
                yield language.RunPluginResponse(**{name: data})
            yield language.RunPluginResponse(exitcode=child.wait())


def required_packages() -> Iterator[Any]:
    """One dependency for each installed library that says it needs a provider plugin."""
    attached = {
        one.split(":")[0] for one in os.environ.get("PULUMI_DEBUG_PROVIDERS", "").split(",")
    }
    for folder in map(Path, sys.path):
        for found in sorted(folder.glob("pulumi_*/pulumi-plugin.json")):
            said = json.loads(found.read_text())
            if said.get("resource") and said["name"] not in attached:
                yield plugin.PackageDependency(
                    name=said["name"],
                    kind="resource",
                    version=said.get("version", ""),
                    server=said.get("server", ""),
                )


def program_command(request: Any, engine_address: str) -> list[str]:
    """The command line that runs the program of `request`."""
    folder = request.info.program_directory or request.pwd
    entry = request.info.entry_point or request.program or "."
    options = {
        "monitor": request.monitor_address,
        "engine": engine_address,
        "project": request.project,
        "stack": request.stack,
        "organization": request.organization,
        "root-directory": request.info.root_directory,
        "parallel": str(request.parallel),
        "dry-run": str(request.dryRun).lower(),
    }
    runner = str(Path(__file__).with_name("program.py"))
    named = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-u", "-P", runner, *named, str(Path(folder, entry)), *request.args]


def _output(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """What `process` writes, as it comes: `("stdout" or "stderr", bytes)`."""
    arriving: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def read(name: str, pipe: IO[bytes]) -> None:
        for line in pipe:
            arriving.put((name, line))
        arriving.put((name, b""))

    assert process.stdout is not None and process.stderr is not None  # noqa: S101
    for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
        threading.Thread(target=read, args=(name, pipe), daemon=True).start()
    still_open = 2
    while still_open:
        name, data = arriving.get()
        if data:
            yield name, data
        else:
            still_open -= 1


def main(arguments: list[str]) -> None:
    """Serve until the engine ends this process, or is gone itself."""
    over = threading.Event()
    # An interrupt is how the engine ends this process (it has a group of its own, so a terminal's
    # does not come here). Ignoring it would cost the engine's five seconds of patience.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: over.set())
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    host = LanguageHost(arguments[-1])
    language_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    threading.Thread(target=watch_engine, args=(over,), daemon=True).start()
    over.wait()
    host.close()
    os._exit(0)


def watch_engine(over: threading.Event) -> None:
    """The engine holds the other end of our standard input: its end is the engine's."""
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        while os.read(0, 1 << 16):
            pass
        over.set()


if __name__ == "__main__":
    main(sys.argv[1:])
