"""The recording itself: it must see what is wrong, or every test that uses it proves nothing."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest

from tests.components.recording import UNKNOWN, Records, Secret, plain_text, record, secrets_of


def _program() -> None:
    parameter = aws.ssm.Parameter(
        "hidden",
        type="SecureString",
        value=pulumi.Output.secret("hidden-value"),
        opts=pulumi.ResourceOptions(protect=True, ignore_changes=["value"]),
    )
    # Pulumi's SDK marks a parameter's value by itself, but not a queue's name.
    aws.sqs.Queue("bare", name="bare-value", tags={"made": parameter.arn})


def test_marks_options_and_dependencies_are_recorded() -> None:
    records = record(_program)
    hidden, bare = records.one("aws:ssm/parameter:Parameter"), records.one("aws:sqs/queue:Queue")
    assert hidden.inputs["value"] == Secret("hidden-value")
    assert list(secrets_of(hidden.inputs)) == ["hidden-value"]
    assert hidden.protect
    assert hidden.ignore_changes == ("value",)
    assert bare.inputs["name"] == "bare-value"
    assert hidden.urn in bare.dependencies


def test_what_a_preview_does_not_know_is_unknown() -> None:
    records = record(_program, preview=True)
    assert records.one("aws:sqs/queue:Queue").inputs["tags"]["made"] is UNKNOWN
    hidden = records.one("aws:ssm/parameter:Parameter")
    assert hidden.inputs["value"] == Secret("hidden-value")


def test_plain_text_shows_what_is_bare_and_hides_what_is_secret() -> None:
    text = plain_text(record(_program).resources)
    assert "bare-value" in text
    assert "hidden-value" not in text


def test_canary_a_wrong_expectation_fails() -> None:
    """Were nothing recorded, or an assertion swallowed, this would be the first to tell."""
    records = record(_program)
    with pytest.raises(AssertionError):
        assert records.one("aws:sqs/queue:Queue").inputs["name"] == "else"
    with pytest.raises(AssertionError):
        records.one("aws:sqs/queue:Queue", "hidden")
    with pytest.raises(AssertionError):
        Records().one("aws:ssm/parameter:Parameter")


def test_canary_an_error_in_the_program_is_raised() -> None:
    def broken() -> None:
        raise ValueError("broken on purpose")

    with pytest.raises(ValueError, match="broken on purpose"):
        record(broken)


def test_canary_a_call_without_an_answer_fails() -> None:
    with pytest.raises(Exception, match="does not answer"):
        record(aws.get_billing_service_account)
