"""The official Pulumi bundle, where its server can be reached.

Not run against the real server where this was written (no way out to it there): the tests serve a
bundle on loopback. The SHA-256 comes from the release's own checksums file over the same https
connection; there is no pin of ours to hold it against.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import cache
from .cache import EngineError, Finished
from .running import Progress, elapsed

BASE_URL = "https://get.pulumi.com/releases/sdk"
CONNECT_TIMEOUT_SECONDS = 5.0
CHUNK_BYTES = 1 << 20
NAMES = {"amd64": "x64", "arm64": "arm64"}


class UnreachableError(Exception):
    """The server cannot be reached, or has no bundle for this machine: go on with a build."""


def fetch(progress: Progress, base_url: str = BASE_URL) -> Finished:
    """Download, check and unpack the bundle into the cache.

    Raises UnreachableError when another way is to be tried, and EngineError when what arrived is
    not what the release says it is.
    """
    name = archive_name()
    wanted = _checksum(base_url, name)
    making = cache.workshop()
    archive = making / name
    try:
        found = _download(f"{base_url}/{name}", archive, progress)
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(str(error)) from error
    if found != wanted:
        shutil.rmtree(making)
        raise EngineError(
            f"the Pulumi bundle {name} has SHA-256 {found}, but its release says {wanted}. "
            "Next: run the same command again; if it stays so, install Pulumi "
            f"{cache.VERSION} yourself and tell us."
        )
    _unpack(archive, making)
    finished = Finished(cache.VERSION, "official bundle")
    cache.place(making, finished)
    return finished


def archive_name() -> str:
    """The bundle's file name for this machine."""
    system, machine = cache.system()
    if system not in {"linux", "darwin"} or machine not in NAMES:
        raise UnreachableError(f"there is no bundle for {system} on {machine}")
    return f"pulumi-v{cache.VERSION}-{system}-{NAMES[machine]}.tar.gz"


def _checksum(base_url: str, name: str) -> str:
    url = f"{base_url}/pulumi-{cache.VERSION}-checksums.txt"
    try:
        with _open(url) as answer:
            text = answer.read(CHUNK_BYTES).decode()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(str(error)) from error
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*") == name:
            return words[0].lower()
    raise UnreachableError(f"{url} has no line for {name}")


def _open(url: str) -> http.client.HTTPResponse:
    answer = urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT_SECONDS)  # noqa: S310 - base is ours
    assert isinstance(answer, http.client.HTTPResponse)  # noqa: S101 - http and https give this
    return answer


def _download(url: str, target: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    began_seconds = time.monotonic()
    got_bytes = 0
    with _open(url) as answer, target.open("wb") as file:
        while chunk := answer.read(CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            got_bytes += len(chunk)
            took = elapsed(time.monotonic() - began_seconds)
            progress(f"fetching Pulumi {cache.VERSION}: {got_bytes // 1_000_000} MB, {took}")
    return digest.hexdigest()


def _unpack(archive: Path, target: Path) -> None:
    """The files of the bundle's one folder, without their folder; nothing outside it."""
    with tarfile.open(archive) as bundle:
        for member in bundle:
            name = Path(member.name).name
            source = bundle.extractfile(member) if member.isfile() else None
            if source is None or member.name != f"pulumi/{name}":
                continue
            with source, (target / name).open("wb") as file:
                shutil.copyfileobj(source, file)
            (target / name).chmod(0o755)
    archive.unlink()
