"""What the pack costs: once a resource, and in a line with the stack."""

from __future__ import annotations

import time
from typing import Any

import pytest

from policies.catalogue import load
from policies.framework import analyzer, detectors, values
from policies.testing import UNKNOWN, Plan
from tests.policies.rules.cases import container, task


def stack(services: int) -> Plan:
    """25 resources a service: a task, a target group, twenty alarms ..."""
    plan = Plan().add("aws:sns/topic:Topic", "topic", {}, outputs={"arn": UNKNOWN})
    for index in range(services):
        environment = [{"name": f"V{n}", "value": f"{index}-{n}"} for n in range(20)]
        plan.add(
            "aws:ecs/taskDefinition:TaskDefinition",
            f"task-{index}",
            task(container(environment=environment)),
        )
        plan.add(
            "aws:ecs/service:Service",
            f"service-{index}",
            {"name": f"service-{index}", "taskDefinition": UNKNOWN},
            depends={"taskDefinition": f"task-{index}"},
        )
        plan.add("aws:cloudwatch/logGroup:LogGroup", f"logs-{index}", {"retentionInDays": 30})
        plan.add("aws:s3/bucket:Bucket", f"bucket-{index}", {"tags": {"Name": "x"}})
        plan.add(
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            f"block-{index}",
            {"bucket": UNKNOWN},
            depends={"bucket": f"bucket-{index}"},
        )
        for alarm in range(20):
            plan.add(
                "aws:cloudwatch/metricAlarm:MetricAlarm",
                f"alarm-{index}-{alarm}",
                {"alarmActions": [UNKNOWN], "dimensions": {"ServiceName": f"service-{index}"}},
                depends={"alarmActions": "topic"},
            )
    return plan


def seconds(services: int) -> float:
    """Processor time of judging, the best of three."""
    plan = stack(services)
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        plan.judge()
        best = min(best, time.process_time() - started)
    return best


def test_the_cost_grows_with_the_stack_and_not_with_its_square() -> None:
    detectors.warm_up()
    small, large = seconds(5), seconds(40)
    assert large < small * 8 * 2
    # 1,000 resources, the wire included: a naive preview of as many takes over 15 s.
    assert large < 2.0


def test_a_resource_is_decoded_once_however_many_rules_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded = []
    original = values.decode_struct

    def counting(struct: Any) -> dict[str, Any]:
        decoded.append(struct)
        return original(struct)

    monkeypatch.setattr(analyzer, "decode_struct", counting)
    Plan().add("aws:rds/instance:Instance", "db", {"engine": "postgres"}).judge()
    # The stack resource and the database: once by their inputs, once by their outputs.
    assert len(decoded) == 4
    assert sum("aws:rds/instance:Instance" in rule.types for rule in load().values()) > 5
