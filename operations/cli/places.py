"""Where a command works: the sandbox, or the account of the user's own AWS credentials."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from operations.cli.options import Cloud
from operations.failures import ExitCode, Failure

if TYPE_CHECKING:
    from systems.model import System

STS_SECONDS = 5
# Set by `gonogo env`: with one of these, "AWS" would be the sandbox.
_SANDBOX_MARKS = ("PULUMI_DEBUG_PROVIDERS", "AWS_ENDPOINT_URL")


@dataclass(frozen=True)
class Place:
    """A cloud that answers, and the environment that leads a child process to it."""

    cloud: Cloud
    headline: str
    environment: Mapping[str, str]
    account: str
    region: str
    endpoint: str | None = None


def sandbox_place(region: str, zones: Mapping[str, str]) -> Place:
    """The sandbox, started when it does not run, with the hosted zones that a stack counts on.

    Raises SandboxError.
    """
    from sandbox import lifecycle

    running = lifecycle.start()
    running.own_hosted_zones(zones)
    headline = f"Cloud: sandbox ({running.emulator_url}, account {lifecycle.ACCOUNT})"
    return Place(
        Cloud.SANDBOX,
        headline,
        running.applied_to(os.environ),
        lifecycle.ACCOUNT,
        region,
        running.emulator_url,
    )


def hosted_zones(system: System) -> dict[str, str]:
    """The zones that a system counts on, by id: each is named by the domain's last two labels."""
    ingress = system.ingress
    if ingress is None or ingress.hosted_zone_id is None:
        return {}
    return {ingress.hosted_zone_id: ".".join(ingress.domain.split(".")[-2:])}


def aws_place(region: str, environment: Mapping[str, str] | None = None) -> Place:
    """The account of the ambient credentials, asked from STS. Nothing of the sandbox is used.

    Raises Failure with one line that says what is missing. Only these refusals are tested: the
    rest needs an account.
    """
    ambient = dict(os.environ if environment is None else environment)
    for mark in _SANDBOX_MARKS:
        if ambient.get(mark):
            raise _missing(
                f"This shell is set to the sandbox ({mark} is set), so AWS cannot be reached.",
                "open another shell, or unset what `gonogo env` has set.",
            )
    account = _account(region)
    backend = _backend(ambient)
    headline = f"Cloud: AWS account {account}, region {region}, backend {backend}"
    return Place(Cloud.AWS, headline, ambient, account, region)


def require_plugin(pulumi: Path, environment: Mapping[str, str]) -> None:
    """Raises Failure when the official AWS plugin is not there and may not be fetched."""
    if environment.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "") in ("", "false", "0"):
        return
    import json
    import subprocess

    listed = subprocess.run(
        [str(pulumi), "plugin", "ls", "--json"],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    plugins = json.loads(listed.stdout or "[]") if listed.returncode == 0 else []
    if not any(one.get("name") == "aws" for one in plugins):
        raise _missing(
            "The official AWS plugin is not installed, and may not be fetched "
            "(PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION is set).",
            f"`pulumi plugin install resource aws {_plugin_version()}`.",
        )


def _backend(environment: Mapping[str, str]) -> str:
    """Where the user's state is: the environment's choice, else what `pulumi login` wrote."""
    import json

    chosen = environment.get("PULUMI_BACKEND_URL", "")
    if not chosen:
        folder = environment.get("PULUMI_HOME") or Path.home() / ".pulumi"
        try:
            said = json.loads(Path(folder, "credentials.json").read_text(encoding="utf-8"))
            chosen = str(said.get("current") or "")
        except (OSError, ValueError, AttributeError):
            chosen = ""
    if not chosen:
        raise _missing(
            "Pulumi is not logged in to a state backend.",
            "`pulumi login s3://<bucket>`, or `pulumi login` for Pulumi Cloud.",
        )
    return chosen


def _account(region: str) -> str:
    """The account number, from STS within five seconds."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    limits = Config(
        connect_timeout=STS_SECONDS, read_timeout=STS_SECONDS, retries={"total_max_attempts": 1}
    )
    login = "`aws sso login` or `aws configure`, or set AWS_PROFILE."
    try:
        session = boto3.Session(region_name=region)
        if session.get_credentials() is None:
            raise NoCredentialsError  # noqa: TRY301  one end for both ways of having none
        identity = session.client("sts", config=limits).get_caller_identity()
    except NoCredentialsError:
        raise _missing("No AWS credentials were found.", login) from None
    except ClientError as error:
        raise _missing(f"AWS refuses these credentials: {error}.", login) from None
    except BotoCoreError as error:
        raise _missing(
            f"AWS cannot be reached: {error}.", "see to the network, or " + login
        ) from None
    return str(identity["Account"])


def _plugin_version() -> str:
    from importlib import metadata

    return metadata.version("pulumi-aws")


def _missing(what: str, next_step: str) -> Failure:
    return Failure(what, next_step=next_step, code=ExitCode.NOT_READY)
