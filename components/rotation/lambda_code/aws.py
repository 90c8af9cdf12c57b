"""Clients of AWS, made once while the function stays warm."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=5, read_timeout=20, retries={"max_attempts": 4, "mode": "standard"}
)


@cache
def client(service: str) -> Any:
    """A client of `service` in the function's own region."""
    return boto3.client(service, config=_CONFIG)
