"""SQS: queues and their policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import (
    between,
    json_document,
    lone,
    named,
    one_of,
    policy_document,
)
from sandbox.provider.table.sns import text

#: property → attribute;
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
_QUEUE: Final = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_GONE: Final = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def _create(call: Call) -> dict[str, Any]:
    attributes = {
        member: text(call.inputs[name])
        for name, member in _QUEUE.items()
        if call.inputs.get(name) not in (None, "")
        # AWS refuses "false" for these two on an ordinary queue
        and not (member in ("FifoQueue", "ContentBasedDeduplication") and not call.inputs[name])
    }
    params: dict[str, Any] = {"QueueName": call.inputs["name"], "Attributes": attributes}
    return call.aws("CreateQueue", call.tagged(params))


def _update(call: Call) -> None:
    attributes = {}
    for name, member in _QUEUE.items():
        if name in call.changed:
            value = call.inputs.get(name)
            attributes[member] = text("" if value is None else value)
    if attributes:
        call.aws("SetQueueAttributes", {"QueueUrl": call.id, "Attributes": attributes})


def _read(call: Call) -> Any:
    answer = call.aws("GetQueueAttributes", {"QueueUrl": call.id, "AttributeNames": ["All"]})
    attributes = answer.get("Attributes", {})
    found = {name: attributes[member] for name, member in _QUEUE.items() if member in attributes}
    return {
        **found,
        "arn": attributes.get("QueueArn", MISSING),
        "url": call.id,
        "name": call.id.rpartition("/")[2],
    }


def _valid(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = inputs.get("name")
    if isinstance(name, str) and name.endswith(".fifo") != bool(inputs.get("fifoQueue")):
        yield "name", "ends with .fifo if, and only if, fifoQueue is true"
    if inputs.get("kmsMasterKeyId") and inputs.get("sqsManagedSseEnabled"):
        yield "sqsManagedSseEnabled", "conflicts with kmsMasterKeyId"


QUEUE: Final = ResourceType(
    pulumi_type="aws:sqs/queue:Queue",
    title="SQS Queue",
    service="sqs",
    create=Step(_create, ("name", *_QUEUE)),
    id="QueueUrl",
    read=Step(_read),
    update=(Step(_update, watches=tuple(_QUEUE), at_create=False),),
    delete=lone("DeleteQueue", {"QueueUrl": "{id}"}),
    replace=("name", "fifoQueue"),
    name="name",
    name_max=80,
    defaults={
        "contentBasedDeduplication": False,
        "delaySeconds": 0,
        "fifoQueue": False,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    },
    computed=(
        "deduplicationScope",
        "fifoThroughputLimit",
        "kmsDataKeyReusePeriodSeconds",
        "maxMessageSize",
        "policy",
        "redriveAllowPolicy",
        "redrivePolicy",
        "sqsManagedSseEnabled",
    ),
    tags=Tags(
        add=lone("TagQueue", {"QueueUrl": "{id}"}),
        remove=lone("UntagQueue", {"QueueUrl": "{id}"}),
        create="tags",
        form="map",
        read=lone("ListQueueTags", {"QueueUrl": "{id}"}),
    ),
    checks={
        "name": named(
            r"[A-Za-z0-9_-]{1,75}(\.fifo)?|[A-Za-z0-9_-]+", 80, "expected letters, digits, - and _"
        ),
        "delaySeconds": between(0, 900, "seconds"),
        "kmsDataKeyReusePeriodSeconds": between(60, 86400, "seconds"),
        "maxMessageSize": between(1024, 1048576, "bytes"),
        "messageRetentionSeconds": between(60, 1209600, "seconds"),
        "receiveWaitTimeSeconds": between(0, 20, "seconds"),
        "visibilityTimeoutSeconds": between(0, 43200, "seconds"),
        "policy": policy_document,
        "redrivePolicy": json_document,
        "redriveAllowPolicy": json_document,
        "deduplicationScope": one_of("messageGroup", "queue"),
        "fifoThroughputLimit": one_of("perQueue", "perMessageGroupId"),
    },
    rules=(_valid,),
    gone=_GONE,
)


def _put_policy(call: Call) -> dict[str, Any]:
    attributes = {"Policy": call.inputs["policy"]}
    params = {"QueueUrl": call.inputs["queueUrl"], "Attributes": attributes}
    return call.aws("SetQueueAttributes", params)


def _read_policy(call: Call) -> Any:
    answer = call.aws("GetQueueAttributes", {"QueueUrl": call.id, "AttributeNames": ["Policy"]})
    policy = answer.get("Attributes", {}).get("Policy")
    return {"Policy": policy, "QueueUrl": call.id} if policy else MISSING


QUEUE_POLICY: Final = ResourceType(
    pulumi_type="aws:sqs/queuePolicy:QueuePolicy",
    title="SQS Queue Policy",
    service="sqs",
    create=Step(_put_policy, ("queueUrl", "policy")),
    id="={queueUrl}",
    read=Step(_read_policy),
    update=(Step(_put_policy, watches=("policy",), at_create=False),),
    delete=lone("SetQueueAttributes", {"QueueUrl": "{id}", "Attributes": {"Policy": ""}}),
    replace=("queueUrl",),
    unique=True,
    checks={"policy": policy_document},
    gone=_GONE,
)

ROWS: Final = (QUEUE, QUEUE_POLICY)
