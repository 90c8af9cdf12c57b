"""Serves the analyzer to Pulumi's engine until the engine ends the process."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from concurrent import futures
from types import FrameType

from policies.framework.protocol import skip_package_code

_MESSAGE_BYTES = 400 * 1024 * 1024  # what Pulumi's own SDK allows; a stack comes in one message
_REPORT_SECONDS = 0.25
_SWITCH_SECONDS = 0.0005


def serve() -> int:
    """Starts the server, prints its port, and works until it is told to stop or its host is gone.

    A host that was killed cannot end its pack: the pack sees that it has another parent.
    """
    parent = os.getppid()
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    # The terminal's Ctrl-C reaches the whole group; the engine decides when the pack may go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    skip_package_code()

    import grpc
    from pulumi.runtime.proto import analyzer_pb2_grpc

    from policies.catalogue import load
    from policies.framework.analyzer import Analyzer
    from policies.framework.report import Report

    rules = load()
    report = Report.from_environment(rules.values())
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=2),
        options=[
            ("grpc.max_receive_message_length", _MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MESSAGE_BYTES),
        ],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(rules, report), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    gc.freeze()

    # The engine now waits for the program: time to load what the first secret will need. The
    # engine's first calls come meanwhile, and must not wait for imports.
    sys.setswitchinterval(_SWITCH_SECONDS)
    from policies.framework import detectors

    detectors.warm_up()
    while not stopped.wait(_REPORT_SECONDS) and os.getppid() == parent:
        report.write_if_due()
    report.write()
    server.stop(0)
    return 0
