"""The dashboard: what it shows, and that it is known before anything exists."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from components.dashboard import Dashboard, Shown, body
from systems import model
from tests.components.recording import CONTEXT, record

SHOWN = Shown(
    alarms=["atc-prod-main-cpu"],
    cluster="atc-prod",
    workloads=["atc-prod-web", "atc-prod-crypto"],
    load_balancer="atc-prod-ingress",
    queues={
        "crypto": model.QueueScaling(
            metric="QueueDepth", dimensions={"Worker": "crypto"}, target_per_task=10
        )
    },
    databases=["atc-prod-main"],
    proxies=["atc-prod-main"],
    caches=["atc-prod-cache"],
    dashboards=[
        model.Dashboard(
            title="Trades",
            widgets=(model.Widget(title="Failed", metrics=(model.Metric(name="Failures"),)),),
        )
    ],
)


def widgets(shown: Shown = SHOWN) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body(shown, CONTEXT, "Trading")["widgets"]
    return found


def titles(shown: Shown = SHOWN) -> list[str]:
    return [one["properties"].get("title", "") for one in widgets(shown)]


def test_the_body_is_known_at_preview() -> None:
    records = record(lambda: Dashboard("dashboard", SHOWN, CONTEXT), preview=True)
    found = records.one("aws:cloudwatch/dashboard:Dashboard").inputs
    assert found["dashboardName"] == "atc-prod"
    assert json.loads(found["dashboardBody"])["widgets"]


def test_it_shows_what_the_checklist_asks() -> None:
    sections = [one["properties"]["markdown"] for one in widgets() if one["type"] == "text"]
    assert sections == [
        "## Trading",
        "## Trades",
        "## Queues",
        "## Errors",
        "## Databases",
        "## Caches",
    ]
    assert {"Alarms", "Running tasks", "Failed", "Queue depth", "Connections", "Pool"} <= set(
        titles()
    )


def test_empty_sections_are_left_out() -> None:
    shown = Shown(alarms=[], cluster="atc-prod", workloads=["atc-prod-web"])
    sections = [one["properties"]["markdown"] for one in widgets(shown) if one["type"] == "text"]
    assert sections == ["## Trading", "## Errors"]


def test_alarms_are_shown_by_arn_and_at_most_a_hundred() -> None:
    shown = Shown(alarms=[f"a{number}" for number in range(120)], cluster="c", workloads=["w"])
    alarms = next(one for one in widgets(shown) if one["type"] == "alarm")
    assert len(alarms["properties"]["alarms"]) == 100
    assert alarms["properties"]["alarms"][0] == (
        "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a0"
    )


def test_own_metrics_are_in_the_systems_namespace() -> None:
    graph = next(one for one in widgets() if one["properties"].get("title") == "Failed")
    assert graph["properties"]["metrics"] == [
        ["atc/prod", "Failures", {"stat": "Sum", "period": 60}]
    ]


def test_queues_are_drawn_with_their_dimensions() -> None:
    graph = next(one for one in widgets() if one["properties"].get("title") == "Queue depth")
    assert graph["properties"]["metrics"][0][:4] == ["atc/prod", "QueueDepth", "Worker", "crypto"]


def test_logs_are_searched_for_errors() -> None:
    log = next(one for one in widgets() if one["type"] == "log")
    assert "SOURCE 'atc-prod/web' | SOURCE 'atc-prod/crypto'" in log["properties"]["query"]


def test_widgets_are_inside_the_grid_and_do_not_overlap() -> None:
    placed = widgets()
    assert len(placed) > 15
    for one in placed:
        assert one["x"] >= 0 and one["x"] + one["width"] <= 24
    for one, other in combinations(placed, 2):
        apart = (
            one["x"] + one["width"] <= other["x"]
            or other["x"] + other["width"] <= one["x"]
            or one["y"] + one["height"] <= other["y"]
            or other["y"] + other["height"] <= one["y"]
        )
        assert apart, (one["properties"], other["properties"])
