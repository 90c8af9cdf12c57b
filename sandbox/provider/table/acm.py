"""ACM: certificates, asked for or imported."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.call import Call
from sandbox.provider.errors import ProviderError
from sandbox.provider.resource import Find, Op, ResourceType, Step, Tags
from sandbox.provider.shapes import MISSING
from sandbox.provider.table.common import lone, named, one_of

_DOMAIN: Final = named(
    r"(\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
    253,
    "is not a domain name",
)
_REQUEST: Final = Op("RequestCertificate", rename={"validationOptions": "DomainValidationOptions"})
_MATERIAL: Final = {
    "certificateBody": "Certificate",
    "certificateChain": "CertificateChain",
    "privateKey": "PrivateKey",  # pragma: allowlist secret
}


def _material(call: Call) -> dict[str, Any]:
    return {
        member: call.inputs[name].encode() for name, member in _MATERIAL.items() if call.given(name)
    }


def _create(call: Call) -> dict[str, Any]:
    if call.given("certificateBody"):
        return call.aws("ImportCertificate", call.tagged(_material(call)))
    return call.aws("RequestCertificate", call.tagged(call.build(_REQUEST)))


def _import_again(call: Call) -> None:
    if call.given("certificateBody"):
        params = {"CertificateArn": call.id, **_material(call)}
        call.aws("ImportCertificate", params)


def _validation_options(found: Any, _call: Call) -> Any:
    return [
        {
            "DomainName": option["DomainName"],
            "ResourceRecordName": record.get("Name", ""),
            "ResourceRecordType": record.get("Type", ""),
            "ResourceRecordValue": record.get("Value", ""),
        }
        for option in found.get("DomainValidationOptions", [])
        if (record := option.get("ResourceRecord"))
    ]


def _valid(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    imported = inputs.get("certificateBody") is not None
    if imported == (inputs.get("domainName") is not None):
        yield "domainName", "exactly one of domainName and certificateBody has to be given"
    if imported and inputs.get("privateKey") is None:
        yield "privateKey", "has to be given beside certificateBody"
    public = not imported and not inputs.get("certificateAuthorityArn")
    if public and inputs.get("validationMethod") is None:
        yield "validationMethod", "DNS or EMAIL has to be given"
    names = inputs.get("subjectAlternativeNames")
    for name in names if isinstance(names, list) else ():
        reason = _DOMAIN(name) if isinstance(name, str) else None
        if reason:
            yield "subjectAlternativeNames", reason


CERTIFICATE: Final = ResourceType(
    pulumi_type="aws:acm/certificate:Certificate",
    title="ACM Certificate",
    service="acm",
    create=Step(_create, tuple(_MATERIAL), base=_REQUEST),
    id="CertificateArn",
    read=lone("DescribeCertificate", {"CertificateArn": "{id}"}, result="Certificate"),
    update=(
        Op(
            "UpdateCertificateOptions",
            {"CertificateArn": "{id}"},
            take=("options",),
            at_create=False,
        ),
        Step(_import_again, watches=tuple(_MATERIAL), at_create=False),
    ),
    delete=lone("DeleteCertificate", {"CertificateArn": "{id}"}),
    replace=(
        "domainName",
        "subjectAlternativeNames",
        "validationMethod",
        "keyAlgorithm",
        "certificateAuthorityArn",
        "validationOptions",
    ),
    local=("earlyRenewalDuration",),
    computed=(
        "domainName",
        "keyAlgorithm",
        "options",
        "subjectAlternativeNames",
        "validationMethod",
    ),
    output={
        "arn": "={id}",
        "domainValidationOptions": _validation_options,
        "options": lambda _f, _c: MISSING,
        "pendingRenewal": lambda _f, _c: False,
        "renewalSummaries": lambda _f, _c: [],
        "validationMethod": "DomainValidationOptions[0].ValidationMethod",
        "validationEmails": lambda found, _c: [
            email
            for option in found.get("DomainValidationOptions", [])
            for email in option.get("ValidationEmails", [])
        ],
        "validationOptions": lambda _f, _c: MISSING,
    },
    unread=("subjectAlternativeNames", "keyAlgorithm"),
    tags=Tags(
        add=lone("AddTagsToCertificate", {"CertificateArn": "{id}"}),
        remove=lone("RemoveTagsFromCertificate", {"CertificateArn": "{id}"}),
        remove_member="Tags",
        remove_form="list",
        read=lone("ListTagsForCertificate", {"CertificateArn": "{id}"}),
    ),
    checks={
        "domainName": _DOMAIN,
        "validationMethod": one_of("DNS", "EMAIL", "HTTP"),
    },
    rules=(_valid,),
    find=Find(
        lone("ListCertificates", {}, result="CertificateSummaryList"),
        "CertificateArn",
        ("domainName",),
    ),
)

_ISSUED_SECONDS: Final = 20.0


def _await_issue(call: Call) -> dict[str, Any]:
    """Asks nothing of AWS but whether the certificate is there to be used."""
    arn = call.inputs["certificateArn"]
    deadline = time.monotonic() + _ISSUED_SECONDS
    while True:
        found: dict[str, Any] = call.aws("DescribeCertificate", {"CertificateArn": arn})
        status = found["Certificate"]["Status"]
        if status == "ISSUED":
            return found
        if status != "PENDING_VALIDATION" or time.monotonic() > deadline:
            raise ProviderError(
                f"waiting for ACM Certificate ({arn}) to be issued: its status is {status}"
            )
        time.sleep(0.1)


CERTIFICATE_VALIDATION: Final = ResourceType(
    pulumi_type="aws:acm/certificateValidation:CertificateValidation",
    title="ACM Certificate Validation",
    service="acm",
    create=Step(_await_issue, ("certificateArn",)),
    id="={certificateArn}",
    read=lone("DescribeCertificate", {"CertificateArn": "{id}"}, result="Certificate"),
    # A wait cannot be taken back: there is nothing to delete.
    replace=("*",),
    local=("validationRecordFqdns",),
)

ROWS: Final = (CERTIFICATE, CERTIFICATE_VALIDATION)
