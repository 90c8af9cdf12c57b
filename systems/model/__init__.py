"""The typed model of a system. Validated once, here; nothing of Pulumi is imported."""

from systems.model.alarm import Alarm, Dashboard, Metric, Notifications, Subscription, Widget
from systems.model.base import Model, Severity
from systems.model.cache import Cache, CacheAlarms
from systems.model.criteria import Criterion
from systems.model.database import Backup, Database, DatabaseAlarms, Pooling
from systems.model.ingress import Ingress, RateLimit
from systems.model.network import Network
from systems.model.parameter import Parameter
from systems.model.schedule import HttpCall, Schedule
from systems.model.secret import Secret
from systems.model.system import Logs, System, Tracing, Window
from systems.model.workload import (
    Autoscaling,
    ContainerHealth,
    Deployment,
    Job,
    QueueScaling,
    Route,
    Running,
    Service,
    ServiceAlarms,
    Worker,
    Workload,
    WorkloadAlarms,
)

__all__ = [
    "Alarm",
    "Autoscaling",
    "Backup",
    "Cache",
    "CacheAlarms",
    "ContainerHealth",
    "Criterion",
    "Dashboard",
    "Database",
    "DatabaseAlarms",
    "Deployment",
    "HttpCall",
    "Ingress",
    "Job",
    "Logs",
    "Metric",
    "Model",
    "Network",
    "Notifications",
    "Parameter",
    "Pooling",
    "QueueScaling",
    "RateLimit",
    "Route",
    "Running",
    "Schedule",
    "Secret",
    "Service",
    "ServiceAlarms",
    "Severity",
    "Subscription",
    "System",
    "Tracing",
    "Widget",
    "Window",
    "Worker",
    "Workload",
    "WorkloadAlarms",
]
