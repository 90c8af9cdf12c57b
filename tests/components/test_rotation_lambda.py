"""The rotation function's code, really run: in the emulator, against a real PostgreSQL and Valkey,
from the archive that is sent to AWS."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from psycopg import sql

from components.rotation.archive import HANDLER, files
from components.rotation.lambda_code import aws, handler
from components.rotation.lambda_code.handler import RotationError

pytestmark = pytest.mark.slow

ACCOUNT = "000000000000"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:atc-prod-rotation"
ROOT = Path(__file__).resolve().parents[2]
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


@dataclass(frozen=True)
class Cloud:
    """A running emulator."""

    url: str
    home: Path

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url, **_credentials())

    def value(self, name: str, stage: str = "AWSCURRENT") -> str:
        manager = self.client("secretsmanager")
        return str(manager.get_secret_value(SecretId=name, VersionStage=stage)["SecretString"])

    def read(self, name: str, stage: str = "AWSCURRENT") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.value(name, stage))
        return found

    def secret(self, name: str, value: str, **tags: str) -> str:
        """A secret whose tags say how it is rotated; `-` in a tag's name stands for `/`."""
        made = self.client("secretsmanager").create_secret(
            Name=name,
            SecretString=value,
            Tags=[
                {"Key": f"gonogo:{tag.replace('__', '/')}", "Value": text}
                for tag, text in tags.items()
            ],
        )
        return str(made["ARN"])

    def rotate(self, name: str) -> None:
        """As Secrets Manager does it: the function's four steps, in the emulator."""
        self.client("secretsmanager").rotate_secret(
            SecretId=name,
            RotationLambdaARN=FUNCTION,
            RotationRules={"AutomaticallyAfterDays": 30},
        )
        assert self.failures() == []

    def failures(self) -> list[str]:
        notes: list[str] = httpx.get(f"{self.url}/_gonogo/status").json()["notes"]
        return [note for note in notes if "otation" in note]


def _credentials() -> dict[str, str]:
    return {
        "region_name": "us-east-1",
        "aws_access_key_id": ACCOUNT,
        "aws_secret_access_key": "unused",
    }


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("sandbox")
    for folder in (home, *home.parents[:3]):
        folder.chmod(0o755)
    port = _free_port()
    environment = {**os.environ, "SSL_CERT_FILE": str(home / "ca.pem")}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.cloud", "--home", str(home), "--port", str(port)],
        cwd=ROOT,
        env=environment,
    )
    running = Cloud(f"http://127.0.0.1:{port}", home)
    try:
        _wait(f"{running.url}/_gonogo/health", process)
        _deploy(running)
        yield running
    finally:
        if process.poll() is None:
            httpx.post(f"{running.url}/_gonogo/reset", timeout=30)
        process.terminate()
        process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, "the emulator ended"
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the emulator does not answer"
            time.sleep(0.1)
        else:
            return


def _deploy(running: Cloud) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, path in files().items():
            archive.write(path, name)
    function = running.client("lambda")
    function.create_function(
        FunctionName="atc-prod-rotation",
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/atc-prod-rotation",
        Handler=HANDLER,
        Code={"ZipFile": packed.getvalue()},
        Timeout=600,
    )
    function.add_permission(
        FunctionName="atc-prod-rotation",
        StatementId="secrets-manager",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )


