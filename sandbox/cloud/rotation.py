"""Secrets Manager with real rotation: RotateSecret runs the rotation function's code.

Source: "Rotation by Lambda function" of its user guide: four steps, createSecret, setSecret,
testSecret and finishSecret, on a version that carries the label AWSPENDING. AWS runs them after
it has answered; here they have run when it answers. A failed step leaves AWSPENDING, as on AWS.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from typing import Any

from sandbox.cloud import emulator
from sandbox.cloud.answer import Response
from sandbox.cloud.databases import Databases
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.errors import AwsError
from sandbox.cloud.models import Request

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
PRINCIPAL = "secretsmanager.amazonaws.com"
DAY_SECONDS = 86400
logger = logging.getLogger("gonogo.rotation")


class Secrets:
    """Rotation, and the few answers of Secrets Manager that MiniStack gives otherwise."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._lock = threading.Lock()
        self.failures: dict[str, str] = {}

    def handlers(self) -> dict[str, Handler]:
        """The operations that are answered here."""
        return {
            "CreateSecret": self.create,
            "GetSecretValue": self.get_value,
            "PutSecretValue": self.put_value,
            "DescribeSecret": self.describe,
            "RotateSecret": self.rotate,
            "CancelRotateSecret": self.cancel,
        }

    def create(self, call: Call) -> Response:
        """CreateSecret: without a value the secret has no version yet."""
        response = call.forward()
        wanted = call.parameters
        if response[0] == 200 and not {"SecretString", "SecretBinary"} & set(wanted):
            _secret(wanted["Name"])["Versions"].clear()
        return response

    def get_value(self, call: Call) -> Response:
        """GetSecretValue: a version that has no value yet is not found."""
        response = call.forward()
        if response[0] == 200:
            value = json.loads(response[2])
            if "SecretString" not in value and "SecretBinary" not in value:
                raise AwsError(
                    "ResourceNotFoundException",
                    "Secrets Manager can't find the specified secret value for VersionId:"
                    f" {value.get('VersionId')}",
                )
        return response

    def put_value(self, call: Call) -> Response:
        """PutSecretValue: a version's value is written once."""
        wanted = call.parameters
        secret = _find(wanted.get("SecretId"))
        known = (secret or {}).get("Versions", {}).get(wanted.get("ClientRequestToken")) or {}
        for name in ("SecretString", "SecretBinary"):
            if known.get(name) is not None and known[name] != _sent(call).get(name):
                raise AwsError(
                    "ResourceExistsException",
                    "You can't modify an existing version, you can only create a new version.",
                )
        return call.forward()

    def describe(self, call: Call) -> Response:
        """DescribeSecret: with the times of rotation and the owning service."""
        response = call.forward()
        secret = _find(call.parameters.get("SecretId"))
        if response[0] != 200 or secret is None:
            return response
        shown = json.loads(response[2])
        for name in ("LastRotatedDate", "NextRotationDate"):
            if secret.get(name):
                shown[name] = secret[name]
        if secret["Name"].startswith("rds!"):
            shown["OwningService"] = "rds"
        return response[0], response[1], json.dumps(shown).encode()

    def cancel(self, call: Call) -> Response:
        """CancelRotateSecret: no more rotation; the function stays named."""
        secret = _secret(call.parameters["SecretId"])
        secret["RotationEnabled"] = False
        secret.pop("NextRotationDate", None)
        return call.result({"ARN": secret["ARN"], "Name": secret["Name"]})

    def rotate(self, call: Call) -> Response:
        """RotateSecret: configure and, unless told otherwise, rotate at once."""
        wanted = call.parameters
        secret = _secret(wanted["SecretId"])
        if secret.get("DeletedDate"):
            raise AwsError(
                "InvalidRequestException",
                "You can't perform this operation on the secret because it was marked for"
                " deletion.",
            )
        if secret["Name"].startswith("rds!"):
            return self._rotate_managed(call, secret)
        function = wanted.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
        _check_function(function)
        _check_rules(wanted.get("RotationRules"))
        secret["RotationLambdaARN"] = function
        secret["RotationRules"] = wanted.get("RotationRules") or secret.get("RotationRules") or {}
        secret["RotationEnabled"] = True
        token = str(wanted.get("ClientRequestToken") or uuid.uuid4())
        if wanted.get("RotateImmediately") is not False:
            with self._lock:
                self._run(call, secret, str(function), token)
        _plan_next(secret)
        return call.result({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})

    def _rotate_managed(self, call: Call, secret: dict[str, Any]) -> Response:
        """The master user's secret is rotated by RDS itself."""
        self._databases.rotate_master(secret["ARN"])
        secret["LastRotatedDate"] = time.time()
        _plan_next(secret)
        current = next(
            name for name, each in secret["Versions"].items() if "AWSCURRENT" in each["Stages"]
        )
        return call.result({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": current})

    def _run(self, call: Call, secret: dict[str, Any], function: str, token: str) -> None:
        for version in secret["Versions"].values():
            if "AWSPENDING" in version["Stages"]:
                version["Stages"].remove("AWSPENDING")
        secret["Versions"][token] = {
            "SecretString": None,
            "SecretBinary": None,
            "CreatedDate": int(time.time()),
            "Stages": ["AWSPENDING"],
        }
        name = secret["Name"]
        self.failures.pop(name, None)
        for step in STEPS:
            failure = _invoke(call, function, secret["ARN"], token, step)
            if failure:
                self.failures[name] = f"Rotation of {name} failed in {step}: {failure}"
                logger.error("%s", self.failures[name])
                return
        if "AWSCURRENT" not in secret["Versions"].get(token, {}).get("Stages", []):
            self.failures[name] = f"Rotation of {name} ended, but its new version is not current."
            return
        secret["LastRotatedDate"] = time.time()


def _invoke(call: Call, function: str, secret: str, token: str, step: str) -> str | None:
    """Run the function for one step; what went wrong, or None."""
    event = {"Step": step, "SecretId": secret, "ClientRequestToken": token}
    name = function.partition(":function:")[2] or function
    credential = f"{call.account}/20000101/{call.region}/lambda/aws4_request"
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "x-amz-invocation-type": "RequestResponse",
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host,"
        " Signature=0",
    }
    path = f"/2015-03-31/functions/{name}/invocations"
    request = Request("POST", path, headers, json.dumps(event).encode(), {})
    status, answered, body = call.forward(request)
    failed = any(key.lower() == "x-amz-function-error" for key in answered)
    if status < 300 and not failed:
        return None
    try:
        told = json.loads(body)
        return str(told.get("errorMessage") or told.get("message") or told)
    except (ValueError, AttributeError):
        return body.decode("utf-8", "replace")[:500]


def _sent(call: Call) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(call.request.body or b"{}")
    return sent


def _find(identifier: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = emulator.service("secretsmanager")._resolve(identifier)[1]
    return found


def _secret(identifier: Any) -> dict[str, Any]:
    secret = _find(identifier)
    if secret is None:
        raise AwsError(
            "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
        )
    return secret


def _check_function(arn: Any) -> None:
    """The function must be there and let Secrets Manager call it."""
    if not arn:
        raise AwsError(
            "InvalidRequestException",
            "No Lambda rotation function ARN is associated with this secret.",
        )
    name = str(arn).partition(":function:")[2].partition(":")[0] or str(arn)
    function = emulator.service("lambda_svc")._functions.get(name)
    statements = ((function or {}).get("policy") or {}).get("Statement", [])
    if function is None or not any(PRINCIPAL in json.dumps(each) for each in statements):
        raise AwsError(
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the"
            f" function policy grants access to the principal {PRINCIPAL}.",
        )


def _check_rules(rules: dict[str, Any] | None) -> None:
    days = (rules or {}).get("AutomaticallyAfterDays")
    if days is not None and not 1 <= days <= 1000:
        raise AwsError(
            "InvalidParameterException", "AutomaticallyAfterDays must be between 1 and 1000."
        )
    if days is not None and (rules or {}).get("ScheduleExpression"):
        raise AwsError(
            "InvalidParameterException",
            "You can't specify both AutomaticallyAfterDays and ScheduleExpression.",
        )


def _plan_next(secret: dict[str, Any]) -> None:
    days = (secret.get("RotationRules") or {}).get("AutomaticallyAfterDays")
    if days:
        since = secret.get("LastRotatedDate") or secret["CreatedDate"]
        secret["NextRotationDate"] = since + days * DAY_SECONDS
