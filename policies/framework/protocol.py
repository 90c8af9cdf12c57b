"""Pulumi's analyzer messages (pulumi/analyzer.proto) for a process that needs nothing else.

Importing `pulumi` takes a third of a second, which every preview would wait for. The pack's own
process needs the generated messages alone, so it imports them past the packages' `__init__`.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def skip_package_code() -> None:
    """Lets `pulumi.runtime.proto.*` be imported without running `pulumi`'s own code.

    Only for a process that is the pack and nothing else. Does nothing when `pulumi` is imported.
    """
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent
    for name, path in (
        ("pulumi", folder),
        ("pulumi.runtime", folder / "runtime"),
        ("pulumi.runtime.proto", folder / "runtime" / "proto"),
    ):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
