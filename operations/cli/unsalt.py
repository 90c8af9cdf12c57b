"""`python -m operations.cli.unsalt`: what the wrapper of plain `pulumi` runs after it."""

from __future__ import annotations

import os

from operations.cli.options import CHECKOUT
from operations.deployment.backend import FileBackend
from operations.deployment.stacks import clean


def main() -> None:
    """Take the salts of the sandbox's state out of the stack files of this checkout."""
    url = os.environ.get("PULUMI_BACKEND_URL", "")
    if url.startswith("file://"):
        from operations.cli.session import project_name

        clean(CHECKOUT, FileBackend.at(url, project_name(CHECKOUT)))


if __name__ == "__main__":
    main()
