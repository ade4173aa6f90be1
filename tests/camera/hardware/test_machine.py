"""Starts the emulated machine that has real V4L2 cameras, and runs the tests of this folder in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.hardware

PROJECT = Path(__file__).resolve().parents[3]
BOOTS = 4
TOO_SLOW = 124
SLOW_BOOT_S = 45
TOOL = PROJECT.parent / "shared" / "tools" / "camera-vm"


@pytest.fixture(scope="session")
def tool() -> Path:
    if os.environ.get("CAMERA_VM"):
        pytest.skip("inside the machine already")
    if not os.environ.get("EDGECAM_CAMERA_VM"):
        pytest.skip("takes up to half an hour of emulation: set EDGECAM_CAMERA_VM=1 to run it")
    if not TOOL.is_file():
        pytest.skip("needs ../shared/tools/camera-vm, which is not here")
    started = time.monotonic()
    ready = subprocess.run([TOOL, "-t", "90", "--", "true"], capture_output=True, text=True)
    took_s = time.monotonic() - started
    if ready.returncode != 0:
        pytest.skip(f"the emulated machine does not start: {(ready.stdout + ready.stderr).strip().splitlines()[-1:]}")
    if took_s > SLOW_BOOT_S:
        pytest.skip(f"the host is too busy: the emulated machine took {took_s:.0f} s to start")
    return TOOL


@pytest.mark.parametrize(
    ("modules", "options"),
    [
        (("camera/hardware/test_v4l2.py",), ("-n", "2")),
        (
            ("camera/hardware/test_unplugging.py", "camera/hardware/test_faults_v4l2.py", "camera/test_conformance.py"),
            ("-n", "1"),
        ),
        (("gui/test_unplugging.py",), ("-n", "1")),
        # Another way of the kernel to hand over frames, and outputs, VBI and metadata nodes beside the camera.
        (("camera/hardware/test_v4l2.py",), ("-n", "1", "-k", "multiplanar=2 node_types=0xe1d3d")),
    ],
    ids=["cameras", "faults", "window", "multi-planar beside other nodes"],
)
def test_in_the_emulated_machine(tool: Path, modules: tuple[str, ...], options: tuple[str, ...]) -> None:
    command = [
        str(tool), *options, "-t", "900", "--",
        "env", f"PYTHONPATH={PROJECT}", "PYTHONDONTWRITEBYTECODE=1",
        sys.executable, "-m", "pytest", "-v", "-m", "hardware", "-p", "no:cacheprovider", "--durations=5",
        *(f"tests/{module}" for module in modules),
    ]  # fmt: skip
    for _ in range(BOOTS):
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
        # On a busy host the emulated timer may fail the kernel's check, before anything of ours has begun.
        if "Kernel panic" not in done.stdout:
            break
    if done.returncode == TOO_SLOW and "FAILED" not in done.stdout:
        pytest.skip(f"the emulated machine was too slow here: {done.stdout.strip().splitlines()[-1:]}")
    print(done.stdout[-6000:])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
