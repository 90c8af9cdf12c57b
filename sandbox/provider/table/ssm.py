"""SSM: parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import arn_template, lone, named, one_of

_PUT: Final = Op("PutParameter", skip=("arn",))


def _put(call: Call) -> dict[str, Any]:
    params = call.build(_PUT)
    params["Value"] = str(
        call.inputs["insecureValue"]
        if call.inputs.get("insecureValue") is not None
        else call.inputs["value"]
    )
    if call.old:
        # AWS takes no tags beside Overwrite
        return call.aws("PutParameter", {**params, "Overwrite": True})
    if call.inputs.get("overwrite"):
        return call.aws("PutParameter", params)
    return call.aws("PutParameter", call.tagged(params))


def _read(call: Call) -> Any:
    answer = call.aws("GetParameter", {"Name": call.id, "WithDecryption": True})
    found = dict(answer["Parameter"])
    wanted = [{"Key": "Name", "Option": "Equals", "Values": [call.id]}]
    described = call.aws("DescribeParameters", {"ParameterFilters": wanted})
    for entry in described.get("Parameters", []):
        if entry["Name"] == call.id:
            found = {**entry, **found}
    value = found.pop("Value", MISSING)
    insecure = call.inputs.get("insecureValue") is not None
    found["insecureValue" if insecure else "value"] = value
    return found


def _valid(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = [name for name in ("value", "insecureValue") if inputs.get(name) is not None]
    if len(given) != 1:
        yield "value", "exactly one of value and insecureValue has to be given"
    if inputs.get("type") == "SecureString" and inputs.get("insecureValue") is not None:
        yield "insecureValue", "is not for a SecureString: it would be shown in plain text"
    value = inputs.get("value") or inputs.get("insecureValue")
    if isinstance(value, str):
        longest = 8192 if inputs.get("tier") == "Advanced" else 4096
        if len(value) > longest:
            yield given[0], f"has {len(value)} characters, AWS allows {longest} in this tier"


PARAMETER: Final = ResourceType(
    pulumi_type="aws:ssm/parameter:Parameter",
    title="SSM Parameter",
    service="ssm",
    create=Step(_put, ("value", "insecureValue"), base=_PUT),
    id="={name}",
    read=Step(_read),
    update=(Step(_put, ("value", "insecureValue"), base=_PUT, at_create=False),),
    delete=lone("DeleteParameter", {"Name": "{id}"}),
    replace=("name", "dataType"),
    name="name",
    name_max=1011,
    local=("arn",),
    computed=("arn", "dataType", "insecureValue", "keyId", "tier", "value"),
    volatile=("version",),
    output={
        "arn": lambda found, call: (
            found.get("ARN")
            or call.fill(arn_template("ssm", "parameter/")[1:]) + call.id.lstrip("/")
        ),
        "hasValueWo": lambda _f, _c: False,
        "tags": lambda _f, _c: MISSING,
    },
    unread=("arn", "overwrite", "dataType", "keyId", "tier"),
    tags=Tags(
        add=lone("AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": "{id}"}),
        remove=lone("RemoveTagsFromResource", {"ResourceType": "Parameter", "ResourceId": "{id}"}),
        read=lone("ListTagsForResource", {"ResourceType": "Parameter", "ResourceId": "{id}"}),
        path="TagList",
    ),
    checks={
        "name": named(
            r"(?!(?i:/?(aws|ssm)))[A-Za-z0-9_./-]+",
            1011,
            "expected letters, digits and _ . - /, not beginning with aws or ssm",
        ),
        "type": one_of("String", "StringList", "SecureString"),
        "tier": one_of("Standard", "Advanced", "Intelligent-Tiering"),
        "dataType": one_of("text", "aws:ec2:image", "aws:ssm:integration"),
    },
    rules=(_valid,),
)

ROWS: Final = (PARAMETER,)
