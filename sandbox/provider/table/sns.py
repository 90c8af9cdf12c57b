"""SNS: topics, subscriptions, topic policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import (
    arn_tags,
    arn_text,
    json_document,
    lone,
    named,
    one_of,
    policy_document,
)

#: property → attribute; https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
_TOPIC: Final = {
    "archivePolicy": "ArchivePolicy",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoThroughputScope": "FifoThroughputScope",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
    **{
        f"{word}{what}": f"{member}{what[0].upper()}{what[1:]}"
        for word, member in (
            ("application", "Application"),
            ("firehose", "Firehose"),
            ("http", "HTTP"),
            ("lambda", "Lambda"),
            ("sqs", "SQS"),
        )
        for what in (
            "FailureFeedbackRoleArn",
            "SuccessFeedbackRoleArn",
            "SuccessFeedbackSampleRate",
        )
    },
}
_AT_CREATE: Final = ("FifoTopic", "ContentBasedDeduplication", "KmsMasterKeyId", "DisplayName")


def text(value: Any) -> str:
    """An attribute's value: everything is a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _create_topic(call: Call) -> dict[str, Any]:
    attributes = {
        member: text(call.inputs[name])
        for name, member in _TOPIC.items()
        if member in _AT_CREATE and call.inputs.get(name) not in (None, "", False)
    }
    params: dict[str, Any] = {"Name": call.inputs["name"]}
    if attributes:
        params["Attributes"] = attributes
    return call.aws("CreateTopic", call.tagged(params))


def _topic_attributes(call: Call) -> None:
    for name, member in _TOPIC.items():
        value = call.inputs.get(name)
        if call.old:
            if name in call.changed:
                _set_topic(call, member, text("" if value is None else value))
        elif member not in _AT_CREATE and value not in (None, ""):
            _set_topic(call, member, text(value))


def _set_topic(call: Call, member: str, value: str) -> None:
    call.aws(
        "SetTopicAttributes",
        {"TopicArn": call.id, "AttributeName": member, "AttributeValue": value},
    )


def _read_topic(call: Call) -> Any:
    found = dict(call.aws("GetTopicAttributes", {"TopicArn": call.id})["Attributes"])
    # SNS makes a policy of its own when none is given
    if not call.given("policy"):
        found.pop("Policy", None)
    return {**found, "Name": call.id.rsplit(":", 1)[-1], "Arn": call.id}


