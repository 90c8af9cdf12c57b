"""Making a stack in the sandbox's backend, and running on it, without touching its file.

Pulumi keeps the salt of a passphrase in `Pulumi.<stack>.yaml`: it writes it there when a stack is
made, and again whenever it finds it in the state alone (`PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER`
reads it there, and then saves the file). The sandbox's passphrase is this checkout's own, so that
line must not reach a file that is committed. A stack is therefore made from a folder of our own,
and runs get a copy of the stack's file with the salt in it (`--config-file`).
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from operations.deployment.backend import FileBackend
from operations.deployment.pulumi import Pulumi
from operations.failures import ExitCode, Failure

_HAS_SALT = re.compile(r"^encryptionsalt\s*:", re.MULTILINE)
_SALT_LINE = re.compile(r"^encryptionsalt:[ ]*(?P<salt>\S+)[ \t]*\n?", re.MULTILINE)
_SECURE = re.compile(r"^\s*(-\s+)?secure\s*:", re.MULTILINE)


def create(pulumi: Pulumi, backend: FileBackend, stack: str, work: Path) -> bool:
    """Makes the stack in the backend unless it is there. True when it was made."""
    if backend.exists(stack):
        return False
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        Path(folder, "Pulumi.yaml").write_text(f"name: {backend.project}\nruntime: python\n")
        said = pulumi.ask("stack", "init", stack, "--no-select", folder=Path(folder))
    if said.returncode != 0 and not backend.exists(stack):
        raise Failure(
            f"The stack {stack} could not be made: {said.stderr.strip()}",
            next_step="`./gonogo sandbox status` shows whether the sandbox's folder can be used.",
            code=ExitCode.NOT_READY,
        )
    return True


def config_file(project: Path, stack: str, salt: str, folder: Path) -> Path:
    """A copy of the stack's file with the salt in it, to run with. Rewritten for every run."""
    text = with_salt((project / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"), salt)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"Pulumi.{stack}.yaml"
    partial = folder / f".{path.name}.{os.getpid()}"
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return path


def with_salt(text: str, salt: str) -> str:
    """The text with the state's salt, in the place of another that nothing is encrypted under.

    Such a one is left by plain `pulumi` on another sandbox; the passphrase of this one does not
    fit it. Where values are encrypted, the file's own salt stays: they could not be read else.
    """
    if not salt or (_HAS_SALT.search(text) and _SECURE.search(text)):
        return text
    bare = _SALT_LINE.sub("", text)
    return f"{bare.rstrip()}\nencryptionsalt: {salt}\n"


def without_salt(text: str, salt: str) -> str:
    """The text of a stack's file without the line that Pulumi wrote into it.

    Kept when it is another salt, or when the file has values encrypted under it: then a person
    has asked for it (`pulumi config set --secret`).
    """
    found = _SALT_LINE.search(text)
    if found is None or found["salt"] != salt or _SECURE.search(text):
        return text
    return _SALT_LINE.sub("", text)


def clean(project: Path, backend: FileBackend) -> list[str]:
    """Takes the salts that plain `pulumi` left out of the stack files; which files were mended."""
    mended = []
    for path in sorted(project.glob("Pulumi.*.yaml")):
        stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        try:
            salt = backend.salt(stack) if backend.exists(stack) else ""
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        kept = without_salt(text, salt) if salt else text
        if kept != text:
            path.write_text(kept, encoding="utf-8")
            mended.append(path.name)
    return mended
