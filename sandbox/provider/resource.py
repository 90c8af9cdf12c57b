"""The row of the table: what a Pulumi resource type means in calls of AWS's API.

A row says little where names agree: a property goes to the member of the call's input that has
the same name, whatever its case and number (``subnetIds`` → ``SubnetIds``, ``tags`` apart). What
differs is said in ``rename``; what no call takes is said in ``local``. A property that a row does
not carry out is refused at Check: nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.provider.call import Call

Hook = Callable[["Call"], Any]
Validator = Callable[[Any], "str | None"]
#: a check over all inputs: yields (property, reason)
Rule = Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
#: a value of the answer's: a path in it, "=template", or a function of (found, call)
Source = str | Callable[[Any, "Call"], Any]

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Op:
    """One call of AWS's API.

    Attributes:
        name: botocore's operation, ``CreateVpc``.
        params: member → value or template. In a template ``{id}``, ``{region}``, ``{account}`` and
            any property stand for their values; a template that is one ``{property}`` alone keeps
            its type, and is left out when the property is not given.
        take: the properties that go to members of the same name; None: all that have one.
        rename: property path → member path, on top of the row's.
        skip: properties not to be sent by this call.
        result: path of the thing itself in the answer.
        service: another service than the row's.
        changed_only: at an update send only what changed.
        at_create: whether an update's call also runs after the create; None: when it carries
            properties that the create does not and that are given.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    take: tuple[str, ...] | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    result: str = ""
    service: str = ""
    changed_only: bool = False
    at_create: bool | None = None


@dataclass(frozen=True)
class Step:
    """What no single call does: a function, and the properties that it carries out.

    ``watches`` are properties that another step sends at the create, and this one at an update.
    ``base`` is the call that the function builds on: what that takes by name is carried as well.
    """

    run: Hook
    takes: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    base: Op | None = None
    at_create: bool | None = None


@dataclass(frozen=True)
class Tags:
    """How a service takes tags.

    Attributes:
        add, remove: the calls; their ``params`` name the resource.
        create: the create's member for tags; "" when tags are added after it.
        form: ``list`` ([{Key, Value}]), ``lower`` ([{key, value}]), ``kms``
            ([{TagKey, TagValue}]), ``map``, or ``spec:vpc`` (EC2's TagSpecifications).
        add_member, remove_member: where tags, or keys to remove, go.
        remove_form: ``keys``, or ``list`` where the call wants [{Key}].
        read: the call that tells the tags, when the read itself does not.
        path: where the tags lie in that answer, or in what the read found.
        settle: a function that makes the tags those of ``call.tags()``, where there are no calls
            that add and remove; then ``add`` and ``remove`` are not used.
    """

    add: Op
    remove: Op
    settle: Hook | None = None
    create: str = "Tags"
    form: str = "list"
    add_member: str = "Tags"
    remove_member: str = "TagKeys"
    remove_form: str = "keys"
    read: Op | None = None
    path: str = "Tags"


@dataclass(frozen=True)
class Find:
    """How a leftover without a name of ours is found again: list, compare, take the id.

    ``match`` are properties compared besides the tags.
    """

    op: Op
    id: str
    match: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResourceType:
    """A row. See the module.

    Attributes:
        pulumi_type: ``aws:ec2/vpc:Vpc``.
        title: what AWS's users call it, for errors: ``RDS DB Instance``.
        service: botocore's service name.
        id: Pulumi's id: ``=template`` or a path in the create's answer.
        replace: properties that AWS cannot change in place; ``*`` for all but the tags and
            ``update_only``.
        name: the property that holds the physical name, made up when not given.
        name_max, name_lower, name_begins: limits of that name, for making it up.
        unique: there can be only one of it (an attachment, a policy of something), so the old one
            goes before its replacement comes.
        defaults: what the official provider fills in at Check.
        local: properties that only the provider minds.
        handled: properties that a hook sends.
        output: output property → source, where the name does not say it.
        computed: optional inputs that AWS fills in when not given.
        volatile: outputs that an update may change.
        unread: properties not compared at refresh (write-only, or not told by AWS).
        ordered: list properties whose order has a meaning.
        adopt: a leftover of a killed run is taken over instead of deleted (it holds data).
    """

    pulumi_type: str
    title: str
    service: str
    create: Op | Step
    id: str
    read: Op | Step | None = None
    update: tuple[Op | Step, ...] = ()
    delete: Op | Step | None = None
    replace: tuple[str, ...] = ()
    update_only: tuple[str, ...] = ()
    name: str = ""
    name_max: int = 255
    name_lower: bool = False
    name_begins: str = ""
    unique: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    local: tuple[str, ...] = ()
    handled: tuple[str, ...] = ()
    output: Mapping[str, Source] = field(default_factory=dict)
    computed: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    tags: Tags | None = None
    checks: Mapping[str, Validator | tuple[Validator, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    gone: tuple[str, ...] = ()
    ready: Hook | None = None
    find: Find | None = None
    adopt: bool = False
    global_region: str = ""

    @property
    def steps(self) -> tuple[Op | Step, ...]:
        """The create and the updates: all that carries inputs."""
        return (self.create, *self.update)
