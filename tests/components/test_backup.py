"""Backups: what is copied, where to, by whom, and that a missing one is heard of."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from components.alarms import Topics
from components.backup import Backup
from components.network import Network
from components.postgres import Postgres
from components.rotation import RotationFunction
from systems import model
from tests.components.parts import NOTIFICATIONS
from tests.components.recording import CONTEXT, Records, record

VAULT = "aws:backup/vault:Vault"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


@cache  # what is recorded is only read
def declare(**fields: Any) -> Records:
    args = model.Backup.model_validate(fields)

    def program() -> None:
        network = Network("network", model.Network(), CONTEXT)
        topics = Topics("alerts", NOTIFICATIONS, CONTEXT)
        database = Postgres(
            "main",
            model.Database(),
            CONTEXT,
            network,
            rotation=RotationFunction("rotation", CONTEXT, network, topics),
        )
        Backup("backup", args, CONTEXT, [database], topics=topics)

    return record(program, preview=True)


def test_the_databases_are_selected_by_an_arn_known_at_preview() -> None:
    records = declare()
    selection = records.one("aws:backup/selection:Selection")
    assert selection.inputs["resources"] == ["arn:aws:rds:us-east-1:000000000000:db:atc-prod-main"]
    instance = records.one("aws:rds/instance:Instance")
    assert instance.urn in selection.property_dependencies["resources"]


def test_the_plan_is_what_was_asked() -> None:
    (rule,) = (
        declare(schedule="cron(30 7 * * ? *)", retention_days=90)
        .one("aws:backup/plan:Plan")
        .inputs["rules"]
    )
    assert rule["schedule"] == "cron(30 7 * * ? *)"
    assert rule["lifecycle"] == {"deleteAfter": 90}
    assert rule["targetVaultName"] == "atc-prod-backup"
    assert not rule.get("copyActions")


def test_a_copy_goes_to_a_vault_and_a_key_in_the_other_region() -> None:
    records = declare(copy_to_region="us-west-2", copy_retention_days=14)
    vaults = records.named(VAULT)
    assert vaults["backup-copy"].inputs["region"] == "us-west-2"
    assert "region" not in vaults["backup"].inputs
    keys = records.named("aws:kms/key:Key")
    assert keys["backup-copy"].inputs["region"] == "us-west-2"
    for name, vault in vaults.items():
        assert vault.protect
        assert vault.property_dependencies["kmsKeyArn"] == (keys[name].urn,)
    (rule,) = records.one("aws:backup/plan:Plan").inputs["rules"]
    assert rule["copyActions"] == [
        {
            "destinationVaultArn": (
                "arn:aws:backup:us-west-2:000000000000:backup-vault:atc-prod-backup"
            ),
            "lifecycle": {"deleteAfter": 14},
        }
    ]


def test_a_copy_beside_the_original_is_refused() -> None:
    with pytest.raises(ValueError, match=r"copy_to_region is us-east-1.*another region"):
        declare(copy_to_region="us-east-1")


def test_aws_backup_of_this_account_alone_takes_the_role() -> None:
    role = declare().one("aws:iam/role:Role", "backup")
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "backup.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": CONTEXT.account}}


def test_a_failed_backup_a_failed_copy_and_a_day_without_any_are_heard_of() -> None:
    records = declare(copy_to_region="us-west-2")
    found = {n: r.inputs for n, r in records.named(ALARM).items() if n.startswith("backup-")}
    assert set(found) == {"backup-backup-failed", "backup-copy-failed", "backup-missing"}
    missing = found["backup-missing"]
    assert missing["treatMissingData"] == "breaching"
    assert (missing["comparisonOperator"], missing["threshold"]) == ("LessThanThreshold", 1)
    assert missing["period"] == 86400
    for alarm in found.values():
        assert alarm["dimensions"] == {"BackupVaultName": "atc-prod-backup"}
        assert alarm["alarmActions"]
    assert "backup-copy-failed" not in declare().named(ALARM)
