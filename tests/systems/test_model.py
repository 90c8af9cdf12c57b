"""What goes together in a model, and the words for what may stand in each field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from systems import model, shape
from systems.model import Model, System
from systems.model.base import MisfitError
from systems.model.references import misfits

IMAGE = "ecr:atc/one@sha256:" + "0" * 64
METRIC = model.Metric(name="Count")


def alarm(**fields: Any) -> model.Alarm:
    return model.Alarm(
        **{
            "description": "d", "metric": METRIC, "threshold": 1, "missing_data": "ignore",
            "runbook": "r", **fields,
        }
    )  # fmt: skip


def criterion(**fields: Any) -> model.Criterion:
    return model.Criterion(
        **{
            "kind": "roll-back", "hours": 1, "description": "d", "threshold": 1,
            "comparison": "GreaterThanThreshold", **fields,
        }
    )  # fmt: skip


MISFITS: list[tuple[str, Callable[[], Any], str]] = [
    ("shards", lambda: model.Cache(shards=2), "without cluster mode"),
    ("replicas_per_shard", lambda: model.Cache(replicas_per_shard=0), "0 with multi_az: true"),
    ("max_storage_gb", lambda: model.Database(storage_gb=100, max_storage_gb=105), "105"),
    ("http", lambda: model.Schedule(expression="rate(1 minute)"), "neither http nor job"),
    (
        "http",
        lambda: model.Schedule(
            expression="rate(1 minute)",
            job="a",
            http=model.HttpCall(service="a", path="/", bearer_secret="b"),
        ),
        "both http and job",
    ),
    ("fill", lambda: model.Secret(description="d", generate_length=32, fill="f"), "both"),
    (
        "recovery_window_days",
        lambda: model.Secret(description="d", fill="f", recovery_window_days=3),
        "3",
    ),
    ("metric", lambda: alarm(expression="a+b", metrics={"a": METRIC}), "both"),
    ("alarm", criterion, "neither alarm nor metric"),
    ("alarm", lambda: criterion(alarm="web-error-rate", metric=METRIC), "both alarm and metric"),
    ("metrics", lambda: alarm(metric=None, expression="a+b"), "nothing"),
    ("metrics", lambda: alarm(metrics={"a": METRIC}), "metrics without an expression"),
    ("threshold", lambda: alarm(threshold=None), "no threshold"),
    ("comparison", lambda: alarm(comparison="LessThanLowerThreshold"), "LessThanLower"),
    ("comparison", lambda: alarm(threshold=None, anomaly_band_width=2), "GreaterThanThreshold"),
    (
        "datapoints_to_alarm",
        lambda: alarm(evaluation_periods=2, datapoints_to_alarm=3),
        "3 of 2 evaluation_periods",
    ),
    (
        "hosted_zone_id",
        lambda: model.Ingress(
            domain="a.example.com", rate_limits={"a": model.RateLimit(requests=100)}
        ),
        "no certificate",
    ),
    (
        "certificate_arn",
        lambda: model.Ingress(
            domain="a.example.com",
            certificate_arn="arn:aws:acm:x",
            hosted_zone_id="Z0123456789",
            rate_limits={"a": model.RateLimit(requests=100)},
        ),
        "both",
    ),
    (
        "health.command",
        lambda: model.Worker(image=IMAGE, health=model.ContainerHealth()),
        "nothing",
    ),
    (
        "environment.LEVEL",
        lambda: model.Job(image=IMAGE, environment={"LEVEL": "a"}, secrets={"LEVEL": "b"}),
        "under environment and under secrets",
    ),
    (
        "environment.DB_PASSWORD",
        lambda: model.Job(image=IMAGE, environment={"DB_PASSWORD": "example"}),
        "a value for DB_PASSWORD",
    ),
]


@pytest.mark.parametrize(
    ("path", "make", "found"), MISFITS, ids=[f"{row[0]} {row[2]}" for row in MISFITS]
)
def test_misfit(path: str, make: Callable[[], Any], found: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make()
    (error,) = caught.value.errors()
    raised = error.get("ctx", {})["error"]
    assert isinstance(raised, MisfitError)
    (misfit,) = raised.misfits
    assert ".".join(map(str, misfit.path)) == path
    assert found in misfit.found
    assert misfit.allowed
    assert misfit.todo
    assert misfit.found in str(raised)


@pytest.mark.parametrize(
    "name", ["TOKEN_TTL_SECONDS", "MAX_TOKENS", "API_KEY_HEADER", "NEXT_PUBLIC_SUPABASE_ANON_KEY"]
)
def test_names_that_only_sound_like_secrets(name: str) -> None:
    assert model.Job(image=IMAGE, environment={name: "x"}).environment == {name: "x"}


@pytest.mark.parametrize("name", ["NEXT_PUBLIC_API_TOKEN", "NEXT_PUBLIC_ANTHROPIC_API_KEY"])
@pytest.mark.parametrize("where", ["environment", "secrets"])
def test_no_secret_reaches_the_browser(name: str, where: str) -> None:
    _refused_as_public(name, where, "some-reference")


def test_no_literal_of_a_secrets_shape_reaches_the_browser() -> None:
    _refused_as_public("NEXT_PUBLIC_SITE", "environment", "rnd_" + "x" * 20)


def _refused_as_public(name: str, where: str, value: str) -> None:
    """The message may not send to `secrets:`, where the same name would be refused again."""
    with pytest.raises(ValidationError) as caught:
        model.Job.model_validate({"image": IMAGE, where: {name: value}})
    (misfit,) = caught.value.errors()[0]["ctx"]["error"].misfits
    assert misfit.path == (where, name)
    assert f"in {name}, which bundlers copy into what every browser downloads" in misfit.found
    assert "do not begin with NEXT_PUBLIC_" in misfit.allowed
    assert "from the server" in misfit.todo
    assert value not in str(misfit)


def _models(kind: type[Model]) -> Iterator[type[Model]]:
    yield kind
    for field in shape.fields(kind).values():
        inner = field.value() if field.is_mapping or field.is_list else field
        if inner.model:
            yield from _models(inner.model)


ALL = sorted(set(_models(System)), key=lambda one: one.__name__)


@pytest.mark.parametrize("kind", ALL, ids=[one.__name__ for one in ALL])
def test_every_field_says_in_words_what_it_allows(kind: type[Model]) -> None:
    for name, field in shape.fields(kind).items():
        places = [field]
        if field.is_mapping:
            places += [field.key(), field.value()]
        elif field.is_list:
            places.append(field.value())
        for place in places:
            words = shape.allowed(place)
            assert words, name
            assert "^" not in words, f"{kind.__name__}.{name} shows a pattern"
            assert "values" not in words, f"{kind.__name__}.{name} is of a type without words"


def test_models_are_frozen_and_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError):
        model.Logs(retention_dyas=3)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        model.Logs().level = "WARN"


def test_without_a_way_out_nothing_is_rotated() -> None:
    system = {
        "network": {"nat_gateways": "none"},
        "databases": {"main": {}},
        "caches": {"main": {}},
        "secrets": {
            "signing-key": {"generate_length": 32, "rotation_days": 30},
            "still": {"generate_length": 32},
            "given": {"fill": "a key", "rotation_days": 30},
        },
    }
    (misfit,) = misfits(system)
    assert misfit.path == ("network", "nat_gateways")
    assert misfit.found == (
        "none, with databases.main, caches.main, secrets.signing-key.rotation_days"
    )
    assert list(misfits({**system, "network": {"nat_gateways": "one"}})) == []
