"""``python -m sandbox.provider``: serve until SIGTERM."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
import threading
from pathlib import Path

_GRACE_SECONDS = 5.0


def _forget_the_users_aws() -> None:
    """Nothing of a person's AWS settings may reach the sandbox's clients."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.devnull
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def write_port(path: Path, port: int) -> None:
    """Write the port so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + f".{os.getpid()}")
    fresh.write_text(f"{port}\n", encoding="utf-8")
    fresh.replace(path)


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox.provider")
    parser.add_argument("--emulator-url", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    _forget_the_users_aws()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")

    from sandbox.provider.errors import ProviderError
    from sandbox.provider.server import serve
    from sandbox.provider.warm import warm

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server, port, provider = serve(options.emulator_url, options.home, options.port)
    except ProviderError as error:
        print(f"sandbox provider: {error}", file=sys.stderr)
        return 2
    write_port(options.port_file, port)
    warm(provider)
    gc.freeze()
    stop.wait()
    server.stop(_GRACE_SECONDS).wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
