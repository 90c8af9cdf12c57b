"""The emulator reaches nothing outside this machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sandbox import lifecycle
from sandbox.cloud.outside import is_inside
from sandbox.home import CHECKOUT
from sandbox.stores.process import wait_until
from tests.sandbox.clouds import TestCloud

# In a process of its own: an audit hook cannot be taken away again.
PROGRAM = """
import json, socket, urllib.request
from sandbox.cloud import outside
outside.forbid()
told = []
for call in (
    lambda: socket.create_connection(("192.0.2.1", 443), timeout=5),
    lambda: urllib.request.urlopen("https://hooks.example.com/x", timeout=5),
    lambda: socket.getaddrinfo("example.com", 443),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
):
    try:
        call()
        told.append("reached")
    except OSError as error:
        told.append(str(error))
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print(json.dumps([told, sorted(outside.refused)]))
"""


def test_every_way_out_is_refused_and_loopback_is_not() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=CHECKOUT, check=True,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    told, refused = json.loads(done.stdout)
    assert len(told) == 4
    assert all("calls nothing outside this machine" in each for each in told)
    assert refused == ["192.0.2.1", "example.com", "hooks.example.com"]


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True),
        (b"localhost", True), ("bucket.localhost", True), (None, True), ("::", False),
        ("169.254.169.254", False), ("10.0.0.1", False), ("localhost.example.com", False),
    ],
)  # fmt: skip
def test_only_loopback_is_inside(host: object, inside: bool) -> None:
    assert is_inside(host) is inside


@pytest.mark.slow
def test_a_topics_webhook_is_not_called_and_this_is_said(cloud: TestCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="webhook")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://pager.example.com/x")
    sns.publish(TopicArn=topic, Message="m")
    expected = "Not called, outside this machine: pager.example.com"
    # The emulator delivers after it has answered.
    assert wait_until(lambda: expected in lifecycle.status(cloud.home).notes, 10)
