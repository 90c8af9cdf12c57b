"""PostgreSQL on RDS, with what it must not be without."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.alarms import Topics
from components.base import Component, Context, known, shortened
from components.encryption import Key, Statement
from components.network import Network
from components.postgres_alarms import instance_alarms, pool_alarms, replica_alarm
from components.postgres_parameters import family, parameters
from components.postgres_pool import Pool
from components.postgres_readers import Readers
from components.postgres_slow_queries import slow_query_alarm
from components.rotation import RotationFunction
from components.secret import Entry, restart_tags
from systems import model

PORT = 5432
MIGRATION_USERNAME = "migration"
CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
SERVER_LOG = "postgresql"
LOG_EXPORTS = (SERVER_LOG, "upgrade")
_MONITORING_POLICY = "iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
_EVENTS = (
    "availability",
    "failover",
    "failure",
    "low storage",
    "maintenance",
    "read replica",
    "recovery",
)
# Below 400 GB gp3 has 3000 IOPS of its own; io2 has none.
_IO2_IOPS = 3000


class Postgres(Component):
    """An RDS instance with its own key, its pool, its roles' secrets and its alarms.

    Nobody is given the master password: RDS keeps it in a secret and rotates it. Applications
    have a role of their own (`application_secret_name`), migrations another, which may change
    tables (`migration_secret_name`); the rotation function makes both roles. A secret is JSON with
    engine, username, password, host, port, dbname and url; the function fills it at once.

    AWS raises the minor version by itself when `engine_version` names the major alone (`16`); a
    minor that is written out (`16.9`) stays, else the next deployment would try to go back to it.
    """

    def __init__(
        self,
        name: str,
        args: model.Database,
        context: Context,
        network: Network | None = None,
        *,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
        rotation: RotationFunction | None = None,
        restart: Sequence[str] = (),
        log_retention_days: int = 90,
    ) -> None:
        """Without `network` or `rotation` the database declares its own.

        `restart`: ECS services (`<cluster>/<service>`) that are deployed anew when the
        application's password has changed.
        """
        super().__init__("Postgres", name, context, opts)
        _check(name, args)
        self.name = name
        self.args = args
        self.topics = topics
        self.log_retention_days = log_retention_days
        self.identifier = shortened(context.name(name), 60)
        self.instance_arn = context.arn("rds", f"db:{self.identifier}")
        self.port = PORT
        self.network = network or Network(f"{name}-network", model.Network(), context, self.child())
        self.rotation = rotation or RotationFunction(
            f"{name}-rotation", context, self.network, topics, self.child()
        )
        self.key = Key(f"database-{name}", f"Database {name}", context, opts=self.child())
        self.key_alias = self.key.alias
        self._instance_group = self._security_group(name, "instance")
        self.instance = self._declare_instance()
        self.instance_address: pulumi.Output[str] = self.instance.address
        self.instance_port: pulumi.Output[int] = self.instance.port
        self.master_secret_arn: pulumi.Output[str] = self.instance.master_user_secrets.apply(
            lambda secrets: str(secrets[0].secret_arn) if secrets else ""
        )
        self._declare_access(restart)
        self.readers: Readers | None = None
        self.replicas: list[aws.rds.Instance] = []
        if args.read_replica_count:
            self.readers = Readers(self, name, args.read_replica_count, self.network.vpc_id)
            guard = self.readers.security_group_id
            self.replicas = [self._replica(n + 1, guard) for n in range(args.read_replica_count)]
            self.readers.publish(self.replicas)
        instance_alarms(self, name, args, topics, self.instance.identifier)
        slow_query_alarm(self, name, args, topics, self._server_log)
        self._subscribe()
        self.register_outputs({"identifier": self.identifier, "endpoint": self.endpoint})

    def allow_from(self, security_group_id: pulumi.Input[str], name: str) -> None:
        """Let what has this security group connect."""
        self._allow(self.security_group_id, security_group_id, f"{self.name}-from-{name}")
        if self.readers:
            part = f"{self.readers.name}-from-{name}"
            self._allow(self.readers.security_group_id, security_group_id, part)

    def read_statements(self) -> list[Statement]:
        """What a role needs to read the application's secret, known at preview."""
        return self.application.read_statements()

    def reader_statements(self) -> list[Statement]:
        """What a role needs to learn where the read replicas are; none without any."""
        return [self.readers.read_statement()] if self.readers else []

    def _declare_instance(self) -> aws.rds.Instance:
        args, context, name = self.args, self.context, self.name
        subnets = self._subnet_group()
        group = self._parameter_group()
        insights = args.performance_insights_days > 0
        return aws.rds.Instance(
            name,
            identifier=self.identifier,
            engine="postgres",
            engine_version=args.engine_version,
            auto_minor_version_upgrade="." not in args.engine_version,
            instance_class=args.instance_class,
            db_name=args.database_name,
            username=args.master_username,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=self.key.arn,
            allocated_storage=args.storage_gb,
            max_allocated_storage=args.max_storage_gb,
            storage_type=args.storage_type,
            iops=_IO2_IOPS if args.storage_type == "io2" else None,
            storage_encrypted=args.storage_encrypted,
            kms_key_id=self.key.arn if args.storage_encrypted else None,
            ca_cert_identifier=CERTIFICATE_AUTHORITY,
            multi_az=args.multi_az,
            publicly_accessible=args.publicly_accessible,
            db_subnet_group_name=subnets,
            vpc_security_group_ids=[self._instance_group],
            parameter_group_name=group,
            deletion_protection=args.deletion_protection,
            backup_retention_period=args.backup_retention_days,
            backup_window=args.backup_window,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not context.protect,
            skip_final_snapshot=not args.final_snapshot,
            final_snapshot_identifier=f"{self.identifier}-final" if args.final_snapshot else None,
            maintenance_window=args.maintenance_window,
            # Where nothing is protected nobody waits for the maintenance window.
            apply_immediately=not context.protect,
            enabled_cloudwatch_logs_exports=list(LOG_EXPORTS),
            performance_insights_enabled=insights,
            performance_insights_kms_key_id=self.key.arn if insights else None,
            performance_insights_retention_period=args.performance_insights_days or None,
            monitoring_interval=args.monitoring_interval_seconds,
            monitoring_role_arn=self._monitoring_role(),
            tags=self.tagged(self.identifier),
            opts=self.child(protect=context.protect, depends_on=self._logs()),
        )

    def _declare_access(self, restart: Sequence[str]) -> None:
        """The roles' secrets, the pool, and the rotation that makes the roles."""
        args, name = self.args, self.name
        self.proxy_name = shortened(self.context.name(name), 60) if args.pooling else None
        self.application = self._entry("application", args.application_username, restart)
        self.migration = self._entry("migration", MIGRATION_USERNAME, ())
        self.application_secret_name = self.application.secret_name
        self.application_secret_arn = self.application.arn
        self.migration_secret_name = self.migration.secret_name
        self.migration_secret_arn = self.migration.arn
        pool = self._pool()
        self.proxy = pool.proxy if pool else None
        self.endpoint: pulumi.Output[str] = pool.proxy.endpoint if pool else self.instance.address
        self._allow(self._instance_group, self.rotation.security_group_id, f"{name}-from-rotation")
        days = args.application_password_rotation_days
        needed = [self.instance, *([pool.proxy] if pool else [])]
        rotated = [
            entry.rotate(self.rotation, days, needed, at_once=True)
            for entry in (self.application, self.migration)
        ]
        if pool:
            pool.join(self.instance, rotated)
            proxy_name = known(pool.proxy_name, pool.proxy)
            pool_alarms(self, name, args, self.topics, proxy_name)

    def _entry(self, role: str, username: str, restart: Sequence[str]) -> Entry:
        """A role's secret. No password is in it until the rotation function makes one, so that
        none is ever in the engine's state."""
        others = {"application": MIGRATION_USERNAME, "migration": self.args.application_username}
        first = {
            "engine": "postgres",
            "username": username,
            "dbname": self.args.database_name,
        }
        return Entry(
            f"{self.name}-{role}",
            self.context,
            path=(self.name, role),
            description=f"Database {self.name}: the {role}'s role",
            key=self.key,
            value=json.dumps(first),
            recovery_window_days=30 if self.context.protect else 0,
            rotation={
                "gonogo:rotation": "postgres",
                "gonogo:database": self.identifier,
                "gonogo:dbname": self.args.database_name,
                "gonogo:role": role,
                "gonogo:peer": others[role],
                "gonogo:proxy": self.proxy_name or "",
                **restart_tags(restart),
            },
            opts=self.child(),
        )

    def _pool(self) -> Pool | None:
        """The pool, and the way from its clients to it and from it to the instance."""
        if self.args.pooling is None or self.proxy_name is None:
            self.security_group_id = self._instance_group
            return None
        name = self.name
        self.security_group_id = self._security_group(f"{name}-pool", "pool")
        self._allow(self._instance_group, self.security_group_id, f"{name}-from-pool")
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-pool-to-instance",
            security_group_id=self.security_group_id,
            description="To the instance",
            referenced_security_group_id=self._instance_group,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            tags=self.tagged(self.context.name(name, "pool-to-instance")),
            opts=self.child(),
        )
        return Pool(
            name,
            self.args.pooling,
            self,
            proxy_name=self.proxy_name,
            entries=(self.application, self.migration),
            subnet_ids=self.network.data_subnet_ids,
            security_group_id=self.security_group_id,
            tls_required=self.args.tls_required,
            log_retention_days=self.log_retention_days,
        )

    def _replica(self, number: int, group: pulumi.Output[str]) -> aws.rds.Instance:
        args = self.args
        part = f"{self.name}-replica-{number}"
        identifier = f"{self.identifier}-replica-{number}"
        insights = args.performance_insights_days > 0
        replica = aws.rds.Instance(
            part,
            identifier=identifier,
            replicate_source_db=self.instance.identifier,
            instance_class=args.instance_class,
            storage_encrypted=args.storage_encrypted,
            publicly_accessible=args.publicly_accessible,
            ca_cert_identifier=CERTIFICATE_AUTHORITY,
            vpc_security_group_ids=[group],
            parameter_group_name=self.instance.parameter_group_name,
            deletion_protection=args.deletion_protection,
            copy_tags_to_snapshot=True,
            skip_final_snapshot=True,
            auto_minor_version_upgrade="." not in args.engine_version,
            maintenance_window=args.maintenance_window,
            apply_immediately=not self.context.protect,
            performance_insights_enabled=insights,
            performance_insights_kms_key_id=self.key.arn if insights else None,
            performance_insights_retention_period=args.performance_insights_days or None,
            tags=self.tagged(identifier),
            opts=self.child(protect=self.context.protect),
        )
        replica_alarm(self, part, args, self.topics, replica.identifier)
        return replica

    def _subnet_group(self) -> pulumi.Output[str]:
        group = aws.rds.SubnetGroup(
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
        chosen = family(self.args.engine_version)
        physical = f"{self.identifier}-{chosen}"
        group = aws.rds.ParameterGroup(
            self.name,
            name=physical,
            family=chosen,
            description=f"Parameters of {self.identifier}",
            parameters=parameters(self.args),
            tags=self.tagged(physical),
            opts=self.child(),
        )
        return known(physical, group)

    def _logs(self) -> list[pulumi.Resource]:
        """The groups RDS exports to: made here, RDS would make them to be kept for ever."""
        groups: list[pulumi.Resource] = []
        for export in LOG_EXPORTS:
            physical = f"/aws/rds/instance/{self.identifier}/{export}"
            group = aws.cloudwatch.LogGroup(
                f"{self.name}-{export}",
                name=physical,
                retention_in_days=self.log_retention_days,
                tags=self.tagged(physical),
                opts=self.child(),
            )
            if export == SERVER_LOG:
                self._server_log = known(physical, group)
            groups.append(group)
        return groups

    def _monitoring_role(self) -> pulumi.Output[str] | None:
        """Enhanced monitoring writes to CloudWatch Logs with a role of the account.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html
        """
        if self.args.monitoring_interval_seconds == 0:
            return None
        context = self.context
        physical = f"{self.identifier}-watch"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "monitoring.rds.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnLike": {"aws:SourceArn": f"{self.instance_arn}*"}},
        }
        role = aws.iam.Role(
            f"{self.name}-monitoring",
            name=physical,
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            tags=self.tagged(physical),
            opts=self.child(),
        )
        policy = aws.iam.RolePolicyAttachment(
            f"{self.name}-monitoring",
            role=known(physical, role),
            policy_arn=f"arn:{context.partition}:{_MONITORING_POLICY}",
            opts=self.child(),
        )
        return known(context.arn("iam", f"role/{physical}", region=""), role, policy)

    def _security_group(self, part: str, what: str) -> pulumi.Output[str]:
        physical = self.context.name("database", part)
        group = aws.ec2.SecurityGroup(
            part,
            name=physical,
            description=f"Database {self.name}: {what}",
            vpc_id=self.network.vpc_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        return group.id

    def _allow(
        self, group: pulumi.Input[str], source: pulumi.Input[str], part: str
    ) -> aws.vpc.SecurityGroupIngressRule:
        return aws.vpc.SecurityGroupIngressRule(
            part,
            security_group_id=group,
            description=part.replace("-", " "),
            referenced_security_group_id=source,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            tags=self.tagged(self.context.name("database", part)),
            opts=self.child(),
        )

    def _subscribe(self) -> None:
        """What RDS itself has to say about the instance goes to the critical topic."""
        if self.topics is None:
            return
        aws.rds.EventSubscription(
            self.name,
            name=self.identifier,
            sns_topic=self.topics.arn("critical"),
            source_type="db-instance",
            source_ids=[self.instance.identifier],
            event_categories=list(_EVENTS),
            tags=self.tagged(self.identifier),
            opts=self.child(),
        )


def _check(name: str, args: model.Database) -> None:
    """The three roles of a database have three names."""
    taken = {args.master_username, MIGRATION_USERNAME}
    if args.application_username in taken or args.master_username == MIGRATION_USERNAME:
        raise ValueError(
            f"databases.{name}: master_username, application_username and {MIGRATION_USERNAME!r} "
            "(the migrations' role) have to be three different names"
        )
