"""Away from the sandbox nothing loses its protection that was not named."""

from __future__ import annotations

import pytest

from operations.cli.teardown import require_named
from operations.deployment.protection import Protection
from operations.failures import ExitCode, Failure

A = "urn:pulumi:prod::gonogo::aws:rds/instance:Instance::a"
B = "urn:pulumi:prod::gonogo::aws:kms/key:Key::b"
GUARDS = [
    Protection(A, "aws:rds/instance:Instance", "Pulumi's protect"),
    Protection(A, "aws:rds/instance:Instance", "RDS deletion protection"),
    Protection(B, "aws:kms/key:Key", "Pulumi's protect"),
]


def test_each_one_that_is_missing_is_listed_with_what_protects_it() -> None:
    with pytest.raises(Failure) as refused:
        require_named(GUARDS, [B])
    assert refused.value.code is ExitCode.WRONG_INPUT
    assert f"--unprotect '{A}'  (Pulumi's protect, RDS deletion protection)" in refused.value.what
    assert B not in refused.value.what


def test_all_named_may_go() -> None:
    require_named(GUARDS, [A, B])
    require_named([], [])


def test_a_name_that_protects_nothing_is_refused() -> None:
    with pytest.raises(Failure, match="not protected or not there: urn:x"):
        require_named(GUARDS, [A, B, "urn:x"])
