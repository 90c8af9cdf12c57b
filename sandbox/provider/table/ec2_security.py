"""EC2's security groups: inline rules, rules of their own, and the default group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.resource import Find, ResourceType, Step
from sandbox.provider.shapes import MISSING, lookup
from sandbox.provider.table.common import (
    arn_template,
    ipv4_network,
    ipv6_network,
    lone,
    named,
)
from sandbox.provider.table.ec2 import ec2_tags

#: one rule of one source: protocol, from port, to port, kind of source, source
Atom = tuple[str, int | None, int | None, str, str]

_NUMBERS: Final = {"6": "tcp", "17": "udp", "1": "icmp", "all": "-1"}
_MEMBERS: Final = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}


def _protocol(value: Any) -> str:
    text = str(value).lower()
    return _NUMBERS.get(text, text)


def _atoms(rules: Iterable[Mapping[str, Any]], own_id: str) -> dict[Atom, str]:
    """Inline rules as single rules, each with its description."""
    atoms: dict[Atom, str] = {}
    for rule in rules:
        protocol = _protocol(rule["protocol"])
        ports = (None, None) if protocol == "-1" else (rule["fromPort"], rule["toPort"])
        sources = [(kind, source) for kind in _MEMBERS for source in rule.get(kind) or ()]
        if rule.get("self"):
            sources.append(("securityGroups", own_id))
        for kind, source in sources:
            atoms[protocol, *ports, kind, str(source)] = rule.get("description") or ""
    return atoms


def _atoms_of_answer(permissions: Iterable[Mapping[str, Any]]) -> dict[Atom, str]:
    atoms: dict[Atom, str] = {}
    for permission in permissions:
        protocol = _protocol(permission["IpProtocol"])
        ports = (
            (None, None)
            if protocol == "-1"
            else (permission.get("FromPort"), permission.get("ToPort"))
        )
        for kind, (member, key) in _MEMBERS.items():
            for source in permission.get(member, []):
                atoms[protocol, *ports, kind, str(source[key])] = source.get("Description", "")
    return atoms


def _permission(atom: Atom, description: str) -> dict[str, Any]:
    protocol, low, high, kind, source = atom
    member, key = _MEMBERS[kind]
    entry: dict[str, Any] = {key: source}
    if description:
        entry["Description"] = description
    permission: dict[str, Any] = {"IpProtocol": protocol, member: [entry]}
    if protocol != "-1":
        permission.update({"FromPort": low, "ToPort": high})
    return permission


def _rule_of_atom(atom: Atom, description: str, own_id: str) -> dict[str, Any]:
    protocol, low, high, kind, source = atom
    rule: dict[str, Any] = {
        "protocol": protocol,
        "fromPort": low or 0,
        "toPort": high or 0,
        "description": description,
    }
    if kind == "securityGroups" and source == own_id:
        return {**rule, "self": True}
    return {**rule, kind: [source]}


def _group(call: Call) -> Any:
    return lookup(call.aws("DescribeSecurityGroups", {"GroupIds": [call.id]}), "SecurityGroups[0]")


def _settle(call: Call, property_name: str, direction: str, member: str) -> None:
    """Make the group's rules in one direction those of the inputs."""
    is_now = _atoms_of_answer(_group(call).get(member, []))
    to_be = _atoms(call.inputs.get(property_name) or (), call.id)
    gone = [atom for atom in is_now if atom not in to_be or to_be[atom] != is_now[atom]]
    new = [atom for atom in to_be if atom not in is_now or to_be[atom] != is_now[atom]]
    if gone:
        call.aws(
            f"RevokeSecurityGroup{direction}",
            {"GroupId": call.id, "IpPermissions": [_permission(a, "") for a in gone]},
        )
    if new:
        call.aws(
            f"AuthorizeSecurityGroup{direction}",
            {"GroupId": call.id, "IpPermissions": [_permission(a, to_be[a]) for a in new]},
        )


def _ingress(call: Call) -> None:
    _settle(call, "ingress", "Ingress", "IpPermissions")


def _egress(call: Call) -> None:
    _settle(call, "egress", "Egress", "IpPermissionsEgress")


def _inline(member: str, name: str) -> Any:
    """The rules as given if they are what AWS has, else as AWS has them."""

    def source(found: Any, call: Call) -> Any:
        is_now = _atoms_of_answer(found.get(member, []))
        given = call.inputs.get(name)
        if given is None:
            return MISSING
        if _atoms(given, call.id) == is_now:
            return given
        return [_rule_of_atom(atom, text, call.id) for atom, text in is_now.items()]

    return source


