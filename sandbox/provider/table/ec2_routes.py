"""EC2's route tables, routes and associations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import CallError
from sandbox.provider.resource import Find, Op, ResourceType, Step
from sandbox.provider.shapes import MISSING, every
from sandbox.provider.table.common import (
    arn_template,
    ipv4_network,
    ipv6_network,
    lone,
)
from sandbox.provider.table.ec2 import ec2_tags

_DESTINATIONS: Final = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
_INLINE: Final = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
_TARGETS: Final = {
    "carrierGatewayId": "CarrierGatewayId",
    "coreNetworkArn": "CoreNetworkArn",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "gatewayId": "GatewayId",
    "localGatewayId": "LocalGatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "odbNetworkArn": "OdbNetworkArn",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}


def _route_params(table: str, route: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    params: dict[str, Any] = {"RouteTableId": table}
    for name, member in {**names, **_TARGETS}.items():
        if route.get(name):
            params[member] = route[name]
    return params


def _inline_routes(call: Call) -> None:
    before = {str(sorted(route.items())): route for route in call.old.get("routes") or []}
    now = {str(sorted(route.items())): route for route in call.inputs.get("routes") or []}
    for key in before.keys() - now.keys():
        params = _route_params(call.id, before[key], _INLINE)
        call.aws(
            "DeleteRoute",
            {name: value for name, value in params.items() if name not in _TARGETS.values()},
        )
    for key in now.keys() - before.keys():
        call.aws("CreateRoute", _route_params(call.id, now[key], _INLINE))


ROUTE_TABLE: Final = ResourceType(
    pulumi_type="aws:ec2/routeTable:RouteTable",
    title="EC2 Route Table",
    service="ec2",
    create=Op("CreateRouteTable"),
    id="RouteTable.RouteTableId",
    read=lone("DescribeRouteTables", {"RouteTableIds": ["{id}"]}, result="RouteTables[0]"),
    update=(Step(_inline_routes, ("routes",)),),
    delete=lone("DeleteRouteTable", {"RouteTableId": "{id}"}),
    replace=("vpcId",),
    computed=("routes", "propagatingVgws"),
    output={"arn": arn_template("ec2", "route-table/{id}"), "routes": lambda _f, _c: MISSING},
    tags=ec2_tags("route-table"),
    find=Find(lone("DescribeRouteTables", {}, result="RouteTables"), "RouteTableId", ("vpcId",)),
)


def _route_id(call: Call) -> str:
    """As Terraform makes it: ``r-<table><hash of the destination>``."""
    destination = next(str(call.inputs[name]) for name in _DESTINATIONS if call.given(name))
    import zlib

    return f"r-{call.inputs['routeTableId']}{zlib.crc32(destination.encode())}"


def _create_route(call: Call) -> dict[str, Any]:
    params = _route_params(call.inputs["routeTableId"], call.inputs, _DESTINATIONS)
    call.aws("CreateRoute", params)
    return {"Id": _route_id(call)}


def _replace_route(call: Call) -> None:
    params = _route_params(call.inputs["routeTableId"], call.inputs, _DESTINATIONS)
    call.aws("ReplaceRoute", params)


def _destination(call: Call) -> tuple[str, str]:
    for name, member in _DESTINATIONS.items():
        value = call.value(name)
        if value:
            return member, str(value)
    return "DestinationCidrBlock", ""


def _read_route(call: Call) -> Any:
    tables = call.aws("DescribeRouteTables", {"RouteTableIds": [call.value("routeTableId")]})
    member, wanted = _destination(call)
    for route in every(tables, "RouteTables[0].Routes"):
        if route.get(member) == wanted:
            return route
    return MISSING


def _delete_route(call: Call) -> None:
    member, wanted = _destination(call)
    call.aws("DeleteRoute", {"RouteTableId": call.value("routeTableId"), member: wanted})


def _one_target(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not any(inputs.get(name) for name in _DESTINATIONS):
        yield "destinationCidrBlock", f"one of {', '.join(_DESTINATIONS)} has to be given"
    targets = [name for name in _TARGETS if inputs.get(name)]
    if len(targets) != 1:
        yield (
            targets[0] if targets else "gatewayId",
            f"exactly one target has to be given, here are {len(targets)}: "
            f"{', '.join(targets) or 'none'}",
        )


ROUTE: Final = ResourceType(
    pulumi_type="aws:ec2/route:Route",
    title="EC2 Route",
    service="ec2",
    create=Step(_create_route, ("routeTableId", *_DESTINATIONS, *_TARGETS)),
    id="Id",
    read=Step(_read_route),
    update=(Step(_replace_route, tuple(_TARGETS), at_create=False),),
    delete=Step(_delete_route),
    replace=("routeTableId", *_DESTINATIONS),
    unique=True,
    rename={"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"},
    checks={"destinationCidrBlock": ipv4_network, "destinationIpv6CidrBlock": ipv6_network},
    rules=(_one_target,),
    gone=("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"),
)


def _read_association(call: Call) -> Any:
    table = call.value("routeTableId")
    try:
        answer = call.aws("DescribeRouteTables", {"RouteTableIds": [table]} if table else {})
    except CallError as error:
        if error.gone:
            return MISSING
        raise
    for found in answer.get("RouteTables", []):
        for association in found.get("Associations", []):
            if association.get("RouteTableAssociationId") == call.id:
                return association
    return MISSING


ROUTE_TABLE_ASSOCIATION: Final = ResourceType(
    pulumi_type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    title="EC2 Route Table Association",
    service="ec2",
    create=Op("AssociateRouteTable"),
    id="AssociationId",
    read=Step(_read_association),
    # ReplaceRouteTableAssociation answers another id; the official provider keeps the resource
    delete=lone("DisassociateRouteTable", {"AssociationId": "{id}"}),
    replace=("routeTableId", "subnetId", "gatewayId"),
    unique=True,
    gone=("InvalidAssociationID.NotFound",),
)

ROWS: Final = (ROUTE_TABLE, ROUTE, ROUTE_TABLE_ASSOCIATION)
