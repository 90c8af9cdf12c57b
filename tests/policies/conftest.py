"""The real engine over a provider that takes everything."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.policies.echo_provider import EchoProvider, echo_provider

PACK = Path(__file__).parents[2] / "policies"


@dataclass
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    output: str
    report: dict[str, Any]


@dataclass
class EngineRun:
    """A project of its own with the pack in force."""

    folder: Path
    environment: dict[str, str]
    provider: EchoProvider

    def program(self, source: str) -> None:
        """The Pulumi program, with `aws` imported."""
        text = "import json\nimport pulumi\nimport pulumi_aws as aws\n\n" + textwrap.dedent(source)
        (self.folder / "__main__.py").write_text(text)

    def run(self, *arguments: str, **environment: str) -> Ran:
        """Runs `pulumi ...`; the report is what the pack wrote, {} when it wrote none."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        content = json.loads(report.read_text()) if report.exists() else {}
        return Ran(done.returncode, done.stdout + done.stderr, content)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineRun]:
    """The real Pulumi CLI, a file backend in a folder of its own, the pack in force."""
    with running_engine(tmp_path) as run:
        yield run


@pytest.fixture(scope="module")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRun]:
    """One for all tests of a module, none of which may create anything."""
    with running_engine(tmp_path_factory.mktemp("engine")) as run:
        yield run


@contextmanager
def running_engine(tmp_path: Path) -> Iterator[EngineRun]:
    """An engine in this folder."""
    from sandbox.engine import ensure

    ready = ensure()
    with echo_provider() as (provider, port):
        project, state = tmp_path / "project", tmp_path / "state"
        project.mkdir()
        state.mkdir()
        (project / "Pulumi.yaml").write_text("name: stranger\nruntime: python\n")
        (project / "__main__.py").write_text("")
        environment = {
            "PATH": ready.path(),
            "HOME": str(tmp_path),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PULUMI_DEBUG_PROVIDERS": f"aws:{port}",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_OPTION_POLICY_PACK": str(PACK),
            "GONOGO_POLICY_REPORT": str(project / "report.json"),
            "AWS_REGION": "us-east-1",
            "LANG": os.environ.get("LANG", "C.UTF-8"),
        }
        run = EngineRun(project, environment, provider)
        made = run.run("stack", "init", "prod")
        assert made.code == 0, made.output
        yield run
