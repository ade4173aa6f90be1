"""A V4L2 camera's controls, against what v4l2-ctl says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from edgecam.errors import CameraError
from tests.camera.hardware.conftest import PATIENCE_MS, v4l2_ctl

if TYPE_CHECKING:
    from edgecam.camera.v4l2 import V4l2Camera
    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = pytest.mark.hardware


def test_controls_are_those_of_v4l2_ctl(camera: V4l2Camera, node: V4l2Node) -> None:
    camera.open()
    controls = {control.key: control for control in camera.controls()}
    listed = dict(
        re.findall(r"^\s*(\w+) 0x[0-9a-f]+ \((?:int|bool|menu|intmenu|button)\s*\)(.*)$",
                   v4l2_ctl("-d", node.path, "-l"), re.MULTILINE)
    )  # fmt: skip
    settable = {key for key, flags in listed.items() if "read-only" not in flags}
    assert len(settable) > 20
    assert settable == set(controls)
    for key in ("brightness", "contrast", "hue"):
        values = dict(re.findall(r"(\w+)=(-?\d+)", listed[key]))
        control = controls[key]
        assert (control.minimum, control.maximum, control.step, control.default, control.value) == tuple(
            int(values[name]) for name in ("min", "max", "step", "default", "value")
        )
    assert dict(controls["test_pattern"].choices)[0] == "75% Colorbar"
    assert not controls["gain"].active


def test_setting_a_control_acts_and_is_set_again(camera: V4l2Camera, node: V4l2Node) -> None:
    camera.open()
    normal = camera.read(PATIENCE_MS).image.mean()
    camera.set_control("brightness", 255)
    assert "brightness: 255" in v4l2_ctl("-d", node.path, "-C", "brightness")
    for _ in range(6):
        bright = camera.read(PATIENCE_MS).image.mean()
    assert bright > normal + 40
    camera.close()
    v4l2_ctl("-d", node.path, "-c", "brightness=128")
    camera.open()
    assert {control.key: control.value for control in camera.controls()}["brightness"] == 255
    camera.set_control("brightness", 128)


def test_wrong_controls(camera: V4l2Camera) -> None:
    with pytest.raises(CameraError, match="not open"):
        camera.set_control("brightness", 1)
    camera.settings["no_such_control"] = 1
    camera.open()
    with pytest.raises(CameraError, match="no control “zoom”"):
        camera.set_control("zoom", 1)
    assert camera.controls()
