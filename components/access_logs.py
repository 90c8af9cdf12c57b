"""The bucket that keeps the load balancer's access logs."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.base import Component, Context, known


class AccessLogs(Component):
    """An S3 bucket that only the load balancer's log delivery writes to, over TLS only.

    Encrypted with S3's own key: log delivery cannot use one of ours.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """

    bucket_name: str
    ready: pulumi.Resource  # what the load balancer depends on: it tries to write at once

    def __init__(
        self,
        name: str,
        retention_days: int,
        context: Context,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("AccessLogs", name, context, opts)
        # Bucket names are shared by all AWS accounts in the world.
        self.bucket_name = context.name(name, context.account, context.region)
        bucket = aws.s3.Bucket(
            name,
            bucket=self.bucket_name,
            force_destroy=not context.protect,
            tags=self.tagged(self.bucket_name),
            opts=self.child(),
        )
        bucket_name = known(self.bucket_name, bucket)
        block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket_name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket_name,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self.child(),
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket_name,
            rules=[
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": retention_days},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                }
            ],
            opts=self.child(),
        )
        self.ready = aws.s3.BucketPolicy(
            name,
            bucket=bucket_name,
            policy=json.dumps(_policy(context, self.bucket_name)),
            opts=self.child(depends_on=[block]),
        )
        self.register_outputs({"bucket": self.bucket_name})


def _policy(context: Context, bucket: str) -> dict[str, Any]:
    arn = f"arn:{context.partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LogDelivery",
                "Effect": "Allow",
                "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"{arn}/AWSLogs/{context.account}/*",
                "Condition": {
                    "ArnLike": {
                        "aws:SourceArn": context.arn("elasticloadbalancing", "loadbalancer/*")
                    }
                },
            },
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