def _valid_rules(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("ingress", "egress"):
        rules = inputs.get(name)
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if not isinstance(rule, Mapping):
                continue
            where = f"{name}[{index}]"
            for block in rule.get("cidrBlocks") or ():
                reason = ipv4_network(block) if isinstance(block, str) else None
                if reason:
                    yield f"{where}.cidrBlocks", reason
            if rule.get("protocol") == "-1" and (rule.get("fromPort") or rule.get("toPort")):
                yield f"{where}.fromPort", "has to be 0 for all protocols (-1)"
            if not rule.get("self") and not any(rule.get(kind) for kind in _MEMBERS):
                yield where, "has no source: give cidrBlocks, securityGroups or another"


def _create_group(call: Call) -> dict[str, Any]:
    params = {
        "GroupName": call.inputs["name"],
        "Description": call.inputs["description"],
    }
    if call.given("vpcId"):
        params["VpcId"] = call.inputs["vpcId"]
    answer = call.aws("CreateSecurityGroup", call.tagged(params))
    call.id = answer["GroupId"]
    # AWS opens a new group outwards; the official provider closes it, rules are to be said
    _egress(call)
    return answer


def _delete_group(call: Call) -> None:
    if call.inputs.get("revokeRulesOnDelete"):
        call.inputs = {**call.inputs, "ingress": [], "egress": []}
        _ingress(call)
        _egress(call)
    call.aws("DeleteSecurityGroup", {"GroupId": call.id})


_GROUP_TAGS: Final = ec2_tags("security-group")

SECURITY_GROUP: Final = ResourceType(
    pulumi_type="aws:ec2/securityGroup:SecurityGroup",
    title="EC2 Security Group",
    service="ec2",
    create=Step(_create_group, ("name", "description", "vpcId")),
    id="GroupId",
    read=lone("DescribeSecurityGroups", {"GroupIds": ["{id}"]}, result="SecurityGroups[0]"),
    update=(Step(_ingress, ("ingress",)), Step(_egress, ("egress",), at_create=False)),
    delete=Step(_delete_group),
    replace=("name", "description", "vpcId"),
    name="name",
    defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
    local=("revokeRulesOnDelete",),
    computed=("ingress", "egress", "vpcId"),
    rename={"name": "GroupName"},
    output={
        "arn": arn_template("ec2", "security-group/{id}"),
        "ingress": _inline("IpPermissions", "ingress"),
        "egress": _inline("IpPermissionsEgress", "egress"),
    },
    tags=_GROUP_TAGS,
    checks={
        "name": named(r"(?!sg-)[\x20-\x7e]+", 255, "may not begin with sg-"),
        "description": named(
            r"[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*", 255, "has characters that AWS does not allow"
        ),
    },
    rules=(_valid_rules,),
    find=Find(
        lone(
            "DescribeSecurityGroups",
            {"Filters": [{"Name": "group-name", "Values": ["{name}"]}]},
            result="SecurityGroups",
        ),
        "GroupId",
        ("name", "vpcId"),
    ),
)


def _adopt_default(call: Call) -> dict[str, Any]:
    filters = [{"Name": "group-name", "Values": ["default"]}]
    if call.given("vpcId"):
        filters.append({"Name": "vpc-id", "Values": [call.inputs["vpcId"]]})
    answer = call.aws("DescribeSecurityGroups", {"Filters": filters})
    call.id = answer["SecurityGroups"][0]["GroupId"]
    _ingress(call)
    _egress(call)
    return {"GroupId": call.id}


DEFAULT_SECURITY_GROUP: Final = ResourceType(
    pulumi_type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    title="EC2 Default Security Group",
    service="ec2",
    create=Step(_adopt_default, ("vpcId", "ingress", "egress")),
    id="GroupId",
    read=SECURITY_GROUP.read,
    update=(
        Step(_ingress, ("ingress",), at_create=False),
        Step(_egress, ("egress",), at_create=False),
    ),
    # it lives and dies with its VPC
    delete=None,
    replace=("vpcId",),
    defaults={"revokeRulesOnDelete": False},
    local=("revokeRulesOnDelete",),
    computed=("vpcId",),
    rename={"name": "GroupName"},
    output=SECURITY_GROUP.output,
    tags=ec2_tags("security-group"),
    rules=(_valid_rules,),
)


_RULE_MEMBERS: Final = {
    "ipProtocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrIpv4": "CidrIpv4",
    "cidrIpv6": "CidrIpv6",
    "prefixListId": "PrefixListId",
    "referencedSecurityGroupId": "ReferencedGroupId",
    "description": "Description",
}
_RULE_SOURCES: Final = {
    "cidrIpv4": ("IpRanges", "CidrIp"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _create_rule(direction: str) -> Any:
    def create(call: Call) -> dict[str, Any]:
        inputs = call.inputs
        permission: dict[str, Any] = {"IpProtocol": _protocol(inputs["ipProtocol"])}
        for name, member in (("fromPort", "FromPort"), ("toPort", "ToPort")):
            if inputs.get(name) is not None and permission["IpProtocol"] != "-1":
                permission[member] = inputs[name]
        for name, (member, key) in _RULE_SOURCES.items():
            if call.given(name):
                entry = {key: inputs[name]}
                if call.given("description"):
                    entry["Description"] = inputs["description"]
                permission[member] = [entry]
        return call.aws(
            f"AuthorizeSecurityGroup{direction}",
            {"GroupId": inputs["securityGroupId"], "IpPermissions": [permission]},
        )

    return create


def _update_rule(call: Call) -> None:
    rule = {
        member: call.inputs[name]
        for name, member in _RULE_MEMBERS.items()
        if call.inputs.get(name) is not None
    }
    rule["IpProtocol"] = _protocol(rule["IpProtocol"])
    call.aws(
        "ModifySecurityGroupRules",
        {
            "GroupId": call.inputs["securityGroupId"],
            "SecurityGroupRules": [{"SecurityGroupRuleId": call.id, "SecurityGroupRule": rule}],
        },
    )


def _valid_rule(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sources = [name for name in _RULE_SOURCES if inputs.get(name) is not None]
    if len(sources) != 1:
        yield (
            sources[0] if sources else "cidrIpv4",
            f"exactly one of {', '.join(_RULE_SOURCES)} has to be given, here are {len(sources)}",
        )
    protocol = inputs.get("ipProtocol")
    if not isinstance(protocol, str):
        return
    ports = [name for name in ("fromPort", "toPort") if inputs.get(name) is not None]
    if _protocol(protocol) == "-1" and ports:
        yield ports[0], "may not be given for all protocols (-1)"
    if _protocol(protocol) in ("tcp", "udp") and len(ports) != 2:
        yield "fromPort", f"{protocol} needs fromPort and toPort"


def _rule_row(direction: str) -> ResourceType:
    return ResourceType(
        pulumi_type=f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule",
        title=f"VPC Security Group {direction} Rule",
        service="ec2",
        create=Step(_create_rule(direction), ("securityGroupId", *_RULE_MEMBERS)),
        id="SecurityGroupRules[0].SecurityGroupRuleId",
        read=lone(
            "DescribeSecurityGroupRules",
            {"SecurityGroupRuleIds": ["{id}"]},
            result="SecurityGroupRules[0]",
        ),
        update=(Step(_update_rule, watches=tuple(_RULE_MEMBERS), at_create=False),),
        delete=lone(
            f"RevokeSecurityGroup{direction}",
            {"GroupId": "{securityGroupId}", "SecurityGroupRuleIds": ["{id}"]},
        ),
        replace=("securityGroupId",),
        rename={"referencedSecurityGroupId": "ReferencedGroupInfo.GroupId"},
        output={
            "arn": arn_template("ec2", "security-group-rule/{id}"),
            "securityGroupId": "GroupId",
            "fromPort": _port("FromPort"),
            "toPort": _port("ToPort"),
        },
        tags=ec2_tags("security-group-rule"),
        checks={
            "cidrIpv4": ipv4_network,
            "cidrIpv6": ipv6_network,
            "ipProtocol": named(
                r"-1|tcp|udp|icmp|icmpv6|\d{1,3}", 6, "expected tcp, udp, icmp, icmpv6 or -1"
            ),
        },
        rules=(_valid_rule,),
        gone=("InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"),
    )


def _port(member: str) -> Any:
    """AWS answers -1 for "all ports" where nothing was given."""

    def source(found: Any, _call: Call) -> Any:
        value = found.get(member, MISSING)
        return MISSING if value == -1 else value

    return source


INGRESS_RULE: Final = _rule_row("Ingress")
EGRESS_RULE: Final = _rule_row("Egress")

ROWS: Final = (SECURITY_GROUP, DEFAULT_SECURITY_GROUP, INGRESS_RULE, EGRESS_RULE)
