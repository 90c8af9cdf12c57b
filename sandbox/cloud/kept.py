"""Whole resources that MiniStack lacks and whose reading back matters: kept here."""

from __future__ import annotations

import threading
import time
from typing import Any

from sandbox.cloud import emulator
from sandbox.cloud.answer import Response
from sandbox.cloud.dispatch import Call, Handler
from sandbox.cloud.errors import AwsError
from sandbox.cloud.recorded import Recorded, plain
from sandbox.cloud.validation import check

# Amazon RDS's release notes of PostgreSQL: minor versions by major version, oldest first.
POSTGRES_VERSIONS = {
    13: (20, 21, 22), 14: (17, 18, 19), 15: (12, 13, 14), 16: (6, 8, 9, 10), 17: (2, 4, 5, 6),
}  # fmt: skip


class Kept:
    """RDS event subscriptions and WAF's logging configurations, by account, region and name."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._lock = threading.RLock()
        self._stored: dict[str, dict[str, Any]] = {}

    def rds_handlers(self) -> dict[str, Handler]:
        """Event subscriptions, and the versions that RDS offers."""
        return {
            "CreateEventSubscription": self._create_subscription,
            "ModifyEventSubscription": self._modify_subscription,
            "DeleteEventSubscription": self._delete_subscription,
            "DescribeEventSubscriptions": self._describe_subscriptions,
            "DescribeDBEngineVersions": self._describe_versions,
        }

    def waf_handlers(self) -> dict[str, Handler]:
        """WAF's logging configurations."""
        return {
            "PutLoggingConfiguration": self._put_logging,
            "GetLoggingConfiguration": self._get_logging,
            "DeleteLoggingConfiguration": self._delete_logging,
        }

    def state(self) -> dict[str, Any]:
        """For saving."""
        with self._lock:
            return {"stored": dict(self._stored)}

    def restore(self, state: dict[str, Any]) -> None:
        """After loading."""
        with self._lock:
            self._stored = state.get("stored", {})

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._stored.clear()

    def _create_subscription(self, call: Call) -> Response:
        check(call.operation, call.parameters)
        wanted = call.parameters
        name = wanted["SubscriptionName"]
        key = _key(call, "subscription", name)
        if key in self._stored:
            raise AwsError("SubscriptionAlreadyExist", f"Subscription {name} already exists.")
        _check_topic(wanted["SnsTopicArn"])
        if wanted.get("SourceIds") and not wanted.get("SourceType"):
            raise AwsError(
                "InvalidParameterCombination", "SourceIds need a SourceType to be specified."
            )
        arn = f"arn:aws:rds:{call.region}:{call.account}:es:{name}"
        subscription = {
            "CustomerAwsId": call.account,
            "CustSubscriptionId": name,
            "EventSubscriptionArn": arn,
            "Status": "active",
            "SubscriptionCreationTime": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
            **_subscription(wanted),
        }
        subscription.setdefault("Enabled", True)
        emulator.service("rds")._tags[arn] = plain(wanted.get("Tags") or [])
        return self._put(call, key, {"EventSubscription": subscription}, subscription)

    def _modify_subscription(self, call: Call) -> Response:
        wanted = call.parameters
        key = _key(call, "subscription", wanted["SubscriptionName"])
        known = self._existing(key, "SubscriptionNotFound", wanted["SubscriptionName"])
        if wanted.get("SnsTopicArn"):
            _check_topic(wanted["SnsTopicArn"])
        changed = {**known, **_subscription(wanted)}
        return self._put(call, key, {"EventSubscription": changed}, changed)

    def _delete_subscription(self, call: Call) -> Response:
        name = call.parameters["SubscriptionName"]
        key = _key(call, "subscription", name)
        known = self._existing(key, "SubscriptionNotFound", name)
        with self._lock:
            del self._stored[key]
        emulator.service("rds")._tags.pop(known["EventSubscriptionArn"], None)
        return call.result({"EventSubscription": {**known, "Status": "deleting"}})

    def _describe_subscriptions(self, call: Call) -> Response:
        name = call.parameters.get("SubscriptionName")
        if name:
            key = _key(call, "subscription", name)
            found = [self._existing(key, "SubscriptionNotFound", name)]
        else:
            start = _key(call, "subscription", "")
            found = [value for key, value in self._stored.items() if key.startswith(start)]
        return call.result({"EventSubscriptionsList": found})

    def _describe_versions(self, call: Call) -> Response:
        wanted = call.parameters
        if wanted.get("Engine") != "postgres":
            return call.forward()
        asked = str(wanted.get("EngineVersion") or "")
        family = wanted.get("DBParameterGroupFamily")
        versions = [
            _engine_version(major, minor)
            for major, minors in POSTGRES_VERSIONS.items()
            for minor in (minors[-1:] if wanted.get("DefaultOnly") is True else minors)
            if asked in ("", str(major), f"{major}.{minor}")
            and family in (None, f"postgres{major}")
        ]
        if wanted.get("DefaultOnly") is True and not asked and not family:
            versions = versions[-1:]
        return call.result({"DBEngineVersions": versions})

    def _put_logging(self, call: Call) -> Response:
        check(call.operation, call.parameters)
        configuration = plain(call.parameters["LoggingConfiguration"])
        for destination in configuration["LogDestinationConfigs"]:
            name = str(destination).rpartition(":")[2].rpartition("/")[2]
            if not name.startswith("aws-waf-logs-"):
                raise AwsError(
                    "WAFInvalidParameterException",
                    "Error reason: The ARN isn't valid. A log destination's name must begin with"
                    f" aws-waf-logs-, field: LOG_DESTINATION, parameter: {destination}",
                )
        key = _key(call, "waf-logging", configuration["ResourceArn"])
        return self._put(call, key, {"LoggingConfiguration": configuration}, configuration)

    def _get_logging(self, call: Call) -> Response:
        arn = call.parameters["ResourceArn"]
        known = self._existing(_key(call, "waf-logging", arn), "WAFNonexistentItemException", arn)
        return call.result({"LoggingConfiguration": known})

    def _delete_logging(self, call: Call) -> Response:
        arn = call.parameters["ResourceArn"]
        key = _key(call, "waf-logging", arn)
        self._existing(key, "WAFNonexistentItemException", arn)
        with self._lock:
            del self._stored[key]
        return call.result({})

    def _put(self, call: Call, key: str, shown: dict[str, Any], value: dict[str, Any]) -> Response:
        with self._lock:
            self._stored[key] = value
        self._recorded.remember(call)
        return call.result(shown)

    def _existing(self, key: str, code: str, name: str) -> dict[str, Any]:
        with self._lock:
            known = self._stored.get(key)
        if known is None:
            raise AwsError(code, f"{name} was not found.", 404)
        return known


