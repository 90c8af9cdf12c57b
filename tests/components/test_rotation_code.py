"""The rotation function's small parts, and the archive that is sent to AWS."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pulumi
import pytest

from components.rotation.archive import HANDLER, archive, files
from components.rotation.lambda_code import bearer, postgres, tls
from components.rotation.lambda_code.randomness import random_text
from components.rotation.lambda_code.redaction import redacted
from components.rotation.lambda_code.roles import scram_verifier

# What AWS's runtime has by itself: boto3 and what it needs.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")


def test_a_verifier_is_what_postgresql_would_store_and_not_the_password() -> None:
    password = "correct-horse"
    method, rest = scram_verifier(password).split("$", 1)
    (iterations, salt), (stored, server) = (part.split(":") for part in rest.split("$"))
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.encode(), base64.b64decode(salt), int(iterations)
    )
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert method == "SCRAM-SHA-256"
    assert base64.b64decode(stored) == hashlib.sha256(client_key).digest()
    assert base64.b64decode(server) == hmac.digest(salted, b"Server Key", "sha256")
    assert scram_verifier(password) != scram_verifier(password), "the salt is new each time"


def test_values_are_taken_out_of_messages_whole_and_in_part() -> None:
    value = json.dumps({"username": "application", "password": "pa55-word", "url": "pg://a:b@c"})
    text = f"could not use {value}: password pa55-word at pg://a:b@c for application"
    cleaned = redacted(text, value, None)
    assert "pa55-word" not in cleaned
    assert "pg://" not in cleaned
    assert "application" in cleaned, "a role's name helps and is no secret"


def test_values_are_long_and_fit_for_headers_and_urls() -> None:
    values = {random_text(48) for _ in range(50)}
    assert len(values) == 50
    assert all(len(value) == 48 and value.isascii() and value.isalnum() for value in values)


@pytest.mark.parametrize(
    ("current", "tags", "length"),
    [
        (None, {}, 32),
        ("x" * 64, {}, 64),
        ("x" * 64, {"gonogo:length": "48"}, 48),
        ("x" * 8, {"gonogo:length": "8"}, 32),
    ],
)
def test_a_token_is_as_long_as_asked_and_never_short(
    current: str | None, tags: dict[str, str], length: int
) -> None:
    assert len(bearer.fresh(current, tags)) == length


@pytest.mark.parametrize("unfit", ["abc123", "x" * 40 + "\r\nX-Evil: 1", "ü" * 40])
def test_a_token_unfit_for_a_header_is_refused_without_being_told(unfit: str) -> None:
    with pytest.raises(ValueError, match="too short or has characters") as refused:
        bearer.check(unfit, {})
    assert unfit not in str(refused.value)


def test_a_url_wants_tls_and_escapes_what_has_to_be() -> None:
    value = {"username": "a b", "password": "p/@:", "host": "h", "port": 5432, "dbname": "d"}
    assert postgres.url_of(value) == "postgresql://a%20b:p%2F%40%3A@h:5432/d?sslmode=require"


def test_a_misspelt_tls_mode_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    with pytest.raises(ValueError, match="prefer, require, verify-full"):
        tls.connect(host="127.0.0.1", port=1, user="u", password="p", database="d")


def test_the_archive_is_the_same_each_time_and_has_no_leftovers() -> None:
    first, second = files(), files()
    assert list(first.items()) == list(second.items())
    assert list(first) == sorted(first)
    assert not [name for name in first if "__pycache__" in name or name.endswith(".pyc")]
    made = archive()
    assert isinstance(made, pulumi.AssetArchive)
    assert set(made.assets) == set(first)


def test_the_archive_has_all_that_the_function_imports(tmp_path: Path) -> None:
    """In a Python that sees the archive and AWS's own packages, and no other."""
    packed = tmp_path / "function.zip"
    with zipfile.ZipFile(packed, "w") as zipped:
        for name, path in files().items():
            zipped.write(path, name)
    code, runtime = tmp_path / "code", tmp_path / "runtime"
    zipfile.ZipFile(packed).extractall(code)
    runtime.mkdir()
    for package in RUNTIME:
        spec = find_spec(package)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        target = origin.parent if origin.name == "__init__.py" else origin
        (runtime / target.name).symlink_to(target)
    module, function = HANDLER.rsplit(".", 1)
    program = f"import {module} as m, pg8000; print(m.{function}.__name__, pg8000.__file__)"
    environment = {**os.environ, "PYTHONPATH": f"{code}{os.pathsep}{runtime}"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["rotate", str(code / "pg8000" / "__init__.py")]
