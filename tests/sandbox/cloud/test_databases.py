"""RDS with a real PostgreSQL: what boto3 asks for is what psycopg finds."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError

from sandbox import lifecycle
from tests.sandbox.clouds import TestCloud, processes_of

pytestmark = pytest.mark.slow
BASE: dict[str, Any] = {
    "Engine": "postgres", "EngineVersion": "16.8", "DBInstanceClass": "db.t4g.small",
    "AllocatedStorage": 20, "MasterUsername": "trader", "DBName": "trading",
}  # fmt: skip
MANAGED = {**BASE, "ManageMasterUserPassword": True}


def refused(call: Any, code: str, words: str = "") -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]


def connect(instance: dict[str, Any], password: str, **words: Any) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=instance["Endpoint"]["Address"], port=instance["Endpoint"]["Port"],
        **{"user": "trader", "dbname": "trading", "password": password, "connect_timeout": 10,
           "autocommit": True, **words},
    )  # fmt: skip


class Database:
    """An instance of a test, by its name."""

    def __init__(self, cloud: TestCloud, name: str) -> None:
        self.cloud, self.name, self.rds = cloud, name, cloud.client("rds")

    def create(self, **words: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.rds.create_db_instance(
            DBInstanceIdentifier=self.name, **{**MANAGED, **words}
        )["DBInstance"]
        return made

    def describe(self) -> dict[str, Any]:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"]
        return dict(found[0])

    def secret(self) -> dict[str, str]:
        arn = self.describe()["MasterUserSecret"]["SecretArn"]
        value = self.cloud.client("secretsmanager").get_secret_value(SecretId=arn)
        return dict(json.loads(value["SecretString"]))

    def connect(self, **words: Any) -> psycopg.Connection[Any]:
        return connect(self.describe(), self.secret()["password"], **words)

    def shows(self, parameter: str) -> str:
        with self.connect() as connection:
            return str(connection.execute(f"SHOW {parameter}").fetchone()[0])  # type: ignore[index]


@pytest.fixture
def database(cloud: TestCloud, request: pytest.FixtureRequest) -> Iterator[Database]:
    name = "db-" + request.node.name.replace("_", "-").replace("[", "-").strip("]")[:50].rstrip("-")
    found = Database(cloud, name)
    yield found
    for each in found.rds.describe_db_instances()["DBInstances"]:
        identifier = each["DBInstanceIdentifier"]
        found.rds.modify_db_instance(DBInstanceIdentifier=identifier, DeletionProtection=False)
        found.rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)


def test_the_secrets_credentials_reach_the_database_over_tls(database: Database) -> None:
    made = database.create()
    assert made["DBInstanceStatus"] == "available"
    secret = database.secret()
    assert secret["username"] == "trader"
    authority = {"sslmode": "verify-full", "sslrootcert": database.cloud.authority}
    with connect(made, secret["password"], **authority) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("trading",)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(made, "others")
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        connect(made, secret["password"], sslmode="disable")


def test_the_secret_reads_as_one_of_rds(database: Database) -> None:
    made = database.create(MasterUserSecretKmsKeyId="arn:aws:kms:us-east-1:000000000000:key/k")
    described = database.cloud.client("secretsmanager").describe_secret(
        SecretId=made["MasterUserSecret"]["SecretArn"]
    )
    assert described["Name"].startswith("rds!db-")
    assert described["OwningService"] == "rds"
    assert described["RotationEnabled"] is True
    assert made["MasterUserSecret"]["SecretStatus"] == "active"
    assert made["MasterUserSecret"]["KmsKeyId"] == "arn:aws:kms:us-east-1:000000000000:key/k"


def test_what_is_set_reads_back(database: Database) -> None:
    wanted: dict[str, Any] = {
        "StorageType": "gp3", "StorageEncrypted": True, "MultiAZ": True,
        "BackupRetentionPeriod": 14, "PreferredBackupWindow": "02:00-03:00",
        "PreferredMaintenanceWindow": "sun:04:00-sun:05:00", "CopyTagsToSnapshot": True,
        "DeletionProtection": True, "MonitoringInterval": 60, "MaxAllocatedStorage": 100,
        "MonitoringRoleArn": "arn:aws:iam::000000000000:role/monitoring",
        "PerformanceInsightsRetentionPeriod": 31, "PubliclyAccessible": False,
        "AutoMinorVersionUpgrade": False, "CACertificateIdentifier": "rds-ca-ecc384-g1",
    }  # fmt: skip
    database.create(
        **wanted,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId="arn:aws:kms:us-east-1:000000000000:key/k",
        EnableIAMDatabaseAuthentication=True,
    )
    found = database.describe()
    assert {name: found.get(name) for name in wanted} == wanted
    assert found["EnabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    assert found["PerformanceInsightsEnabled"] is True
    assert found["PerformanceInsightsKMSKeyId"].endswith("key/k")
    assert found["IAMDatabaseAuthenticationEnabled"] is True


def test_a_modified_instance_reads_back_and_log_exports_change_by_name(database: Database) -> None:
    database.create(EnableCloudwatchLogsExports=["postgresql", "upgrade"])
    database.rds.modify_db_instance(
        DBInstanceIdentifier=database.name, BackupRetentionPeriod=7, AllocatedStorage=40,
        CloudwatchLogsExportConfiguration={"DisableLogTypes": ["upgrade"]},
        PreferredBackupWindow="01:00-02:00", ApplyImmediately=True,
    )  # fmt: skip
    found = database.describe()
    assert found["BackupRetentionPeriod"] == 7
    assert found["AllocatedStorage"] == 40
    assert found["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert found["PreferredBackupWindow"] == "01:00-02:00"


def test_parameters_hold_in_the_server(database: Database) -> None:
    rds, group = database.rds, f"{database.name[:40]}-group"
    rds.create_db_parameter_group(
        DBParameterGroupName=group, DBParameterGroupFamily="postgres16", Description="d"
    )
    rds.modify_db_parameter_group(
        DBParameterGroupName=group,
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
            for name, value, method in (
                ("statement_timeout", "30000", "immediate"),
                ("idle_in_transaction_session_timeout", "60000", "immediate"),
                ("log_min_duration_statement", "1000", "immediate"),
                ("max_connections", "61", "pending-reboot"),
            )
        ],
    )
    database.create(DBParameterGroupName=group)
    assert database.shows("statement_timeout") == "30s"
    assert database.shows("idle_in_transaction_session_timeout") == "1min"
    assert database.shows("max_connections") == "61"

    for name, value, method in (
        ("statement_timeout", "5000", "immediate"), ("max_connections", "62", "pending-reboot"),
    ):  # fmt: skip
        rds.modify_db_parameter_group(
            DBParameterGroupName=group,
            Parameters=[{"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}],
        )
    deadline = time.monotonic() + 5
    while database.shows("statement_timeout") != "5s" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert database.shows("statement_timeout") == "5s"
    assert database.shows("max_connections") == "61"
    assert database.describe()["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    rds.reboot_db_instance(DBInstanceIdentifier=database.name)
    assert database.shows("max_connections") == "62"
    assert database.describe()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    refused(
        lambda: rds.delete_db_parameter_group(DBParameterGroupName=group),
        "InvalidDBParameterGroupState",
    )


@pytest.mark.parametrize(
    ("name", "value", "method", "code", "words"),
    [
        ("statement_timeout", "-5", "immediate", "InvalidParameterValue", "0-2147483647"),
        ("max_connections", "50", "immediate", "InvalidParameterCombination", "static parameter"),
        ("rds.force_ssl", "yes", "immediate", "InvalidParameterValue", "0,1"),
    ],
)
def test_parameters_that_aws_refuses_are_refused(  # noqa: PLR0917 - one table of cases
    cloud: TestCloud, name: str, value: str, method: str, code: str, words: str
) -> None:
    rds = cloud.client("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName="refusing", DBParameterGroupFamily="postgres16", Description="d"
    )
    try:
        parameter = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
        refused(
            lambda: rds.modify_db_parameter_group(
                DBParameterGroupName="refusing", Parameters=[parameter]
            ),
            code,
            words,
        )
    finally:
        rds.delete_db_parameter_group(DBParameterGroupName="refusing")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"MasterUserPassword": "a-good-password"}, "InvalidParameterCombination", "together"),
        ({"ManageMasterUserPassword": False}, "InvalidParameterValue", "MasterUserPassword"),
        ({"ManageMasterUserPassword": False, "MasterUserPassword": "short"},
         "InvalidParameterValue", "shorter than 8"),
        ({"ManageMasterUserPassword": False, "MasterUserPassword": "with/a/slash"},
         "InvalidParameterValue", "printable ASCII"),
        ({"MasterUsername": "admin"}, "InvalidParameterValue", "reserved word"),
        ({"AllocatedStorage": 5}, "InvalidParameterValue", "Invalid storage size"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue", "between 0 and 35"),
        ({"MonitoringInterval": 60}, "InvalidParameterCombination", "MonitoringRoleARN"),
        ({"EngineVersion": "99.1"}, "InvalidParameterCombination", "Cannot find version"),
        ({"DBSubnetGroupName": "missing"}, "DBSubnetGroupNotFoundFault", "missing"),
        ({"DBParameterGroupName": "missing"}, "DBParameterGroupNotFound", "missing"),
        ({"KmsKeyId": "key"}, "InvalidParameterCombination", "encryption is off"),
        ({"DBInstanceIdentifier": "two--hyphens"}, "InvalidParameterValue", "identifier"),
    ],
)  # fmt: skip
def test_instances_that_aws_refuses_are_refused(
    cloud: TestCloud, changes: dict[str, Any], code: str, words: str
) -> None:
    rds = cloud.client("rds")
    wanted = {"DBInstanceIdentifier": "refused", **MANAGED, **changes}
    refused(lambda: rds.create_db_instance(**wanted), code, words)
    assert "refused" not in [
        each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]
    ]


def test_deletion_protection_and_the_final_snapshot_are_enforced(database: Database) -> None:
    database.create(DeletionProtection=True)
    delete = database.rds.delete_db_instance
    name = {"DBInstanceIdentifier": database.name}
    refused(lambda: delete(**name, SkipFinalSnapshot=True), "InvalidParameterCombination",
            "disable deletion protection")  # fmt: skip
    database.rds.modify_db_instance(**name, DeletionProtection=False)
    refused(lambda: delete(**name), "InvalidParameterCombination", "FinalDBSnapshotIdentifier")
    delete(**name, FinalDBSnapshotIdentifier="the-last")
    snapshots = database.rds.describe_db_snapshots(DBSnapshotIdentifier="the-last")["DBSnapshots"]
    assert snapshots[0]["DBInstanceIdentifier"] == database.name


def test_a_deleted_instance_leaves_no_process_no_data_and_no_secret(database: Database) -> None:
    made = database.create()
    before = [p.pid for p in database.cloud.processes() if "postgres" in p.name()]
    assert before
    database.rds.delete_db_instance(DBInstanceIdentifier=database.name, SkipFinalSnapshot=True)
    assert [p.pid for p in database.cloud.processes() if "postgres" in p.name()] == []
    with pytest.raises(psycopg.OperationalError):
        connect(made, "x")
    refused(
        lambda: database.cloud.client("secretsmanager").get_secret_value(
            SecretId=made["MasterUserSecret"]["SecretArn"]
        ),
        "ResourceNotFoundException",
    )


def test_a_rotated_master_password_holds_in_server_and_secret(database: Database) -> None:
    made = database.create()
    old = database.secret()["password"]
    database.cloud.client("secretsmanager").rotate_secret(
        SecretId=made["MasterUserSecret"]["SecretArn"]
    )
    assert database.secret()["password"] != old
    database.connect().close()
    with pytest.raises(psycopg.OperationalError):
        connect(made, old)


def test_a_password_of_ones_own_takes_the_place_of_the_secret(database: Database) -> None:
    made = database.create()
    modify = database.rds.modify_db_instance
    name = {"DBInstanceIdentifier": database.name, "ApplyImmediately": True}
    refused(lambda: modify(**name, MasterUserPassword="a-password-of-mine"),
            "InvalidParameterCombination", "managed in")  # fmt: skip
    modify(**name, ManageMasterUserPassword=False, MasterUserPassword="a-password-of-mine")
    assert "MasterUserSecret" not in database.describe()
    connect(made, "a-password-of-mine").close()
    modify(**name, ManageMasterUserPassword=True)
    database.connect().close()


def test_a_stopped_instance_refuses_and_a_started_one_has_its_data(database: Database) -> None:
    database.create()
    with database.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS id")
    name = {"DBInstanceIdentifier": database.name}
    database.rds.stop_db_instance(**name)
    assert database.describe()["DBInstanceStatus"] == "stopped"
    refused(lambda: database.rds.stop_db_instance(**name), "InvalidDBInstanceState")
    with pytest.raises(psycopg.OperationalError):
        database.connect()
    database.rds.start_db_instance(**name)
    with database.connect() as connection:
        assert connection.execute("SELECT id FROM kept").fetchone() == (7,)


def test_a_renamed_instance_keeps_its_data_and_tags(database: Database) -> None:
    database.create(Tags=[{"Key": "tier", "Value": "prod"}])
    with database.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS id")
    database.rds.modify_db_instance(
        DBInstanceIdentifier=database.name, NewDBInstanceIdentifier="db-renamed",
        ApplyImmediately=True,
    )  # fmt: skip
    refused(database.describe, "DBInstanceNotFound")
    database.name = "db-renamed"
    arn = database.describe()["DBInstanceArn"]
    assert arn.endswith(":db:db-renamed")
    tags = database.rds.list_tags_for_resource(ResourceName=arn)["TagList"]
    assert tags == [{"Key": "tier", "Value": "prod"}]
    with database.connect() as connection:
        assert connection.execute("SELECT id FROM kept").fetchone() == (7,)


def test_a_second_region_has_its_own_instances(database: Database) -> None:
    database.create()
    west = database.cloud.client("rds", "us-west-2")
    assert west.describe_db_instances()["DBInstances"] == []


def test_a_read_replica_is_refused_in_plain_words(database: Database) -> None:
    database.create()
    refused(
        lambda: database.rds.create_db_instance_read_replica(
            DBInstanceIdentifier="replica", SourceDBInstanceIdentifier=database.name
        ),
        "InvalidDBInstanceState",
        "no read replicas yet",
    )


def _client(service: str, home: Path) -> Any:
    url = lifecycle.status(home).emulator_url
    return boto3.client(service, endpoint_url=url, region_name="us-east-1",
                        aws_access_key_id="000000000000", aws_secret_access_key="x")  # fmt: skip


def test_after_a_kill_the_database_is_there_with_its_data(own_home: Path) -> None:
    lifecycle.start(own_home, provider=False)
    rds = _client("rds", own_home)
    password = "a-password-of-mine"
    wanted = {**BASE, "DBInstanceIdentifier": "kept", "MasterUserPassword": password}
    made = rds.create_db_instance(**wanted)["DBInstance"]
    with connect(made, password) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS id")
    servers = [p for p in processes_of(own_home) if "-D" in p.cmdline()]
    emulator = lifecycle.status(own_home).emulator
    assert emulator is not None
    # Only the emulator: its server runs on and is taken over.
    os.kill(emulator.process.pid, signal.SIGKILL)
    lifecycle.start(own_home, provider=False)
    assert [p for p in processes_of(own_home) if "-D" in p.cmdline()] == servers
    with connect(made, password) as connection:
        assert connection.execute("SELECT id FROM kept").fetchone() == (7,)
    # Both: the server is started again on its data, at its port.
    emulator = lifecycle.status(own_home).emulator
    assert emulator is not None
    for pid in (emulator.process.pid, servers[0].pid):
        os.kill(pid, signal.SIGKILL)
    lifecycle.start(own_home, provider=False)
    note = lifecycle.take_recovery_note(own_home)
    assert note is not None
    assert any("kept was started again" in line for line in note.notes)
    with connect(made, password) as connection:
        assert connection.execute("SELECT id FROM kept").fetchone() == (7,)


def test_a_server_that_no_instance_owns_is_ended_and_its_data_removed(own_home: Path) -> None:
    lifecycle.start(own_home, provider=False)
    rds = _client("rds", own_home)
    rds.create_db_instance(
        **BASE, DBInstanceIdentifier="lost", MasterUserPassword="a-password-of-mine"
    )
    lifecycle.stop(own_home)
    state = own_home / "emulator" / "current" / "rds.json"
    state.unlink()  # as if we had been killed between the server's start and the record
    lifecycle.start(own_home, provider=False)
    assert [p for p in processes_of(own_home) if "-D" in p.cmdline()] == []
    assert _client("rds", own_home).describe_db_instances()["DBInstances"] == []
    note = lifecycle.take_recovery_note(own_home)
    assert note is not None
    assert any("no DB instance owns" in line for line in note.notes)
