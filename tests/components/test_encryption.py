"""Keys, and the statements that name them before they exist."""

from __future__ import annotations

import json

import pytest

from components.encryption import Key, use_key_statement
from tests.components.recording import CONTEXT, record

KEY = "aws:kms/key:Key"


def test_a_key_rotates_is_protected_and_has_an_alias() -> None:
    records = record(lambda: Key("secrets", "Secrets", CONTEXT))
    key = records.one(KEY)
    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["deletionWindowInDays"] == 30
    assert key.protect
    alias = records.one("aws:kms/alias:Alias")
    assert alias.inputs["name"] == "alias/atc-prod-secrets"
    assert alias.inputs["targetKeyId"] == "secrets-key-id"


def test_its_policy_is_known_and_opens_it_to_the_account_and_the_services_named() -> None:
    records = record(
        lambda: Key("logs", "Logs", CONTEXT, ("logs", "events", "backup")), preview=True
    )
    statements = {s["Sid"]: s for s in json.loads(records.one(KEY).inputs["policy"])["Statement"]}
    assert set(statements) == {"Administration", "UseLogs", "UseEvents", "UseBackup"}
    assert statements["Administration"]["Principal"] == {"AWS": "arn:aws:iam::000000000000:root"}
    logs = statements["UseLogs"]
    assert logs["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    assert logs["Condition"]["ArnLike"] == {
        "kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:000000000000:log-group:*"
    }
    account = {"StringEquals": {"aws:SourceAccount": "000000000000"}}
    assert statements["UseBackup"]["Condition"] == account
    assert "Condition" not in statements["UseEvents"], "EventBridge would drop its messages"


def test_without_services_only_the_account_has_it() -> None:
    records = record(lambda: Key("plain", "Plain", CONTEXT))
    (statement,) = json.loads(records.one(KEY).inputs["policy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::000000000000:root"}


def test_a_service_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match=r"key x: services horoscope.*backup, cloudwatch"):
        record(lambda: Key("x", "X", CONTEXT, ("horoscope",)))


def test_a_key_may_be_in_another_region() -> None:
    records = record(lambda: Key("copy", "Copy", CONTEXT, ("logs",), region="us-west-2"))
    key, alias = records.one(KEY), records.one("aws:kms/alias:Alias")
    assert (key.inputs["region"], alias.inputs["region"]) == ("us-west-2", "us-west-2")
    assert "logs.us-west-2.amazonaws.com" in key.inputs["policy"]


def test_a_statement_names_keys_by_alias_and_only_through_a_service() -> None:
    statement = use_key_statement(CONTEXT, "alias/atc-prod-secrets")
    assert statement["Action"] == ["kms:Decrypt"]
    assert statement["Resource"] == "arn:aws:kms:us-east-1:000000000000:key/*"
    assert statement["Condition"] == {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/atc-prod-secrets"]},
        "StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"},
    }
    wide = use_key_statement(CONTEXT, "alias/atc-prod-*", service=None)
    assert wide["Condition"] == {
        "ForAnyValue:StringLike": {"kms:ResourceAliases": ["alias/atc-prod-*"]}
    }
