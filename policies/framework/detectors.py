"""Whether a text is a secret: by its name, and by what known credentials look like.

The shapes are detect-secrets' plugins (https://github.com/Yelp/detect-secrets). Left out are those
that take ordinary configuration for secrets: high entropy (digests, ids, ARNs), public addresses,
and the ones that need a keyword in the same text. Names are judged here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

# module of detect_secrets.plugins → class, what it finds in words
_PLUGINS = {
    "aws": ("AWSKeyDetector", "an AWS access key"),
    "azure_storage_key": ("AzureStorageKeyDetector", "an Azure storage key"),
    "basic_auth": ("BasicAuthDetector", "a password inside a connection string"),
    "discord": ("DiscordBotTokenDetector", "a Discord bot token"),
    "github_token": ("GitHubTokenDetector", "a GitHub token"),
    "gitlab_token": ("GitLabTokenDetector", "a GitLab token"),
    "jwt": ("JwtTokenDetector", "a JSON web token"),
    "mailchimp": ("MailchimpDetector", "a Mailchimp key"),
    "npm": ("NpmDetector", "an npm token"),
    "openai": ("OpenAIDetector", "an OpenAI key"),
    "private_key": ("PrivateKeyDetector", "a private key"),
    "pypi_token": ("PypiTokenDetector", "a PyPI token"),
    "sendgrid": ("SendGridDetector", "a SendGrid key"),
    "slack": ("SlackDetector", "a Slack token or webhook"),
    "square_oauth": ("SquareOAuthDetector", "a Square OAuth secret"),
    "stripe": ("StripeDetector", "a Stripe key"),
    "telegram_token": ("TelegramBotTokenDetector", "a Telegram bot token"),
    "twilio": ("TwilioKeyDetector", "a Twilio key"),
}

# What detect-secrets has no plugin for, in the field this pack comes from.
_OWN_SHAPES = (
    (re.compile(r"\bsk-ant-[A-Za-z0-9_-]{20,}"), "an Anthropic key"),
    (re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"), "a Google API key"),
    (
        re.compile(r"(?i)(?:^|[;\s&?])(?:password|pwd)\s*=\s*(?![\s;$<{]|\*+$)[^\s;&]{3,}"),
        "a password inside a connection string",
    ),
    (
        re.compile(r"(?i)\bauthorization:\s*(?:bearer|basic)\s+(?![$<{])[A-Za-z0-9._~+/=-]{8,}"),
        "an authorization header",
    ),
)


@lru_cache(maxsize=1)
def _plugins() -> list[tuple[Any, str]]:
    return [
        (getattr(import_module(f"detect_secrets.plugins.{module}"), name)(), words)
        for module, (name, words) in _PLUGINS.items()
    ]


def warm_up() -> None:
    """Imports the plugins, while there is nothing else to do."""
    _plugins()


@lru_cache(maxsize=4096)
def shape_of_secret(text: str) -> str | None:
    """What known credential the text contains ("an AWS access key"), or None."""
    if len(text) < 8:
        return None
    for pattern, words in _OWN_SHAPES:
        if pattern.search(text):
            return words
    for plugin, words in _plugins():
        if any(True for _ in plugin.analyze_string(text)):
            return words
    return None


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_PASSWORDS = {"password", "passwd", "passphrase", "pwd", "pass"}
_SECRETS = {"secret", "token", "credential", "credentials", "apikey", "secretkey", "accesskey"}
_KEYS = {
    "api", "access", "private", "signing", "encryption", "auth", "service", "secret", "license",
    "admin", "master", "account", "client", "session", "hmac", "jwt", "webhook", "role",
}  # fmt: skip
# What comes last says what the value is: the name, the place or the age of a secret is no secret.
_ABOUT = {
    "arn", "arns", "id", "ids", "name", "names", "path", "file", "dir", "url", "uri", "endpoint",
    "host", "port", "ttl", "seconds", "minutes", "hours", "days", "ms", "length", "count", "size",
    "limit", "max", "min", "enabled", "disabled", "required", "type", "algorithm", "alg", "header",
    "prefix", "suffix", "region", "rotation", "version", "issuer", "audience", "expiry", "expires",
    "field", "manager", "provider", "store", "policy", "mode", "source", "format", "ref",
    "reference", "cookie", "env", "parameter", "lambda", "function", "rotated", "at", "alias",
    "key_id", "usage", "budget", "window", "interval", "timeout", "tokens", "bucket", "table",
}  # fmt: skip
_PUBLIC = {"public", "publishable", "anon"}
# `NEXT_PUBLIC_` says where a bundler puts the value, not that it may be read.
_BUNDLERS = {"next", "nuxt", "expo"}


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


@lru_cache(maxsize=4096)
def name_says_secret(name: str) -> bool:
    """Whether a variable, key or parameter of this name holds a secret: `DB_PASSWORD`, `apiKey`,
    but not `SECRET_ARN`, `TOKEN_TTL_SECONDS` or `PUBLIC_KEY`."""
    words = _words(name)
    if words[1:2] == ["public"] and words[0] in _BUNDLERS:
        words = words[2:]
    if not words or words[-1] in _ABOUT or _PUBLIC & set(words):
        return False
    if words[-1].isdigit():
        words = words[:-1]
    if not words:
        return False
    return bool((_PASSWORDS | _SECRETS) & set(words)) or (
        words[-1] == "key" and len(words) > 1 and words[-2] in _KEYS
    )


_REFERENCE = re.compile(
    r"^(?:arn:aws|\{\{resolve:|ssm:|secretsmanager:|vault:|file:|env:|projects/[^/]+/secrets/"
    r"|[<$%*]|\{\{|/)"
)
_NOT_SECRET = re.compile(
    r"^(?:|true|false|yes|no|on|off|null|none|nil|undefined|enabled|disabled|required|optional"
    r"|\d+(?:\.\d+)?(?:ms|s|m|h|d|%)?|[a-z+]+://[^@\s]*)$",
    re.IGNORECASE,
)
_PATH_LIKE = re.compile(r"^[a-z0-9][a-z0-9_.-]*(?:/[a-z0-9][a-z0-9_.-]*)+$")


def is_reference(text: str) -> bool:
    """Whether the text names where a secret is kept instead of holding it."""
    return bool(_REFERENCE.match(text)) or bool(_PATH_LIKE.match(text))


def secret_literal(name: str, text: str) -> str | None:
    """Why `text`, given under `name`, is a secret in plain text; None when it is not one."""
    value = text.strip()
    shape = shape_of_secret(value)
    if shape:
        return f"it looks like {shape}"
    if not name_says_secret(name) or not value:
        return None
    number_like = value.isdigit() and len(value) >= 4 and bool(_PASSWORDS & set(_words(name)))
    if is_reference(value) or (_NOT_SECRET.match(value) and not number_like):
        return None
    return "its name says that it is a secret"


_RANDOM_CLASSES = (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9\s._/:=@-]")


def looks_random(text: str) -> bool:
    """Whether the text could be a password at all: 8 characters of several kinds, no blank."""
    kinds = sum(bool(re.search(pattern, text)) for pattern in _RANDOM_CLASSES)
    return len(text) >= 8 and not re.search(r"\s", text) and kinds >= 2
