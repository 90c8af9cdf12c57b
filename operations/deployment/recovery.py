"""What a killed run leaves behind, and how the next one gets over it without manual surgery."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from operations.deployment.backend import FileBackend, Lock
from operations.deployment.events import name_of
from operations.deployment.pulumi import Pulumi
from operations.failures import ExitCode, Failure

WAIT_SECONDS = 20.0
"""How long a run that is under way is waited for: one told to stop needs a step's time."""
_POLL_SECONDS = 0.5


@dataclass
class Recovery:
    """What was found and mended. `refresh` says that the state may not be what is there."""

    notes: list[str] = field(default_factory=list)
    refresh: bool = False


@dataclass(frozen=True)
class Doubts:
    """Which stacks may differ from what is in the cloud, kept until each was refreshed.

    The sandbox tells of an unclean end once; it concerns every stack in it.
    """

    folder: Path

    def about(self, stack: str) -> str:
        """Why the stack's state is doubted; empty when it is not."""
        try:
            return self._file(stack).read_text(encoding="utf-8").strip() or "an unclean end"
        except FileNotFoundError:
            return ""

    def raise_for(self, stacks: list[str], why: str) -> None:
        """Doubts these stacks from now on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for stack in stacks:
            self._file(stack).write_text(why, encoding="utf-8")

    def settle(self, stack: str) -> None:
        """The stack was refreshed, or is gone."""
        self._file(stack).unlink(missing_ok=True)

    def _file(self, stack: str) -> Path:
        return self.folder / f"{stack}.doubt"


def recover(
    backend: FileBackend,
    pulumi: Pulumi,
    stack: str,
    doubts: Doubts,
    tell: Callable[[str], None],
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> Recovery:
    """Brings a stack of the sandbox into a state from which a run can start.

    Raises Failure when another run holds the stack, or when the state is lost.
    """
    found = Recovery()
    found.notes += release(backend, pulumi, stack, tell, wait_seconds=wait_seconds)
    try:
        mended = backend.mend(stack)
    except ValueError as lost:
        raise Failure(
            f"{lost}.",
            next_step="`./gonogo sandbox reset` begins again from nothing.",
            code=ExitCode.NOT_READY,
        ) from lost
    if mended:
        found.notes.append(mended)
        doubts.raise_for([stack], "its state was restored from a copy")
    if not backend.exists(stack):
        doubts.settle(stack)
        return found
    pending = backend.pending(stack)
    if pending:
        count = len(pending)
        named = ", ".join(f"{kind} {name_of(urn)}" for kind, urn in pending[:3])
        more = f" and {count - 3} more" if count > 3 else ""
        found.notes.append(f"A run was cut off in the middle of {named}{more}.")
        found.refresh = True
    why = doubts.about(stack)
    if why:
        found.notes.append(f"The state of {stack} is compared with what is there: {why}.")
        found.refresh = True
    return found


def release(
    backend: FileBackend,
    pulumi: Pulumi,
    stack: str,
    tell: Callable[[str], None],
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> list[str]:
    """Waits for a run that is under way, and removes the locks of runs that are no more."""
    deadline = time.monotonic() + wait_seconds
    told = False
    while held := [lock for lock in backend.locks(stack) if lock.is_held()]:
        if time.monotonic() >= deadline:
            raise Failure(
                f"{_holder(held[0], stack)}.",
                next_step="wait until it has ended, or end that process; then run this again.",
                code=ExitCode.NOT_READY,
            )
        if not told:
            tell(f"{_holder(held[0], stack)}; waiting for it to end.")
            told = True
        time.sleep(_POLL_SECONDS)
    stale = backend.locks(stack)
    if not stale:
        return []
    said = pulumi.ask("cancel", "--stack", stack, "--yes")
    if said.returncode != 0:
        # The CLI cannot read a lock that was cut off while it was written.
        for lock in stale:
            lock.path.unlink(missing_ok=True)
            lock.path.with_name(f"{lock.path.name}.attrs").unlink(missing_ok=True)
    gone = ", ".join(str(lock.pid) for lock in stale)
    return [f"Removed the lock of a run that was killed (process {gone})."]


def _holder(lock: Lock, stack: str) -> str:
    since = time.strftime("%H:%M:%S", time.localtime(lock.since_epoch_seconds))
    return (
        f"Another run holds {stack}: process {lock.pid} of {lock.user} on {lock.host}, "
        f"since {since}"
    )
