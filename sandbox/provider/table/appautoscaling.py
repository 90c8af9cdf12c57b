"""Rows to come."""

from __future__ import annotations

from typing import Final

from sandbox.provider.resource import ResourceType

ROWS: Final[tuple[ResourceType, ...]] = ()
