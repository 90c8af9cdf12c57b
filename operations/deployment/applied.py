"""Whether an update could still change anything after a preview that shows no change.

A preview tells of resources. What it does not tell of (the order of dependencies, options of
resources) can only have changed with a file of the project. So an update is left out when nothing
is shown to change *and* no file differs from those that were last applied completely.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from operations.deployment.pulumi import Ran

_SUFFIXES = (".py", ".yaml", ".yml", ".json", ".sql", ".lock", ".toml")
_FOLDERS = ("systems", "components", "policies")


def fingerprint(project: Path, stack_file: Path, engine: str) -> str:
    """A digest of every file that the program or the pack may read, and of the engine."""
    digest = hashlib.sha256(engine.encode())
    files = [path for path in project.iterdir() if path.is_file()]
    for name in _FOLDERS:
        files += (project / name).rglob("*")
    for path in sorted({*files, stack_file}):
        if path.suffix in _SUFFIXES and path.is_file():
            digest.update(f"{path}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Applied:
    """What was last applied completely, for each stack."""

    folder: Path

    def is_last(self, stack: str, print_of_files: str) -> bool:
        """Whether these files are those of the last complete update."""
        try:
            return self._file(stack).read_text(encoding="utf-8") == print_of_files
        except OSError:
            return False

    def keep(self, stack: str, print_of_files: str) -> None:
        """An update with these files has completed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file(stack).write_text(print_of_files, encoding="utf-8")

    def forget(self, stack: str) -> None:
        """An update begins, or the stack was changed in another way."""
        self._file(stack).unlink(missing_ok=True)

    def _file(self, stack: str) -> Path:
        return self.folder / f"{stack}.applied"


def shows_no_change(preview: Ran) -> bool:
    """Whether a preview has succeeded without any change to a resource or an output."""
    tally = preview.tally
    return (
        preview.succeeded
        and not tally.changed
        and not tally.protect_changes
        and tally.outputs == tally.old_outputs
    )
