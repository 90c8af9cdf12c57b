"""Runs of the real engine: what they leave in files, and what a killed one leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from operations.deployment import recovery
from operations.deployment.applied import shows_no_change
from operations.deployment.events import Event, StepDone
from operations.deployment.pulumi import Ran
from operations.deployment.recovery import Doubts
from operations.deployment.tally import Tally
from operations.deployment.verdicts import read
from operations.failures import ExitCode, Failure
from tests.operations.deployment.engine_project import (
    CHECKOUT,
    STACK_FILE,
    Project,
    Watching,
    engine_project,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with engine_project(tmp_path) as made:
        yield made


def update(project: Project, view: Watching | None = None) -> Ran:
    return project.target().update(view or Watching())


def wait_for(what: str, condition: object, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds} seconds"
        time.sleep(0.05)


def things(project: Project) -> set[str]:
    return {
        one["urn"].rpartition("::")[2]
        for one in project.backend.resources("prod")
        if one["type"] == "slow:index:Thing"
    }


def test_preview_then_update_then_nothing_left_to_change(project: Project) -> None:
    target = project.target()
    ahead = target.preview(Watching())
    assert ahead.succeeded, ahead.complaint()
    assert ahead.tally.by_component() == {"Postgres main": {"create": 4}}
    assert not things(project)
    assert read(target.preview_report).complete
    assert not shows_no_change(ahead)

    ran = target.update(Watching())
    assert ran.succeeded, ran.complaint()
    assert things(project) == {"thing-0", "thing-1", "thing-2", "thing-3"}
    assert read(target.report).complete
    assert shows_no_change(target.preview(Watching()))


def test_what_a_preview_does_not_call_a_change_is_one_all_the_same(project: Project) -> None:
    assert update(project).succeeded
    project.configure(url="https://b.example.com")
    assert not shows_no_change(project.target().preview(Watching()))
    project.configure(protect="true")
    ahead = project.target().preview(Watching())
    assert not ahead.tally.changed
    assert not shows_no_change(ahead)


def test_the_stacks_file_is_never_touched(project: Project) -> None:
    file = project.folder / "Pulumi.prod.yaml"
    assert file.read_text() == STACK_FILE
    target = project.target()
    assert project.backend.salt("prod")
    for operation in (target.preview, target.update, target.refresh, target.destroy):
        assert operation(Watching()).succeeded
        assert file.read_text() == STACK_FILE


def test_logs_are_for_their_owner_and_hold_no_secret(project: Project) -> None:
    ran = update(project)
    assert ran.events_log.stat().st_mode & 0o077 == 0
    assert "hidden" not in ran.events_log.read_text()


def test_a_refusal_is_told_in_the_providers_words(project: Project) -> None:
    project.configure(fail=2)
    ran = update(project)
    assert not ran.succeeded
    said = [message.text for message in ran.complaint()]
    assert any("ValidationError: not like this" in text for text in said), said
    assert [urn.rpartition("::")[2] for urn in ran.tally.failed] == ["thing-2"]
    project.configure()
    assert update(project).succeeded


def test_a_program_that_breaks_is_a_failure_with_its_error(project: Project) -> None:
    (project.folder / "__main__.py").write_text("raise ValueError('no such system')\n")
    ran = project.target().preview(Watching())
    assert not ran.succeeded
    assert any("no such system" in message.text for message in ran.complaint())


def test_an_interrupt_stops_after_the_step_and_the_next_run_goes_on(project: Project) -> None:
    project.configure(count=40, seconds=0.4)

    def interrupt(event: Event, _tally: Tally) -> None:
        if isinstance(event, StepDone) and not view.interrupts:
            os.kill(os.getpid(), signal.SIGINT)

    view = Watching(act=interrupt)
    ran = update(project, view)
    assert ran.interrupted and not ran.succeeded
    made = things(project)
    assert 0 < len(made) < 40
    assert not project.backend.locks("prod")
    assert not project.backend.pending("prod")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    project.configure(count=40)
    assert update(project).succeeded
    assert len(things(project)) == 40


RUNNER = """
import sys
from pathlib import Path
from tests.operations.deployment.engine_project import Watching
from operations.deployment.pulumi import Pulumi
import json
given = json.loads(sys.stdin.read())
folders = (Path(given[name]) for name in ("cli", "folder", "logs"))
cli, folder, logs = folders
pulumi = Pulumi(cli, folder, given["environment"], logs)
pulumi.run("up", given["arguments"])
"""


def start_runner(project: Project) -> subprocess.Popen[str]:
    """Another process that runs an update as the CLI does."""
    target = project.target()
    given = {
        "cli": str(project.pulumi.executable),
        "folder": str(project.folder),
        "environment": dict(project.pulumi.environment),
        "logs": str(project.pulumi.logs),
        "arguments": ["--yes", "--skip-preview", "--stack", "prod", "--config-file",
                      str(target.config_file)],
    }  # fmt: skip
    runner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUNNER)],
        cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert runner.stdin is not None
    runner.stdin.write(json.dumps(given))
    runner.stdin.close()
    return runner


def running_update(project: Project) -> int:
    """The process id of the engine, once it has made something."""
    wait_for("the lock", lambda: any(one.is_held() for one in project.backend.locks("prod")))
    wait_for("a first thing", lambda: things(project))
    return project.backend.locks("prod")[0].pid


def test_the_engine_stops_by_itself_when_we_are_killed(project: Project) -> None:
    project.configure(count=60, seconds=0.5)
    runner = start_runner(project)
    engine = running_update(project)
    runner.kill()
    runner.wait()
    wait_for("the engine's end", lambda: not psutil.pid_exists(engine))
    assert not project.backend.locks("prod")
    assert not project.backend.pending("prod")
    assert 0 < len(things(project)) < 60


def test_a_terminals_interrupt_reaches_the_engine_once(project: Project) -> None:
    # A terminal sends Ctrl-C to the whole group; a second one would end the engine in mid-step.
    project.configure(count=60, seconds=1)
    runner = start_runner(project)
    engine = running_update(project)
    os.killpg(runner.pid, signal.SIGINT)
    runner.wait(timeout=60)
    wait_for("the engine's end", lambda: not psutil.pid_exists(engine))
    assert not project.backend.pending("prod")
    assert not project.backend.locks("prod")


def test_after_the_engine_is_killed_the_next_run_recovers(project: Project) -> None:
    project.configure(count=60, seconds=2)
    runner = start_runner(project)
    engine = running_update(project)
    wait_for("things under way", lambda: len(project.backend.pending("prod")) > 2)
    os.kill(engine, signal.SIGKILL)
    runner.wait()
    assert project.backend.pending("prod")

    doubts = Doubts(project.folder / "home")
    found = recovery.recover(project.backend, project.pulumi, "prod", doubts, print)
    assert found.refresh
    assert "lock of a run that was killed" in found.notes[0]
    assert "creating thing-" in found.notes[1]
    assert not project.backend.locks("prod")
    assert project.target().refresh(Watching()).succeeded
    assert not project.backend.pending("prod")

    project.configure(count=60)
    assert update(project).succeeded
    assert len(things(project)) == 60


def test_a_run_under_way_is_waited_for_and_named(project: Project) -> None:
    project.configure(count=60, seconds=1)
    runner = start_runner(project)
    engine = running_update(project)
    told: list[str] = []
    with pytest.raises(Failure) as refused:
        recovery.release(project.backend, project.pulumi, "prod", told.append, wait_seconds=1)
    assert refused.value.code is ExitCode.NOT_READY
    assert f"process {engine}" in refused.value.what
    assert len(told) == 1
    runner.terminate()
    runner.wait(timeout=60)
    assert recovery.release(project.backend, project.pulumi, "prod", told.append) == []


def test_a_state_cut_off_in_the_middle_is_restored_and_doubted(project: Project) -> None:
    assert update(project).succeeded
    project.configure(value="b")
    assert update(project).succeeded
    path = project.backend.checkpoint("prod")
    path.write_text(path.read_text()[:500])
    doubts = Doubts(project.folder / "home")
    found = recovery.recover(project.backend, project.pulumi, "prod", doubts, print)
    assert found.refresh and "could not be read" in found.notes[0]
    assert len(things(project)) == 4
    assert project.target().refresh(Watching()).succeeded
    doubts.settle("prod")
    assert not recovery.recover(project.backend, project.pulumi, "prod", doubts, print).refresh


@pytest.mark.parametrize("suffix", [".attrs", ".bak.attrs"])
def test_attributes_cut_off_in_the_middle_do_not_stop_the_next_run(
    project: Project, suffix: str
) -> None:
    assert update(project).succeeded
    path = project.backend.checkpoint("prod")
    path.with_name(path.name + suffix).write_text("")
    doubts = Doubts(project.folder / "home")
    found = recovery.recover(project.backend, project.pulumi, "prod", doubts, print)
    assert not found.refresh
    assert shows_no_change(project.target().preview(Watching()))


def test_a_lock_cut_off_in_the_middle_is_removed(project: Project) -> None:
    assert update(project).succeeded
    folder = project.backend.root / ".pulumi/locks/organization/slow-project/prod"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("x.json", "x.json.attrs"):
        (folder / name).write_text("")
    doubts = Doubts(project.folder / "home")
    recovery.recover(project.backend, project.pulumi, "prod", doubts, print)
    assert not list(folder.iterdir())
    assert update(project).succeeded
