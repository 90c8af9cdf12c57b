"""Whether what one part of a system names is declared in another.

Works on plain data, so that the loader can tell dangling references together with wrong values;
what is not of the expected kind is passed over here, as it is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from systems.errors import did_you_mean, listing
from systems.model.base import Misfit

WORKLOADS = ("services", "workers", "jobs")


def misfits(system: Mapping[str, Any]) -> Iterator[Misfit]:
    """Every reference that leads nowhere, and every name or route that is taken twice."""
    yield from _workloads(system)
    yield from _schedules(system)
    yield from _ways_in(system)
    yield from _routes(system)
    yield from _way_out(system)


def _workloads(system: Mapping[str, Any]) -> Iterator[Misfit]:
    taken: dict[str, str] = {}
    for kind in WORKLOADS:
        for name, workload in _tables(system, kind):
            if name in taken:
                yield Misfit(
                    (kind, name),
                    f"a second workload named {name}, beside {taken[name]}.{name}",
                    "a name once among services, workers and jobs",
                    "rename one of them",
                )
            taken.setdefault(name, kind)
            for variable, reference in _mapping(workload, "secrets").items():
                if isinstance(reference, str):
                    secret = reference.partition(":")[0]
                    yield from _dangling(
                        system, (kind, name, "secrets", variable), secret, "secrets"
                    )
            for stores in ("databases", "caches"):
                for index, store in enumerate(_texts(workload.get(stores))):
                    yield from _dangling(system, (kind, name, stores, index), store, stores)
            for index, called in enumerate(_texts(workload.get("calls"))):
                yield from _dangling(system, (kind, name, "calls", index), called, "services")


def _schedules(system: Mapping[str, Any]) -> Iterator[Misfit]:
    for name, schedule in _tables(system, "schedules"):
        call = _mapping(schedule, "http")
        for field, kind in (("service", "services"), ("bearer_secret", "secrets")):
            if isinstance(call.get(field), str):
                yield from _dangling(system, ("schedules", name, "http", field), call[field], kind)
        if call and not _mapping(system, "ingress"):
            yield Misfit(
                ("schedules", name, "http"),
                "an HTTP call, and no ingress to call through",
                "an ingress, or a job instead of the call",
                "declare ingress: with its domain",
            )
        if isinstance(schedule.get("job"), str):
            yield from _dangling(system, ("schedules", name, "job"), schedule["job"], "jobs")


def _ways_in(system: Mapping[str, Any]) -> Iterator[Misfit]:
    services = [name for name, _ in _tables(system, "services")]
    if not services:
        return
    if not _mapping(system, "ingress"):
        yield Misfit(
            ("services",),
            "services without an ingress",
            "an ingress wherever there are services",
            "declare ingress: with its domain, or make them workers",
        )
    defaults = [n for n, service in _tables(system, "services") if service.get("default_route")]
    if len(defaults) == 1:
        return
    path: tuple[str | int, ...] = ("services",)
    if defaults:
        path = ("services", defaults[-1], "default_route")
    yield Misfit(
        path,
        f"default_route: true in {listing(defaults, 'no service')}",
        "exactly one service that takes what no route takes",
        f"set default_route: true in one of {', '.join(services)}",
    )


def _routes(system: Mapping[str, Any]) -> Iterator[Misfit]:
    priorities: dict[int, str] = {}
    for name, service in _tables(system, "services"):
        routes = service.get("routes") or ()
        if not routes and not service.get("default_route"):
            yield Misfit(
                ("services", name),
                "neither routes nor default_route",
                "a way for requests to reach the service",
                "give it routes: with paths and a priority, or make it a worker",
            )
        for index, route in enumerate(routes if isinstance(routes, list | tuple) else ()):
            priority = route.get("priority") if isinstance(route, Mapping) else None
            if not isinstance(priority, int):
                continue
            if priority in priorities:
                yield Misfit(
                    ("services", name, "routes", index, "priority"),
                    f"{priority}, which a route of {priorities[priority]} has",
                    "each priority once: the lowest is asked first",
                    "take another number",
                )
            priorities.setdefault(priority, name)


def _way_out(system: Mapping[str, Any]) -> Iterator[Misfit]:
    """What the rotation function has to renew, where it could call nobody."""
    if _mapping(system, "network").get("nat_gateways") != "none":
        return
    renewed = [
        *(f"databases.{name}" for name, _ in _tables(system, "databases")),
        *(f"caches.{name}" for name, _ in _tables(system, "caches")),
        *(
            f"secrets.{name}.rotation_days"
            for name, secret in _tables(system, "secrets")
            if secret.get("rotation_days") and secret.get("generate_length")
        ),
    ]
    if renewed:
        yield Misfit(
            ("network", "nat_gateways"),
            f"none, with {', '.join(renewed)}",
            "one or per_zone where a password is rotated: the function that does it is private",
            "take one, or leave those out",
        )


def _dangling(
    system: Mapping[str, Any], path: tuple[str | int, ...], found: str, kind: str
) -> Iterator[Misfit]:
    declared = _mapping(system, kind)
    if found in declared:
        return
    near = did_you_mean(found, declared)
    yield Misfit(
        path,
        f'"{found}", which is not declared under {kind}',
        listing(sorted(declared), f"a name under {kind}: none is declared yet"),
        f"did you mean {near}?" if near else f"declare {kind}.{found}, or take a declared name",
    )


def _tables(system: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, value in _mapping(system, kind).items():
        if isinstance(value, Mapping):
            yield name, value


def _mapping(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []
