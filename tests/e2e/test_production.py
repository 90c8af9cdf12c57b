"""The production stack, from an empty sandbox to a deployed system and back to nothing."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.e2e.conftest import ROOT, Gonogo
from tests.e2e.leftovers import left_in, stores

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("production")]


@pytest.fixture(scope="module")
def deployed(gonogo: Gonogo) -> Iterator[dict[str, Any]]:
    """The production stack, up. What `up --json` said."""
    yield gonogo.document("up", "prod")
    gonogo("destroy", "prod", "--yes")


def test_up_deploys_the_production_stack_under_the_pack(deployed: dict[str, Any]) -> None:
    assert deployed["result"] == "applied"
    assert deployed["resources"] >= 120
    assert deployed["rules"]["failed"] == []
    assert deployed["rules"]["undecided"] == []
    assert len(deployed["rules"]["passed"]) >= 20
    assert deployed["alarms"] >= 20


def test_up_again_changes_nothing(gonogo: Gonogo, deployed: dict[str, Any]) -> None:
    again = gonogo.document("up", "prod")
    assert again["changes"] == {}
    assert again["resources"] == deployed["resources"]


def test_the_update_itself_has_nothing_to_do_either(
    gonogo: Gonogo, deployed: dict[str, Any]
) -> None:
    """`up` may skip the update when the preview is empty; plain `pulumi up` does not."""
    done = _in_environment(gonogo, "pulumi up --stack prod --yes --non-interactive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unchanged" in done.stdout
    assert not any(word in done.stdout for word in ("to update", "to create", "to replace"))


def test_the_stack_file_is_left_as_it_was(gonogo: Gonogo, deployed: dict[str, Any]) -> None:
    changed = subprocess.run(
        ["git", "diff", "--name-only", "--", "Pulumi.*.yaml", "Pulumi.yaml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "encryptionsalt" not in (ROOT / "Pulumi.prod.yaml").read_text()
    assert changed.stdout == ""


def test_plain_pulumi_works_with_the_pack_in_force(
    gonogo: Gonogo, deployed: dict[str, Any]
) -> None:
    done = _in_environment(gonogo, "pulumi stack select prod && pulumi preview --non-interactive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gonogo" in done.stdout
    assert "Policies" in done.stdout


def test_the_database_takes_the_secrets_credentials_and_no_others(
    gonogo: Gonogo, deployed: dict[str, Any]
) -> None:
    endpoint = deployed["endpoint"]
    secrets = gonogo.client("secretsmanager", endpoint)
    name = "atc-prod/main/application"
    held = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    instance = gonogo.client("rds", endpoint).describe_db_instances(
        DBInstanceIdentifier="atc-prod-main"
    )["DBInstances"][0]
    where = {
        "host": instance["Endpoint"]["Address"],
        "port": instance["Endpoint"]["Port"],
        "dbname": held["dbname"],
        "user": held["username"],
        "connect_timeout": 5,
    }
    with psycopg.connect(**where, password=held["password"], sslmode="require") as connection:
        row = connection.execute("select current_user, current_setting('statement_timeout')")
        assert row.fetchone() == (held["username"], "30s")
        encrypted = connection.execute(
            "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
        ).fetchone()
    assert encrypted is not None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**where, password="not-the-password", sslmode="require")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**where, password=held["password"], sslmode="disable")


def test_no_secret_is_in_clear_in_the_state(gonogo: Gonogo, deployed: dict[str, Any]) -> None:
    secrets = gonogo.client("secretsmanager", deployed["endpoint"])
    state = (gonogo.home / "state" / ".pulumi" / "stacks" / "gonogo" / "prod.json").read_text()
    values = []
    for entry in secrets.list_secrets(MaxResults=100)["SecretList"]:
        versions = secrets.list_secret_version_ids(SecretId=entry["ARN"], IncludeDeprecated=True)
        for version in versions["Versions"]:
            value = secrets.get_secret_value(SecretId=entry["ARN"], VersionId=version["VersionId"])
            values.append(value["SecretString"])
    assert len(values) >= 5
    for value in values:
        parts = json.loads(value) if value.startswith("{") else {"password": value}
        for part in ("password", "token", "value"):
            secret = parts.get(part)
            if secret and not secret.startswith("GONOGO-PLACEHOLDER"):
                assert secret not in state


def test_destroy_says_which_protection_it_lifts_and_leaves_nothing(
    gonogo: Gonogo, deployed: dict[str, Any]
) -> None:
    endpoint = deployed["endpoint"]
    there = left_in(gonogo, endpoint, "atc-prod")
    assert len(there) >= 18, "what is looked for is there before"
    refused = gonogo("destroy", "prod")
    assert refused.returncode == 2
    assert "--yes" in refused.stdout + refused.stderr
    done = gonogo("destroy", "prod", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "protect" in done.stdout
    assert "atc-prod-main" in done.stdout
    assert left_in(gonogo, endpoint, "atc-prod") == {}
    assert stores(gonogo) == []


def _in_environment(gonogo: Gonogo, command: str) -> subprocess.CompletedProcess[str]:
    """Runs a shell line after `eval "$(./gonogo env)"`, as a person would."""
    entry = shlex.join(gonogo.command("env"))
    return subprocess.run(
        ["bash", "-c", f'eval "$({entry})" && {command}'],
        cwd=gonogo.checkout,
        env=gonogo.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
