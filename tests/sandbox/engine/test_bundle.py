"""The official bundle, from a server on loopback that serves one of our making."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.engine import EngineError, bundle, cache

MEMBERS = {
    "pulumi/pulumi": b"#!/bin/sh\necho v3.250.0\n",
    "pulumi/pulumi-language-python": b"#!/bin/sh\n",
    "../outside": b"no",
    "pulumi/../../outside": b"no",
    "/outside": b"no",
}


@dataclass(frozen=True)
class Release:
    """A release as it lies on the server."""

    url: str
    folder: Path

    @property
    def archive(self) -> Path:
        return self.folder / bundle.archive_name()

    @property
    def checksums(self) -> Path:
        return self.folder / f"pulumi-{cache.VERSION}-checksums.txt"


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = Release(f"http://127.0.0.1:{server.server_port}", folder)
    with tarfile.open(made.archive, "w:gz") as archive:
        for name, content in MEMBERS.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    digest = hashlib.sha256(made.archive.read_bytes()).hexdigest()
    made.checksums.write_text(f"{'0' * 64}  another.tar.gz\n{digest}  {made.archive.name}\n")
    yield made
    server.shutdown()
    server.server_close()


def test_a_bundle_is_fetched_checked_and_unpacked(empty_cache: Path, release: Release) -> None:
    shown: list[str] = []
    assert bundle.fetch(shown.append, release.url) == cache.Finished("3.250.0", "official bundle")
    home = cache.home()
    assert cache.find() == cache.Finished("3.250.0", "official bundle")
    assert sorted(one.name for one in home.iterdir()) == [
        "finished.json",
        "pulumi",
        "pulumi-language-python",
    ]
    said = subprocess.run([home / "pulumi", "version"], check=True, capture_output=True)
    assert said.stdout == b"v3.250.0\n"
    assert not list(empty_cache.parent.rglob("outside"))
    assert shown[-1].startswith("fetching Pulumi 3.250.0: 0 MB")


def test_a_bundle_with_another_checksum_is_refused(empty_cache: Path, release: Release) -> None:
    release.archive.write_bytes(release.archive.read_bytes() + b"x")
    with pytest.raises(EngineError, match=r"has SHA-256 \w{64}, but its release says .*Next: "):
        bundle.fetch(lambda text: None, release.url)
    assert cache.find() is None


def test_without_a_checksum_nothing_is_fetched(empty_cache: Path, release: Release) -> None:
    release.checksums.write_text(f"{'0' * 64}  another.tar.gz\n")
    with pytest.raises(bundle.UnreachableError, match="has no line for"):
        bundle.fetch(pytest.fail, release.url)


def test_a_missing_release_leads_to_a_build(empty_cache: Path, release: Release) -> None:
    release.checksums.unlink()
    with pytest.raises(bundle.UnreachableError, match="404"):
        bundle.fetch(lambda text: None, release.url)


def test_no_server_leads_to_a_build(empty_cache: Path) -> None:
    with pytest.raises(bundle.UnreachableError, match="refused"):
        bundle.fetch(lambda text: None, "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (("linux", "amd64"), "pulumi-v3.250.0-linux-x64.tar.gz"),
        (("darwin", "arm64"), "pulumi-v3.250.0-darwin-arm64.tar.gz"),
    ],
)
def test_names_are_the_releases(
    monkeypatch: pytest.MonkeyPatch, system: tuple[str, str], expected: str
) -> None:
    monkeypatch.setattr(cache, "system", lambda: system)
    assert bundle.archive_name() == expected


def test_a_machine_without_a_bundle_leads_to_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "system", lambda: ("linux", "riscv64"))
    with pytest.raises(bundle.UnreachableError, match="linux on riscv64"):
        bundle.archive_name()
