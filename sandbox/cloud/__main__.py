"""`python -m sandbox.cloud --home DIR --port N`: the emulator's process."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from pathlib import Path


def main() -> int:
    """Serve until SIGTERM; 1 with one line when the emulator cannot start."""
    parser = argparse.ArgumentParser(prog="sandbox.cloud", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the sandbox's folder")
    parser.add_argument("--port", type=int, required=True, help="a free port of loopback")
    arguments = parser.parse_args()
    gc.disable()  # imports make much and free little; it is on again once we serve
    from sandbox.cloud.emulator import EmulatorError
    from sandbox.cloud.persistence import StateError
    from sandbox.cloud.server import Cloud
    from sandbox.stores.placement import PlacementError
    from sandbox.stores.postgres_binaries import PostgresMissingError
    from sandbox.stores.valkey import ValkeyMissingError

    told = (EmulatorError, StateError, PlacementError, PostgresMissingError, ValkeyMissingError)
    try:
        cloud = Cloud(arguments.home, arguments.port)
        cloud.load()
    except told as error:
        print(f"FATAL: {error}", file=sys.stderr)
        return 1
    gc.enable()
    asyncio.run(cloud.serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
