"""Which protections a state shows. That lifting them works is shown on the sandbox, end to end."""

from __future__ import annotations

from typing import Any

from operations.deployment.protection import protections


def resource(kind: str, *, protect: bool = False, id: str = "i", **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::gonogo::{kind}::x"
    return {"urn": urn, "type": kind, "id": id, "protect": protect, "inputs": inputs}


def told(*resources: dict[str, Any]) -> list[str]:
    return [one.what for one in protections(resources)]


def test_pulumis_own_mark_is_one_and_has_nothing_to_lift_in_aws() -> None:
    found = protections([resource("aws:kms/key:Key", protect=True)])
    assert [(one.what, one.lift, one.name) for one in found] == [("Pulumi's protect", None, "x")]


def test_each_of_awss_protections_is_seen() -> None:
    assert told(resource("aws:rds/instance:Instance", deletionProtection=True)) == [
        "RDS deletion protection"
    ]
    assert told(resource("aws:lb/loadBalancer:LoadBalancer", enableDeletionProtection=True)) == [
        "load balancer deletion protection"
    ]
    assert told(resource("aws:s3/bucket:Bucket")) == ["the objects in the bucket"]
    assert told(resource("aws:backup/vault:Vault")) == ["the recovery points in the vault"]
    assert told(resource("aws:ecr/repository:Repository")) == ["the images in the repository"]


def test_both_of_a_resources_protections_are_told() -> None:
    both = resource("aws:rds/instance:Instance", protect=True, deletionProtection=True)
    assert told(both) == ["Pulumi's protect", "RDS deletion protection"]


def test_what_is_not_protected_is_not_told() -> None:
    assert not told(
        resource("aws:rds/instance:Instance", deletionProtection=False),
        resource("aws:s3/bucket:Bucket", forceDestroy=True),
        resource("aws:backup/vault:Vault", forceDestroy=True),
        resource("aws:ecr/repository:Repository", forceDelete=True),
        resource("aws:sns/topic:Topic"),
    )


def test_outputs_tell_more_than_inputs() -> None:
    one = resource("aws:rds/instance:Instance", deletionProtection=True)
    assert not told({**one, "outputs": {"deletionProtection": False}})


def test_what_was_never_made_has_nothing_to_lift() -> None:
    assert not told(resource("aws:rds/instance:Instance", id="", deletionProtection=True))
