"""The way in: a load balancer with TLS, a web ACL, access logs and security headers."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.access_logs import AccessLogs
from components.alarms import Topics, metric_alarm
from components.base import Component, Context, shortened
from components.network import Network
from components.waf import Firewall
from systems import model

_RUNBOOK = "load-balancer"
_EXPIRY_DAYS = 30
"""ACM renews 60 days before the end; half of that gone means the renewal does not work."""

TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains"
# What holds for every application; sources of scripts and styles are the application's to say.
CONTENT_SECURITY = "frame-ancestors 'none'; base-uri 'self'; object-src 'none'"


class Ingress(Component):
    """An application load balancer open to the internet on 80 and 443.

    Port 80 only redirects. What no service's route takes is answered 404. Services attach
    themselves with their own rules (`listener`, `security_group_id`).
    """

    url: str
    listener: aws.lb.Listener
    load_balancer: aws.lb.LoadBalancer
    security_group_id: pulumi.Output[str]
    arn_suffix: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: model.Ingress,
        context: Context,
        network: Network,
        topics: Topics | None = None,
        *,
        opts: pulumi.ResourceOptions | None = None,
        log_retention_days: int = 30,
    ) -> None:
        super().__init__("Ingress", name, context, opts)
        self.name = name
        self.url = f"https://{args.domain}"
        self.load_balancer_name = shortened(context.name(name), 32)
        self.security_group_id = self._security_group(network)
        self.load_balancer = self._load_balancer(args, network)
        self.arn_suffix = self.load_balancer.arn_suffix
        certificate_arn = self._certificate(args)
        self.listener = self._https(args, certificate_arn)
        self._redirect()
        if args.hosted_zone_id:
            self._alias(args, args.hosted_zone_id)
        Firewall(
            f"{name}-firewall",
            args.rate_limits,
            self.load_balancer.arn,
            context,
            topics,
            opts=self.child(),
            log_retention_days=log_retention_days,
            large_body_paths=args.large_body_paths,
        )
        self._alarms(topics, certificate_arn)
        self.register_outputs({"url": self.url, "dns_name": self.load_balancer.dns_name})

    def _security_group(self, network: Network) -> pulumi.Output[str]:
        group = aws.ec2.SecurityGroup(
            self.name,
            name=self.context.name(self.name),
            description="The load balancer: the only thing the internet reaches",
            vpc_id=network.vpc_id,
            tags=self.tagged(self.context.name(self.name)),
            opts=self.child(),
        )
        for port, purpose in ((443, "HTTPS"), (80, "HTTP, redirected")):
            aws.vpc.SecurityGroupIngressRule(
                f"{self.name}-{port}",
                security_group_id=group.id,
                description=f"{purpose}, from the internet",
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                cidr_ipv4="0.0.0.0/0",
                tags=self.tagged(f"{self.context.name(self.name)}-{port}"),
                opts=self.child(),
            )
        return group.id

    def _load_balancer(self, args: model.Ingress, network: Network) -> aws.lb.LoadBalancer:
        logs = AccessLogs(
            f"{self.name}-logs", args.access_log_retention_days, self.context, opts=self.child()
        )
        return aws.lb.LoadBalancer(
            self.name,
            name=self.load_balancer_name,
            load_balancer_type="application",
            internal=False,
            security_groups=[self.security_group_id],
            subnets=network.public_subnet_ids,
            idle_timeout=args.idle_timeout_seconds,
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            enable_deletion_protection=args.deletion_protection,
            access_logs={"bucket": logs.bucket_name, "enabled": True},
            tags=self.tagged(self.load_balancer_name),
            opts=self.child(
                # An internet-facing load balancer needs the internet gateway to be there.
                depends_on=[network, logs.ready],
                protect=self.context.protect or None,
            ),
        )

    def _certificate(self, args: model.Ingress) -> pulumi.Input[str]:
        if args.certificate_arn:
            return args.certificate_arn
        if not args.hosted_zone_id:
            raise ValueError(f"ingress {self.name}: neither certificate_arn nor hosted_zone_id")
        certificate = aws.acm.Certificate(
            self.name,
            domain_name=args.domain,
            validation_method="DNS",
            tags=self.tagged(args.domain),
            opts=self.child(),
        )
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{self.name}-proof",
            zone_id=args.hosted_zone_id,
            name=proof.resource_record_name.apply(str),
            type=proof.resource_record_type.apply(str),
            records=[proof.resource_record_value.apply(str)],
            ttl=300,
            allow_overwrite=True,  # the same name proves the domain for every certificate of it
            opts=self.child(),
        )
        return aws.acm.CertificateValidation(
            self.name,
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=self.child(),
        ).certificate_arn

    def _https(self, args: model.Ingress, certificate_arn: pulumi.Input[str]) -> aws.lb.Listener:
        headers = args.security_headers
        return aws.lb.Listener(
            f"{self.name}-https",
            load_balancer_arn=self.load_balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=args.tls_policy,
            certificate_arn=certificate_arn,
            default_actions=[
                {
                    "type": "fixed-response",
                    "fixed_response": {
                        "content_type": "application/json",
                        "status_code": "404",
                        "message_body": '{"error":"not found"}',
                    },
                }
            ],
            routing_http_response_server_enabled=False,
            routing_http_response_strict_transport_security_header_value=(
                TRANSPORT_SECURITY if headers else None
            ),
            routing_http_response_content_security_policy_header_value=(
                CONTENT_SECURITY if headers else None
            ),
            routing_http_response_x_content_type_options_header_value=(
                "nosniff" if headers else None
            ),
            routing_http_response_x_frame_options_header_value="DENY" if headers else None,
            tags=self.tagged(f"{self.load_balancer_name}-https"),
            opts=self.child(),
        )

    def _redirect(self) -> None:
        aws.lb.Listener(
            f"{self.name}-http",
            load_balancer_arn=self.load_balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[
                {
                    "type": "redirect",
                    "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"},
                }
            ],
            tags=self.tagged(f"{self.load_balancer_name}-http"),
            opts=self.child(),
        )

    def _alias(self, args: model.Ingress, zone: str) -> None:
        aws.route53.Record(
            self.name,
            zone_id=zone,
            name=args.domain,
            type="A",
            aliases=[
                {
                    "name": self.load_balancer.dns_name,
                    "zone_id": self.load_balancer.zone_id,
                    "evaluate_target_health": True,
                }
            ],
            opts=self.child(),
        )

    def _alarms(self, topics: Topics | None, certificate_arn: pulumi.Input[str]) -> None:
        for suffix, metric, threshold, description in (
            (
                "errors",
                "HTTPCode_ELB_5XX_Count",
                10,
                "The load balancer itself answered 5xx more than 10 times in 5 minutes.",
            ),
            (
                "connection-errors",
                "TargetConnectionErrorCount",
                10,
                "The load balancer could not connect to its targets 10 times in 5 minutes.",
            ),
            (
                "rejected",
                "RejectedConnectionCount",
                0,
                "The load balancer turned connections away: it has too many.",
            ),
        ):
            metric_alarm(
                self,
                f"{self.name}-{suffix}",
                topics=topics,
                severity="critical" if suffix == "errors" else "warning",
                description=description,
                runbook=_RUNBOOK,
                namespace="AWS/ApplicationELB",
                metric=metric,
                statistic="Sum",
                period_seconds=300,
                dimensions={"LoadBalancer": self.arn_suffix},
                threshold=threshold,
                missing_data="notBreaching",
            )
        metric_alarm(
            self,
            f"{self.name}-certificate",
            topics=topics,
            severity="warning",
            description=f"The certificate ends in less than {_EXPIRY_DAYS} days.",
            runbook="certificate-expiry",
            namespace="AWS/CertificateManager",
            metric="DaysToExpiry",
            statistic="Minimum",
            period_seconds=86400,
            dimensions={"CertificateArn": certificate_arn},
            comparison="LessThanThreshold",
            threshold=_EXPIRY_DAYS,
            missing_data="notBreaching",
        )
