"""Which V4L2 cameras there are, and who may open them."""

from __future__ import annotations

import os
import pickle
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from edgecam.camera.discovery import list_cameras
from edgecam.camera.opening import camera_for
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.v4l2_nodes import v4l2_nodes
from edgecam.errors import CameraBusy, CameraDenied, CameraError
from tests.camera.hardware.conftest import PATIENCE_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = pytest.mark.hardware


def test_the_list_of_cameras(nodes: list[V4l2Node]) -> None:
    listed = {info.device: info for info in list_cameras()}
    for node in nodes:
        info = listed[node.path]
        assert (info.name, info.unusable) == (node.name, "")
        assert info.address == f"v4l2:{node.stable_id}"
        assert node.stable_id != node.path
        with camera_for(info.address) as camera:
            assert camera.device == node.path
            camera.read(PATIENCE_MS)


def test_a_camera_opened_by_its_node_gives_its_stable_id(camera: V4l2Camera, node: V4l2Node) -> None:
    assert camera.address == node.path
    camera.open()
    assert camera.address == f"v4l2:{node.stable_id}"
    assert camera.name == node.name


def test_two_cameras_at_once(nodes: list[V4l2Node]) -> None:
    if len(nodes) < 2:
        pytest.skip("needs two cameras")
    with V4l2Camera(nodes[0].path) as first, V4l2Camera(nodes[1].path) as second:
        assert first.address != second.address
        for _ in range(3):
            first.read(PATIENCE_MS)
            second.read(PATIENCE_MS)


def test_a_busy_camera_names_the_program_that_holds_it(camera: V4l2Camera, node: V4l2Node) -> None:
    other = subprocess.Popen(
        ["v4l2-ctl", "-d", node.path, "--stream-mmap", "--stream-count=0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        message = ""
        while "in use" not in message:
            assert time.monotonic() < deadline
            try:
                camera.open()
            except CameraBusy as error:
                message = str(error)
            camera.close()
            time.sleep(0.2)
        assert f"in use by v4l2-ctl (process {other.pid})" in message
    finally:
        other.terminate()
        other.wait()
    camera.open()
    camera.read(PATIENCE_MS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can take rights away")
def test_without_permission_the_missing_group_is_named(node: V4l2Node) -> None:
    os.chown(node.path, 0, 44)  # Debian's group “video”
    os.chmod(node.path, 0o660)
    try:
        listed, opened = as_nobody(lambda: (list_cameras(), error_of(V4l2Camera(node.path))))
    finally:
        os.chmod(node.path, 0o600)
    info = next(info for info in listed if info.device == node.path)
    assert info.name == node.name
    for text in (info.unusable, opened):
        assert "not in the group “video”" in text
        assert "sudo usermod -aG video nobody" in text
    assert opened.startswith("No permission to use")


def error_of(camera: V4l2Camera) -> str:
    try:
        camera.open()
    except CameraDenied as error:
        return str(error)
    return ""


def as_nobody(what: Callable[[], Any]) -> Any:
    """What `what` gives in a child process without any rights."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(what(), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pickle.load(pipe)
    os.waitpid(child, 0)
    return answer


def test_nodes_that_are_no_cameras_are_hidden_and_say_so(nodes: list[V4l2Node]) -> None:
    others = [
        path
        for path in sorted(f"/dev/{name}" for name in os.listdir("/sys/class/video4linux"))
        if path not in {node.path for node in v4l2_nodes()}
    ]
    if not others:
        pytest.skip("needs V4L2 nodes that are no cameras")
    for path in others:
        with pytest.raises(CameraError, match=r"not a camera|cannot be read|no picture format that edgecam can read"):
            V4l2Camera(path).open()
