from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations.deployment.backend import FileBackend
from operations.deployment.stacks import clean, config_file, with_salt, without_salt

SALT = "v1:cWVydHk=:v1:abc:def"
PLAIN = "# Production.\nconfig:\n  gonogo:tier:   prod  # kept as it is\n"


def test_a_run_gets_the_salt_in_a_copy_and_the_file_stays(tmp_path: Path) -> None:
    original = tmp_path / "Pulumi.prod.yaml"
    original.write_text(PLAIN)
    copy = config_file(tmp_path, "prod", SALT, tmp_path / "stacks")
    assert copy.read_text() == f"{PLAIN}encryptionsalt: {SALT}\n"
    assert original.read_text() == PLAIN


def test_a_salt_that_values_are_encrypted_under_is_left_to_win() -> None:
    own = "config:\n  gonogo:key:\n    secure: v1:x\nencryptionsalt: v1:own:salt\n"
    assert with_salt(own, SALT) == own


def test_a_salt_of_another_sandbox_gives_way() -> None:
    assert with_salt(f"{PLAIN}encryptionsalt: v1:other\n", SALT) == with_salt(PLAIN, SALT)


@pytest.mark.parametrize("end", ["", "\n"])
def test_the_line_that_pulumi_wrote_is_taken_out(end: str) -> None:
    assert without_salt(f"{PLAIN}encryptionsalt: {SALT}{end}", SALT) == PLAIN


def test_another_salt_is_left_alone() -> None:
    text = PLAIN + "encryptionsalt: v1:other\n"
    assert without_salt(text, SALT) == text


def test_a_salt_that_values_are_encrypted_under_is_left_alone() -> None:
    text = f"config:\n  gonogo:key:\n    secure: v1:x\nencryptionsalt: {SALT}\n"
    assert without_salt(text, SALT) == text


def test_cleaning_mends_only_files_with_the_states_salt(tmp_path: Path) -> None:
    backend = FileBackend(tmp_path / "state", "gonogo")
    latest = {"secrets_providers": {"state": {"salt": SALT}}}
    backend.checkpoint("prod").parent.mkdir(parents=True)
    backend.checkpoint("prod").write_text(json.dumps({"checkpoint": {"latest": latest}}))
    salted = f"{PLAIN}encryptionsalt: {SALT}\n"
    for name in ("prod", "dev"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text(salted)
    assert clean(tmp_path, backend) == ["Pulumi.prod.yaml"]
    assert (tmp_path / "Pulumi.prod.yaml").read_text() == PLAIN
    assert (tmp_path / "Pulumi.dev.yaml").read_text() == salted
