"""One service calling another inside the network."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from components.system import declare
from systems import model
from systems.errors import ConfigError
from tests.components.parts import ECS_SERVICE, INGRESS, NOTIFICATIONS, SERVICE, containers
from tests.components.parts import variables as plain
from tests.components.recording import REGION, Records, record

BARE: dict[str, Any] = {"databases": (), "secrets": {}, "environment": {}, "autoscaling": None}
BACK = SERVICE.model_copy(update={**BARE, "port": 8000})
FRONT = SERVICE.model_copy(
    update={**BARE, "port": 3000, "routes": (), "default_route": True, "calls": ("back",)}
)
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ZONE = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
REGISTRY = "aws:servicediscovery/service:Service"


def _system(front: model.Service) -> model.System:
    return model.System(
        name="shop", code="shop", title="Shop", owner="shop", notifications=NOTIFICATIONS,
        ingress=INGRESS, services={"front": front, "back": BACK},
        runbook_base_url="https://runbooks.example.com/shop",
    )  # fmt: skip


@cache
def declared() -> Records:
    return record(lambda: declare(_system(FRONT), "prod", REGION))


def test_the_caller_is_told_the_address_and_nobody_else() -> None:
    url = "http://back.shop-prod.internal:8000"
    assert plain(containers(declared(), "front")["front"])["BACK_URL"] == url
    assert "BACK_URL" not in plain(containers(declared(), "back")["back"])


def test_tasks_of_the_called_are_in_the_zone() -> None:
    zone, registry = declared().one(ZONE), declared().one(REGISTRY)
    assert zone.inputs["name"] == "shop-prod.internal"
    assert zone.inputs["vpc"] == "network-id"
    assert (registry.inputs["name"], registry.name) == ("back", "back")
    config = registry.inputs["dnsConfig"]
    assert config["namespaceId"] == "discovery-id"
    assert config["dnsRecords"] == [{"type": "A", "ttl": 10}]
    services = declared().named(ECS_SERVICE)
    registered = services["back"].inputs["serviceRegistries"]
    assert registered["registryArn"].endswith("back-made")
    assert "serviceRegistries" not in services["front"].inputs


def test_only_the_caller_reaches_the_port() -> None:
    out = declared().one(EGRESS, "front-calls-back").inputs
    into = declared().one(INGRESS_RULE, "front-calls-back").inputs
    for one, here, there in ((out, "front-id", "back-id"), (into, "back-id", "front-id")):
        assert (one["fromPort"], one["toPort"], one["ipProtocol"]) == (8000, 8000, "tcp")
        assert (one["securityGroupId"], one["referencedSecurityGroupId"]) == (here, there)
    reach_back = [
        one for one in declared().all(INGRESS_RULE) if one.inputs["securityGroupId"] == "back-id"
    ]
    assert {one.name for one in reach_back} == {"back", "front-calls-back"}


def test_without_calls_there_is_no_zone() -> None:
    alone = _system(FRONT.model_copy(update={"calls": ()}))
    records = record(lambda: declare(alone, "prod", REGION))
    assert records.all(ZONE) == []
    assert records.all(REGISTRY) == []


def test_a_service_that_is_not_there_cannot_be_called() -> None:
    wrong = FRONT.model_copy(update={"calls": ("bakc",)})
    with pytest.raises((ConfigError, ValueError), match="did you mean back"):
        _system(wrong)
