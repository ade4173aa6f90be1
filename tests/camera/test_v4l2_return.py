"""The sign by which a lost V4L2 camera is noticed when it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edgecam.camera import v4l2
from edgecam.camera.hotplug import device_snapshot
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from pathlib import Path


class Board:
    """The folders in which the kernel and udev show video nodes."""

    def __init__(self, folder: Path) -> None:
        self.sysfs, self.dev = folder / "sysfs", folder / "dev"
        (self.dev / "v4l" / "by-id").mkdir(parents=True)
        self.sysfs.mkdir()

    def snapshot(self) -> object:
        return device_snapshot(self.sysfs, self.dev)

    def plug_in(self) -> None:
        """What the kernel does: a node that only root may open."""
        (self.sysfs / "video0").mkdir()
        (self.dev / "video0").touch(mode=0o600)

    def set_rights(self) -> None:
        """What udev does a little later."""
        (self.dev / "video0").chmod(0o660)
        (self.dev / "v4l" / "by-id" / "usb-HD_Webcam").symlink_to(self.dev / "video0")


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    board = Board(tmp_path)
    monkeypatch.setattr(v4l2, "device_snapshot", board.snapshot)
    return board


@pytest.fixture
def lost(board: Board) -> V4l2Camera:
    """A camera that was looked for in vain."""
    camera = V4l2Camera("usb-HD_Webcam_that_is_not_here")
    with pytest.raises(CameraError, match="not connected"):
        camera.open()
    camera.close()
    return camera


def test_there_is_no_sign_while_nothing_changes(lost: V4l2Camera) -> None:
    assert [lost.may_be_back() for _ in range(4)] == [False] * 4


def test_it_may_be_back_once_a_node_came_and_udev_is_done_with_it(lost: V4l2Camera, board: Board) -> None:
    board.plug_in()
    assert not lost.may_be_back()  # rights and links may still be set
    board.set_rights()
    assert not lost.may_be_back()
    assert lost.may_be_back()


def test_a_try_that_failed_is_not_repeated_for_the_same_sign(lost: V4l2Camera, board: Board) -> None:
    board.plug_in()
    lost.may_be_back()
    assert lost.may_be_back()
    with pytest.raises(CameraError, match="not connected"):
        lost.open()
    assert [lost.may_be_back() for _ in range(3)] == [False] * 3
    board.set_rights()
    lost.may_be_back()
    assert lost.may_be_back()
