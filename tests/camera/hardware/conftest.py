"""Tests on real V4L2 devices: the kernel's virtual camera, in an emulated machine or loaded by hand.

`test_machine.py` starts the emulated machine and runs the other modules of this folder inside it.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.v4l2_nodes import v4l2_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgecam.camera.v4l2_nodes import V4l2Node

DRIVER = Path("/sys/bus/platform/drivers/vivid")
# The emulator is slow: what a camera does in 1 s may take it many.
PATIENCE_MS = 20_000


def vivid_nodes() -> list[V4l2Node]:
    return [node for node in v4l2_nodes() if node.name.startswith("vivid")]


@pytest.fixture
def nodes() -> list[V4l2Node]:
    found = vivid_nodes()
    if not found:
        pytest.skip("needs the kernel's vivid cameras (modprobe vivid, or ../shared/tools/camera-vm)")
    return found


@pytest.fixture
def node(nodes: list[V4l2Node]) -> V4l2Node:
    return nodes[0]


@pytest.fixture
def camera(node: V4l2Node) -> Iterator[V4l2Camera]:
    camera = V4l2Camera(node.path)
    yield camera
    camera.close()


def v4l2_ctl(*arguments: str) -> str:
    done = subprocess.run(["v4l2-ctl", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def press(path: str, control: str) -> None:
    """Pushes a button of the driver's fault injection."""
    v4l2_ctl("-d", path, "-c", f"{control}=1")


def unplug() -> None:
    (DRIVER / "unbind").write_text("vivid.0")


def plug_in() -> None:
    (DRIVER / "bind").write_text("vivid.0")
    wait_for(lambda: bool(vivid_nodes()))


def wait_for(what: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def replugged() -> Iterator[None]:
    """Leaves the cameras plugged in, whatever the test did."""
    if not os.access(DRIVER / "unbind", os.W_OK):
        pytest.skip("needs the rights to unbind the driver")
    yield
    if not (DRIVER / "vivid.0").exists():
        plug_in()
