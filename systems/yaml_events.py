"""From the YAML parser's events to our tree, with limits on depth, size and aliases.

Read by the rules of YAML 1.2 (`no` is text, `02:00` is text) and never by building objects: the
parser's events are all that is used. Tags, merge keys and duplicate keys are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from systems.document import Entry, Listing, Node, Scalar, Table, resolve
from systems.errors import ConfigError, Place, Problem
from systems.yaml_errors import broken

MAX_DEPTH = 32
MAX_NODES = 50_000

# libyaml's parser is some ten times faster; PyYAML without it still works.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def build(file: Path, text: str) -> Node | None:
    """The document in `text`, or None if there is none. Raises ConfigError."""
    builder = _Builder(file)
    try:
        return builder.document(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise ConfigError([broken(file, text, error, builder.long_quote)]) from None


class _Builder:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0
        self.long_quote: tuple[Place, int] | None = None

    def document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                raise self.refuse(
                    event,
                    "a second document (`---`)",
                    "one document a file",
                    "move it to a file of its own",
                )
            if isinstance(event, yaml.NodeEvent):
                root = self.node(event, events, depth=1)
        if isinstance(root, Scalar) and root.blank:
            return None
        return root

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        before = self.nodes
        self.count(event, 1)
        if depth > MAX_DEPTH:
            raise self.refuse(
                event,
                f"more than {MAX_DEPTH} levels, one within the other",
                f"at most {MAX_DEPTH} levels",
                "look for brackets that are never closed",
            )
        if event.tag is not None and event.tag != "!":
            raise self.refuse(
                event,
                f"the tag {event.tag}",
                "plain values, lists and mappings",
                "remove the tag; put text in quotes",
            )
        place = self.place(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            unquoted = event.implicit[0] and event.tag is None
            if event.style in ("'", '"') and event.end_mark.line > event.start_mark.line:
                self.long_quote = (place, event.end_mark.line + 1)
            value = resolve(event.value) if unquoted else event.value
            node = Scalar(place, value, event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Listing(place, tuple(self.items(events, depth)))
        else:
            node = Table(place, self.entries(events, depth))
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.nodes - before)
        return node

    def items(self, events: Iterator[Any], depth: int) -> Iterator[Node]:
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self.node(event, events, depth + 1)

    def entries(self, events: Iterator[Any], depth: int) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.key(event)
            place = self.place(event)
            if key in found:
                raise self.refuse(
                    event,
                    f"{key} a second time, first given in line {found[key].key.line}",
                    "each name once",
                    f"keep one of lines {found[key].key.line} and {place.line}",
                    field=key,
                )
            found[key] = Entry(place, self.node(next(events), events, depth + 1))
        return found

    def key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            raise self.refuse(
                event, "a list, mapping or tag as a name", "text as a name", "write a plain name"
            )
        self.count(event, 1)
        if event.value == "<<" and event.implicit[0]:
            raise self.refuse(
                event,
                "a merge key (<<)",
                "fields written out",
                'put what entries share under "*": it holds for each entry of the collection',
            )
        return str(event.value)

    def alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            raise self.refuse(
                event,
                f"*{event.anchor}, which is not defined before this line",
                "an alias of an anchor above it, not within itself",
                f'define &{event.anchor} first; a text that begins with * needs quotes: "*"',
            )
        node, size = self.anchors[event.anchor]
        self.count(event, size)
        return node

    def count(self, event: Any, more: int) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            raise self.refuse(
                event,
                f"more than {MAX_NODES} values, aliases counted as often as they are used",
                f"at most {MAX_NODES} values",
                "use fewer aliases, or split the file",
            )

    def place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def refuse(
        self, event: Any, found: str, allowed: str, todo: str, *, field: str = ""
    ) -> ConfigError:
        return ConfigError([Problem(self.place(event), field, found, allowed, todo)])
