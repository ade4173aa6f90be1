"""Starts the emulated machine that has real V4L2 cameras, and runs the tests marked `hardware` in it.

`pytest tests/camera/hardware/test_machine.py` runs what every change has to pass; with `-m long` also what takes many
minutes: a hundred cycles of unplugging, and drivers of other kinds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.camera.hardware.conftest import IN_THE_MACHINE
from tests.processor_share import ShareMeter

pytestmark = pytest.mark.hardware

PROJECT = Path(__file__).resolve().parents[3]
TOOL = PROJECT.parent / "shared" / "tools" / "camera-vm"
BOOTS = 4
LACKS_SOMETHING = 2
TOO_LATE = 124

CAMERAS = tuple(f"camera/hardware/test_{name}.py" for name in ("access", "controls", "modes", "frames"))
FAULTS = (
    "camera/hardware/test_driver_faults.py",
    "camera/hardware/test_unplugging.py",
    "camera/hardware/test_faults_v4l2.py",
    "camera/hardware/test_leaks.py",
    "camera/test_conformance.py",
)
WINDOW = ("gui/test_unplugging.py",)
# Another way of the kernel to hand over frames, and outputs, VBI and metadata nodes beside the camera.
MULTI_PLANAR = "multiplanar=2 node_types=0xe1d3d"
# An HDMI grabber, which takes any size between limits.
HDMI = "num_inputs=1 input_types=3"


@dataclass(frozen=True)
class Boot:
    """What one boot of the machine is for."""

    modules: tuple[str, ...]
    cameras: int = 1
    driver: str = ""
    marks: str = "hardware and not long"
    limit_s: int = 600


BOOTED = {
    "cameras and faults": Boot((*CAMERAS, *FAULTS), cameras=2),
    "window": Boot(WINDOW),
}
BOOTED_FOR_LONG = {
    "multi-planar beside other nodes": Boot((*CAMERAS, *FAULTS), driver=MULTI_PLANAR),
    "HDMI grabber": Boot(("camera/hardware/test_grabber.py",), driver=HDMI),
    "many cycles": Boot(("camera/hardware/test_leaks.py",), marks="hardware and long", limit_s=1500),
    "many cycles in the window": Boot(WINDOW, marks="hardware and long", limit_s=1500),
}


@pytest.fixture(scope="session")
def tool() -> Path:
    if IN_THE_MACHINE:
        pytest.skip("inside the machine already")
    if not TOOL.is_file():
        pytest.skip("needs ../shared/tools/camera-vm, which is not here")
    return TOOL


@pytest.mark.parametrize("boot", BOOTED.values(), ids=BOOTED)
def test_in_the_emulated_machine(tool: Path, boot: Boot) -> None:
    run(tool, boot)


@pytest.mark.long
@pytest.mark.parametrize("boot", BOOTED_FOR_LONG.values(), ids=BOOTED_FOR_LONG)
def test_for_long_in_the_emulated_machine(tool: Path, boot: Boot) -> None:
    run(tool, boot)


def run(tool: Path, boot: Boot) -> None:
    """Skips where the machine cannot be had, or where the host provably had no processor time for it."""
    done, share = started(tool, boot)
    said = done.stdout[-9000:] + done.stderr[-2000:]
    print(said)
    print(f"The emulated machine had {share}.")
    if done.returncode == LACKS_SOMETHING and done.stderr.startswith("camera-vm: "):
        pytest.skip(done.stderr.strip())
    # Too late is a failure: a hang looks like that. Only the kernel's books can excuse it.
    if done.returncode == TOO_LATE and share.starved and "FAILED" not in done.stdout:
        pytest.skip(f"the host is overloaded: within {boot.limit_s} s the emulated machine had {share}")
    assert done.returncode != TOO_LATE, f"not done within {boot.limit_s} s, with {share}: {said}"
    assert done.returncode == 0, said


def started(tool: Path, boot: Boot) -> tuple[subprocess.CompletedProcess[str], ShareMeter]:
    command = [
        str(tool), "-n", str(boot.cameras), "-t", str(boot.limit_s), *(("-k", boot.driver) if boot.driver else ()),
        "--",
        "env", f"PYTHONPATH={PROJECT}", "PYTHONDONTWRITEBYTECODE=1",
        sys.executable, "-m", "pytest", "-v", "-m", boot.marks, "-p", "no:cacheprovider", "--durations=5",
        *(f"tests/{module}" for module in boot.modules),
    ]  # fmt: skip
    for _ in range(BOOTS):
        began = time.monotonic()
        with subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process, ShareMeter(process.pid) as share:  # fmt: skip
            output, errors = process.communicate()
        # Where the host is busy just then, the emulated timer fails the kernel's check, before anything of ours begins.
        if "Kernel panic" not in output or time.monotonic() - began > boot.limit_s / 2:
            break
    return subprocess.CompletedProcess(command, process.returncode, output, errors), share
