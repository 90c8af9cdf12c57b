"""An error as AWS gives it: a code, a message, an HTTP status."""

from __future__ import annotations


class AwsError(Exception):
    """Raised by an extension; answered in the form of the call's protocol."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
