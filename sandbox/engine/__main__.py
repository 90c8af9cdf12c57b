"""Put the Pulumi CLI into the cache: what the entry script starts beside pip."""

from __future__ import annotations

import signal
import sys

from . import EngineError, cache, find_on_path, obtain


def main() -> int:
    """Obtain the CLI if there is none; 0 when there is one at the end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if cache.find() is not None or find_on_path() is not None:
        return 0
    try:
        obtain()
    except EngineError as error:
        print(f"gonogo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
