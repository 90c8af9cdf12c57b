"""EC2's VPC endpoints and flow logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Find, Op, ResourceType, Step
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import (
    arn_template,
    arn_text,
    lone,
    one_of,
    policy_document,
)
from sandbox.provider.table.ec2 import ec2_tags


def _endpoint_members(call: Call) -> None:
    params: dict[str, Any] = {"VpcEndpointId": call.id}
    for name, word in (
        ("routeTableIds", "RouteTableIds"),
        ("subnetIds", "SubnetIds"),
        ("securityGroupIds", "SecurityGroupIds"),
    ):
        before, now = set(call.old.get(name) or ()), set(call.inputs.get(name) or ())
        if now - before:
            params["Add" + word] = sorted(now - before)
        if before - now:
            params["Remove" + word] = sorted(before - now)
    if "policy" in call.changed:
        policy = call.inputs.get("policy")
        params.update({"PolicyDocument": policy} if policy else {"ResetPolicy": True})
    if "privateDnsEnabled" in call.changed:
        params["PrivateDnsEnabled"] = bool(call.inputs.get("privateDnsEnabled"))
    call.aws("ModifyVpcEndpoint", params)


VPC_ENDPOINT: Final = ResourceType(
    pulumi_type="aws:ec2/vpcEndpoint:VpcEndpoint",
    title="EC2 VPC Endpoint",
    service="ec2",
    create=Op(
        "CreateVpcEndpoint",
        take=None,
        rename={"policy": "PolicyDocument"},
    ),
    id="VpcEndpoint.VpcEndpointId",
    read=lone("DescribeVpcEndpoints", {"VpcEndpointIds": ["{id}"]}, result="VpcEndpoints[0]"),
    update=(
        Step(
            _endpoint_members,
            watches=(
                "routeTableIds",
                "subnetIds",
                "securityGroupIds",
                "policy",
                "privateDnsEnabled",
            ),
            at_create=False,
        ),
    ),
    delete=lone("DeleteVpcEndpoints", {"VpcEndpointIds": ["{id}"]}),
    replace=("vpcId", "serviceName", "vpcEndpointType", "serviceRegion"),
    defaults={"vpcEndpointType": "Gateway"},
    computed=(
        "policy",
        "privateDnsEnabled",
        "routeTableIds",
        "subnetIds",
        "securityGroupIds",
        "ipAddressType",
    ),
    rename={"policy": "PolicyDocument"},
    output={
        "arn": arn_template("ec2", "vpc-endpoint/{id}"),
        "securityGroupIds": lambda found, _call: [
            group["GroupId"] for group in found.get("Groups", [])
        ],
        "dnsEntries": "DnsEntries",
    },
    unread=("policy", "securityGroupIds"),
    tags=ec2_tags("vpc-endpoint"),
    checks={"policy": policy_document},
    find=Find(
        lone("DescribeVpcEndpoints", {}, result="VpcEndpoints"),
        "VpcEndpointId",
        ("vpcId", "serviceName"),
    ),
)

_WATCHED: Final = (
    ("vpcId", "VPC"),
    ("subnetId", "Subnet"),
    ("eniId", "NetworkInterface"),
    ("transitGatewayId", "TransitGateway"),
)


def _create_flow_log(call: Call) -> dict[str, Any]:
    name, kind = next((name, kind) for name, kind in _WATCHED if call.given(name))
    inputs = call.inputs
    params: dict[str, Any] = {"ResourceIds": [inputs[name]], "ResourceType": kind}
    for source, member in (
        ("trafficType", "TrafficType"),
        ("logDestinationType", "LogDestinationType"),
        ("logDestination", "LogDestination"),
        ("iamRoleArn", "DeliverLogsPermissionArn"),
        ("logFormat", "LogFormat"),
        ("maxAggregationInterval", "MaxAggregationInterval"),
    ):
        if call.given(source):
            params[member] = inputs[source]
    return call.aws("CreateFlowLogs", call.tagged(params))


def _one_watched(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = [name for name, _ in _WATCHED if inputs.get(name)]
    if len(given) != 1:
        yield "vpcId", f"exactly one of {', '.join(n for n, _ in _WATCHED)} has to be given"
    if inputs.get("logDestinationType") != "s3" and not inputs.get("iamRoleArn"):
        yield "iamRoleArn", "a flow log to CloudWatch Logs needs a role that may write there"


FLOW_LOG: Final = ResourceType(
    pulumi_type="aws:ec2/flowLog:FlowLog",
    title="EC2 Flow Log",
    service="ec2",
    create=Step(
        _create_flow_log,
        (
            *(name for name, _ in _WATCHED),
            "trafficType",
            "logDestinationType",
            "logDestination",
            "iamRoleArn",
            "logFormat",
            "maxAggregationInterval",
        ),
    ),
    id="FlowLogIds[0]",
    read=lone("DescribeFlowLogs", {"FlowLogIds": ["{id}"]}, result="FlowLogs[0]"),
    delete=lone("DeleteFlowLogs", {"FlowLogIds": ["{id}"]}),
    replace=("*",),
    defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
    computed=("logFormat", "logDestination"),
    rename={"iamRoleArn": "DeliverLogsPermissionArn"},
    output={
        "arn": arn_template("ec2", "vpc-flow-log/{id}"),
        "vpcId": lambda _f, call: call.inputs.get("vpcId", MISSING),
        "subnetId": lambda _f, call: call.inputs.get("subnetId", MISSING),
    },
    tags=ec2_tags("vpc-flow-log"),
    checks={
        "trafficType": one_of("ACCEPT", "REJECT", "ALL"),
        "logDestinationType": one_of("cloud-watch-logs", "s3", "kinesis-data-firehose"),
        "maxAggregationInterval": one_of(60, 600),
        "iamRoleArn": arn_text,
        "logDestination": arn_text,
    },
    rules=(_one_watched,),
    find=Find(lone("DescribeFlowLogs", {}, result="FlowLogs"), "FlowLogId"),
)

ROWS: Final = (VPC_ENDPOINT, FLOW_LOG)
