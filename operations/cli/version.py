"""`gonogo --version`: ours, Python's, and the engine's where there is one already."""

from __future__ import annotations

import platform
import re

from operations.cli.options import CHECKOUT


def own_version() -> str:
    """The version in pyproject.toml: a checkout is not installed, so no metadata has it."""
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "([^"]+)"', text, re.MULTILINE)
    return found[1] if found else "unknown"


def print_version() -> None:
    """One line each. The engine is only looked for, never obtained."""
    from sandbox.engine import cache, find_on_path

    print(f"gonogo {own_version()}")
    print(f"Python {platform.python_version()}")
    engine = find_on_path() or cache.find()
    if engine is None:
        print("Pulumi CLI: none yet; the first command that needs it gets it")
    else:
        print(f"Pulumi CLI {engine.version} ({engine.origin})")
