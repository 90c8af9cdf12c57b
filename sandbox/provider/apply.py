"""Create, Read, Update and Delete: a row carried out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sandbox.provider import shapes
from sandbox.provider.call import Call, properties_of
from sandbox.provider.errors import CallError, ProviderError
from sandbox.provider.resource import Op, Source, Step
from sandbox.provider.shapes import MISSING
from sandbox.provider.values import UNKNOWN, is_empty, same

_READ_AFTER_CREATE_SECONDS = 10.0


def begin(call: Call) -> None:
    """The create alone: afterwards the thing is there and ``call.id`` is known."""
    step = call.row.create
    if isinstance(step, Step):
        answer = step.run(call)
    else:
        answer = call.aws(step.name, call.tagged(call.build(step)), step.service)
    call.response = answer if isinstance(answer, dict) else {}
    call.id = resource_id(call)


def resource_id(call: Call) -> str:
    """Pulumi's id, from the row's template or the create's answer."""
    if call.row.id.startswith("="):
        return str(call.fill(call.row.id[1:]))
    value = shapes.lookup(call.response, call.row.id)
    if value is MISSING or not value:
        raise ProviderError(f"the answer has no {call.row.id}")
    return str(value)


def finish(call: Call) -> dict[str, Any]:
    """What follows the create: tags, settings that the create does not take, the outputs."""
    row = call.row
    if row.tags is not None and call.tags() and not call.is_tagged:
        _add_tags(call, call.tags())
    for step in row.update:
        if _belongs_to_create(call, step):
            _run(call, step, None)
    if row.ready is not None:
        row.ready(call)
    _read_until_there(call)
    return outputs(call)


def _belongs_to_create(call: Call, step: Op | Step) -> bool:
    if step.at_create is not None:
        return step.at_create and _touches(call, step, frozenset(_given(call)))
    covered = properties_of(call.row, call.row.create)
    return _touches(call, step, frozenset(_given(call)) - covered)


def _given(call: Call) -> set[str]:
    return {key for key, value in call.inputs.items() if not _nothing(value)}


def _nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _touches(call: Call, step: Op | Step, names: frozenset[str]) -> bool:
    own = properties_of(call.row, step)
    if isinstance(step, Step):
        return not names.isdisjoint(own.union(step.watches))
    # a name or an id in the parameters says which thing, not what changes
    return not names.isdisjoint(own - {"id", call.row.name, *call.row.replace})


def _run(call: Call, step: Op | Step, only: frozenset[str] | None) -> None:
    if isinstance(step, Step):
        step.run(call)
    else:
        call.run(step, only=only if step.changed_only else None)


def _read_until_there(call: Call) -> None:
    deadline = time.monotonic() + _READ_AFTER_CREATE_SECONDS
    pause = 0.02
    while not read(call):
        if time.monotonic() > deadline:
            raise ProviderError("it was created, but AWS does not show it afterwards")
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def read(call: Call) -> bool:
    """Look at the thing; False when it is gone."""
    step = call.row.read
    if step is None:
        call.found = {}
        return True
    try:
        found = step.run(call) if isinstance(step, Step) else call.run(step)
    except CallError as error:
        if _is_gone(call, error):
            call.found = None
            return False
        if error.code == "NotImplemented":
            # the sandbox has recorded it and emulates nothing: the state is all there is
            call.found = {}
            return True
        raise
    if found is MISSING or found is None:
        call.found = None
        return False
    call.found = found if isinstance(found, dict) else {"Value": found}
    return True


def _is_gone(call: Call, error: CallError) -> bool:
    return error.gone or error.code in call.row.gone


def outputs(call: Call) -> dict[str, Any]:
    """All properties: the inputs as given, and what the answer tells."""
    result = {key: value for key, value in call.inputs.items() if key != "__defaults"}
    if call.row.tags is not None:
        result["tagsAll"] = call.tags()
    if "region" in call.schema.properties:
        result["region"] = call.region
    for name in call.schema.properties:
        if result.get(name) is None and name not in ("tags", "tagsAll"):
            value = observed(call, name)
            if value is not MISSING and value is not None:
                result[name] = value
            elif name in call.state and name not in call.schema.inputs:
                result[name] = call.state[name]
    return result


def observed(call: Call, name: str) -> Any:
    """What AWS tells of a property, in Pulumi's form, or MISSING."""
    source = call.row.output.get(name)
    wanted = call.schema.properties[name].type
    if source is not None:
        raw = _from_source(call, source)
    else:
        raw = shapes.read(call.found, name, call.row.rename, name)
    if raw is MISSING or raw is None:
        return raw
    return shapes.from_aws(raw, wanted, call.row.rename, name)


def _from_source(call: Call, source: Source) -> Any:
    if callable(source):
        return source(call.found or {}, call)
    if source.startswith("="):
        return call.fill(source[1:])
    raw = shapes.lookup(call.found or {}, source)
    return shapes.lookup(call.response, source) if raw is MISSING else raw


