"""Errors as a Pulumi user knows them: the resource, the call, AWS's own message."""

from __future__ import annotations

import re
from typing import Any

from botocore import exceptions as boto

#: Codes that say "it is not there" in one of AWS's many ways.
_GONE = re.compile(
    r"NotFound|NoSuch|NotExist|DoesNotExist|NonExistent|UnknownResource", re.IGNORECASE
)
_EXISTS = re.compile(
    r"AlreadyExist|ResourceExists|EntityAlreadyExists|BucketAlready|\.Duplicate|^Duplicate"
    r"|ResourceConflict|ConflictException|InUseException|AlreadyAssociated|QueueNameExists"
)


class ProviderError(Exception):
    """What the provider tells the engine; its text reaches the person as it is."""


class CallError(ProviderError):
    """A call that AWS (here: the emulator) refused.

    ``code`` is AWS's error code, ``detail`` its message.
    """

    def __init__(self, service: str, operation: str, code: str, detail: str, status: int) -> None:
        self.service, self.operation, self.code, self.detail = service, operation, code, detail
        self.status = status
        where = f", https response error StatusCode: {status}" if status else ""
        super().__init__(
            f"operation error {service}: {operation}{where}, api error {code}: {detail}"
        )

    @property
    def gone(self) -> bool:
        """Whether the error says that the thing is not there."""
        return bool(_GONE.search(self.code))

    @property
    def exists(self) -> bool:
        """Whether the error says that the thing is there already."""
        return bool(_EXISTS.search(self.code))


class ParameterError(ProviderError):
    """Parameters that botocore's model of the call does not allow."""


class EmulatorAwayError(ProviderError):
    """Nobody answers at the sandbox's endpoint."""


def translate(error: Exception, service: str, operation: str, endpoint: str) -> ProviderError:
    """A botocore error as one of ours."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, boto.ClientError):
        body: dict[str, Any] = error.response.get("Error", {})
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(body.get("Code") or "UnknownError")
        return CallError(service, operation, code, str(body.get("Message") or code), status)
    if isinstance(error, boto.ParamValidationError):
        report = str(error).removeprefix("Parameter validation failed:").strip()
        return ParameterError(
            f"operation error {service}: {operation}, parameters refused by AWS's API model: "
            + "; ".join(line.strip() for line in report.splitlines() if line.strip())
        )
    if isinstance(error, boto.ReadTimeoutError):
        return EmulatorAwayError(
            f"operation error {service}: {operation}: the sandbox's emulator at {endpoint} took "
            "longer than allowed to answer. `./gonogo sandbox status` says how it is, "
            "`./gonogo up` mends it and goes on"
        )
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError | OSError):
        return EmulatorAwayError(
            f"operation error {service}: {operation}: the sandbox's emulator does not answer at "
            f"{endpoint}. `./gonogo sandbox status` says how it is, `./gonogo up` mends it and "
            "goes on"
        )
    return ProviderError(f"operation error {service}: {operation}: {error}")


def scrub(text: str, secrets: list[str]) -> str:
    """The text without the secret values that an error may quote."""
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, "[secret]")
    return text
