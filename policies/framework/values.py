"""What a property can be on its way from Pulumi's engine: known, unknown, secret, an asset.

Pulumi's analyzer protocol marks these inside a protobuf `Struct`: unknown values are fixed strings,
secrets and assets are objects with a signature key. The signatures are part of Pulumi's wire format
(sdk/go/common/resource/plugin/rpc.go and properties.go). The engine sends secret marks with each
analysis; Pulumi's own Python SDK drops them, which is why the pack reads the wire itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  a type's mark
ASSET_SIGNATURE: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

UNKNOWN_MARKS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


class Unknown:
    """A value that preview cannot know. There is one: `UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class Secret:
    """A value that Pulumi has marked secret. Its `repr` does not show it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(…)"


class Asset:
    """A file or an archive: never read by rules, only told from strings."""

    __slots__ = ("content",)

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = dict(content)

    def __repr__(self) -> str:
        return "Asset"


def decode_struct(struct: Any) -> dict[str, Any]:
    """A protobuf `Struct` as Python values. Nulls are left out: Pulumi means "not set" by them."""
    result = {}
    for key, value in struct.fields.items():
        decoded = _decode(value)
        if decoded is not None:
            result[key] = decoded
    return result


def _decode(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWN_MARKS else text
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        # Every number arrives as a float. Whole ones read better, and compare, as integers.
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "list_value":
        return [_decode(element) for element in value.list_value.values]
    if kind == "struct_value":
        return _decode_object(value.struct_value)
    return None


def _decode_object(struct: Any) -> Any:
    fields = struct.fields
    if SIGNATURE not in fields:
        return decode_struct(struct)
    signature = fields[SIGNATURE].string_value
    if signature == SECRET_SIGNATURE:
        return Secret(_decode(fields["value"]) if "value" in fields else UNKNOWN)
    if signature == OUTPUT_SIGNATURE:
        known = _decode(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(known) if "secret" in fields and fields["secret"].bool_value else known
    if signature == RESOURCE_SIGNATURE:
        return fields["urn"].string_value if "urn" in fields else UNKNOWN
    # Assets and archives; and a signature of a later Pulumi, which no rule takes for a string.
    return Asset(decode_struct(struct))


def plain(value: Any) -> Any:
    """The value without secret marks on it, however many."""
    while type(value) is Secret:
        value = value.value
    return value
