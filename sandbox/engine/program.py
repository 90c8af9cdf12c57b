"""Run one Pulumi program under the engine, started by `language_host.py`.

Exit codes: 0 done; 32 failed and the user has been told; 1 failed otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pulumi
import pulumi.runtime

REPORTED_EXIT_CODE = 32
THREADS_PER_OPERATION = 4
"""An operation of the engine waits in a thread; fewer than this and calls queue up."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line that the language host writes."""
    parser = argparse.ArgumentParser(description="Run a Pulumi program under the engine.")
    for name in ("monitor", "engine", "project", "stack", "organization", "root-directory"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--dry-run", choices=("true", "false"), required=True)
    parser.add_argument("program", type=Path)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


def configure(options: argparse.Namespace) -> None:
    """Tell the SDK where its engine is and what stack this is."""
    runtime = pulumi.runtime
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    runtime.configure(
        runtime.Settings(
            monitor=options.monitor,
            engine=options.engine,
            project=options.project,
            stack=options.stack,
            organization=options.organization,
            root_directory=options.root_directory,
            parallel=options.parallel,
            dry_run=options.dry_run == "true",
        )
    )


def run(options: argparse.Namespace) -> int:
    """Run the program; its exit code."""
    program: Path = options.program
    if program.is_dir() and not (program / "__main__.py").is_file():
        pulumi.log.error(f"there is no Python program `__main__.py` in `{program}`")
        return REPORTED_EXIT_CODE
    sys.argv = [str(program), *options.arguments]
    sys.path.insert(0, str(program if program.is_dir() else program.parent))
    # asyncio complains about every future that a failed program leaves behind; that is no news.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = max(options.parallel, 1) * THREADS_PER_OPERATION
    loop.set_default_executor(ThreadPoolExecutor(max_workers=threads))
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: start(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return REPORTED_EXIT_CODE
    except Exception as error:
        # Anything at all may come out of a user's program; it is shown, from their frame on.
        told = "".join(traceback.format_exception(type(error), error, own_part(error, program)))
        pulumi.log.error(f"Program failed with an unhandled exception:\n{told}")
        return REPORTED_EXIT_CODE
    return 0


def start(program: Path) -> None:
    """Run the program's own file as `__main__`."""
    runpy.run_path(str(program), run_name="__main__")


def own_part(error: BaseException, program: Path) -> TracebackType | None:
    """The traceback from the program's own first frame on, past the SDK's and ours."""
    main = program / "__main__.py" if program.is_dir() else program
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == main.resolve():
            return trace
        trace = trace.tb_next
    # A file that does not even parse has no frame of its own: its error says where it is.
    return None if isinstance(error, SyntaxError) else error.__traceback__


def main(arguments: list[str]) -> None:
    """Run, then end at once: tearing down what a program imported takes up to a second."""
    # The engine interrupts whoever is not done when it is: no news, so no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        options = parse(arguments)
        configure(options)
        code = run(options)
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
        if isinstance(asked.code, str):
            print(asked.code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
