"""A person begins another system: YAML alone, from `gonogo new` to a deployed stack."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Gonogo
from tests.e2e.leftovers import left_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sixth")]


@pytest.fixture
def sixth(copy: Callable[[], Gonogo]) -> Gonogo:
    """A checkout in which `gonogo new sixth` was run."""
    gonogo = copy()
    done = gonogo("new", "sixth")
    assert done.returncode == 0, done.stdout + done.stderr
    return gonogo


def test_a_new_system_deploys_without_touching_python(sixth: Gonogo) -> None:
    """A database, a cron, two services and a worker; beside another system in the same cloud."""
    code = {file: file.read_bytes() for file in sixth.checkout.rglob("*.py")}
    other = sixth.document("up", "dev")
    deployed = sixth.document("up", "sixth-prod")
    assert deployed["result"] == "applied"
    assert deployed["rules"]["complete"]
    assert deployed["rules"]["failed"] == []
    assert deployed["rules"]["undecided"] == []
    assert len(deployed["rules"]["passed"]) >= 20
    outputs = deployed["outputs"]
    assert set(outputs["databases"]) == {"main"}
    assert set(outputs["workloads"]) == {"web", "api", "tasks", "migrate"}
    assert "services.web.image" in deployed["images_not_built"]

    endpoint = deployed["endpoint"]
    events = sixth.client("events", endpoint)
    rules = events.list_rules(NamePrefix="sixth-prod")["Rules"]
    assert "cron(0/5 * * * ? *)" in {rule.get("ScheduleExpression") for rule in rules}
    services = sixth.client("ecs", endpoint).list_services(cluster=outputs["cluster"])
    names = {arn.rpartition("/")[2] for arn in services["serviceArns"]}
    assert names == {"sixth-prod-web", "sixth-prod-api", "sixth-prod-tasks"}

    # Neither system disturbs the other.
    assert sixth.document("up", "sixth-prod")["changes"] == {}
    assert sixth.document("up", "dev")["changes"] == {}

    assert len(left_in(sixth, endpoint, "sixth-prod")) >= 10, "what is looked for is there before"
    destroyed = sixth("destroy", "sixth-prod", "--yes")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert left_in(sixth, endpoint, "sixth-prod") == {}
    kept = sixth.document("up", "dev")
    assert (kept["changes"], kept["resources"]) == ({}, other["resources"])

    assert {file: file.read_bytes() for file in sixth.checkout.rglob("*.py")} == code
    gone = sixth("destroy", "dev", "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert left_in(sixth, endpoint, "atc-dev") == {}
