"""Redis or Valkey on ElastiCache, with what it must not be without."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.alarms import Topics
from components.base import Component, Context, known, shortened
from components.encryption import Key, Statement
from components.network import Network
from components.redis_alarms import declare_alarms
from components.redis_nodes import family, shards
from components.rotation import RotationFunction
from components.secret import Entry, generated, restart_tags
from systems import model

PORT = 6379
_TOKEN_LENGTH = 64
_LOGS = ("slow-log", "engine-log")


class Redis(Component):
    """A replication group with its own key, its token's secret and its alarms.

    The token (AUTH) is made by Secrets Manager and rotated by the rotation function, for the first
    time at once: a deployment that was cut short between group and secret may have left two tokens,
    and the rotation makes them one again. ElastiCache goes on accepting the token before the
    current one. The secret is JSON with password, host, port and url.
    """

    def __init__(
        self,
        name: str,
        args: model.Cache,
        context: Context,
        network: Network | None = None,
        *,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
        rotation: RotationFunction | None = None,
        rotation_days: int = 30,
        restart: Sequence[str] = (),
        log_retention_days: int = 90,
    ) -> None:
        """Without `network` or `rotation` the cache declares its own.

        `restart`: ECS services (`<cluster>/<service>`) that are deployed anew when the token has
        changed.
        """
        super().__init__("Redis", name, context, opts)
        _check(name, args)
        self.name = name
        self.args = args
        self.identifier = shortened(context.name(name), 40)
        self.port = PORT
        self.network = network or Network(f"{name}-network", model.Network(), context, self.child())
        self.key = Key(f"cache-{name}", f"Cache {name}", context, opts=self.child())
        self.key_alias = self.key.alias
        self.security_group_id = self._security_group()
        token = generated(context, _TOKEN_LENGTH) if args.auth else None
        self.group = self._declare_group(token, log_retention_days)
        group = self.group
        self.endpoint: pulumi.Output[str] = (
            group.configuration_endpoint_address
            if args.cluster_mode
            else group.primary_endpoint_address
        )
        self.reader_endpoint: pulumi.Output[str] | None = (
            None if args.cluster_mode else group.reader_endpoint_address
        )
        self.entry = self._entry(token, restart) if token else None
        self.secret_name = self.entry.secret_name if self.entry else None
        self.secret_arn = self.entry.arn if self.entry else None
        if self.entry:
            function = rotation or RotationFunction(
                f"{name}-rotation", context, self.network, topics, self.child()
            )
            self.allow_from(function.security_group_id, "rotation")
            self.entry.rotate(function, rotation_days, [group], at_once=True)
        declare_alarms(self, name, args, topics, shards(self.identifier, args, group))
        self.register_outputs({"identifier": self.identifier, "endpoint": self.endpoint})

    def allow_from(self, security_group_id: pulumi.Input[str], name: str) -> None:
        """Let what has this security group connect."""
        part = f"{self.name}-from-{name}"
        aws.vpc.SecurityGroupIngressRule(
            part,
            security_group_id=self.security_group_id,
            description=part.replace("-", " "),
            referenced_security_group_id=security_group_id,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            tags=self.tagged(self.context.name("cache", part)),
            opts=self.child(),
        )

    def read_statements(self) -> list[Statement]:
        """What a role needs to read the cache's secret, known at preview; none without a token."""
        return self.entry.read_statements() if self.entry else []

    def _declare_group(
        self, token: pulumi.Output[str] | None, log_retention_days: int
    ) -> aws.elasticache.ReplicationGroup:
        args, context = self.args, self.context
        nodes = args.replicas_per_shard + 1
        return aws.elasticache.ReplicationGroup(
            self.name,
            replication_group_id=self.identifier,
            description=f"Cache {self.name} of {context.name()}",
            engine=args.engine,
            engine_version=args.engine_version,
            node_type=args.node_type,
            num_cache_clusters=None if args.cluster_mode else nodes,
            num_node_groups=args.shards if args.cluster_mode else None,
            replicas_per_node_group=args.replicas_per_shard if args.cluster_mode else None,
            automatic_failover_enabled=args.cluster_mode or args.replicas_per_shard > 0,
            multi_az_enabled=args.multi_az,
            parameter_group_name=self._parameter_group(),
            subnet_group_name=self._subnet_group(),
            security_group_ids=[self.security_group_id],
            at_rest_encryption_enabled=args.at_rest_encryption,
            kms_key_id=self.key.arn if args.at_rest_encryption else None,
            transit_encryption_enabled=args.transit_encryption,
            transit_encryption_mode="required" if args.transit_encryption else None,
            auth_token=token,
            auth_token_update_strategy="ROTATE" if token else None,
            snapshot_retention_limit=args.snapshot_retention_days,
            snapshot_window="03:00-04:00" if args.snapshot_retention_days else None,
            final_snapshot_identifier=f"{self.identifier}-final" if context.protect else None,
            maintenance_window="sun:06:00-sun:07:00",
            auto_minor_version_upgrade=True,
            apply_immediately=not context.protect,
            log_delivery_configurations=self._logs(log_retention_days),
            tags=self.tagged(self.identifier),
            # The rotation function changes the token; the one made first is not put back.
            opts=self.child(protect=context.protect, ignore_changes=["authToken"]),
        )

    def _entry(self, token: pulumi.Output[str], restart: Sequence[str]) -> Entry:
        scheme = "rediss" if self.args.transit_encryption else "redis"
        value = pulumi.Output.all(password=token, host=self.endpoint, port=self.group.port).apply(
            lambda it: json.dumps(
                {
                    "password": it["password"],
                    "host": it["host"],
                    "port": it["port"] or PORT,
                    "url": f"{scheme}://:{it['password']}@{it['host']}:{it['port'] or PORT}",
                }
            )
        )
        return Entry(
            self.name,
            self.context,
            path=(self.name, "auth"),
            description=f"Cache {self.name}: the token that opens it",
            key=self.key,
            value=value,
            recovery_window_days=30 if self.context.protect else 0,
            rotation={
                "gonogo:rotation": "redis",
                "gonogo:cache": self.identifier,
                **restart_tags(restart),
            },
            opts=self.child(),
        )

    def _security_group(self) -> pulumi.Output[str]:
        physical = self.context.name("cache", self.name)
        group = aws.ec2.SecurityGroup(
            self.name,
            name=physical,
            description=f"Cache {self.name}",
            vpc_id=self.network.vpc_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        return group.id

    def _subnet_group(self) -> pulumi.Output[str]:
        group = aws.elasticache.SubnetGroup(
            self.name,
            name=self.identifier,
            description=f"Data subnets for {self.identifier}",
            subnet_ids=self.network.data_subnet_ids,
            tags=self.tagged(self.identifier),
            opts=self.child(),
        )
        return known(self.identifier, group)

    def _parameter_group(self) -> pulumi.Output[str]:
        # The family is in the name: a new major version needs a new group beside the old.
        chosen = family(self.args.engine, self.args.engine_version)
        physical = f"{self.identifier}-{chosen.replace('.', '-')}"
        values = {
            "cluster-enabled": "yes" if self.args.cluster_mode else "no",
            "maxmemory-policy": self.args.maxmemory_policy,
        }
        group = aws.elasticache.ParameterGroup(
            self.name,
            name=physical,
            family=chosen,
            description=f"Parameters of {self.identifier}",
            parameters=[
                aws.elasticache.ParameterGroupParameterArgs(name=name, value=value)
                for name, value in values.items()
            ],
            tags=self.tagged(physical),
            opts=self.child(),
        )
        return known(physical, group)

    def _logs(
        self, retention_days: int
    ) -> list[aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs]:
        """Slow commands and the engine's own log, JSON, kept so long."""
        configurations = []
        for kind in _LOGS:
            # ElastiCache is let in by the log group's own policy where the name begins so.
            physical = f"/aws/elasticache/{self.identifier}/{kind}"
            group = aws.cloudwatch.LogGroup(
                f"{self.name}-{kind}",
                name=physical,
                retention_in_days=retention_days,
                tags=self.tagged(physical),
                opts=self.child(),
            )
            configurations.append(
                aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs(
                    destination=known(physical, group),
                    destination_type="cloudwatch-logs",
                    log_format="json",
                    log_type=kind,
                )
            )
        return configurations


def _check(name: str, args: model.Cache) -> None:
    if args.auth and not args.transit_encryption:
        raise ValueError(
            f"caches.{name}: auth: true needs transit_encryption: true, as ElastiCache takes no "
            "token over an open connection"
        )
