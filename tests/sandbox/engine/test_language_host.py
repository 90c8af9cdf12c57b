"""The stand-in language host under the real CLI: programs, their errors, policy packs, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from sandbox.engine import Engine

pytestmark = pytest.mark.slow

HOST = Path(__file__).resolve().parents[3] / "sandbox" / "engine" / "language_host.py"
PATIENCE_SECONDS = 5.0
"""How long the CLI waits for a host that does not end when it is told to."""

PROGRAM = """
import pulumi
import beside

class Thing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Thing", name, {"size": 3})
        self.register_outputs({"size": 3})

thing = Thing("one")
config = pulumi.Config()
print("printed by the program")
pulumi.export("who", config.require("who"))
pulumi.export("code", config.require_secret("code"))
pulumi.export("secrets", [pulumi.runtime.is_config_secret(f"probe:{k}") for k in ("who", "code")])
pulumi.export("of", f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}")
pulumi.export("root", pulumi.get_root_directory())
pulumi.export("beside", beside.VALUE)
"""

PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def judge(args, report):
    if args.resource_type == "test:index:Thing":
        report("things are not wanted")

PolicyPack("probe", policies=[ResourceValidationPolicy(
    name="no-things", description="No things.", validate=judge,
    enforcement_level=EnforcementLevel.MANDATORY)])
"""


