"""Starts the emulated machine that has real V4L2 cameras, and runs the tests marked `hardware` in it.

One boot for every mode and fault, and the window: three to four minutes. `pytest -m long
tests/camera/hardware/test_machine.py` adds a hundred cycles of unplugging and drivers of other kinds: ten minutes more.
"""

from __future__ import annotations

import subprocess
import sys
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

CAMERAS = tuple(f"camera/hardware/test_{name}.py" for name in ("access", "controls", "modes", "frames", "mode_change"))
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


BOOTED = Boot((*CAMERAS, *FAULTS, *WINDOW), cameras=2)
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


def test_in_the_emulated_machine(tool: Path, tmp_path: Path) -> None:
    run(tool, BOOTED, tmp_path / "machine.log")


@pytest.mark.long
@pytest.mark.parametrize("boot", BOOTED_FOR_LONG.values(), ids=BOOTED_FOR_LONG)
def test_for_long_in_the_emulated_machine(tool: Path, boot: Boot, tmp_path: Path) -> None:
    run(tool, boot, tmp_path / "machine.log")


def run(tool: Path, boot: Boot, log: Path) -> None:
    """Skips where the machine cannot be had, or where the host provably had no processor time for it.

    Args:
        log: what the machine says is written there as it says it.
    """
    status, share = started(tool, boot, log)
    said = log.read_text(errors="replace")
    print(said[-9000:])
    print(f"The emulated machine had {share}; all it said is in {log}.")
    if status == LACKS_SOMETHING and said.startswith("camera-vm: "):
        pytest.skip(said.strip())
    # Too late is a failure: a hang looks like that. Only the kernel's books can excuse it.
    if status == TOO_LATE and share.starved and "FAILED" not in said:
        pytest.skip(f"the host is overloaded: within {boot.limit_s} s the emulated machine had {share}")
    assert status != TOO_LATE, f"not done within {boot.limit_s} s, with {share}"
    assert status == 0


def started(tool: Path, boot: Boot, log: Path) -> tuple[int, ShareMeter]:
    command = [
        str(tool), "-n", str(boot.cameras), "-t", str(boot.limit_s), *(("-k", boot.driver) if boot.driver else ()),
        "--",
        "env", f"PYTHONPATH={PROJECT}", "PYTHONDONTWRITEBYTECODE=1",
        sys.executable, "-m", "pytest", "-v", "-m", boot.marks, "-p", "no:cacheprovider", "--durations=9",
        *(f"tests/{module}" for module in boot.modules),
    ]  # fmt: skip
    for _ in range(BOOTS):
        with (
            log.open("w") as output,
            subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT) as process,
            ShareMeter(process.pid) as share,
        ):
            status = process.wait()
        # Where the host is busy just then, the emulated timer fails the kernel's check, before anything of ours begins.
        said = log.read_text(errors="replace")
        if "Kernel panic" not in said or "test session starts" in said:
            break
    return status, share
