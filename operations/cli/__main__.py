"""`python -m operations.cli`: what the `gonogo` script hands over to."""

from __future__ import annotations

import gc

# A command lives for seconds and makes few cycles: collecting costs a quarter of its own time.
gc.disable()

import contextlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

from operations.cli.app import main  # noqa: E402

if __name__ == "__main__":
    code = main()
    with contextlib.suppress(OSError):  # whoever read us may have gone
        sys.stdout.flush()
        sys.stderr.flush()
    # Tearing down what was imported would take longer than many a command.
    os._exit(code)
