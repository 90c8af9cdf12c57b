"""AWS Backup: a second copy of the databases, in a second region."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.alarms import Topics, metric_alarm
from components.base import Component, Context, known
from components.encryption import Key
from components.postgres import Postgres
from systems import model

_POLICIES = {
    "backup": "iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
    "restore": "iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores",
}
_DAY_SECONDS = 86400


class Backup(Component):
    """A vault with its own key, a plan, and the databases as its selection; with
    `copy_to_region` also a vault and a key in that region, where each backup is copied.

    It works beside the databases' own snapshots and point-in-time recovery, which stay theirs.
    """

    def __init__(
        self,
        name: str,
        args: model.Backup,
        context: Context,
        databases: Sequence[Postgres],
        *,
        topics: Topics | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Backup", name, context, opts)
        if args.copy_to_region == context.region:
            raise ValueError(
                f"backup.copy_to_region is {args.copy_to_region}, where the system itself is: a "
                "copy has to be in another region"
            )
        self.vault_name = context.name(name)
        self.vault = self._vault(name, None)
        self.copy_region = args.copy_to_region
        copy = self._vault(f"{name}-copy", self.copy_region) if self.copy_region else None
        self.plan = self._plan(name, args, copy)
        self._select(name, databases)
        if topics:
            self._alarms(name, topics, copies=copy is not None)
        self.register_outputs({"vault_name": self.vault_name})

    def _vault(self, name: str, region: str | None) -> aws.backup.Vault:
        description = f"Backups of {self.context.name()}"
        key = Key(name, description, self.context, ("backup",), self.child(), region=region)
        return aws.backup.Vault(
            name,
            name=self.vault_name,
            kms_key_arn=key.arn,
            region=region,
            tags=self.tagged(self.vault_name),
            opts=self.child(protect=self.context.protect),
        )

    def _plan(
        self, name: str, args: model.Backup, copy: aws.backup.Vault | None
    ) -> aws.backup.Plan:
        copies = []
        if copy is not None:
            vault = self.context.arn(
                "backup", f"backup-vault:{self.vault_name}", region=self.copy_region
            )
            copies.append(
                aws.backup.PlanRuleCopyActionArgs(
                    destination_vault_arn=known(vault, copy),
                    lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(
                        delete_after=args.copy_retention_days
                    ),
                )
            )
        return aws.backup.Plan(
            name,
            name=self.vault_name,
            rules=[
                aws.backup.PlanRuleArgs(
                    rule_name="scheduled",
                    target_vault_name=known(self.vault_name, self.vault),
                    schedule=args.schedule,
                    start_window=60,
                    completion_window=360,
                    lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=args.retention_days),
                    copy_actions=copies,
                    recovery_point_tags=self.tagged(self.vault_name),
                )
            ],
            tags=self.tagged(self.vault_name),
            opts=self.child(),
        )

    def _select(self, name: str, databases: Sequence[Postgres]) -> None:
        aws.backup.Selection(
            name,
            name=self.vault_name,
            plan_id=self.plan.id,
            iam_role_arn=self._role(name),
            resources=[known(database.instance_arn, database.instance) for database in databases],
            opts=self.child(),
        )

    def _role(self, name: str) -> pulumi.Output[str]:
        """AWS's own policies for it: what a backup of RDS needs changes with the service."""
        context = self.context
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "backup.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": context.account}},
        }
        role = aws.iam.Role(
            name,
            name=self.vault_name,
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            tags=self.tagged(self.vault_name),
            opts=self.child(),
        )
        attached = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{part}",
                role=known(self.vault_name, role),
                policy_arn=f"arn:{context.partition}:{policy}",
                opts=self.child(),
            )
            for part, policy in _POLICIES.items()
        ]
        return known(context.arn("iam", f"role/{self.vault_name}", region=""), role, *attached)

    def _alarms(self, name: str, topics: Topics, *, copies: bool) -> None:
        """A backup or copy that failed, and a day without any."""
        failures = {"backup": "NumberOfBackupJobsFailed"}
        if copies:
            failures["copy"] = "NumberOfCopyJobsFailed"
        for part, metric in failures.items():
            metric_alarm(
                self,
                f"{name}-{part}-failed",
                topics=topics,
                severity="critical",
                description=f"AWS Backup: a {part} job of {self.vault_name} failed.",
                runbook="backup-failed",
                namespace="AWS/Backup",
                metric=metric,
                statistic="Sum",
                period_seconds=3600,
                threshold=0,
                missing_data="notBreaching",
                dimensions={"BackupVaultName": known(self.vault_name, self.vault)},
            )
        metric_alarm(
            self,
            f"{name}-missing",
            topics=topics,
            severity="critical",
            description=f"AWS Backup: nothing was backed up to {self.vault_name} for a day.",
            runbook="backup-failed",
            namespace="AWS/Backup",
            metric="NumberOfBackupJobsCompleted",
            statistic="Sum",
            period_seconds=_DAY_SECONDS,
            threshold=1,
            comparison="LessThanThreshold",
            missing_data="breaching",
            dimensions={"BackupVaultName": known(self.vault_name, self.vault)},
        )
