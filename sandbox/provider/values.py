"""Pulumi's property values on the wire, to and from plain Python.

``google.protobuf.json_format`` costs about ten times as much, and a preview of a system crosses
this border a thousand times. Source of the signatures: Pulumi's ``sdk/go/common/resource``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"  # pragma: allowlist secret
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # pragma: allowlist secret
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"  # pragma: allowlist secret
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"  # pragma: allowlist secret
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"  # pragma: allowlist secret
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"  # pragma: allowlist secret

UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

Path = tuple[str | int, ...]


class _Unknown:
    """A value that only an apply will tell."""

    def __repr__(self) -> str:
        return "<unknown>"

    def __deepcopy__(self, memo: object) -> _Unknown:
        return self

    def __copy__(self) -> _Unknown:
        return self


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Asset:
    """A file (``kind`` is ASSET) or an archive (ARCHIVE), as Pulumi hands it over."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def same(self, other: Asset) -> bool:
        """Whether the contents are the same, wherever they lie: by the engine's own hash."""
        if self.fields.get("hash") and other.fields.get("hash"):
            return bool(self.fields["hash"] == other.fields["hash"])
        return self == other


def decode(struct: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[Path]]:
    """A Struct as a plain dict, and the paths of what was marked secret in it."""
    secrets: set[Path] = set()
    plain = {key: _decode(value, (key,), secrets) for key, value in struct.fields.items()}
    return plain, frozenset(secrets)


def _decode(value: struct_pb2.Value, path: Path, secrets: set[Path]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if len(text) == len(UNKNOWN_STRING) and text in _UNKNOWNS else text
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _decode_struct(value.struct_value.fields, path, secrets)
    if kind == "list_value":
        return [
            _decode(item, (*path, index), secrets)
            for index, item in enumerate(value.list_value.values)
        ]
    return None


def _decode_struct(fields: Any, path: Path, secrets: set[Path]) -> Any:
    if SIGNATURE in fields:
        signature = fields[SIGNATURE].string_value
        if signature == SECRET:
            secrets.add(path)
            return _decode(fields["value"], path, secrets)
        if signature == OUTPUT:
            if "secret" in fields and fields["secret"].bool_value:
                secrets.add(path)
            return _decode(fields["value"], path, secrets) if "value" in fields else UNKNOWN
        if signature == RESOURCE:
            return _decode(fields["id"], path, secrets) if "id" in fields else UNKNOWN
        if signature in (ASSET, ARCHIVE):
            return Asset(
                signature,
                {
                    key: _decode(item, (*path, key), secrets)
                    for key, item in fields.items()
                    if key != SIGNATURE
                },
            )
    return {key: _decode(item, (*path, key), secrets) for key, item in fields.items()}


def encode(
    plain: Mapping[str, Any],
    secrets: Iterable[Path] = (),
    into: struct_pb2.Struct | None = None,
) -> struct_pb2.Struct:
    """A plain dict as a Struct, marking secret what lies at ``secrets`` (where it exists)."""
    struct = struct_pb2.Struct() if into is None else into
    marked = frozenset(secrets)
    fields = struct.fields
    for key, value in plain.items():
        _encode(fields[key], value, (key,), marked)
    return struct


def _encode(  # noqa: PLR0912  (one branch a kind of value)
    target: struct_pb2.Value, value: Any, path: Path, secrets: frozenset[Path]
) -> None:
    if secrets and path in secrets:
        wrapper = target.struct_value.fields
        wrapper[SIGNATURE].string_value = SECRET
        _encode(wrapper["value"], value, path, secrets - {path})
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_STRING
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        fields = target.struct_value.fields
        for key, item in value.items():
            _encode(fields[key], item, (*path, key) if secrets else path, secrets)
    elif isinstance(value, Asset):
        fields = target.struct_value.fields
        fields[SIGNATURE].string_value = value.kind
        for key, item in value.fields.items():
            _encode(fields[key], item, (*path, key), secrets)
    elif isinstance(value, list | tuple | set | frozenset):
        values = target.list_value
        values.SetInParent()
        for index, item in enumerate(value):
            _encode(values.values.add(), item, (*path, index) if secrets else path, secrets)
    else:
        target.string_value = str(value)


def has_unknown(value: Any) -> bool:
    """Whether a value, or anything inside it, is not known yet."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    if isinstance(value, Asset):
        return has_unknown(value.fields)
    return isinstance(value, str) and UNKNOWN_STRING in value


def at(value: Any, path: Path) -> Any:
    """What lies at a path, or None."""
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def reach(value: Any, path: Path) -> Path:
    """As much of a path as there is."""
    for length, step in enumerate(path):
        if isinstance(value, Mapping) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return path[:length]
    return path


def is_empty(value: Any) -> bool:
    """What Terraform's provider, and so Pulumi's, does not tell from a missing value.

    ``False`` is among them: what is on when nothing is said has its default in the row.
    """
    return value is None or value is False or value in ("", [], {})


def same(left: Any, right: Any, *, ordered: bool = False) -> bool:  # noqa: PLR0911  (a table)
    """Whether two values mean the same to AWS.

    Missing equals empty; a JSON document equals another spelling of it; a list is a set unless
    ``ordered``. An unknown value equals nothing.
    """
    if left is UNKNOWN or right is UNKNOWN:
        return False
    if is_empty(left) or is_empty(right):
        return is_empty(left) and is_empty(right)
    if isinstance(left, Asset) and isinstance(right, Asset):
        return left.same(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right or _same_json(left, right)
    if isinstance(left, bool) != isinstance(right, bool):
        return str(left).lower() == str(right).lower()
    if isinstance(left, int | float) or isinstance(right, int | float):
        return _same_number(left, right)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        keys = {*left, *right} - {"__defaults"}
        return all(same(left.get(key), right.get(key), ordered=ordered) for key in keys)
    if isinstance(left, list) and isinstance(right, list):
        return _same_list(left, right, ordered=ordered)
    return bool(left == right)


def _same_number(left: Any, right: Any) -> bool:
    try:
        return float(left) == float(right)
    except (TypeError, ValueError):
        return False


def _same_json(left: str, right: str) -> bool:
    if left[:1] not in "{[" or right[:1] not in "{[":
        return False
    try:
        return bool(json.loads(left) == json.loads(right))
    except ValueError:
        return False


def _same_list(left: list[Any], right: list[Any], *, ordered: bool) -> bool:
    if len(left) != len(right):
        return False
    if ordered:
        return all(same(a, b, ordered=True) for a, b in zip(left, right, strict=True))
    rest = list(right)
    for item in left:
        for index, other in enumerate(rest):
            if same(item, other):
                del rest[index]
                break
        else:
            return False
    return True
