"""The pack under the real engine: what no test kit can show."""

from __future__ import annotations

import pytest

from tests.policies.conftest import PACK, EngineRun

pytestmark = pytest.mark.slow

SOUND_DATABASE = """
    group = aws.rds.ParameterGroup("group", family="postgres16", parameters=[
        {"name": "rds.force_ssl", "value": "1"}, {"name": "statement_timeout", "value": "30000"}])
    database = aws.rds.Instance("db", identifier="db", engine="postgres", engine_version="16.9",
        instance_class="db.m7g.large", allocated_storage=20, multi_az=%(multi_az)s,
        backup_retention_period=7, storage_encrypted=True, deletion_protection=True,
        parameter_group_name=group.name, manage_master_user_password=True, username="administrator")
    topic = aws.sns.Topic("topic")
    aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="a@example.com")
    aws.cloudwatch.MetricAlarm("connections", namespace="AWS/RDS",
        metric_name="DatabaseConnections", comparison_operator="GreaterThanThreshold",
        evaluation_periods=1, threshold=160, period=60, statistic="Average",
        dimensions={"DBInstanceIdentifier": database.identifier}, alarm_actions=[topic.arn])
"""


def test_a_sound_program_passes_and_one_changed_word_is_blocked(engine: EngineRun) -> None:
    engine.program(SOUND_DATABASE % {"multi_az": True})
    sound = engine.run("preview")
    assert sound.code == 0, sound.output
    assert sound.report["complete"]
    assert sound.report["counts"]["fail"] == sound.report["counts"]["undecided"] == 0

    engine.program(SOUND_DATABASE % {"multi_az": False})
    broken = engine.run("up", "--yes")
    assert broken.code != 0
    assert "database-multi-az: aws:rds/instance:Instance 'db'" in broken.output
    assert "found multiAz: false; wanted true" in broken.output
    assert {v["rule"] for v in broken.report["verdicts"] if v["outcome"] == "fail"} == {
        "database-multi-az"
    }
    assert engine.provider.created == []


def test_a_critical_unknown_does_not_let_preview_exit_zero_and_is_decided_at_apply(
    engine: EngineRun,
) -> None:
    engine.program(
        """
        topic = aws.sns.Topic("topic")
        aws.iam.RolePolicy("policy", role="r", policy=topic.arn.apply(lambda arn: json.dumps(
            {"Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": arn}]})))
        """
    )
    preview = engine.run("preview")
    assert preview.code != 0
    assert "undecided: policy is not known at preview" in preview.output
    assert "its value will come from aws:sns/topic:Topic 'topic'" in preview.output
    assert preview.report["counts"]["undecided"] == 1

    staging = engine.run(
        "preview", PULUMI_OPTION_POLICY_PACK_CONFIG=str(PACK / "tiers" / "staging.json")
    )
    assert staging.code == 0, staging.output
    assert staging.report["tier"] == "staging"
    assert staging.report["counts"]["undecided"] == 1

    applied = engine.run("up", "--yes", "--skip-preview")
    assert applied.code == 0, applied.output
    assert applied.report["counts"]["undecided"] == 0
    assert not applied.report["dry_run"]


def test_what_is_decided_at_apply_can_fail_there(engine: EngineRun) -> None:
    engine.program(
        """
        topic = aws.sns.Topic("topic")
        aws.iam.RolePolicy("policy", role="r", policy=topic.arn.apply(lambda arn: json.dumps(
            {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})))
        """
    )
    applied = engine.run("up", "--yes", "--skip-preview")
    assert applied.code != 0
    assert "Allow * on *" in applied.output
    assert [urn for urn in engine.provider.created if urn.endswith("policy")] == []


def test_secret_marks_reach_the_rules(engine: EngineRun) -> None:
    engine.program(
        """
        hidden = pulumi.Output.secret("hunter2hunter2")
        aws.elasticache.User("marked", user_id="a", user_name="a", engine="redis",
            access_string="on", passwords=[hidden])
        aws.cloudwatch.EventConnection("plain", authorization_type="API_KEY",
            auth_parameters={"api_key": {"key": "Authorization", "value": "x"}})
        aws.lambda_.Function("function", role="arn:aws:iam::000000000000:role/x", handler="a.b",
            runtime="python3.12", environment={"variables": {"PLAIN": "x", "NESTED": hidden}})
        pulumi.export("nested", {"password": hidden, "list": [hidden]})
        pulumi.export("database_password", "hunter2")
        """
    )
    ran = engine.run("preview")
    verdicts = {(v["rule"], v["name"]): v for v in ran.report["verdicts"]}
    assert verdicts["secret-value-marked", "marked"]["outcome"] == "pass"
    environment = verdicts["environment-no-secrets", "function"]
    assert [finding["path"] for finding in environment["findings"]] == [
        "environment.variables.NESTED"
    ]
    outputs = verdicts["output-no-plaintext-secrets", "stranger-prod"]
    assert [finding["path"] for finding in outputs["findings"]] == ["database_password"]
    assert "hunter2" not in str(ran.report)


def test_alarms_are_decided_by_dependencies_at_a_first_preview(engine: EngineRun) -> None:
    engine.program(
        """
        topic = aws.sns.Topic("topic")
        alone = aws.sns.Topic("alone")
        aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="a@b.example")
        for name, heard in (("heard", topic), ("unheard", alone)):
            aws.cloudwatch.MetricAlarm(name, comparison_operator="GreaterThanThreshold",
                evaluation_periods=1, threshold=1, metric_name="x", namespace="y", period=60,
                statistic="Sum", alarm_actions=[heard.arn])
        """
    )
    ran = engine.run("preview")
    outcomes = {(v["rule"], v["name"]): v["outcome"] for v in ran.report["verdicts"]}
    assert outcomes["alarm-has-action", "heard"] == "pass"
    assert outcomes["alarm-topic-has-subscription", "topic"] == "pass"
    assert outcomes["alarm-topic-has-subscription", "alone"] == "fail"
    assert ran.report["counts"]["undecided"] == 0


def test_each_tier_file_is_one_that_pulumi_takes(engine: EngineRun) -> None:
    for path in sorted((PACK / "tiers").glob("*.json")):
        ran = engine.run("preview", PULUMI_OPTION_POLICY_PACK_CONFIG=str(path))
        assert ran.code == 0, ran.output
        expected = "prod" if path.stem == "stack" else path.stem
        assert ran.report["tier"] == expected


def test_pulumi_refuses_a_tier_that_is_none(engine: EngineRun) -> None:
    wrong = engine.folder / "wrong.json"
    wrong.write_text('{"pack-settings": {"tier": "production"}}')
    ran = engine.run("preview", PULUMI_OPTION_POLICY_PACK_CONFIG=str(wrong))
    assert ran.code != 0
    assert "tier" in ran.output


def test_a_deployed_state_is_judged_without_its_program(engine: EngineRun) -> None:
    engine.program(
        """
        aws.kms.Key("key", enable_key_rotation=False)
        """
    )
    without = {**engine.environment}
    del without["PULUMI_OPTION_POLICY_PACK"]
    engine.environment, with_pack = without, engine.environment
    assert engine.run("up", "--yes").code == 0
    engine.environment = without
    judged = engine.run(
        "policy", "analyze", "--policy-pack", str(PACK), "--stack", "prod", "--json"
    )
    engine.environment = with_pack
    assert judged.code != 0
    assert {v["rule"] for v in judged.report["verdicts"] if v["outcome"] == "fail"} == {
        "kms-key-rotated"
    }
