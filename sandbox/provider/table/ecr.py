"""ECR: repositories and their lifecycle policies."""

from __future__ import annotations

from typing import Final

from sandbox.provider.resource import Op, ResourceType
from sandbox.provider.table.common import arn_tags, json_document, lone, named

_DELETE: Final = lone("DeleteRepository", {"repositoryName": "{id}", "force": "{forceDelete}"})


REPOSITORY: Final = ResourceType(
    pulumi_type="aws:ecr/repository:Repository",
    title="ECR Repository",
    service="ecr",
    create=Op("CreateRepository"),
    id="={name}",
    read=lone("DescribeRepositories", {"repositoryNames": ["{id}"]}, result="repositories[0]"),
    update=(
        Op(
            "PutImageTagMutability",
            {"repositoryName": "{id}"},
            take=("imageTagMutability", "imageTagMutabilityExclusionFilters"),
            at_create=False,
        ),
        Op(
            "PutImageScanningConfiguration",
            {"repositoryName": "{id}"},
            take=("imageScanningConfiguration",),
            at_create=False,
        ),
    ),
    delete=_DELETE,
    replace=("name", "encryptionConfigurations"),
    name="name",
    name_max=256,
    name_lower=True,
    defaults={"imageTagMutability": "MUTABLE"},
    local=("forceDelete",),
    rename={"name": "repositoryName"},
    output={
        "arn": "repositoryArn",
        "registryId": "registryId",
        "repositoryUrl": "repositoryUri",
    },
    unread=("imageTagMutabilityExclusionFilters",),
    tags=arn_tags(
        "resourceArn",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        keys="tagKeys",
        path="tags",
        tags="tags",
        create="tags",
    ),
    checks={
        "name": named(
            r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
            256,
            "expected small letters, digits and single . _ - /",
        )
    },
)

_PUT: Final = lone(
    "PutLifecyclePolicy", {"repositoryName": "{repository}", "lifecyclePolicyText": "{policy}"}
)

LIFECYCLE_POLICY: Final = ResourceType(
    pulumi_type="aws:ecr/lifecyclePolicy:LifecyclePolicy",
    title="ECR Lifecycle Policy",
    service="ecr",
    create=_PUT,
    id="={repository}",
    read=lone("GetLifecyclePolicy", {"repositoryName": "{id}"}),
    update=(_PUT,),
    delete=lone("DeleteLifecyclePolicy", {"repositoryName": "{id}"}),
    replace=("repository",),
    unique=True,
    output={"policy": "lifecyclePolicyText", "repository": "repositoryName"},
    checks={"policy": json_document},
)

ROWS: Final = (REPOSITORY, LIFECYCLE_POLICY)
