"""New values. Letters and digits only: they go into headers, URLs and JSON unescaped."""

from __future__ import annotations

import secrets
import string

_LETTERS = string.ascii_letters + string.digits


def random_text(length: int) -> str:
    """`length` characters with almost six bits each."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
