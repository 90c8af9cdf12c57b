"""Pulumi's Analyzer service over our rules.

The pack speaks the protocol itself instead of using `pulumi_policy.PolicyPack`, for two reasons
that were measured: Pulumi's SDK decodes a resource once per rule (60 rules on 300 resources cost
1.3 s), and it drops the secret marks that the engine sends. Each rule still is a policy of its own
in Pulumi's output and events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2 as messages
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from policies.framework.judge import Judge, explain
from policies.framework.report import Report
from policies.framework.rules import Rule
from policies.framework.settings import Enforcement, PackSettings, camel, read_settings
from policies.framework.stack import Stack
from policies.framework.values import decode_struct
from policies.framework.verdicts import Level, Outcome, Verdict
from policies.framework.views import Resource

PACK = "gonogo"
VERSION = "0.1.0"

_SEVERITIES = {
    "low": messages.POLICY_SEVERITY_LOW,
    "medium": messages.POLICY_SEVERITY_MEDIUM,
    "high": messages.POLICY_SEVERITY_HIGH,
    "critical": messages.POLICY_SEVERITY_CRITICAL,
}
_ENFORCEMENT: dict[int, Enforcement] = {
    messages.ADVISORY: "advisory",
    messages.MANDATORY: "mandatory",
    messages.REMEDIATE: "mandatory",
    messages.DISABLED: "disabled",
}


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """The service. The engine calls it for one resource after another, then for the stack."""

    def __init__(self, rules: Mapping[str, Rule], report: Report | None = None) -> None:
        self.rules = rules
        self.report = report or Report(None, rules.values())
        self.judge = Judge(rules.values())
        self._config: dict[str, dict[str, Any]] = {}
        self._enforcement: dict[str, Enforcement] = {}
        self._stack_config: dict[str, str] = {}
        self._inputs: dict[str, Mapping[str, Any]] = {}
        self._open: dict[tuple[str, str], Verdict] = {}
        self._unasked: dict[str, Any] = {}
        self._note_settings()

    # The engine asks who we are, and tells who it is.

    def Handshake(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The engine says where it is; nothing of it is needed."""
        return messages.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The pack's version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetAnalyzerInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Each rule as one policy of Pulumi's."""
        return messages.AnalyzerInfo(
            name=PACK,
            displayName="Gonogo",
            version=VERSION,
            supportsConfig=True,
            policies=[_policy_info(rule) for rule in self.rules.values()],
        )

    def ConfigureStack(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Which stack this is, and whether it is a preview."""
        self._stack_config = dict(request.config)
        self.report.header.update(
            project=request.project, stack=request.stack, dry_run=request.dry_run
        )
        self._note_settings()
        return messages.AnalyzerStackConfigureResponse()

    def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """The pack's config: tier, enforcement, numbers."""
        for name, policy in request.policyConfig.items():
            self._config[name] = json_format.MessageToDict(policy.properties)
            self._enforcement[name] = _ENFORCEMENT.get(policy.enforcementLevel, "mandatory")
        self._note_settings()
        return empty_pb2.Empty()

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The run is given up: keep what is known."""
        self.report.write()
        return empty_pb2.Empty()

    def Remediate(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The pack changes nothing."""
        return messages.RemediateResponse()

    # The engine asks about a resource, and about the stack.

    def Analyze(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Judges one resource by its inputs, decoded once for all rules."""
        properties = decode_struct(request.properties)
        # Rules on the stack read inputs too: the engine sends them outputs only.
        self._inputs[request.urn] = properties
        resource = Resource(
            request.type,
            request.name,
            request.urn,
            properties,
            parent=request.options.parent,
            protect=request.options.protect,
        )
        if not self.judge.rules_for(resource, "resource"):
            return self._nothing_asked(request.type)
        verdicts = self.judge.resource(resource)
        self.report.add(verdicts)
        response = messages.AnalyzeResponse()
        response.CopyFrom(self._nothing_asked(request.type))
        for verdict in verdicts:
            if verdict.outcome is Outcome.UNDECIDED:
                # Kept until the stack is known: only then can be said where the value comes from.
                self._open[verdict.rule.name, request.urn] = verdict
            self._add(response, verdict, held=verdict.outcome is Outcome.UNDECIDED)
        if response.diagnostics:
            self.report.write_if_due()
        return response

    def AnalyzeStack(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Judges the stack, and says what could not be decided."""
        stack = Stack(self._stack_resource(item) for item in request.resources)
        verdicts = self.judge.stack(stack)
        held = [explain(verdict, stack) for verdict in self._open.values()]
        self._open.clear()
        self.report.add([*verdicts, *held])
        response = messages.AnalyzeResponse()
        for verdict in [*verdicts, *held]:
            self._add(response, verdict, urn=verdict.resource.urn)
        self._add_unasked_stack_rules(response, verdicts)
        self.report.complete = True
        self.report.write()
        return response

    # How it is done.

    def _note_settings(self) -> None:
        settings = read_settings(self.rules, self._config, self._enforcement, self._stack_config)
        self.judge = Judge(self.rules.values(), settings)
        self._unasked.clear()
        self.report.header.update(pack=PACK, version=VERSION, tier=settings.tier)

    @property
    def settings(self) -> PackSettings:
        """The settings in force."""
        return self.judge.settings

    def _stack_resource(self, item: Any) -> Resource:
        outputs = decode_struct(item.properties)
        return Resource(
            item.type,
            item.name,
            item.urn,
            self._inputs.get(item.urn) or outputs,
            outputs,
            parent=item.parent,
            protect=item.options.protect,
            dependencies=tuple(item.dependencies),
            property_dependencies={
                name: tuple(urns.urns) for name, urns in item.propertyDependencies.items()
            },
        )

    def _nothing_asked(self, kind: str) -> Any:
        """The answer for a type that no rule is about: not applicable, which is not a pass."""
        if kind not in self._unasked:
            probe = Resource(kind, "", "", {})
            asked = {rule.name for rule in self.judge.rules_for(probe, "resource")}
            self._unasked[kind] = messages.AnalyzeResponse(
                not_applicable=[
                    messages.PolicyNotApplicable(policy_name=rule.name, reason="another type")
                    for rule in self.rules.values()
                    if rule.scope == "resource" and rule.name not in asked
                ]
            )
        return self._unasked[kind]

    def _add_unasked_stack_rules(self, response: Any, verdicts: Iterable[Verdict]) -> None:
        decided = {
            verdict.rule.name
            for verdict in verdicts
            if verdict.outcome is not Outcome.NOT_APPLICABLE
        }
        for rule in self.rules.values():
            if rule.scope == "stack" and rule.name not in decided:
                response.not_applicable.append(
                    messages.PolicyNotApplicable(policy_name=rule.name, reason="nothing to ask")
                )

    def _add(self, response: Any, verdict: Verdict, *, urn: str = "", held: bool = False) -> None:
        rule = verdict.rule
        if held or verdict.outcome in {Outcome.NOT_APPLICABLE, Outcome.WAIVED}:
            if not urn:
                response.not_applicable.append(
                    messages.PolicyNotApplicable(policy_name=rule.name, reason=verdict.reason)
                )
            return
        for message in verdict.messages():
            response.diagnostics.append(
                messages.AnalyzeDiagnostic(
                    policyName=rule.name,
                    policyPackName=PACK,
                    policyPackVersion=VERSION,
                    description=rule.why,
                    message=message,
                    urn=urn,
                    enforcementLevel=(
                        messages.MANDATORY
                        if verdict.level is Level.MANDATORY
                        else messages.ADVISORY
                    ),
                    severity=_SEVERITIES[rule.severity],
                )
            )


def _policy_info(rule: Rule) -> Any:
    info = messages.PolicyInfo(
        name=rule.name,
        displayName=rule.name,
        description=rule.why,
        enforcementLevel=(
            messages.MANDATORY if rule.enforcement == "mandatory" else messages.ADVISORY
        ),
        policy_type=(
            messages.POLICY_TYPE_STACK if rule.scope == "stack" else messages.POLICY_TYPE_RESOURCE
        ),
        severity=_SEVERITIES[rule.severity],
        tags=[rule.section],
        remediation_steps=str(rule.fix),
        url=rule.reference,
    )
    schema = {
        camel(name): {
            "type": "integer",
            "minimum": setting.minimum,
            "description": setting.description,
        }
        for name, setting in rule.settings.items()
    }
    if rule.name == "pack-settings":
        schema["tier"] = {"type": "string", "enum": ["prod", "staging", "dev", "from-stack"]}
    if schema:
        info.configSchema.properties.update(schema)
    return info
