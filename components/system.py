"""A whole system: everything that its YAML declares, wired together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi_aws as aws

from components.alarms import Topics
from components.backup import Backup
from components.base import Context
from components.bearer import Bearer, connection_name
from components.cluster import Cluster
from components.dashboard import Dashboard, Shown
from components.discovery import Discovery, addresses
from components.encryption import Key
from components.ingress import Ingress
from components.job import Job
from components.network import Network
from components.outputs import Outputs, of_cache, of_database
from components.parameter import Parameter, parameter_arn, variable
from components.postgres import Postgres
from components.redis import Redis
from components.rotation import RotationFunction
from components.schedule import Schedule
from components.secret import Secret
from components.service import Service
from components.system_alarms import Alarms, Health
from components.task import Platform
from components.worker import Worker
from systems.model import System


def declare(
    system: System,
    tier: str,
    region: str,
    tags: Mapping[str, str] | None = None,
    phase: str | None = None,
) -> Outputs:
    """Declare a system at a tier in a region. `tags` go on every resource that takes tags; `phase`
    stands in the tier's place in all names."""
    identity = aws.get_caller_identity()
    context = Context(
        code=system.code,
        tier=tier,
        region=region,
        account=identity.account_id,
        partition=identity.arn.split(":")[1],
        protect=system.protect,
        tags=dict(tags or {}),
        runbook_base_url=system.runbook_base_url,
        phase=phase,
    )
    return _Declaration(system, context).outputs()


