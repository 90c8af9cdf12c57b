"""Images that a system names and nobody has built yet: their digest is all zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operations.cli.options import Cloud
from operations.failures import ExitCode, Failure

if TYPE_CHECKING:
    from systems.model import System
    from systems.stack import Stack

_ZEROS = f"@sha256:{'0' * 64}"


def unbuilt(system: System) -> dict[str, str]:
    """The images without a build, by the path of the field that a build's digest goes to."""
    return {
        f"{collection}.{name}.image": workload.image
        for collection, name, workload in system.workloads()
        if workload.image.endswith(_ZEROS)
    }


def require_built(stack: Stack, cloud: Cloud) -> None:
    """In AWS a task of an image that is not there never starts. Raises Failure."""
    missing = unbuilt(stack.system)
    if cloud is not Cloud.AWS or not missing:
        return
    width = max(map(len, missing))
    listed = "\n".join(
        f"  {path:{width}}  {image.removesuffix(_ZEROS)}" for path, image in missing.items()
    )
    first, image = next(iter(missing.items()))
    raise Failure(
        f"{len(missing)} image{'s are' if len(missing) > 1 else ' is'} not built yet (a digest "
        f"of zeros), so AWS could not start a task of {stack.name}:\n{listed}",
        next_step=f"put the digest that your build printed into {stack.file.name}, under "
        f"gonogo:overrides, for example\n"
        f"    {first}: {image.removesuffix(_ZEROS)}@sha256:<64 hexadecimal digits>",
        code=ExitCode.WRONG_INPUT,
    )
