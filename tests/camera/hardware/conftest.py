"""Tests on real V4L2 devices: the kernel's virtual camera, in an emulated machine or loaded by hand.

`test_machine.py` starts the emulated machine and runs the other modules of this folder inside it.
"""

from __future__ import annotations

import gc
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.v4l2_device import V4l2Device
from edgecam.camera.v4l2_nodes import v4l2_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgecam.camera.v4l2_nodes import V4l2Node

IN_THE_MACHINE = "CAMERA_VM" in os.environ
DRIVER = Path("/sys/bus/platform/drivers/vivid")
# The emulator is slow: what a camera does in 1 s may take it many.
PATIENCE_MS = 20_000
SMALL = (320, 180)


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
    """Pushes a button of the driver's fault injection; at once, which a program of its own would not do."""
    device = V4l2Device(path)
    try:
        device.set_control(control, 1)
    finally:
        device.close()


def unplug() -> None:
    (DRIVER / "unbind").write_text("vivid.0")


def plug_in() -> float:
    """Plugs the cameras in again; when the first node was there (monotonic s)."""
    there = threading.Event()
    returned: list[float] = []

    def watch() -> None:
        while not Path("/dev/video0").exists():
            time.sleep(0.002)
        returned.append(time.monotonic())
        there.set()

    watcher = threading.Thread(target=watch, name="sees the node", daemon=True)
    watcher.start()
    (DRIVER / "bind").write_text("vivid.0")
    assert there.wait(30), "the camera did not come back"
    watcher.join()
    wait_for(lambda: bool(vivid_nodes()))
    return returned[0]


def wait_for(what: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@dataclass
class Held:
    """What the process holds: threads, file descriptors, KiB of memory."""

    threads: int
    files: int
    memory_kib: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        memory = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
        assert memory is not None
        return cls(threading.active_count(), cls.open_files(), int(memory[1]))

    @staticmethod
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.files} files, {self.memory_kib / 1024:.1f} MiB"


@pytest.fixture
def replugged() -> Iterator[None]:
    """Leaves the cameras plugged in, whatever the test did."""
    if not os.access(DRIVER / "unbind", os.W_OK):
        pytest.skip("needs the rights to unbind the driver")
    yield
    if not (DRIVER / "vivid.0").exists():
        plug_in()