class _Declaration:
    """One system being declared, part by part; each part uses those before it."""

    def __init__(self, system: System, context: Context) -> None:
        self.system = system
        self.context = context
        self.topics = Topics("alerts", system.notifications, context)
        self.network = Network("network", system.network, context)
        self.cluster = Cluster(
            "cluster",
            context,
            self.network,
            self.topics,
            tracing=system.tracing.enabled,
            parameters=[parameter_arn(context, name) for name in system.parameters],
        )
        self.rotation = self._rotation()
        self.databases = {
            name: Postgres(
                name,
                database,
                context,
                network=self.network,
                topics=self.topics,
                rotation=self.rotation,
                restart=self._users("databases", name),
            )
            for name, database in system.databases.items()
        }
        self.caches = {
            name: Redis(
                name,
                cache,
                context,
                network=self.network,
                topics=self.topics,
                rotation=self.rotation,
                restart=self._users("caches", name),
            )
            for name, cache in system.caches.items()
        }
        self.secrets = self._secrets()
        self.parameters = {
            name: Parameter(name, parameter, context)
            for name, parameter in system.parameters.items()
        }
        self.ingress = self._ingress()
        self.platform = self._platform()
        self.services = self._services()
        self.workers = {
            name: Worker(name, worker, context, self.platform)
            for name, worker in system.workers.items()
        }
        self.jobs = {
            name: Job(name, job, context, self.platform) for name, job in system.jobs.items()
        }
        self._schedules()
        if system.backup and self.databases:
            Backup(
                "backup",
                system.backup,
                context,
                databases=list(self.databases.values()),
                topics=self.topics,
            )
        Alarms("alarms", system.alarms, context, self.topics)
        self.health = Health("critical", context, self.topics)
        self.dashboard = self._dashboard()

    def _rotation(self) -> RotationFunction | None:
        """One function for all that rotates by itself; none when nothing does."""
        rotated = any(
            secret.rotation_days and secret.generate_length
            for secret in self.system.secrets.values()
        )
        if not (self.system.databases or self.system.caches or rotated):
            return None
        return RotationFunction("rotation", self.context, network=self.network, topics=self.topics)

    def _users(self, kind: str, name: str) -> list[str]:
        """The ECS services that a store's or secret's new value has to reach."""
        found = []
        for collection, workload_name, workload in self.system.workloads():
            if collection == "jobs":
                continue
            if kind == "secrets":
                named = {reference.partition(":")[0] for reference in workload.secrets.values()}
            else:
                named = set(getattr(workload, kind))
            if name in named:
                found.append(f"{self.cluster.cluster_name}/{self.context.name(workload_name)}")
        return found

    def _secrets(self) -> dict[str, Secret]:
        if not self.system.secrets:
            return {}
        key = Key("secrets", f"Secrets of {self.context.name()}", self.context)
        bearers = self._bearers()
        return {
            name: Secret(
                name,
                secret,
                self.context,
                rotation=self.rotation,
                key=key,
                connection=connection_name(self.context, name) if name in bearers else None,
                restart=self._users("secrets", name),
            )
            for name, secret in self.system.secrets.items()
        }

    def _bearers(self) -> set[str]:
        """The secrets that scheduled calls carry."""
        schedules = self.system.schedules.values()
        return {schedule.http.bearer_secret for schedule in schedules if schedule.http}

    def _ingress(self) -> Ingress | None:
        if self.system.ingress is None:
            return None
        return Ingress(
            "ingress",
            self.system.ingress,
            self.context,
            self.network,
            self.topics,
            log_retention_days=self.system.logs.retention_days,
        )

    def _platform(self) -> Platform:
        environment = {
            **{variable(name): one.parameter_name for name, one in self.parameters.items()},
            **self.system.environment,
        }
        if self.system.ingress:
            environment.setdefault("CORS_ORIGINS", ",".join(self.system.ingress.cors_origins))
        return Platform(
            network=self.network,
            cluster=self.cluster,
            topics=self.topics,
            ingress=self.ingress,
            databases=self.databases,
            caches=self.caches,
            secrets=self.secrets,
            environment=environment,
            logs=self.system.logs,
            tracing=self.system.tracing,
        )

    def _services(self) -> dict[str, Service]:
        """Services, and what they may ask of each other."""
        declared = self.system.services
        called = sorted({name for service in declared.values() for name in service.calls})
        discovery = Discovery("discovery", self.context, self.network) if called else None
        services = {}
        for name, service in declared.items():
            reached = addresses({one: declared[one].port for one in service.calls}, self.context)
            services[name] = Service(
                name,
                service,
                self.context,
                replace(self.platform, environment={**reached, **self.platform.environment}),
                registry_arn=discovery.registry(name) if discovery and name in called else None,
            )
        for name, service in declared.items():
            for one in service.calls:
                services[name].may_call(services[one])
        return services

    def _schedules(self) -> None:
        bearers = {
            name: Bearer(name, self.secrets[name], self.context) for name in sorted(self._bearers())
        }
        for name, schedule in self.system.schedules.items():
            Schedule(
                name,
                schedule,
                self.context,
                self.topics,
                url=self.ingress.url if self.ingress else None,
                bearer=bearers[schedule.http.bearer_secret] if schedule.http else None,
                job=self.jobs[schedule.job] if schedule.job else None,
                cluster=self.cluster,
                network=self.network,
            )

    def _dashboard(self) -> Dashboard:
        system = self.system
        running = [
            *(service.service_name for service in self.services.values()),
            *(worker.service_name for worker in self.workers.values()),
        ]
        scaled = {name: worker.autoscaling for name, worker in system.workers.items()}
        shown = Shown(
            alarms=[alarm.name for alarm in self.topics.declared],
            cluster=self.cluster.cluster_name,
            workloads=running,
            load_balancer=self.ingress.load_balancer_name if self.ingress else None,
            queues={name: one.queue for name, one in scaled.items() if one and one.queue},
            databases=[database.identifier for database in self.databases.values()],
            proxies=[one.proxy_name for one in self.databases.values() if one.proxy_name],
            caches=[cache.identifier for cache in self.caches.values()],
            dashboards=list(system.dashboards.values()),
        )
        return Dashboard("dashboard", shown, self.context, title=f"{system.title}: health")

    def outputs(self) -> Outputs:
        """What a person and the operations need to know of it."""
        system = self.system
        declared = self.topics.declared
        critical = sum(alarm.severity == "critical" for alarm in declared)
        return Outputs(
            system=system.name,
            tier=self.context.tier,
            phase=self.context.phase,
            region=self.context.region,
            url=self.ingress.url if self.ingress else None,
            load_balancer=self.ingress.load_balancer.dns_name if self.ingress else None,
            cluster=self.cluster.cluster_name,
            databases={name: of_database(one) for name, one in self.databases.items()},
            caches={name: of_cache(one) for name, one in self.caches.items()},
            workloads={
                name: {
                    "service": self.context.name(name),
                    "image": workload.image,
                    "log_group": self.context.path(name),
                }
                for _, name, workload in system.workloads()
            },
            jobs={name: self._job(one) for name, one in self.jobs.items()},
            secrets_to_fill={
                self.secrets[name].secret_name: {"fill": secret.fill}
                for name, secret in system.secrets.items()
                if secret.fill
            },
            parameters={name: one.parameter_name for name, one in self.parameters.items()},
            topics={
                "critical": self.topics.arn("critical"),
                "warning": self.topics.arn("warning"),
            },
            alarms={"critical": critical, "warning": len(declared) - critical},
            health_alarm=self.health.alarm_name,
            dashboard=self.dashboard.url,
        )

    def _job(self, job: Job) -> dict[str, Any]:
        """What RunTask needs to run it."""
        return {
            "family": job.family,
            "subnets": self.network.workload_subnet_ids,
            "security_groups": [job.access_group_id],
            "public_address": self.network.workloads_are_public,
        }