@pytest.fixture
def here(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The function's code runs in this process, its clients lead to the emulator."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unused")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    aws.client.cache_clear()
    yield cloud
    aws.client.cache_clear()


class _Context:
    """What Lambda hands to a function."""

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


def _step(name: str, secret: str, version: str) -> None:
    handler.rotate({"Step": name, "SecretId": secret, "ClientRequestToken": version}, _Context())


@pytest.fixture(scope="module")
def database(cloud: Cloud) -> str:
    cloud.client("rds").create_db_instance(
        DBInstanceIdentifier="atc-prod-main",
        Engine="postgres",
        EngineVersion="16",
        DBInstanceClass="db.m7g.large",
        AllocatedStorage=20,
        MasterUsername="administrator",
        ManageMasterUserPassword=True,
        DBName="app",
    )
    return "atc-prod-main"


def _role_secret(cloud: Cloud, database: str, role: str, peer: str) -> str:
    name = f"atc-prod/{uuid.uuid4().hex[:8]}/{role}"
    cloud.secret(
        name,
        json.dumps({"engine": "postgres", "username": role, "dbname": "app"}),
        rotation="postgres",
        database=database,
        dbname="app",
        role="migration" if role.startswith("migration") else "application",
        peer=peer,
    )
    return name


def _connect(value: dict[str, Any]) -> psycopg.Connection[Any]:
    return psycopg.connect(value["url"], connect_timeout=10)


@pytest.mark.parametrize("first", ["application", "migration"])
def test_whichever_role_is_made_first_the_application_works_on_what_migrations_make(
    cloud: Cloud, database: str, first: str
) -> None:
    names = {"application": f"application_{first}", "migration": f"migration_{first}"}
    secrets = {
        role: _role_secret(cloud, database, names[role], names[peer])
        for role, peer in (("application", "migration"), ("migration", "application"))
    }
    for role in sorted(secrets, key=lambda role: role != first):
        cloud.rotate(secrets[role])

    table = sql.Identifier(f"trades_{first}")
    create = sql.SQL("CREATE TABLE {} (id serial PRIMARY KEY, symbol text)").format(table)
    with _connect(cloud.read(secrets["migration"])) as migration:
        migration.execute(create)
        assert migration.execute("SHOW statement_timeout").fetchone() == ("1h",)
    with _connect(cloud.read(secrets["application"])) as application:
        application.execute(sql.SQL("INSERT INTO {} (symbol) VALUES ('SOL')").format(table))
        rows = application.execute(sql.SQL("SELECT symbol FROM {}").format(table)).fetchall()
        assert rows == [("SOL",)]
        used = application.execute(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert used == (True,) or _tls_ends_before_the_server(cloud)
    with (
        _connect(cloud.read(secrets["application"])) as application,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        application.execute("CREATE TABLE not_allowed (id int)")
    with (
        _connect(cloud.read(secrets["application"])) as application,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        application.execute(sql.SQL("DROP TABLE {}").format(table))


def _tls_ends_before_the_server(cloud: Cloud) -> bool:
    stores = httpx.get(f"{cloud.url}/_gonogo/status").json()["stores"]
    return all(store.get("tls_ended_by") != "server" for store in stores)


def test_a_second_rotation_replaces_the_password_and_keeps_the_old_value(
    cloud: Cloud, database: str
) -> None:
    secret = _role_secret(cloud, database, "second_time", "nobody")
    cloud.rotate(secret)
    before = cloud.read(secret)
    cloud.rotate(secret)
    after = cloud.read(secret)
    assert after["password"] != before["password"]
    assert {**after, "password": "", "url": ""} == {**before, "password": "", "url": ""}
    assert cloud.read(secret, "AWSPREVIOUS") == before
    with _connect(after) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("second_time",)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        _connect(before)


def test_every_step_may_be_called_again(here: Cloud, database: str) -> None:
    secret = _role_secret(here, database, "again", "nobody")
    version = str(uuid.uuid4())
    pending = set()
    for step in STEPS:
        for _ in range(2):
            _step(step, secret, version)
            if step != "finishSecret":
                pending.add(here.value(secret, "AWSPENDING"))
    assert len(pending) == 1, "createSecret made a second value"
    assert here.value(secret) in pending
    with _connect(here.read(secret)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_failed_step_leaves_the_current_value_and_tells_no_value(here: Cloud) -> None:
    kept = "kept-" + "x" * 40
    secret = f"atc-prod/{uuid.uuid4().hex[:8]}/lost"
    first = json.dumps({"username": "lost", "password": kept, "url": f"postgresql://lost:{kept}@"})
    here.secret(
        secret, first, rotation="postgres", database="no-such", dbname="app", role="application"
    )
    with pytest.raises(RotationError) as failed:
        _step("createSecret", secret, str(uuid.uuid4()))
    assert "no-such" in str(failed.value)
    assert kept not in str(failed.value)
    assert failed.value.__cause__ is None
    assert here.value(secret) == first


def test_a_password_the_server_refuses_stops_before_it_gets_current(
    here: Cloud, database: str
) -> None:
    secret = _role_secret(here, database, "stopped", "nobody")
    before = here.value(secret)
    version = str(uuid.uuid4())
    _step("createSecret", secret, version)
    password = json.loads(here.value(secret, "AWSPENDING"))["password"]
    with pytest.raises(RotationError) as failed:  # setSecret was left out: no such role yet
        _step("testSecret", secret, version)
    assert password not in str(failed.value)
    assert here.value(secret) == before


def test_an_unknown_kind_and_an_unknown_step_are_refused(here: Cloud) -> None:
    secret = f"atc-prod/{uuid.uuid4().hex[:8]}/odd"
    here.secret(secret, "value", rotation="horoscope")
    with pytest.raises(RotationError, match=r"horoscope.*postgres, redis, token"):
        _step("createSecret", secret, str(uuid.uuid4()))
    with pytest.raises(RotationError, match="not known"):
        _step("deleteSecret", secret, str(uuid.uuid4()))


def test_no_value_gets_into_the_function_s_log(cloud: Cloud, database: str) -> None:
    secret = _role_secret(cloud, database, "quiet", "nobody")
    cloud.rotate(secret)
    logs = cloud.client("logs")
    group = "/aws/lambda/atc-prod-rotation"
    said = "\n".join(
        event["message"]
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])[
            "events"
        ]
    )
    assert secret in said, "the function logs what it did"
    assert cloud.read(secret)["password"] not in said
    assert not re.search(r"postgresql://", said)


class _Listener(BaseHTTPRequestHandler):
    heard: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.heard.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def heartbeat() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Listener)
    _Listener.heard.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_rotated_token_is_what_the_connection_sends(cloud: Cloud, heartbeat: HTTPServer) -> None:
    secret, old = f"atc-prod/{uuid.uuid4().hex[:8]}/heartbeat", "o" * 48
    events = cloud.client("events")
    name = f"atc-prod-{uuid.uuid4().hex[:8]}"
    connection = events.create_connection(
        Name=name,
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {old}"}
        },
    )
    destination = events.create_api_destination(
        Name=name,
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=f"http://127.0.0.1:{heartbeat.server_port}/beat",
        HttpMethod="POST",
    )
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(
        Rule=name,
        Targets=[
            {
                "Id": "beat",
                "Arn": destination["ApiDestinationArn"],
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x",
            }
        ],
    )
    cloud.secret(secret, old, rotation="token", length="48", connection=name)
    assert _beat(cloud, name) == f"Bearer {old}"
    cloud.rotate(secret)
    new = cloud.value(secret)
    assert new != old
    assert len(new) == 48
    assert _beat(cloud, name) == f"Bearer {new}"
    assert cloud.value(secret, "AWSPREVIOUS") == old


def _beat(cloud: Cloud, source: str) -> str:
    before = len(_Listener.heard)
    cloud.client("events").put_events(
        Entries=[{"Source": source, "DetailType": "beat", "Detail": "{}"}]
    )
    deadline = time.monotonic() + 10
    while len(_Listener.heard) == before:
        assert time.monotonic() < deadline, "the destination was not called"
        time.sleep(0.05)
    return _Listener.heard[-1]


def test_readers_are_deployed_anew_once_the_value_is_current(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    ecs.create_cluster(clusterName="atc-prod")
    ecs.register_task_definition(
        family="reader",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "reader", "image": "none", "essential": True}],
    )
    ecs.create_service(
        cluster="atc-prod", serviceName="reader", taskDefinition="reader", desiredCount=1
    )
    secret = f"atc-prod/{uuid.uuid4().hex[:8]}/token"
    cloud.secret(
        secret,
        "o" * 32,
        rotation="token",
        restart__1="atc-prod/reader",
        restart__2="atc-prod/gone",
        restart__3="no-such-cluster/reader",
    )
    before = _deployment(cloud)
    cloud.rotate(secret)
    assert _deployment(cloud) != before


