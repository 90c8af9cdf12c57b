"""The Pulumi program: load the stack's system, declare it, export what it made."""

import gc

# Half of a program's time goes into collecting what it has only just imported.
gc.disable()

from pathlib import Path  # noqa: E402

from components import lean  # noqa: E402

lean.install()

import pulumi  # noqa: E402

from components.system import declare  # noqa: E402
from systems.errors import ConfigError  # noqa: E402
from systems.stack import load  # noqa: E402

try:
    stack = load(Path(__file__).with_name(f"Pulumi.{pulumi.get_stack()}.yaml"))
except ConfigError as error:
    raise pulumi.RunError(str(error)) from None
declare(stack.system, stack.tier, stack.region, stack.tags, stack.phase).export()
gc.freeze()
