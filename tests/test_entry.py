"""The entry script: what it says, what it makes, and that it makes it once."""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.machinery
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
ENTRY = ROOT / "gonogo"
OWN_TIME_BUDGET_SECONDS = 0.3
INTERRUPTED = 130

CLI = """
import os, sys
import tinylib
print("cli", tinylib.NAME, os.getpid(), *sys.argv[1:])
sys.exit(int(os.environ.get("CLI_EXIT", "0")))
"""


@pytest.fixture(scope="module")
def entry() -> ModuleType:
    """The entry script as a module."""
    loader = importlib.machinery.SourceFileLoader("gonogo_entry", str(ENTRY))
    spec = importlib.util.spec_from_loader("gonogo_entry", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def make_wheel(folder: Path, name: str = "tinylib") -> str:
    """Write a wheel of one module by hand; its lock line."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        f"{name}.py": f"NAME = {name!r}\n",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={_record_digest(text)},{len(text)}\n" for path, text in files.items()
    )
    files[f"{name}-1.0.dist-info/RECORD"] = record + f"{name}-1.0.dist-info/RECORD,,\n"
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _record_digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Checkout:
    """A checkout with a one-wheel lock and a CLI that says what it was given."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        self.wheels = wheels
        (folder / "operations" / "cli").mkdir(parents=True)
        shutil.copy2(ENTRY, folder / "gonogo")
        shutil.copytree(
            ROOT / "sandbox" / "engine",
            folder / "sandbox" / "engine",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        (folder / "operations" / "cli" / "__main__.py").write_text(CLI)
        (folder / "requirements.lock").write_text(make_wheel(wheels))

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start the entry script in a process group of its own, away from any index."""
        environment = {name: value for name, value in os.environ.items() if name[:4] != "PIP_"}
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), **settings}
        return subprocess.Popen(
            [sys.executable, str(self.folder / "gonogo"), *arguments],
            env=environment,
            cwd=self.folder.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the entry script to its end."""
        process = self.start(*arguments, **settings)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout whose .venv is made; tests leave it usable."""
    folder = tmp_path_factory.mktemp("ready")
    checkout = Checkout(folder / "checkout", folder / "wheels")
    first = checkout.run("check")
    assert first.returncode == 0, first.stderr
    assert "fetching libraries" in first.stderr
    yield checkout


def test_an_old_python_is_told_what_to_do(entry: ModuleType) -> None:
    assert entry.complaint_about(3, 11) is None
    assert entry.complaint_about(4, 0) is None
    assert re.search(r"needs Python 3\.11 .* this is 3\.10\. Next: ", entry.complaint_about(3, 10))


def test_an_old_python_can_read_the_script() -> None:
    source = ENTRY.read_text()
    ast.parse(source, feature_version=(3, 6))
    # A future import that Python 3.6 does not know would be a SyntaxError there.
    assert "__future__" not in source


def test_an_old_python_ends_with_one_line() -> None:
    program = (
        "import runpy, sys; sys.version_info = (3, 8, 1, 'final', 0); "
        f"sys.argv = ['gonogo', 'up']; runpy.run_path({str(ENTRY)!r}, run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert re.fullmatch(r"gonogo: Gonogo needs Python .*3\.8\. Next: .*\n", ended.stderr)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the one that was pinned"),
        ("Failed to establish a new connection: [Errno -3]", "index cannot be reached"),
        ("ensurepip is not available", "apt install python3-venv"),
        ("[Errno 13] Permission denied: '.venv'", "no permission to write"),
        ("ERROR: No matching distribution found for x==1", "lacks a pinned package"),
        ("something nobody has seen", "something nobody has seen"),
    ],
)
def test_a_failed_step_is_explained_in_one_line(
    entry: ModuleType, line: str, expected: str
) -> None:
    said = entry.explain("fetching libraries", ["Collecting x", line], 1)
    assert expected in said
    assert "Next: " in said
    assert "\n" not in said


def test_the_lock_pins_and_hashes_all_that_the_project_asks_for() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    pinned: dict[str, str] = {}
    for block in re.split(r"\n(?=\S)", text.strip()):
        head = re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.+!]+)", block)
        assert head, block
        assert "--hash=sha256:" in block, block
        pinned[_normal(head[1])] = head[2]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    for requirement in map(Requirement, asked):
        assert _normal(requirement.name) in pinned, f"remake the lock for {requirement}"
        assert requirement.specifier.contains(pinned[_normal(requirement.name)]), requirement


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.slow
def test_arguments_exit_code_and_process_are_the_clis(ready: Checkout) -> None:
    process = ready.start("up", "--tier", "a b", CLI_EXIT="7")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 7
    assert out.split() == ["cli", "tinylib", str(process.pid), "up", "--tier", "a", "b"]
    assert err == ""


@pytest.mark.slow
def test_a_link_to_the_script_works(ready: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "gonogo"
    link.symlink_to(ready.folder / "gonogo")
    ended = subprocess.run(
        [sys.executable, str(link), "x"], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""


@pytest.mark.slow
def test_a_folder_of_the_same_name_does_not_get_in_the_way(ready: Checkout, tmp_path: Path) -> None:
    (tmp_path / "operations" / "cli").mkdir(parents=True)
    (tmp_path / "operations" / "cli" / "__main__.py").write_text("raise SystemExit(99)")
    command = [sys.executable, str(ready.folder / "gonogo")]
    assert subprocess.run(command, check=False, cwd=tmp_path, capture_output=True).returncode == 0


@pytest.mark.slow
def test_own_time_is_within_its_budget_when_all_is_done(ready: Checkout) -> None:
    # Processor time: what it takes of a busy machine's clock says nothing about the script.
    def best_seconds(command: list[str]) -> float:
        took = []
        for _ in range(5):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0
            took.append(used.ru_utime + used.ru_stime)
        return min(took)

    python = str(ready.folder / ".venv" / "bin" / "python")
    whole = best_seconds([sys.executable, str(ready.folder / "gonogo")])
    cli_alone = best_seconds([python, "-P", "-m", "operations.cli"])
    print(f"own time {whole - cli_alone:.3f} s")
    assert whole - cli_alone < OWN_TIME_BUDGET_SECONDS


@pytest.mark.slow
def test_two_at_once_make_one_venv(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout", tmp_path / "wheels")
    both = [checkout.start("a"), checkout.start("b")]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in both]
    assert [code for _, _, code in ended] == [0, 0], ended
    assert sum("waiting for another run" in err for _, err, _ in ended) == 1
    assert sum("making .venv" in err for _, err, _ in ended) == 1


@pytest.mark.slow
def test_an_unfinished_venv_is_made_again(ready: Checkout) -> None:
    (ready.folder / ".venv" / "gonogo-stamp").unlink()
    ended = ready.run("check")
    assert ended.returncode == 0, ended.stderr
    assert "making .venv again, since it was not finished" in ended.stderr
    assert ready.run("check").stderr == ""


@pytest.mark.slow
def test_a_venv_whose_python_is_gone_is_made_again(ready: Checkout) -> None:
    python = ready.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    ended = ready.run("check")
    assert ended.returncode == 0, ended.stderr
    assert "making .venv again" in ended.stderr


def test_the_cli_of_pulumi_is_sought_while_pip_installs(
    entry: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("pulumi", f"touch {tmp_path / 'asked'}; echo v3.999.0"),
        ("pulumi-language-python", "exit 0"),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("GONOGO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert entry.start_engine("check") is None
    started = entry.start_engine("up")
    assert started.wait(timeout=20) == 0
    assert (tmp_path / "asked").exists()


@pytest.mark.slow
def test_a_moved_checkout_and_a_changed_lock_are_noticed(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "here", tmp_path / "wheels")
    assert checkout.run("check").returncode == 0
    checkout.folder = checkout.folder.rename(tmp_path / "there")
    with (checkout.folder / "requirements.lock").open("a") as lock:
        lock.write(make_wheel(checkout.wheels, "otherlib"))
    moved = checkout.run("check")
    assert moved.returncode == 0, moved.stderr
    assert "since this checkout was moved" in moved.stderr
    with (checkout.folder / "requirements.lock").open("a") as lock:
        lock.write("# a new word\n")
    changed = checkout.run("check")
    assert changed.returncode == 0, changed.stderr
    assert "since the lock changed" in changed.stderr


@pytest.mark.slow
def test_an_index_out_of_reach_is_one_line(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout", tmp_path / "nothing")
    shutil.rmtree(checkout.wheels)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    ended = checkout.run("check", PIP_NO_INDEX="0", PIP_FIND_LINKS="", **nowhere)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert "the package index cannot be reached. Next: connect" in last
    assert "run the same command again" in last


@pytest.mark.slow
def test_a_package_with_another_hash_is_refused(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout", tmp_path / "wheels")
    lock = checkout.folder / "requirements.lock"
    lock.write_text(f"tinylib==1.0 --hash=sha256:{'0' * 64}\n")
    ended = checkout.run("check")
    assert ended.returncode == 1
    assert "not the one that was pinned" in ended.stderr.splitlines()[-1]
    assert not (checkout.folder / ".venv" / "gonogo-stamp").exists()


@pytest.mark.slow
def test_a_lock_without_hashes_is_refused(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout", tmp_path / "wheels")
    (checkout.folder / "requirements.lock").write_text("tinylib==1.0\n")
    ended = checkout.run("check")
    assert ended.returncode == 1
    assert "the lock lacks a hash. Next: remake it" in ended.stderr.splitlines()[-1]


@pytest.mark.slow
def test_an_interrupted_setup_says_so_and_goes_on(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout", tmp_path / "wheels")
    process = checkout.start("check")
    while not (checkout.folder / ".venv").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED
    assert "Traceback" not in err
    assert err.splitlines()[-1].endswith("Next: the same command again.")
    assert checkout.run("check").returncode == 0