def _deployment(cloud: Cloud) -> str:
    found = cloud.client("ecs").describe_services(cluster="atc-prod", services=["reader"])
    return str(found["services"][0]["deployments"][0]["id"])


def test_a_cache_accepts_the_new_token_beside_the_old_one(cloud: Cloud) -> None:
    cache, old = "atc-prod-cache", "o" * 64
    caches = cloud.client("elasticache")
    caches.create_replication_group(
        ReplicationGroupId=cache,
        ReplicationGroupDescription="cache",
        Engine="valkey",
        CacheNodeType="cache.m7g.large",
        NumCacheClusters=1,
        TransitEncryptionEnabled=True,
        AuthToken=old,
    )
    group = caches.describe_replication_groups(ReplicationGroupId=cache)["ReplicationGroups"][0]
    endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
    secret = f"atc-prod/{uuid.uuid4().hex[:8]}/auth"
    cloud.secret(
        secret,
        json.dumps({"password": old, "host": endpoint["Address"], "port": endpoint["Port"]}),
        rotation="redis",
        cache=cache,
    )
    cloud.rotate(secret)
    value = cloud.read(secret)
    assert value["password"] != old
    assert _answers(cloud, value["url"])
    assert _answers(cloud, value["url"].replace(value["password"], old))
    assert not _answers(cloud, value["url"].replace(value["password"], "wrong" * 12))


def _answers(cloud: Cloud, url: str) -> bool:
    import redis

    authority = str(cloud.home / "ca.pem")
    client = redis.Redis.from_url(url, ssl_ca_certs=authority)
    try:
        return bool(client.ping())
    except redis.exceptions.AuthenticationError:
        return False
    finally:
        client.close()
