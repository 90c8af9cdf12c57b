"""The wire format that the pack reads itself: a canary on Pulumi's side of it."""

from __future__ import annotations

from typing import Any

import pulumi_policy
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc
from pulumi_policy import deserialize, proxy

from policies.framework import values
from policies.framework.values import UNKNOWN, Asset, Secret, decode_struct
from policies.testing import wire

scalars = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | st.text()
)
known = st.recursive(
    scalars | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4)
        | inner.map(Secret)
    ),
    max_leaves=12,
)
properties = st.dictionaries(st.text(min_size=1, max_size=8), known, max_size=5)


def test_the_marks_are_those_of_pulumi() -> None:
    assert values.SIGNATURE == deserialize.SPECIAL_SIG_KEY == rpc._special_sig_key
    assert values.SECRET_SIGNATURE == deserialize.SPECIAL_SECRET_SIG == rpc._special_secret_sig
    assert values.ASSET_SIGNATURE == deserialize.SPECIAL_ASSET_SIG
    assert values.ARCHIVE_SIGNATURE == deserialize.SPECIAL_ARCHIVE_SIG
    assert rpc._special_resource_sig == values.RESOURCE_SIGNATURE
    assert rpc._special_output_value_sig == values.OUTPUT_SIGNATURE
    sdk = {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")}
    assert sdk == values.UNKNOWN_MARKS


def _as_sdk_sees(value: Any) -> Any:
    """What our decoder gave, in the SDK's terms."""
    if isinstance(value, Secret):
        return ("secret", _as_sdk_sees(value.value))
    if value is UNKNOWN:
        return "unknown"
    if isinstance(value, dict):
        return {key: _as_sdk_sees(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_sdk_sees(inner) for inner in value]
    return value


def _of_sdk(value: Any) -> Any:
    if isinstance(value, pulumi_policy.Secret):
        return ("secret", _of_sdk(value.value))
    if proxy._is_unknown(value):
        return "unknown"
    if hasattr(value, "keys"):
        raw = value["__target"] if not isinstance(value, dict) else value
        return {key: _of_sdk(inner) for key, inner in raw.items() if inner is not None}
    if isinstance(value, list):
        return [_of_sdk(inner) for inner in value]
    return value


@settings(max_examples=200, deadline=None)
@given(properties)
def test_our_decoder_sees_what_pulumis_own_sees(given_properties: dict[str, Any]) -> None:
    sent = wire(given_properties)
    theirs = deserialize.deserialize_properties(json_format.MessageToDict(sent), True)
    assert _as_sdk_sees(decode_struct(sent)) == _of_sdk(theirs)


def test_assets_are_not_taken_for_text() -> None:
    sent = wire(
        {"code": {values.SIGNATURE: values.ARCHIVE_SIGNATURE, "path": "/tmp/code", "hash": "x"}}
    )
    assert isinstance(decode_struct(sent)["code"], Asset)


def test_output_values_and_references_are_unwrapped() -> None:
    output = {values.SIGNATURE: values.OUTPUT_SIGNATURE, "value": "x", "secret": True}
    reference = {values.SIGNATURE: values.RESOURCE_SIGNATURE, "urn": "urn:a", "id": "b"}
    decoded = decode_struct(
        wire({"a": output, "b": {values.SIGNATURE: values.OUTPUT_SIGNATURE}, "c": reference})
    )
    assert isinstance(decoded["a"], Secret)
    assert decoded["a"].value == "x"
    assert decoded["b"] is UNKNOWN
    assert decoded["c"] == "urn:a"


def test_a_secret_does_not_show_itself() -> None:
    assert "hunter2" not in repr(Secret("hunter2"))
