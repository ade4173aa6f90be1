"""A stand-in for `rpicam-vid`: takes its options, writes what it documents, and fails in the ways it can."""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """#!PYTHON
import os, sys, time, signal
from pathlib import Path

folder = Path("FOLDER")
arguments = sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(" ".join(arguments) + "\\n")
(folder / "environment").write_text(os.environ.get("LD_LIBRARY_PATH", "(none)"))
behaviour = (folder / "behaviour").read_text()
if "--list-cameras" in arguments:
    if behaviour == "slow":
        time.sleep(2)
    if behaviour == "no-camera":
        print("No cameras available!")
    else:
        print((folder / "listing").read_text())
    sys.exit(0)

def value(name):
    return arguments[arguments.index(name) + 1]

def say(text):
    print(text, file=sys.stderr, flush=True)

def log(level, where, text):
    say(f"[0:01:02.345678901] [1234] {level:>5} {where} {text}")

def fail(text):
    say(f"ERROR: *** {text} ***")
    sys.exit(255)

assert value("--codec") == "yuv420" and value("--output") == "-" and value("--timeout") == "0"
assert "--flush" in arguments and "--nopreview" in arguments
width, height, fps = int(value("--width")), int(value("--height")), float(value("--framerate"))
log("INFO", "Camera camera_manager.cpp:326", "libcamera v0.5.0+59-d83ff0a4")
if behaviour == "no-camera":
    fail("no cameras available")
if int(value("--camera")) > 1:
    fail("selected camera is not available")
if behaviour == "busy":
    log("ERROR", "V4L2 v4l2_device.cpp:390", "'imx708': Unable to set controls: Device or resource busy")
    fail("failed to acquire camera /base/soc/i2c0mux/i2c@1/imx708@1a")
log("INFO", "RPI vc4.cpp:447", "Registered camera /base/soc/i2c0mux/i2c@1/imx708@1a to Unicam device /dev/media3")
say(f"Mode selection for {width}:{height}:12:P")
say("    SRGGB10_CSI2P,1536x864/0 - Score: 1600")
log("INFO", "Camera camera.cpp:1202", f"configuring streams: (0) {width}x{height}-YUV420 (1) 1536x864-SBGGR10_CSI2P")
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
out = sys.stdout.buffer
number, restarted = 0, False
while True:
    behaviour = (folder / "behaviour").read_text()
    if behaviour == "stall" or (behaviour == "stubborn" and number):
        time.sleep(0.05)
        continue
    if behaviour == "die" and number:
        log("ERROR", "V4L2 v4l2_videodevice.cpp:1907", "Unable to queue buffer 0: No such device")
        fail("failed to queue request")
    if behaviour == "restart" and number and not restarted:
        log("WARN", "V4L2 v4l2_videodevice.cpp:2164", "/dev/video0[13:cap]: Dequeue timer of 1.00s has expired!")
        say("ERROR: Device timeout detected, attempting a restart!!!")
        time.sleep(0.6)
        restarted = True
    frame = bytes([50 + number % 100]) * (width * height) + bytes([128]) * (width * height // 2)
    if behaviour == "half-frame" and number:
        out.write(frame[: len(frame) // 2])
        out.flush()
        sys.exit(0)
    try:
        out.write(frame)
        out.flush()
    except BrokenPipeError:
        os._exit(0)
    say(f"#{number} ({fps:.2f} fps) exp 33239.00 ag 8.00 dg 1.00")
    number += 1
    time.sleep(1 / fps)
"""

LISTING = """Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
                             4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]

1 : ov5647 [2592x1944 10-bit GBRG] (/base/soc/i2c0mux/i2c@0/ov5647@36)
    Modes: 'SGBRG10_CSI2P' : 640x480 [58.92 fps - (16, 0)/2560x1920 crop]
                             1296x972 [46.34 fps - (0, 0)/2592x1944 crop]
                             1920x1080 [32.81 fps - (348, 434)/1928x1080 crop]
                             2592x1944 [15.63 fps - (0, 0)/2592x1944 crop]
2 : USB Camera (/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.3:1.0-046d:0825)
"""


@dataclass(frozen=True)
class FakeRpicam:
    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "rpicam-vid"

    def behave(self, how: str) -> None:
        temporary = self.folder / "behaviour.new"
        temporary.write_text(how)
        temporary.rename(self.folder / "behaviour")

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    @property
    def library_path(self) -> str:
        return (self.folder / "environment").read_text()


def install(tmp_path: Path) -> FakeRpicam:
    folder = tmp_path / "fake-rpicam"
    folder.mkdir()
    fake = FakeRpicam(folder)
    (folder / "listing").write_text(LISTING)
    fake.behave("good")
    fake.program.write_text(PROGRAM.replace("PYTHON", sys.executable).replace("FOLDER", str(folder)))
    fake.program.chmod(fake.program.stat().st_mode | stat.S_IXUSR)
    return fake
