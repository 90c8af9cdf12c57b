"""What is sent to Lambda: our code and its driver, the same bytes for the same versions."""

from __future__ import annotations

import importlib.util
import os
from importlib import metadata
from pathlib import Path

import pulumi

# pg8000 and what it imports. python-dateutil comes with the runtime's own boto3.
DRIVER = ("pg8000", "scramp", "asn1crypto")
CODE = "lambda_code"
HANDLER = f"{CODE}.handler.rotate"


def archive() -> pulumi.AssetArchive:
    """Our code and the driver, file by file: no folder, so no compiled leftovers get in."""
    return pulumi.AssetArchive({name: pulumi.FileAsset(path) for name, path in files().items()})


def files() -> dict[str, str]:
    """Path inside the archive to path here, sorted; relative where that is inside the project."""
    here = Path(__file__).parent / CODE
    found = {f"{CODE}/{path.name}": path for path in here.glob("*.py")}
    for package in DRIVER:
        folder = _folder(package)
        for path in folder.rglob("*.py"):
            found[f"{package}/{path.relative_to(folder).as_posix()}"] = path
        # The driver asks for its own version when it is imported.
        facts = f"{package}-{metadata.version(package)}.dist-info/METADATA"
        found[facts] = folder.parent / facts
    return {name: _relative(found[name]) for name in sorted(found)}


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"the rotation function needs the Python package {package}: install the project's "
            "requirements.lock"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _relative(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
