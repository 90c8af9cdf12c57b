"""What happens by the clock: EventBridge calls a service, or runs a job."""

from __future__ import annotations

import json
import math

import pulumi
import pulumi_aws as aws

from components.alarms import Topics, metric_alarm
from components.base import Component, Context, known, shortened
from components.bearer import Bearer
from components.cluster import Cluster, Role, declare_role
from components.job import Job
from components.network import Network
from systems import model

_RUNBOOK = "schedule-failure"
_KEPT_SECONDS = 14 * 24 * 3600
_DAY_MINUTES = 24 * 60


class Schedule(Component):
    """A rule, its target, a dead-letter queue, and alarms on failure and on silence."""

    def __init__(
        self,
        name: str,
        args: model.Schedule,
        context: Context,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        url: str | None = None,
        bearer: Bearer | None = None,
        job: Job | None = None,
        cluster: Cluster | None = None,
        network: Network | None = None,
    ) -> None:
        """An `http` schedule needs `url` (of the ingress) and `bearer`; a `job` schedule `job`,
        `cluster` and `network`."""
        super().__init__("Schedule", name, context, opts)
        self.name = name
        self.rule_name = shortened(context.name(name), 64)
        rule = aws.cloudwatch.EventRule(
            name,
            name=self.rule_name,
            description=f"{name}: {args.expression}",
            schedule_expression=args.expression,
            state="ENABLED" if args.enabled else "DISABLED",
            tags=self.tagged(self.rule_name),
            opts=self.child(),
        )
        self._rule = known(self.rule_name, rule)
        dead_letters = self._dead_letters()
        if args.http is not None:
            if url is None or bearer is None:
                raise ValueError(f"schedule {name} calls a service: give url and bearer")
            self._call(args, args.http, url, bearer, dead_letters)
        else:
            if job is None or cluster is None or network is None:
                raise ValueError(f"schedule {name} runs a job: give job, cluster and network")
            self._run(args, job, cluster, network, dead_letters)
            if topics:
                self._failed_runs(job, cluster, topics.arn(args.severity))
        self._alarms(args, topics)
        self.register_outputs({"rule": self.rule_name})

    def _dead_letters(self) -> pulumi.Output[str]:
        """Where an event ends that was not delivered in time; only this rule may write there."""
        physical = shortened(self.context.name(self.name, "failed"), 80)
        self._queue_name = physical
        queue = aws.sqs.Queue(
            self.name,
            name=physical,
            message_retention_seconds=_KEPT_SECONDS,
            sqs_managed_sse_enabled=True,
            tags=self.tagged(physical),
            opts=self.child(),
        )
        arn = self.context.arn("sqs", physical)
        policy = aws.sqs.QueuePolicy(
            self.name,
            queue_url=queue.url,
            policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "FromTheRule",
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": arn,
                            "Condition": {"ArnEquals": {"aws:SourceArn": self._rule_arn}},
                        },
                        {
                            "Sid": "TlsOnly",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "sqs:*",
                            "Resource": arn,
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                    ],
                }
            ),
            opts=self.child(),
        )
        return known(arn, queue, policy)

    @property
    def _rule_arn(self) -> str:
        return self.context.arn("events", f"rule/{self.rule_name}")

    def _call(
        self,
        args: model.Schedule,
        call: model.HttpCall,
        url: str,
        bearer: Bearer,
        dead_letters: pulumi.Output[str],
    ) -> None:
        physical = shortened(self.context.name(self.name), 64)
        destination = aws.cloudwatch.EventApiDestination(
            self.name,
            name=physical,
            description=f"{call.method} {call.path} of {call.service}",
            connection_arn=bearer.arn,
            http_method=call.method,
            invocation_endpoint=f"{url}{call.path}",
            invocation_rate_limit_per_second=10,
            opts=self.child(),
        )
        role = declare_role(
            self,
            f"{self.name}-call",
            "events",
            [
                {
                    "Effect": "Allow",
                    "Action": "events:InvokeApiDestination",
                    "Resource": self.context.arn("events", f"api-destination/{physical}/*"),
                }
            ],
        )
        aws.cloudwatch.EventTarget(
            self.name,
            rule=self._rule,
            target_id=call.service,
            arn=destination.arn,
            role_arn=role.granted,
            retry_policy=_retries(args),
            dead_letter_config={"arn": dead_letters},
            opts=self.child(),
        )

    def _run(
        self,
        args: model.Schedule,
        job: Job,
        cluster: Cluster,
        network: Network,
        dead_letters: pulumi.Output[str],
    ) -> None:
        aws.cloudwatch.EventTarget(
            self.name,
            rule=self._rule,
            target_id=args.job,
            arn=cluster.arn,
            role_arn=self._runner(job, cluster).granted,
            ecs_target={
                "task_definition_arn": job.latest,
                "task_count": 1,
                "launch_type": "FARGATE",
                "propagate_tags": "TASK_DEFINITION",
                "enable_ecs_managed_tags": True,
                "network_configuration": {
                    "subnets": network.workload_subnet_ids,
                    "security_groups": [job.access_group_id],
                    "assign_public_ip": network.workloads_are_public,
                },
            },
            retry_policy=_retries(args),
            dead_letter_config={"arn": dead_letters},
            opts=self.child(),
        )

    def _failed_runs(self, job: Job, cluster: Cluster, topic: pulumi.Output[str]) -> None:
        """EventBridge counts a task that started as a success: ECS says how it ended.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
        """
        name = f"{self.name}-run-failed"
        physical = shortened(self.context.name(name), 64)
        rule = aws.cloudwatch.EventRule(
            name,
            name=physical,
            description=f"A run of {job.family} failed",
            event_pattern=json.dumps(
                {
                    "source": ["aws.ecs"],
                    "detail-type": ["ECS Task State Change"],
                    "detail": {
                        "clusterArn": [self.context.arn("ecs", f"cluster/{cluster.cluster_name}")],
                        "taskDefinitionArn": [{"prefix": f"{job.arn}:"}],
                        "lastStatus": ["STOPPED"],
                        "$or": [
                            {"containers": {"exitCode": [{"anything-but": 0}]}},
                            {"stopCode": ["TaskFailedToStart"]},
                        ],
                    },
                }
            ),
            tags=self.tagged(physical),
            opts=self.child(),
        )
        runbook = self.context.runbook(_RUNBOOK)
        aws.cloudwatch.EventTarget(
            name,
            rule=known(physical, rule),
            target_id="topic",
            arn=topic,
            input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
                input_paths={"task": "$.detail.taskArn", "reason": "$.detail.stoppedReason"},
                input_template=f'"{self.name} failed: <task> <reason> Runbook: {runbook}"',
            ),
            opts=self.child(),
        )

    def _runner(self, job: Job, cluster: Cluster) -> Role:
        cluster_arn = self.context.arn("ecs", f"cluster/{cluster.cluster_name}")
        return declare_role(
            self,
            f"{self.name}-run",
            "events",
            [
                {
                    "Effect": "Allow",
                    "Action": "ecs:RunTask",
                    "Resource": [job.arn, f"{job.arn}:*"],
                    "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
                },
                {
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "Resource": [role.arn for role in job.roles],
                    "Condition": {
                        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
                    },
                },
                {
                    "Effect": "Allow",
                    "Action": "ecs:TagResource",
                    "Resource": self.context.arn("ecs", f"task/{cluster.cluster_name}/*"),
                    "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
                },
            ],
        )

    def _alarms(self, args: model.Schedule, topics: Topics | None) -> None:
        rule = {"RuleName": self._rule}
        metric_alarm(
            self,
            f"{self.name}-failed",
            topics=topics,
            severity=args.severity,
            description=f"EventBridge could not deliver {self.name} after its retries.",
            runbook=_RUNBOOK,
            namespace="AWS/Events",
            metric="FailedInvocations",
            statistic="Sum",
            dimensions=rule,
            threshold=0,
            missing_data="notBreaching",
        )
        metric_alarm(
            self,
            f"{self.name}-dead-letters",
            topics=topics,
            severity=args.severity,
            description=f"Calls of {self.name} lie in the dead-letter queue.",
            runbook=_RUNBOOK,
            namespace="AWS/SQS",
            metric="ApproximateNumberOfMessagesVisible",
            statistic="Maximum",
            dimensions={"QueueName": self._queue_name},
            threshold=0,
            missing_data="notBreaching",
        )
        if args.enabled and args.silence_minutes is not None:
            # A period is a day at most; what is longer is several of them.
            days = math.ceil(args.silence_minutes / _DAY_MINUTES)
            metric_alarm(
                self,
                f"{self.name}-silent",
                topics=topics,
                severity=args.severity,
                description=f"{self.name} has not been called for {args.silence_minutes} minutes.",
                runbook=_RUNBOOK,
                namespace="AWS/Events",
                metric="Invocations",
                statistic="Sum",
                period_seconds=60 * min(args.silence_minutes, _DAY_MINUTES),
                evaluation_periods=days,
                dimensions=rule,
                comparison="LessThanThreshold",
                threshold=1,
                missing_data="breaching",
            )


def _retries(args: model.Schedule) -> aws.cloudwatch.EventTargetRetryPolicyArgsDict:
    return {
        "maximum_event_age_in_seconds": args.maximum_event_age_seconds,
        "maximum_retry_attempts": args.retry_attempts,
    }
