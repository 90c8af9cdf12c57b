"""Which texts are taken for secrets. Every value is made up; each has the shape of its kind."""

from __future__ import annotations

import pytest

from policies.framework.detectors import name_says_secret, secret_literal, shape_of_secret

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 3


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "QYLPMN5HFIQR7XYA",
        "postgresql://app:correcthorse@db:5432/app",
        "Server=db;Password=correcthorse;Encrypt=true",
        "-----BEGIN RSA PRIVATE KEY-----",
        "ghp_" + LETTERS[:36],
        "glpat-" + LETTERS[:20],
        "sk_live_" + LETTERS[:24],
        "xoxb-123456789012-" + LETTERS[:12],
        "https://hooks.slack.com/services/T0AB1CD2E/B0AB1CD2E/" + LETTERS[:24],
        "SG." + LETTERS[:22] + "." + LETTERS[:43],
        "sk-ant-api03-" + LETTERS[:40],
        "AIza" + LETTERS[:35],
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + LETTERS[:43],
        "curl -H 'Authorization: Bearer abcdef123456' https://x",
    ],
)
def test_credentials_are_known_by_their_shape(text: str) -> None:
    assert shape_of_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "registry.example/web@sha256:" + "ab12" * 16,
        "arn:aws:iam::000000000000:role/atc-prod-execution",
        "https://example.com/a?b=c",
        "postgresql://db.internal:5432/app?sslmode=verify-full",
        "redis://:${REDIS_PASSWORD}@cache:6379",
        "6f1c2d3e-4a5b-4c6d-8e7f-901234567890",
        "subnet-0ab1cd2ef3ab4cd5e",
        "a sentence with password in it",
        "cron(0 4 * * ? *)",
        "Authorization: Bearer $TOKEN",
        "",
    ],
)
def test_ordinary_configuration_is_none(text: str) -> None:
    assert shape_of_secret(text) is None


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASS",
        "dbPassword",
        "API_KEY",
        "apiKey",
        "ALPACA_API_SECRET_KEY",
        "JWT_SECRET",
        "accessToken",
        "AWS_SECRET_ACCESS_KEY",
        "PRIVATE_KEY",
        "CREDENTIALS",
        "SUPABASE_SERVICE_ROLE_KEY",
        "token2",
        "NEXT_PUBLIC_API_TOKEN",
        "NEXT_PUBLIC_ANTHROPIC_API_KEY",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert name_says_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_ARN",
        "TOKEN_TTL_SECONDS",
        "PASSWORD_FILE",
        "AWS_ACCESS_KEY_ID",
        "PUBLIC_KEY",
        "NEXT_PUBLIC_SUPABASE_ANON_KEY",
        "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY",
        "MAX_TOKENS",
        "KEY",
        "PARTITION_KEY",
        "SECRET_NAME",
        "TOKEN_URL",
        "PRIMARY_KEY",
        "COMPASS",
        "BYPASS",
        "Name",
        "monkey",
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not name_says_secret(name)


@pytest.mark.parametrize(
    "value",
    ["", "true", "3600", "30s", "https://x", "/run/secrets/x", "arn:aws:x", "$X", "<fill>", "a/b"],
)
def test_values_that_are_no_secret_under_any_name(value: str) -> None:
    assert secret_literal("API_TOKEN", value) is None