def _key(call: Call, kind: str, name: str) -> str:
    return f"{call.account}/{call.region}/{kind}/{name}"


def _subscription(wanted: dict[str, Any]) -> dict[str, Any]:
    names = {
        "SnsTopicArn": "SnsTopicArn", "SourceType": "SourceType", "Enabled": "Enabled",
        "EventCategories": "EventCategoriesList", "SourceIds": "SourceIdsList",
    }  # fmt: skip
    return {member: wanted[name] for name, member in names.items() if wanted.get(name) is not None}


def _check_topic(arn: str) -> None:
    if arn not in emulator.service("sns")._topics:
        raise AwsError("SNSTopicArnNotFound", f"The SNS topic {arn} does not exist.", 404)


def _engine_version(major: int, minor: int) -> dict[str, Any]:
    return {
        "Engine": "postgres",
        "EngineVersion": f"{major}.{minor}",
        "MajorEngineVersion": str(major),
        "DBParameterGroupFamily": f"postgres{major}",
        "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {major}.{minor}-R1",
        "ExportableLogTypes": ["postgresql", "upgrade"],
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": True,
        "SupportedCACertificateIdentifiers": [
            "rds-ca-rsa2048-g1", "rds-ca-ecc384-g1", "rds-ca-rsa4096-g1",
        ],
        "Status": "available",
    }  # fmt: skip