def _fifo_topic(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = inputs.get("name")
    if isinstance(name, str) and name.endswith(".fifo") != bool(inputs.get("fifoTopic")):
        yield "name", "ends with .fifo if, and only if, fifoTopic is true"
    if inputs.get("contentBasedDeduplication") and not inputs.get("fifoTopic"):
        yield "contentBasedDeduplication", "is for FIFO topics only"


TOPIC: Final = ResourceType(
    pulumi_type="aws:sns/topic:Topic",
    title="SNS Topic",
    service="sns",
    create=Step(_create_topic, ("name", *(n for n, m in _TOPIC.items() if m in _AT_CREATE))),
    id="TopicArn",
    read=Step(_read_topic),
    update=(Step(_topic_attributes, tuple(_TOPIC)),),
    delete=lone("DeleteTopic", {"TopicArn": "{id}"}),
    replace=("name", "fifoTopic"),
    name="name",
    name_max=256,
    computed=("policy", "signatureVersion", "tracingConfig", "fifoThroughputScope"),
    defaults={"contentBasedDeduplication": False, "fifoTopic": False},
    output={"owner": "Owner"},
    unread=("contentBasedDeduplication", "fifoTopic"),
    tags=arn_tags(
        "ResourceArn",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        path="Tags",
        resource="{id}",
    ),
    checks={
        "name": named(r"[A-Za-z0-9_-]+(\.fifo)?", 256, "expected letters, digits, - and _"),
        "policy": policy_document,
        "deliveryPolicy": json_document,
        "archivePolicy": json_document,
        "signatureVersion": one_of(1, 2),
        "tracingConfig": one_of("Active", "PassThrough"),
    },
    rules=(_fifo_topic,),
)

_SUBSCRIPTION: Final = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "replayPolicy": "ReplayPolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}
_PROTOCOLS: Final = (
    "application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs",
)  # fmt: skip


def _subscribe(call: Call) -> dict[str, Any]:
    attributes = {
        member: text(call.inputs[name])
        for name, member in _SUBSCRIPTION.items()
        if call.inputs.get(name) not in (None, "", False)
    }
    return call.aws(
        "Subscribe",
        {
            "TopicArn": call.inputs["topic"],
            "Protocol": call.inputs["protocol"],
            "Endpoint": call.inputs["endpoint"],
            "Attributes": attributes,
            "ReturnSubscriptionArn": True,
        },
    )


def _subscription_attributes(call: Call) -> None:
    for name, member in _SUBSCRIPTION.items():
        if name in call.changed:
            value = call.inputs.get(name)
            call.aws(
                "SetSubscriptionAttributes",
                {
                    "SubscriptionArn": call.id,
                    "AttributeName": member,
                    "AttributeValue": text("" if value is None else value),
                },
            )


def _read_subscription(call: Call) -> Any:
    answer = call.aws("GetSubscriptionAttributes", {"SubscriptionArn": call.id})
    found = lookup(answer, "Attributes")
    return found if found is not MISSING and found else MISSING


def _endpoint(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    protocol, endpoint = inputs.get("protocol"), inputs.get("endpoint")
    if not isinstance(protocol, str) or not isinstance(endpoint, str):
        return
    if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
        yield "endpoint", f"has to begin with {protocol}:// for the protocol {protocol}"
    if protocol.startswith("email") and "@" not in endpoint:
        yield "endpoint", f"{endpoint!r} is not a mail address"
    if protocol in ("sqs", "lambda", "firehose", "application"):
        reason = arn_text(endpoint)
        if reason:
            yield "endpoint", reason


TOPIC_SUBSCRIPTION: Final = ResourceType(
    pulumi_type="aws:sns/topicSubscription:TopicSubscription",
    title="SNS Topic Subscription",
    service="sns",
    create=Step(_subscribe, ("topic", "protocol", "endpoint", *_SUBSCRIPTION)),
    id="SubscriptionArn",
    read=Step(_read_subscription),
    update=(Step(_subscription_attributes, watches=tuple(_SUBSCRIPTION), at_create=False),),
    delete=lone("Unsubscribe", {"SubscriptionArn": "{id}"}),
    replace=("topic", "protocol", "endpoint"),
    defaults={
        "rawMessageDelivery": False,
        "endpointAutoConfirms": False,
        "confirmationTimeoutInMinutes": 1,
    },
    local=("endpointAutoConfirms", "confirmationTimeoutInMinutes"),
    computed=("filterPolicyScope",),
    rename={"topic": "TopicArn"},
    output={"arn": "={id}", "ownerId": "Owner"},
    checks={
        "protocol": one_of(*_PROTOCOLS),
        "filterPolicy": json_document,
        "redrivePolicy": json_document,
        "deliveryPolicy": json_document,
        "topic": arn_text,
    },
    rules=(_endpoint,),
)

_PUT_POLICY: Final = lone(
    "SetTopicAttributes",
    {"TopicArn": "{arn}", "AttributeName": "Policy", "AttributeValue": "{policy}"},
)


def _default_policy(call: Call) -> None:
    """Back to what SNS makes: the owner may do everything."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:Publish"],
        "Resource": call.id,
        "Condition": {"StringEquals": {"AWS:SourceOwner": call.account}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    _set_topic(call, "Policy", json.dumps(policy))


TOPIC_POLICY: Final = ResourceType(
    pulumi_type="aws:sns/topicPolicy:TopicPolicy",
    title="SNS Topic Policy",
    service="sns",
    create=_PUT_POLICY,
    id="={arn}",
    read=lone("GetTopicAttributes", {"TopicArn": "{id}"}, result="Attributes"),
    update=(_PUT_POLICY,),
    delete=Step(_default_policy),
    replace=("arn",),
    unique=True,
    output={"arn": "TopicArn", "owner": "Owner"},
    checks={"policy": policy_document, "arn": arn_text},
)

ROWS: Final = (TOPIC, TOPIC_SUBSCRIPTION, TOPIC_POLICY)
