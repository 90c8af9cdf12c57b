"""What a killed run leaves behind is found and put right."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.provider.journal import Journal, keepable
from tests.sandbox.provider.cases import CASES, TRUST, allow
from tests.sandbox.provider.conftest import start_provider, stop
from tests.sandbox.provider.driver import Engine

URN = "urn:pulumi:s::p::aws:sns/topic:Topic::t"
VPC = {"cidrBlock": "10.77.0.0/16", "tags": {"Name": "journal"}}


def begun(journal: Journal, urn: str = URN, **inputs: Any) -> str:
    return journal.begin(urn, "aws:sns/topic:Topic", "us-east-1", inputs)


def test_what_was_begun_is_a_leftover_until_the_engine_knows_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    key = begun(journal, name="a")
    assert [record.id for record in journal.leftovers(URN)] == [""]
    journal.made(key, "arn:a")
    assert [record.id for record in journal.leftovers(URN)] == ["arn:a"]
    journal.known(URN, "arn:a")
    assert journal.leftovers(URN) == []


def test_a_journal_survives_its_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first, second, third = (begun(journal, name=name) for name in "abc")
    journal.made(first, "arn:a")
    journal.made(second, "arn:b")
    journal.known(URN, "arn:a")
    journal.gone(third)
    for _ in range(2):  # reading compacts: once more must not change anything
        again = Journal(tmp_path)
        assert [(record.id, record.inputs) for record in again.leftovers(URN)] == [
            ("arn:b", {"name": "b"})
        ]
        assert again.ids() == {"arn:a", "arn:b"}
    again.deleted(URN, "arn:b")
    assert Journal(tmp_path).leftovers(URN) == []


def test_a_line_cut_off_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.made(begun(journal, name="a"), "arn:a")
    with journal.path.open("a") as file:
        file.write('{"begun": "x", "urn": "urn:pul')
    assert [record.id for record in Journal(tmp_path).leftovers(URN)] == ["arn:a"]


def test_other_urns_are_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.made(begun(journal), "arn:a")
    assert journal.leftovers(URN.replace(":s::", ":other::")) == []


def test_no_secret_and_nothing_long_is_written_down() -> None:
    inputs = {
        "name": "n",
        "password": "words",
        "count": 3,
        "policy": '{"a": 1}',
        "text": "x" * 500,
        "tags": {"a": "b"},
    }
    assert keepable(inputs, frozenset({"password"})) == {"name": "n", "count": 3}


def vpcs(client: Any, cidr: str = "10.77.0.0/16") -> list[str]:
    return [vpc["VpcId"] for vpc in client.describe_vpcs()["Vpcs"] if vpc["CidrBlock"] == cidr]


@pytest.mark.slow
class TestAgainstTheEmulator:
    """A provider of its own each: its journal is what is tested."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        return tmp_path

    @pytest.fixture
    def own(self, emulator: str, home: Path) -> Iterator[Engine]:
        process, port = start_provider(home, emulator)
        engine = Engine(port, stack=f"journal{time.time_ns()}")
        yield engine
        engine.close()
        stop(process)

    def test_an_unsaved_one_is_not_made_twice(self, own: Engine, aws: Any) -> None:
        """The engine was killed before it saved: the same Create comes again."""
        own.create("aws:ec2/vpc:Vpc", "v", VPC)
        second = own.create("aws:ec2/vpc:Vpc", "v", VPC)
        assert vpcs(aws("ec2")) == [second.id]
        own.delete(second)
        assert vpcs(aws("ec2")) == []

    def test_a_fixed_name_does_not_stand_in_its_own_way(self, own: Engine, aws: Any) -> None:
        inputs = {"name": "journal-policy", "policy": allow("s3:GetObject")}
        own.create("aws:iam/policy:Policy", "p", inputs)
        again = own.create("aws:iam/policy:Policy", "p", inputs)
        own.diff(again, inputs)
        with pytest.raises(grpc.RpcError, match="EntityAlreadyExists"):
            own.create("aws:iam/policy:Policy", "another", inputs)
        assert own.read(again).id == again.id, "the other's failure must not take it away"
        own.delete(again)

    def test_what_holds_something_is_taken_over(self, own: Engine, aws: Any) -> None:
        inputs = {"name": "journal-role", "assumeRolePolicy": TRUST}
        first = own.create("aws:iam/role:Role", "r", inputs)
        again = own.create("aws:iam/role:Role", "r", {**inputs, "description": "later"})
        assert again.outputs["uniqueId"] == first.outputs["uniqueId"]
        role = aws("iam").get_role(RoleName="journal-role")["Role"]
        assert role["Description"] == "later"
        own.delete(again)

    def test_a_replacement_leaves_the_old_one_to_the_engine(self, own: Engine, aws: Any) -> None:
        first = own.create("aws:ec2/vpc:Vpc", "v", VPC)
        changed = {**VPC, "cidrBlock": "10.78.0.0/16"}
        assert own.diff(first, changed).replaces
        second = own.create("aws:ec2/vpc:Vpc", "v", changed)
        client = aws("ec2")
        assert vpcs(client) == [first.id]
        assert vpcs(client, "10.78.0.0/16") == [second.id]
        own.delete(first)
        own.delete(second)

    def test_what_nobody_saw_answered_is_searched_for(
        self, emulator: str, home: Path, aws: Any
    ) -> None:
        """The provider was killed between the call and its answer."""
        client = aws("ec2")
        stack = f"journal{time.time_ns()}"
        urn = f"urn:pulumi:{stack}::gonogo::aws:ec2/vpc:Vpc::v"
        journal = Journal(home)
        journal.begin(urn, "aws:ec2/vpc:Vpc", "us-east-1", {"cidrBlock": "10.77.0.0/16"})
        journal.close()
        tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "journal"}]}]
        client.create_vpc(CidrBlock="10.77.0.0/16", TagSpecifications=tags)
        somebody = client.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        process, port = start_provider(home, emulator)
        engine = Engine(port, stack=stack)
        made = engine.create("aws:ec2/vpc:Vpc", "v", VPC)
        assert sorted(vpcs(client)) == sorted([somebody, made.id])
        engine.delete(made)
        client.delete_vpc(VpcId=somebody)
        engine.close()
        stop(process)

    def test_killed_at_any_moment_and_run_again(self, emulator: str, home: Path, aws: Any) -> None:
        """SIGKILL amid thirty creates; the next run makes exactly thirty."""
        client = aws("ec2")
        stack = f"journal{time.time_ns()}"
        wanted = [f"10.{100 + index}.0.0/16" for index in range(30)]
        process, port = start_provider(home, emulator)
        engine = Engine(port, stack=stack)
        answered = threading.Event()

        def make(cidr: str) -> bool:
            try:
                engine.create("aws:ec2/vpc:Vpc", cidr, {"cidrBlock": cidr, "tags": {"k": "v"}})
            except grpc.RpcError:
                return False
            answered.set()
            return True

        with ThreadPoolExecutor(8) as pool:
            results = [pool.submit(make, cidr) for cidr in wanted]
            assert answered.wait(30)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            done = sum(result.result() for result in results)
        engine.close()
        assert 0 < done < 30, "the kill has to fall amid the creates"
        process, port = start_provider(home, emulator)
        engine = Engine(port, stack=stack)
        made = [
            engine.create("aws:ec2/vpc:Vpc", cidr, {"cidrBlock": cidr, "tags": {"k": "v"}})
            for cidr in wanted
        ]
        there = sorted(
            vpc["CidrBlock"] for vpc in client.describe_vpcs()["Vpcs"] if vpc["CidrBlock"] in wanted
        )
        assert there == sorted(wanted)
        for resource in made:
            engine.delete(resource)
        engine.close()
        stop(process)

    def test_secret_values_do_not_reach_errors_or_the_journal(
        self, own: Engine, home: Path
    ) -> None:
        with pytest.raises(grpc.RpcError) as refused:
            own.create(
                "aws:secretsmanager/secretVersion:SecretVersion",
                "v",
                {"secretId": "not-there", "secretString": "words nobody may read"},
            )
        assert "ResourceNotFoundException" in refused.value.details()
        assert "words nobody may read" not in refused.value.details()
        assert "words nobody may read" not in (home / "provider/journal.jsonl").read_text()

    def test_drift_shows_at_a_refresh(self, own: Engine, aws: Any) -> None:
        inputs = {"name": "drift", "retentionInDays": 30, "tags": {"a": "b"}}
        group = own.create("aws:cloudwatch/logGroup:LogGroup", "g", inputs)
        logs = aws("logs")
        logs.put_retention_policy(logGroupName="drift", retentionInDays=7)
        fresh = own.read(group)
        assert fresh.inputs["retentionInDays"] == 7
        assert list(own.diff(fresh, inputs).diffs) == ["retentionInDays"]
        logs.delete_log_group(logGroupName="drift")
        assert own.read(group).id == ""
        own.delete(group)

    def test_an_import_reads_the_inputs(self, own: Engine, aws: Any) -> None:
        aws("logs").create_log_group(logGroupName="imported", tags={"a": "b"})
        case = CASES["log-group"]
        blank = own.create(case.token, "imported", {"name": "imported"}, preview=True)
        blank.id, blank.inputs, blank.outputs = "imported", {}, {}
        found = own.read(blank)
        assert found.inputs["name"] == "imported"
        assert found.inputs["tags"] == {"a": "b"}
        own.delete(found)

    def test_a_wrong_parameter_fails_before_the_wire(self, own: Engine) -> None:
        with pytest.raises(grpc.RpcError) as refused:
            own.create(
                "aws:ecs/taskDefinition:TaskDefinition",
                "t",
                {
                    "family": "wrong",
                    "containerDefinitions": '[{"name": "a", "image": "b", "memry": 5}]',
                },
            )
        text = refused.value.details()
        assert text.startswith("creating ECS Task Definition (t): operation error ECS")
        assert "memry" in text

    def test_a_protected_balancer_is_not_deleted(self, own: Engine, aws: Any) -> None:
        client = aws("ec2")
        vpc = client.create_vpc(CidrBlock="10.79.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            client.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{n}.0/24")["Subnet"]["SubnetId"]
            for n in (1, 2)
        ]
        inputs = {"name": "protected", "subnets": subnets, "enableDeletionProtection": True}
        balancer = own.create("aws:lb/loadBalancer:LoadBalancer", "b", inputs)
        with pytest.raises(grpc.RpcError, match="OperationNotPermitted"):
            own.delete(balancer)
        own.update(balancer, {**inputs, "enableDeletionProtection": False})
        own.delete(balancer)
        assert own.read(balancer).id == ""

    def test_a_resource_in_another_region_is_there(self, own: Engine, aws: Any) -> None:
        inputs = {"name": "elsewhere", "region": "us-west-2"}
        vault = own.create("aws:backup/vault:Vault", "v", inputs)
        assert ":us-west-2:" in vault.outputs["arn"]
        names = [
            v["BackupVaultName"]
            for v in aws("backup", "us-west-2").list_backup_vaults()["BackupVaultList"]
        ]
        assert "elsewhere" in names
        own.delete(vault)

    def test_invokes_of_the_cloud(self, own: Engine) -> None:
        me, _ = own.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
        assert me["accountId"] == "000000000000"
        zones, _ = own.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {})
        assert zones["names"][:3] == ["us-east-1a", "us-east-1b", "us-east-1c"]
        version, _ = own.invoke(
            "aws:rds/getEngineVersion:getEngineVersion", {"engine": "postgres", "version": "16"}
        )
        assert version["version"].startswith("16")
