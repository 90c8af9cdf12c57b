"""A workload with a port, behind the load balancer."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components import containers
from components.alarms import expression_query, metric_alarm, metric_query
from components.base import Component, Context, known, shortened
from components.ingress import Ingress
from components.running import declare_running, declare_task_alarms
from components.service_objectives import declare_objectives
from components.task import Platform, declare_task
from systems import model

_RUNBOOK = "service-failure"
_LAST_PRIORITY = 50000
"""The default route's place among the listener's rules: the last that AWS allows."""


class Service(Component):
    """Fargate tasks that the load balancer sends requests to.

    Three checks: the container's own (liveness, over loopback), the target group's (readiness),
    and the deployment's (alarms on errors), each of which ends or takes back what fails it.
    """

    service: aws.ecs.Service
    target_group: aws.lb.TargetGroup

    def __init__(
        self,
        name: str,
        args: model.Service,
        context: Context,
        platform: Platform,
        opts: pulumi.ResourceOptions | None = None,
        *,
        registry_arn: pulumi.Input[str] | None = None,
    ) -> None:
        """`registry_arn` is where its tasks say how other services reach them."""
        super().__init__("Service", name, context, opts)
        if platform.ingress is None:
            raise ValueError(f"service {name} needs an ingress: without one it is a worker")
        ingress = platform.ingress
        self.name = name
        self.service_name = context.name(name)
        task = declare_task(
            self,
            name,
            args,
            platform,
            port=args.port,
            health=args.health,
            health_command=args.health.command
            or containers.liveness_command(args.port, args.liveness_path),
        )
        group = self._security_group(args, platform, ingress)
        self.port = args.port
        self.security_group_id = group.id
        self.target_group = self._target_group(args, platform)
        rules = self._routes(args, ingress)
        rollback_alarms = self._request_alarms(args, platform, ingress)
        self.service = declare_running(
            self,
            name,
            args,
            platform,
            task,
            security_groups=[task.access_group_id, group.id],
            target_group_arn=self.target_group.arn,
            port=args.port,
            grace_seconds=args.health.start_period_seconds + 2 * args.health.interval_seconds,
            rollback_alarms=rollback_alarms,
            registry_arn=registry_arn,
            after=[*rules],
        )
        declare_task_alarms(self, name, args, platform, task, runbook=_RUNBOOK)
        self.register_outputs({"service": self.service_name})

    def may_call(self, called: Service) -> None:
        """Let this service's tasks, and no others, reach another's port."""
        name = f"{self.name}-calls-{called.name}"
        physical = self.context.name(name)
        aws.vpc.SecurityGroupEgressRule(
            name,
            security_group_id=self.security_group_id,
            description=f"To {called.name}",
            ip_protocol="tcp",
            from_port=called.port,
            to_port=called.port,
            referenced_security_group_id=called.security_group_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=called.security_group_id,
            description=f"From {self.name}",
            ip_protocol="tcp",
            from_port=called.port,
            to_port=called.port,
            referenced_security_group_id=self.security_group_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )

    def _security_group(
        self, args: model.Service, platform: Platform, ingress: Ingress
    ) -> aws.ec2.SecurityGroup:
        """Only the load balancer reaches the port, and only the port."""
        physical = self.service_name
        group = aws.ec2.SecurityGroup(
            self.name,
            name=physical,
            description=f"What may call {self.name}",
            vpc_id=platform.network.vpc_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupIngressRule(
            self.name,
            security_group_id=group.id,
            description="From the load balancer",
            ip_protocol="tcp",
            from_port=args.port,
            to_port=args.port,
            referenced_security_group_id=ingress.security_group_id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupEgressRule(
            self.name,
            security_group_id=ingress.security_group_id,
            description=f"To {self.name}",
            ip_protocol="tcp",
            from_port=args.port,
            to_port=args.port,
            referenced_security_group_id=group.id,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        return group

    def _target_group(self, args: model.Service, platform: Platform) -> aws.lb.TargetGroup:
        # The port is in the name: changing it replaces the group, and the new one needs a name
        # of its own while the listener still uses the old.
        physical = shortened(f"{self.service_name}-{args.port}", 32)
        return aws.lb.TargetGroup(
            self.name,
            name=physical,
            port=args.port,
            protocol="HTTP",
            target_type="ip",
            vpc_id=platform.network.vpc_id,
            deregistration_delay=args.deregistration_delay_seconds,
            health_check={
                "enabled": True,
                "path": args.readiness_path,
                "protocol": "HTTP",
                "port": "traffic-port",
                "matcher": "200",
                "interval": max(15, args.readiness_timeout_seconds + 5),
                "timeout": args.readiness_timeout_seconds,
                "healthy_threshold": 2,
                "unhealthy_threshold": 3,
            },
            stickiness={
                "type": "lb_cookie",
                "enabled": args.sticky_seconds is not None,
                "cookie_duration": args.sticky_seconds or 86400,
            },
            tags=self.tagged(physical),
            opts=self.child(),
        )

    def _routes(self, args: model.Service, ingress: Ingress) -> list[aws.lb.ListenerRule]:
        routes = [(route.priority, list(route.paths)) for route in args.routes]
        if args.default_route:
            routes.append((_LAST_PRIORITY, ["/*"]))
        return [
            aws.lb.ListenerRule(
                f"{self.name}-{priority}",
                listener_arn=ingress.listener.arn,
                priority=priority,
                conditions=[{"path_pattern": {"values": paths}}],
                actions=[{"type": "forward", "target_group_arn": self.target_group.arn}],
                tags=self.tagged(self.service_name),
                opts=self.child(),
            )
            for priority, paths in routes
        ]

    def _down_alarm(
        self, minutes: int, platform: Platform, dimensions: dict[str, pulumi.Input[str]]
    ) -> None:
        """No target of any zone is ready. Without registered targets there is no word at all."""
        metric_alarm(
            self,
            f"{self.name}-down",
            topics=platform.topics,
            severity="critical",
            description=f"No target of {self.name} has been ready for {minutes} min: it is down.",
            runbook=_RUNBOOK,
            namespace="AWS/ApplicationELB",
            metric="HealthyHostCount",
            statistic="Maximum",
            dimensions=dimensions,
            comparison="LessThanThreshold",
            threshold=1,
            evaluation_periods=minutes,
            missing_data="breaching",
        )

    def _request_alarms(
        self, args: model.Service, platform: Platform, ingress: Ingress
    ) -> list[pulumi.Input[str]]:
        """Alarms on what callers get. Returns the names of those that stop a deployment."""
        topics = platform.topics
        dimensions: dict[str, pulumi.Input[str]] = {
            "LoadBalancer": ingress.arn_suffix,
            "TargetGroup": self.target_group.arn_suffix,
        }
        metric_alarm(
            self,
            f"{self.name}-unhealthy",
            topics=topics,
            severity="critical",
            description=f"A target of {self.name} has not been ready for 3 minutes.",
            runbook=_RUNBOOK,
            namespace="AWS/ApplicationELB",
            metric="UnHealthyHostCount",
            statistic="Maximum",
            dimensions=dimensions,
            threshold=0,
            evaluation_periods=3,
            missing_data="notBreaching",
        )
        if args.alarms.down_minutes is not None:
            self._down_alarm(args.alarms.down_minutes, platform, dimensions)
        if args.alarms.response_p95_ms is not None:
            metric_alarm(
                self,
                f"{self.name}-response-time",
                topics=topics,
                severity=args.alarms.load_severity,
                description=(
                    f"One request in twenty to {self.name} takes longer than "
                    f"{args.alarms.response_p95_ms:g} ms."
                ),
                runbook=_RUNBOOK,
                namespace="AWS/ApplicationELB",
                metric="TargetResponseTime",
                statistic="p95",
                dimensions=dimensions,
                threshold=args.alarms.response_p95_ms / 1000,
                evaluation_periods=5,
                datapoints_to_alarm=3,
                missing_data="notBreaching",
            )
        declare_objectives(
            self, self.name, args.alarms, dimensions, topics=topics, runbook=_RUNBOOK
        )
        percent = args.alarms.error_rate_percent
        if percent is None:
            return []
        period = args.alarms.error_rate_period_seconds
        alarm = metric_alarm(
            self,
            f"{self.name}-error-rate",
            topics=topics,
            severity="critical",
            description=f"More than {percent:g} % of the requests to {self.name} fail (5xx).",
            runbook=_RUNBOOK,
            queries=[
                metric_query(
                    "requests",
                    namespace="AWS/ApplicationELB",
                    metric="RequestCount",
                    statistic="Sum",
                    period_seconds=period,
                    dimensions=dimensions,
                ),
                metric_query(
                    "errors",
                    namespace="AWS/ApplicationELB",
                    metric="HTTPCode_Target_5XX_Count",
                    statistic="Sum",
                    period_seconds=period,
                    dimensions=dimensions,
                ),
                expression_query(
                    "rate", "100 * FILL(errors, 0) / requests", label="Failed requests, percent"
                ),
            ],
            threshold=percent,
            missing_data="notBreaching",
        )
        return [known(self.context.name(f"{self.name}-error-rate"), alarm)]
