"""Started by Pulumi: `python -u <this folder> <engine address>`."""

from __future__ import annotations

import gc

# This process lives for one command and makes few cycles: collecting costs more than it frees.
gc.disable()

import importlib.util  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402


def _become_a_package() -> None:
    """Makes this folder importable as `policies`, whatever it is called and wherever it lies.

    Pulumi puts the folder itself on the path; from there `rules` and `framework` could be found a
    second time under other names, so it is taken off.
    """
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    spec = importlib.util.spec_from_file_location(
        "policies", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None  # noqa: S101  a file of this folder
    assert spec.loader is not None  # noqa: S101
    package = importlib.util.module_from_spec(spec)
    sys.modules["policies"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _become_a_package()

    from policies.framework.server import serve

    sys.exit(serve())
