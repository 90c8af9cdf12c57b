"""Where servers keep their files."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from sandbox.stores import placement
from sandbox.stores.process import User

NOBODY = User(65534, 65534, "nobody")


def test_a_private_folder_on_the_way_cannot_be_passed(tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o755)
    tmp_path.chmod(0o700)
    assert not placement.can_reach(open_folder, NOBODY)
    assert placement.can_reach(Path("/usr"), NOBODY)
    assert not placement.can_reach(tmp_path / "missing", NOBODY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_as_root_an_unreachable_home_gets_a_folder_in_the_temporary_area(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    home.mkdir()
    root = placement.data_root(home)
    try:
        assert tmp_path not in root.parents
        user = placement.server_user()
        assert user is not None
        assert placement.can_reach(root, user)
        assert stat.S_IMODE(root.stat().st_mode) == 0o711
        assert placement.data_root(home) == root
        assert placement.data_root(tmp_path) != root
    finally:
        placement.remove_data_root(home)
    assert not root.exists()
    assert placement.existing_roots(home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_that_somebody_else_made_first_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    home = tmp_path / "home"
    home.mkdir()
    taken = placement.data_root(home)
    os.chown(taken, NOBODY.uid, NOBODY.gid)
    with pytest.raises(placement.PlacementError, match="is not ours"):
        placement.data_root(home)
    placement.remove_data_root(home)
    assert taken.exists(), "what is not ours is not removed"


def test_not_root_runs_as_ourselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert placement.server_user() is None
    assert placement.data_root(tmp_path) == tmp_path / "databases"
