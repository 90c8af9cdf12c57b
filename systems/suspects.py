"""What looks like a secret, and must not be in a file or on a screen."""

from __future__ import annotations

import re

# Formats that their issuers document. Enough to stop a paste; the policy pack searches deeper.
_FORMATS = {
    "an Anthropic API key": r"sk-ant-[A-Za-z0-9_-]{8,}",
    "an API key": r"\b(sk|rk|pk)[-_](live|test|proj)[-_][A-Za-z0-9_-]{8,}",
    "an AWS access key": r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",
    "a GitHub token": r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a Render token": r"\brnd_[A-Za-z0-9_-]{16,}",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a URL with a password in it": r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@",
}
# Prefixes of variables that bundlers copy into what a browser downloads.
PUBLIC_PREFIXES = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "PUBLIC_", "NUXT_PUBLIC_", "EXPO_PUBLIC_")

_COMPILED = {what: re.compile(pattern) for what, pattern in _FORMATS.items()}


def looks_like(text: str) -> str | None:
    """Which kind of secret the text contains, or None."""
    return next((what for what, pattern in _COMPILED.items() if pattern.search(text)), None)


_NAMES = re.compile(
    r"(^|_)(SECRET|TOKEN|PASS|PWD|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?"
    r"|(SECRET|PRIVATE|SIGNING|ENCRYPTION|API|ACCESS)_KEY|SECRET_KEY_BASE)$"
)


def names_a_secret(variable: str) -> bool:
    """Whether an environment variable of this name is bound to hold a secret."""
    return bool(_NAMES.search(variable))
