"""What an account has before anything is declared in it: the hosted zones of its domains.

A system names the zone that its domain lives in; on AWS it is there since the domain was bought.
In the sandbox the command line says which zones a stack counts on, and they are there under the
ids that it names, empty. They are the account's own: `destroy` leaves them, `reset` forgets them.
"""

from __future__ import annotations

from sandbox.cloud import emulator

HOME_REGION = "us-east-1"


def add_hosted_zone(zone_id: str, name: str) -> bool:
    """Gives the account a public hosted zone of this id and name; False when it is there."""
    dns = name.rstrip(".").lower() + "."
    with emulator.scope(emulator.ACCOUNT, HOME_REGION):
        route53 = emulator.service("route53")
        with route53._lock:
            if zone_id in route53._zones:
                return False
            route53._zones[zone_id] = {
                "id": zone_id,
                "name": dns,
                "caller_reference": f"sandbox-{zone_id}",
                "comment": "The account's own, before anything was declared",
                "private": False,
                "vpcs": [],
            }
            route53._records[zone_id] = route53._default_records(dns)
    return True
