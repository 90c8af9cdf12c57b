"""An image that nobody has built: a note in the sandbox, a refusal in AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.cli.images import require_built, unbuilt
from operations.cli.options import Cloud
from operations.failures import ExitCode, Failure
from systems.stack import Stack, load
from tests.operations.cli.test_command_line import NO_CREDENTIALS, gonogo

CHECKOUT = Path(__file__).parents[3]
ALL = [
    "services.heartbeat.image", "services.dashboard.image", "workers.crypto.image",
    "workers.options.image", "workers.futures.image", "workers.roundtable.image",
    "jobs.migrate.image",
]  # fmt: skip
DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def built(copied: Path) -> Path:
    """A checkout whose production stack has the digest of each image but one."""
    with (copied / "Pulumi.prod.yaml").open("a") as stream:
        stream.write("  gonogo:overrides:\n")
        for path in ALL[:-1]:
            stream.write(f"    {path}: ecr:atc/{path.split('.')[1]}@sha256:{DIGEST}\n")
    return copied


def stack(checkout: Path = CHECKOUT) -> Stack:
    return load(checkout / "Pulumi.prod.yaml")


def test_zeros_are_not_built(built: Path) -> None:
    assert list(unbuilt(stack().system)) == ALL
    assert list(unbuilt(stack(built).system)) == ["jobs.migrate.image"]


def test_the_sandbox_takes_them() -> None:
    require_built(stack(), Cloud.SANDBOX)


def test_aws_does_not(built: Path) -> None:
    with pytest.raises(Failure) as caught:
        require_built(stack(), Cloud.AWS)
    assert caught.value.code is ExitCode.WRONG_INPUT
    assert caught.value.what.startswith("7 images are not built yet (a digest of zeros)")
    assert all(path in caught.value.what for path in ALL)
    assert "Pulumi.prod.yaml, under gonogo:overrides" in caught.value.next_step
    assert "services.heartbeat.image: ecr:atc/heartbeat@sha256:<" in caught.value.next_step
    with pytest.raises(Failure) as caught:
        require_built(stack(built), Cloud.AWS)
    assert caught.value.what.startswith("1 image is not built yet")


def test_up_is_refused_before_aws_is_asked_anything(tmp_path: Path, built: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    arguments = ("prod", "--cloud", "aws", "--yes")
    said = gonogo("up", *arguments, home=home, checkout=built, more=NO_CREDENTIALS)
    assert said.returncode == ExitCode.WRONG_INPUT
    assert said.stdout == ""
    assert "jobs.migrate.image" in said.stderr
    assert "gonogo:overrides" in said.stderr
    assert "credentials" not in said.stderr
    assert not list(home.iterdir())


def test_with_every_digest_aws_is_asked(tmp_path: Path, built: Path) -> None:
    with (built / "Pulumi.prod.yaml").open("a") as stream:
        stream.write(f"    {ALL[-1]}: ecr:atc/heartbeat@sha256:{DIGEST}\n")
    said = gonogo(
        "up", "prod", "--cloud", "aws", "--yes", home=tmp_path, checkout=built, more=NO_CREDENTIALS
    )
    assert said.returncode == ExitCode.NOT_READY
    assert said.stderr.splitlines()[0] == "gonogo: No AWS credentials were found."


@pytest.mark.parametrize("command", ["preview", "destroy"])
def test_looking_and_destroying_need_no_build(tmp_path: Path, command: str) -> None:
    said = gonogo(command, "prod", "--cloud", "aws", home=tmp_path, more=NO_CREDENTIALS)
    assert said.returncode == ExitCode.NOT_READY
    assert "No AWS credentials" in said.stderr
