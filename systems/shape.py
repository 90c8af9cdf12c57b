"""What the model says may stand at a path, in words, and where its collections are."""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from systems.model.base import Model, Says


class Shape(NamedTuple):
    """The type of a field, without `None`, and what narrows it."""

    kind: Any
    narrowed_by: tuple[Any, ...] = ()
    optional: bool = False
    required: bool = True

    @property
    def model(self) -> type[Model] | None:
        """The model that stands here, if one does."""
        return self.kind if isinstance(self.kind, type) and issubclass(self.kind, Model) else None

    @property
    def is_mapping(self) -> bool:
        """A mapping whose keys are names of the person's own choosing."""
        return get_origin(self.kind) is dict

    @property
    def is_collection(self) -> bool:
        """A mapping of models by name, such as `databases`: `"*"` stands for each entry."""
        return self.is_mapping and self.value().model is not None

    @property
    def is_list(self) -> bool:
        """Values in order."""
        return get_origin(self.kind) is tuple

    def key(self) -> Shape:
        """What the names of a mapping may be."""
        return shape_of(get_args(self.kind)[0])

    def value(self) -> Shape:
        """What stands under any key of a mapping, or in a list."""
        arguments = get_args(self.kind)
        return shape_of(arguments[1] if self.is_mapping else arguments[0])


def shape_of(annotation: Any, metadata: Sequence[Any] = (), *, required: bool = True) -> Shape:
    """The shape that a type annotation describes."""
    narrowed = list(metadata)
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            for one in more:
                narrowed.extend(one.metadata if isinstance(one, FieldInfo) else [one])
        elif origin in (Union, types.UnionType) and type(None) in get_args(annotation):
            optional = True
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        else:
            return Shape(annotation, tuple(narrowed), optional, required)


@cache
def fields(model: type[Model]) -> dict[str, Shape]:
    """A model's fields by name."""
    return {
        name: shape_of(info.annotation, info.metadata, required=info.is_required())
        for name, info in model.model_fields.items()
    }


def step(shape: Shape | None, key: str | int) -> Shape | None:
    """What may stand under `key`, or None where nothing may."""
    if shape is None:
        return None
    if shape.model:
        return fields(shape.model).get(str(key))
    if shape.is_mapping or shape.is_list:
        return shape.value()
    return None


def along(shape: Shape, path: Iterable[str | int]) -> Shape | None:
    """What may stand at the end of `path`."""
    found: Shape | None = shape
    for key in path:
        found = step(found, key)
    return found


def complete(model: type[Model]) -> bool:
    """Whether every field of the model has a default."""
    return not any(shape.required for shape in fields(model).values())


def allowed(shape: Shape) -> str:
    """What may stand here, in words: `a whole number from 0 to 35`."""
    words = _allowed(shape)
    return f"{words}, or null for none" if shape.optional else words


def advice(shape: Shape) -> str | None:
    """What the model itself says to do about a wrong value."""
    said = [one.todo for one in shape.narrowed_by if isinstance(one, Says) and one.todo]
    return said[-1] if said else None


def _allowed(shape: Shape) -> str:
    said = [one.text for one in shape.narrowed_by if isinstance(one, Says) and one.text]
    if said:
        return said[-1]
    if get_origin(shape.kind) is Literal:
        options = [str(option) for option in get_args(shape.kind)]
        return options[0] if len(options) == 1 else f"one of {', '.join(options)}"
    if shape.model:
        return f"a mapping with {', '.join(fields(shape.model))}"
    if shape.is_mapping or shape.is_list:
        inner = shape.value()
        whole = "a mapping of names to " if shape.is_mapping else "a list of "
        if get_origin(inner.kind) is Literal:
            return f"{whole}any of {', '.join(map(str, get_args(inner.kind)))}"
        return whole + ("mappings" if inner.model else _PLURALS.get(inner.kind, "values"))
    return _single(shape)


_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}


def _single(shape: Shape) -> str:
    if shape.kind is bool:
        return "true or false"
    if shape.kind in (int, float):
        return ("a whole number" if shape.kind is int else "a number") + _range(shape)
    pattern = bound(shape, "pattern")
    if pattern:
        return f"text of the form {pattern}"
    return "text that is not empty" if bound(shape, "min_length") else "text"


def bound(shape: Shape, name: str) -> Any:
    """One limit of a shape: `ge`, `gt`, `le`, `pattern` or `min_length`."""
    values = [getattr(one, name, None) for one in shape.narrowed_by]
    return next((value for value in values if value is not None), None)


def _range(shape: Shape) -> str:
    least, above, most = (bound(shape, name) for name in ("ge", "gt", "le"))
    if least is not None and most is not None:
        return f" from {_number(least)} to {_number(most)}"
    parts = []
    if above is not None:
        parts.append(f"above {_number(above)}")
    if least is not None:
        parts.append(f"of at least {_number(least)}")
    if most is not None:
        parts.append(f"of at most {_number(most)}")
    return " " + " and ".join(parts) if parts else ""


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else str(value)
