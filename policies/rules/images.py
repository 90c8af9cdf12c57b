"""Container images: what runs is what was built, and stays so."""

from __future__ import annotations

import re

from policies.framework import NOT_DEV, Finding, Findings, Fix, Resource, expect, rule, same, skip
from policies.framework.documents import containers

TASK = "aws:ecs/taskDefinition:TaskDefinition"
FUNCTION = "aws:lambda/function:Function"
REPOSITORY = "aws:ecr/repository:Repository"

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


@rule(
    "image-pinned-by-digest",
    section="images",
    severity="high",
    types=(TASK, FUNCTION),
    lines=("001:247", "001:252"),
    why="A tag can be moved: what was tested is not what a restarted task runs.",
    fix=Fix(
        "services.<name>.image: <repository>@sha256:<digest>",
        'aws.ecs.TaskDefinition(container_definitions=[{"image": "repository@sha256:..."}])',
    ),
    reference="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/image-pull-behavior.html",
    tiers=NOT_DEV,
)
def image_pinned(resource: Resource) -> Findings:
    """Each image is named by its digest."""
    if resource.type == FUNCTION:
        if str(resource.get("packageType", "Zip")) != "Image":
            skip("its code is an archive, pinned by its hash")
        image = str(resource.get("imageUri", ""))
        if not _DIGEST.search(image):
            yield Finding(f"imageUri: {image or 'not set'}", "...@sha256:<digest>", "imageUri")
        return
    for container in containers(resource):
        image = str(container.get("image", ""))
        if not _DIGEST.search(image):
            yield Finding(
                f"{container.get('name', 'container')}.image: {image or 'not set'}",
                "...@sha256:<digest>",
                "containerDefinitions",
            )


@rule(
    "image-tags-immutable",
    section="images",
    severity="medium",
    types=(REPOSITORY,),
    lines=("001:252",),
    why="A version's tag must go on meaning the version it was given to.",
    fix=Fix(
        "",
        'aws.ecr.Repository(image_tag_mutability="IMMUTABLE")',
    ),
    reference="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
)
def image_tags_immutable(repository: Resource) -> Findings:
    """Tags of the repository cannot be moved; named exclusions are a decision."""
    if same(repository.get("imageTagMutability"), "IMMUTABLE_WITH_EXCLUSION"):
        return
    yield from expect(repository, "imageTagMutability", "IMMUTABLE", default="MUTABLE")


@rule(
    "image-scanned-on-push",
    section="images",
    severity="medium",
    types=(REPOSITORY,),
    lines=("001:248", "001:370"),
    why="Known vulnerabilities are found when an image arrives, not when it is used against you.",
    fix=Fix(
        "",
        "aws.ecr.Repository(image_scanning_configuration={'scan_on_push': True})",
    ),
    reference="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic.html",
)
def image_scanned(repository: Resource) -> Findings:
    """Scanning at each push."""
    yield from expect(repository, "imageScanningConfiguration.scanOnPush", True, default=False)