def preview_outputs(call: Call) -> dict[str, Any]:
    """What a create will give, as far as the inputs tell; the rest is unknown."""
    row, schema = call.row, call.schema
    result = {key: value for key, value in call.inputs.items() if key != "__defaults"}
    for name in schema.properties:
        if name in result:
            continue
        if name not in schema.inputs or name in row.computed:
            result[name] = UNKNOWN
    if row.tags is not None:
        result["tagsAll"] = call.inputs.get("tagsAll", {})
    if "region" in schema.properties:
        result["region"] = call.region
    return result


def preview_update(call: Call) -> dict[str, Any]:
    """What an update will give: new inputs over the old outputs."""
    kept = {
        key: value for key, value in call.state.items() if key not in call.old or key in call.inputs
    }
    result = {**kept, **call.inputs}
    result.pop("__defaults", None)
    for name in call.row.volatile:
        if name not in call.inputs:
            result[name] = UNKNOWN
    return result


def refreshed_inputs(call: Call) -> dict[str, Any]:
    """The inputs as AWS has them now; as they were where AWS does not tell, or means the same.

    With no inputs before (an import) they are all that AWS tells.
    """
    row = call.row
    importing = not any(not key.startswith("__") for key in call.inputs)
    result = dict(call.inputs)
    for name in call.schema.inputs:
        if name in row.unread or name in row.local or name in ("tags", "region"):
            continue
        if not importing and name not in call.inputs:
            continue
        now = observed(call, name)
        if now is MISSING or (now is None and not importing):
            continue
        if importing and is_empty(now):
            continue
        if not same(now, call.inputs.get(name), ordered=name in row.ordered):
            result[name] = _in_spelling_of(call.inputs.get(name), now)
    if row.tags is not None:
        _refresh_tags(call, result)
    return result


def _in_spelling_of(old: Any, now: Any) -> Any:
    """AWS tells more of a nested object than was given: only the given parts are compared."""
    if isinstance(old, Mapping) and isinstance(now, Mapping):
        return {
            key: value if same(now.get(key, value), value) else _in_spelling_of(value, now[key])
            for key, value in old.items()
        }
    if isinstance(old, list) and isinstance(now, list) and len(old) == len(now):
        return [a if same(a, b) else _in_spelling_of(a, b) for a, b in zip(old, now, strict=True)]
    return now


def _refresh_tags(call: Call, inputs: dict[str, Any]) -> None:
    tags = read_tags(call)
    if tags is None or same(tags, inputs.get("tagsAll", inputs.get("tags"))):
        return
    given = inputs.get("tags") or {}
    defaults = {
        key: value for key, value in (inputs.get("tagsAll") or {}).items() if key not in given
    }
    inputs["tags"] = {key: value for key, value in tags.items() if defaults.get(key) != value}
    inputs["tagsAll"] = tags


def read_tags(call: Call) -> dict[str, str] | None:
    """The tags AWS has; None when it does not tell."""
    tags = call.row.tags
    if tags is None:
        return None
    if tags.read is None:
        raw = shapes.lookup(call.found or {}, tags.path)
    else:
        raw = _tags_answer(call, tags.read, tags.path)
    return None if raw is MISSING else shapes.tags_from(raw)


def _tags_answer(call: Call, op: Op, path: str) -> Any:
    try:
        answer = call.aws(op.name, call.build(op), op.service)
    except CallError as error:
        if error.code == "NotImplemented":
            return MISSING
        if error.code == "NoSuchTagSet":
            return {}
        raise
    return shapes.lookup(answer, path)


def update(call: Call) -> dict[str, Any]:
    """Send what changed; answer the new outputs."""
    row = call.row
    for step in row.update:
        if _touches(call, step, call.changed):
            _run(call, step, call.changed)
    if row.tags is not None:
        _update_tags(call)
    if row.ready is not None:
        row.ready(call)
    if not read(call):
        raise ProviderError("it is not there any more; `pulumi refresh` takes it from the state")
    return outputs(call)


def _update_tags(call: Call) -> None:
    old = call.old.get("tagsAll", call.old.get("tags")) or {}
    new = call.tags()
    if call.row.tags is not None and call.row.tags.settle is not None:
        if not same(old, new):
            call.row.tags.settle(call)
        return
    removed = [key for key in old if key not in new]
    added = {key: value for key, value in new.items() if str(old.get(key)) != value}
    tags = call.row.tags
    if removed and tags is not None:
        params = call.build(tags.remove)
        params[tags.remove_member] = (
            removed if tags.remove_form == "keys" else [{"Key": key} for key in removed]
        )
        call.aws(tags.remove.name, params, tags.remove.service)
    if added:
        _add_tags(call, added)


def _add_tags(call: Call, added: Mapping[str, Any]) -> None:
    tags = call.row.tags
    if tags is None:
        return
    if tags.settle is not None:
        tags.settle(call)
        return
    params = call.build(tags.add)
    form = "list" if tags.form.startswith("spec:") else tags.form
    params[tags.add_member] = shapes.tags_to(added, form)
    call.aws(tags.add.name, params, tags.add.service)


def delete(call: Call) -> None:
    """Take the thing away; that it is gone already is fine."""
    step = call.row.delete
    if step is None:
        return
    try:
        if isinstance(step, Step):
            step.run(call)
        else:
            call.run(step)
    except CallError as error:
        if not _is_gone(call, error):
            raise