class Project:
    """A Pulumi project with a stack on a file backend of its own."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder / "project"
        self.folder.mkdir(parents=True)
        (folder / "state").mkdir()
        self.environment = {
            **os.environ,
            "PATH": engine.path(),
            "PULUMI_HOME": str(folder / "pulumi-home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "for a test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "NO_COLOR": "1",
        }
        (self.folder / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
        (self.folder / "beside.py").write_text("VALUE = 5\n")
        self.write(PROGRAM)
        self.run("stack", "init", "dev")
        self.run("config", "set", "who", "world")
        self.run("config", "set", "--secret", "code", "1234")

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(program)

    def run(self, *arguments: str) -> str:
        """Run the CLI; it must succeed."""
        ended = self.attempt(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            check=False,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Project:
    return Project(tmp_path, engine)


def test_a_program_is_previewed_and_deployed(project: Project) -> None:
    preview = project.run("preview")
    assert "test:index:Thing one create" in " ".join(preview.split())
    assert "2 to create" in preview
    assert "warning" not in preview
    said = project.run("up", "--yes", "--skip-preview")
    assert said.count("printed by the program") >= 1
    assert json.loads(project.run("stack", "output", "--json")) == {
        "who": "world",
        "code": "[secret]",
        "secrets": [False, True],
        "of": "organization/probe/dev",
        "root": str(project.folder),
        "beside": 5,
    }
    assert "2 unchanged" in project.run("up", "--yes", "--skip-preview")
    assert "2 deleted" in project.run("destroy", "--yes", "--skip-preview")


def test_a_preview_does_not_wait_for_the_host_to_end(project: Project) -> None:
    began = time.monotonic()
    project.run("preview")
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_an_exception_shows_the_users_own_frames(project: Project) -> None:
    project.write("def inner():\n    raise ValueError('the reason')\n\ninner()\n")
    ended = project.attempt("preview")
    assert ended.returncode != 0
    assert "Program failed with an unhandled exception" in ended.stdout
    assert f'File "{project.folder}/__main__.py", line 2, in inner' in ended.stdout
    assert "ValueError: the reason" in ended.stdout
    assert "runpy" not in ended.stdout
    assert "language_host" not in ended.stdout
    assert "program.py" not in ended.stdout


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("import pulumi\nraise pulumi.RunError('in plain words')", "error: in plain words"),
        ("import sys\nsys.exit(3)", "Program exited with non-zero exit code: 3"),
        ("import os\nos.kill(os.getpid(), 9)", "Program was ended by SIGKILL"),
        ("x = (", "SyntaxError: '(' was never closed"),
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
        (
            "import pulumi\npulumi.Output.from_input(1).apply(lambda x: x / 0)",
            "ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_failed_program_says_why_and_fails(project: Project, program: str, expected: str) -> None:
    project.write(program)
    ended = project.attempt("preview")
    assert ended.returncode != 0
    assert expected in ended.stdout
    assert "sandbox/engine" not in ended.stdout
    # Said once: whoever has told the user what is wrong does not end with a second complaint.
    assert ("Program exited" in ended.stdout) is expected.startswith("Program exited")


def test_a_program_may_be_a_file_that_imports_its_neighbours_late(project: Project) -> None:
    (project.folder / "app").mkdir()
    (project.folder / "app" / "near.py").write_text("NAME = 'near'\n")
    (project.folder / "app" / "start.py").write_text(
        "import pulumi\n"
        "def late(value):\n    from near import NAME\n    return NAME\n"
        "pulumi.export('name', pulumi.Output.from_input(1).apply(late))\n"
    )
    (project.folder / "Pulumi.yaml").write_text(
        "name: probe\nruntime: python\nmain: app/start.py\n"
    )
    project.run("up", "--yes", "--skip-preview")
    assert json.loads(project.run("stack", "output", "--json")) == {"name": "near"}


def test_a_missing_program_is_said(project: Project) -> None:
    (project.folder / "__main__.py").unlink()
    ended = project.attempt("preview")
    assert ended.returncode != 0
    assert "__main__.py" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_policy_pack_blocks(project: Project, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\ndescription: a probe\n")
    (pack / "__main__.py").write_text(PACK)
    ended = project.attempt("up", "--yes", "--policy-pack", str(pack))
    assert ended.returncode != 0
    assert "no-things" in ended.stdout
    assert "things are not wanted" in ended.stdout
    assert json.loads(project.run("stack", "export"))["deployment"].get("resources") in (None, [])


def test_a_broken_policy_pack_blocks_and_says_why(project: Project, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\ndescription: a probe\n")
    (pack / "__main__.py").write_text("raise RuntimeError('the pack is broken')")
    ended = project.attempt("preview", "--policy-pack", str(pack))
    assert ended.returncode != 0
    assert "the pack is broken" in ended.stdout + ended.stderr


@pytest.fixture
def host() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", str(HOST), "--logflow", "127.0.0.1:1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def test_the_host_is_there_at_once(host: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    assert host.stdout is not None
    assert 0 < int(host.stdout.readline()) < 65536
    # Measured: 0.12 s on an idle machine; the rest is room for a busy one.
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_host_ends_when_told(host: subprocess.Popen[str], how: signal.Signals) -> None:
    assert host.stdout is not None
    host.stdout.readline()
    host.send_signal(how)
    assert host.wait(timeout=2) == 0


def test_the_host_ends_when_its_engine_is_gone(host: subprocess.Popen[str]) -> None:
    assert host.stdout is not None and host.stdin is not None
    host.stdout.readline()
    host.stdin.close()
    assert host.wait(timeout=2) == 0


def test_nothing_is_left_when_the_cli_is_killed(project: Project) -> None:
    project.write("import os, time\nprint('pid', os.getpid(), flush=True)\ntime.sleep(60)\n")
    cli = subprocess.Popen(
        ["pulumi", "preview", "--non-interactive"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert cli.stdout is not None
    said = next(line for line in cli.stdout if "pid" in line)
    program = int(said.split()[-1])
    cli.kill()
    cli.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{program}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{program}").exists()


def test_about_names_this_python_and_its_libraries(project: Project) -> None:
    about = json.loads(project.run("about", "--json"))
    assert about["runtime"]["executable"] == sys.executable
    assert {"name": "pulumi", "version": metadata.version("pulumi")} in about["dependencies"]


@pytest.mark.parametrize(
    ("attached", "expected"), [("", True), ("docker:4000", True), ("docker:4000,aws:4001", False)]
)
def test_a_provider_that_is_attached_is_not_asked_for(attached: str, expected: bool) -> None:
    program = "import language_host as h; print([one.name for one in h.required_packages()])"
    said = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=HOST.parent,
        env={**os.environ, "PULUMI_DEBUG_PROVIDERS": attached},
        capture_output=True,
        text=True,
    ).stdout
    assert ("'aws'" in said) is expected
