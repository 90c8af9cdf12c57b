"""The pack under the real engine: what no test kit can show."""

from __future__ import annotations

import pytest

from tests.policies.conftest import EngineRun

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
