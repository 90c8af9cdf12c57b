"""Keeping values out of messages."""

from __future__ import annotations

import json

_SHORTEST = 4


def redacted(text: str, *values: str | None) -> str:
    """`text` without the values, nor what is inside them when they are JSON objects."""
    for part in sorted(_parts(values), key=len, reverse=True):
        text = text.replace(part, "***")
    return text


def _parts(values: tuple[str | None, ...]) -> set[str]:
    parts: set[str] = set()
    for value in values:
        if value is None:
            continue
        parts.add(value)
        try:
            inside = json.loads(value)
        except ValueError:
            continue
        if isinstance(inside, dict):
            secret = (inside.get(key) for key in ("password", "url"))
            parts.update(item for item in secret if isinstance(item, str))
    return {part for part in parts if len(part) >= _SHORTEST}
