"""What goes into a task definition: containers as ECS reads them. No Pulumi in here.

Everything is decided from names, so the JSON is known at preview to the last character.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.base import Context
from systems.model import ContainerHealth, Tracing, Workload

SCRATCH_VOLUME = "tmp"
"""The one writable folder, `/tmp`, of a container whose root is read-only."""

# v0.43.3 of https://gallery.ecr.aws/aws-observability/aws-otel-collector, all platforms.
COLLECTOR_IMAGE = (
    "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
    "@sha256:8aa9ea5f67b8d318f7d6af24677e3c70f7098bc0631147cb5fa91addbe980b06"
)

_COLLECTOR_CONFIG = """\
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:4317"}
      http: {endpoint: "127.0.0.1:4318"}
processors:
  batch: {timeout: 5s}
exporters:
  awsxray: {}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [awsxray]}
"""


def image_uri(image: str, context: Context) -> str:
    """Where an image is pulled from: `ecr:<repository>…` is the account's own registry."""
    if not image.startswith("ecr:"):
        return image
    suffix = "amazonaws.com.cn" if context.partition == "aws-cn" else "amazonaws.com"
    registry = f"{context.account}.dkr.ecr.{context.region}.{suffix}"
    return f"{registry}/{image.removeprefix('ecr:')}"


def repository_arn(image: str, context: Context) -> str | None:
    """The ECR repository that pulling this image needs; None when it is not the account's own."""
    if not image.startswith("ecr:"):
        return None
    repository = image.removeprefix("ecr:").partition("@")[0].partition(":")[0]
    return context.arn("ecr", f"repository/{repository}")


def liveness_command(port: int, path: str) -> str:
    """Ask the service itself over loopback, with whichever of wget and curl the image has.

    An image with neither gives `health.command`.
    """
    url = f"http://127.0.0.1:{port}{path}"
    return f"wget -q -O /dev/null {url} || curl -fsS -o /dev/null {url} || exit 1"


def tracing_environment(name: str, context: Context, tracing: Tracing) -> dict[str, str]:
    """OpenTelemetry's own variables: traces go to the collector of the same task."""
    if not tracing.enabled:
        return {}
    return {
        "OTEL_SERVICE_NAME": name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_PROPAGATORS": "tracecontext,baggage,xray",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": f"{tracing.sample_percent / 100:g}",
        "OTEL_RESOURCE_ATTRIBUTES": (
            f"service.namespace={context.code},deployment.environment.name={context.stage}"
        ),
    }


def application(
    name: str,
    args: Workload,
    context: Context,
    *,
    environment: Mapping[str, str],
    secrets: Mapping[str, str],
    port: int | None = None,
    health: ContainerHealth | None = None,
    health_command: str | None = None,
) -> dict[str, Any]:
    """The application's container.

    `secrets` maps a variable to what ECS resolves at start (`valueFrom`): nothing of a secret's
    value is in the definition.
    """
    container: dict[str, Any] = {
        "name": name,
        "image": image_uri(args.image, context),
        "essential": True,
        "environment": _pairs(environment, "value"),
        "secrets": _pairs(secrets, "valueFrom"),
        "readonlyRootFilesystem": args.read_only_root,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "mountPoints": [{"sourceVolume": SCRATCH_VOLUME, "containerPath": "/tmp"}],  # noqa: S108
        "stopTimeout": args.stop_timeout_seconds,
        "logConfiguration": _logs(name, context, "application"),
        "dockerLabels": {"system": context.code, "tier": context.tier, "workload": name},
    }
    if args.command:
        container["command"] = list(args.command)
    if port is not None:
        container["portMappings"] = [{"containerPort": port, "protocol": "tcp", "name": "http"}]
    if health is not None and health_command is not None:
        container["healthCheck"] = {
            "command": ["CMD-SHELL", health_command],
            "interval": health.interval_seconds,
            "timeout": health.timeout_seconds,
            "retries": health.retries,
            "startPeriod": health.start_period_seconds,
        }
    return container


def collector(name: str, context: Context) -> dict[str, Any]:
    """The OpenTelemetry collector beside the application; the task outlives its end."""
    return {
        "name": "collector",
        "image": COLLECTOR_IMAGE,
        "essential": False,
        "environment": _pairs({"AOT_CONFIG_CONTENT": _COLLECTOR_CONFIG}, "value"),
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "healthCheck": {
            "command": ["CMD", "/healthcheck"],
            "interval": 15,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 10,
        },
        "logConfiguration": _logs(name, context, "collector"),
    }


def _logs(name: str, context: Context, prefix: str) -> dict[str, Any]:
    # Non-blocking: a stalled log delivery must not stall a trade.
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": context.path(name),
            "awslogs-region": context.region,
            "awslogs-stream-prefix": prefix,
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        },
    }


def _pairs(values: Mapping[str, str], key: str) -> Sequence[dict[str, str]]:
    return [{"name": name, key: values[name]} for name in sorted(values)]
