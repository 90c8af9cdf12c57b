"""Lean imports: the same classes, fewer files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run(program: str) -> Any:
    """What a fresh interpreter prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


HEAD = """
import json, sys
from components import lean
lean.install()
import pulumi_aws as aws
"""


def test_only_the_files_that_are_used_are_loaded() -> None:
    loaded = run(HEAD + "aws.ec2.Vpc; print(json.dumps([m for m in sys.modules if '.ec2' in m]))")
    assert "pulumi_aws.ec2.vpc" in loaded
    assert "pulumi_aws.ec2.instance" not in loaded


def test_all_kinds_of_names_are_found() -> None:
    names = [
        "ec2.SecurityGroup",
        "vpc.SecurityGroupIngressRule",
        "cloudwatch.MetricAlarmMetricQueryArgs",
        "cloudwatch.EventTargetRetryPolicyArgsDict",
        "secretsmanager.get_random_password_output",
        "secretsmanager.get_random_password",
        "lambda_.Function",
        "s3.BucketServerSideEncryptionConfiguration",
        # Defined where their name does not say: the package's own __init__ has them.
        "ec2.GetVpcResult",
        "ec2.AwaitableGetSubnetResult",
        "lambda_.Runtime",
    ]
    program = HEAD + (
        f"names = {names!r}\nprint(json.dumps([eval('aws.' + name).__name__ for name in names]))"
    )
    assert run(program) == [name.partition(".")[2] for name in names]


def test_a_name_that_is_nowhere_is_an_attribute_error() -> None:
    program = HEAD + (
        "try:\n    aws.ec2.NoSuchThing\n"
        "except AttributeError as error:\n    print(json.dumps(str(error)))"
    )
    assert run(program) == "module 'pulumi_aws.ec2' has no attribute 'NoSuchThing'"


def test_after_pulumi_aws_it_does_nothing() -> None:
    program = """
import json
import pulumi_aws as aws
from components import lean
before = aws.ec2
lean.install()
print(json.dumps(aws.ec2 is before and not isinstance(before, lean.LeanPackage)))
"""
    assert run(program) is True


def test_a_system_is_declared_the_same_with_and_without() -> None:
    program = """
import json, sys
if sys.argv[-1] == "lean":
    from components import lean
    lean.install()
from pathlib import Path
from components.system import declare
from systems.stack import load
from tests.components.recording import record
stack = load(Path("Pulumi.prod.yaml"))
records = record(lambda: declare(stack.system, stack.tier, stack.region, stack.tags), preview=True)
said = {one.urn: one.inputs for one in records.resources}
print(json.dumps(said, default=lambda value: type(value).__name__))
"""
    usual, lean = (
        run(f"import sys; sys.argv.append({kind!r})\n{program}") for kind in ("usual", "lean")
    )
    assert len(lean) > 150
    assert lean == usual
