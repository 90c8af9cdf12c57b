"""A Lambda's code as Pulumi hands it over, as the bytes of a zip file.

The same content gives the same bytes: entries are sorted, times are fixed.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sandbox.provider.errors import ProviderError
from sandbox.provider.values import ARCHIVE, UNKNOWN, Asset

CHECKOUT: Final = Path(__file__).resolve().parents[2]
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT: Final = frozenset({"__pycache__", ".git", ".DS_Store"})


def zipped(archive: Any) -> bytes:
    """The zip of an archive.

    Raises:
        ProviderError: it is not there, or is of a kind that the sandbox does not fetch.
    """
    if not isinstance(archive, Asset) or archive.kind != ARCHIVE:
        raise ProviderError("code has to be an archive: pulumi.AssetArchive or pulumi.FileArchive")
    path = archive.fields.get("path")
    if path and Path(path).suffix == ".zip":
        return _existing(path).read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in sorted(_entries(archive, "")):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return buffer.getvalue()


def _existing(path: str) -> Path:
    """A relative path begins at the project, which is the checkout that the sandbox is part of."""
    found = CHECKOUT / path
    if not found.exists():
        raise ProviderError(f"the code {path!r} is not there (seen from {CHECKOUT})")
    return found


def _entries(item: Asset, name: str) -> Iterator[tuple[str, bytes]]:
    fields = item.fields
    if fields.get("uri"):
        raise ProviderError(f"the sandbox fetches nothing from afar: {fields['uri']}")
    if item.kind != ARCHIVE:
        yield name, _content(fields)
    elif fields.get("path"):
        for inner, content in _files(_existing(fields["path"])):
            yield (f"{name}/{inner}" if name else inner), content
    else:
        for inner, value in (fields.get("assets") or {}).items():
            if value is UNKNOWN or not isinstance(value, Asset):
                raise ProviderError(f"{inner!r} in the code is not an asset")
            yield from _entries(value, f"{name}/{inner}" if name else inner)


def _content(fields: Any) -> bytes:
    if fields.get("path"):
        return _existing(fields["path"]).read_bytes()
    return str(fields.get("text") or "").encode()


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in path.rglob("*"):
            inner = file.relative_to(path)
            if file.is_file() and not _LEFT_OUT.intersection(inner.parts):
                yield inner.as_posix(), file.read_bytes()
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as source:
            for name in source.namelist():
                if not name.endswith("/"):
                    yield name, source.read(name)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as source:
            for member in source.getmembers():
                content = source.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name.removeprefix("./"), content.read()
    else:
        raise ProviderError(f"{path} is neither a folder nor an archive")
