"""The faults of a V4L2 camera under the capture thread; the table's lines for it. Times are those of an emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edgecam.camera.v4l2 import V4l2Camera
from tests.camera.hardware.conftest import plug_in, press, unplug
from tests.camera.test_faults import suffer

if TYPE_CHECKING:
    from edgecam.camera.v4l2_nodes import V4l2Node
    from tests.camera.fault_table import FaultTable

pytestmark = [pytest.mark.hardware, pytest.mark.usefixtures("replugged")]


@pytest.mark.parametrize("away_s", [0.3, 6.0])
def test_unplugged(node: V4l2Node, away_s: float, fault_report: FaultTable) -> None:
    suffer("unplugged", V4l2Camera(node.path), unplug, plug_in, away_s, fault_report)


@pytest.mark.parametrize("button", ["disconnect", "inject_fatal_streaming_error"])
def test_injected(node: V4l2Node, button: str, fault_report: FaultTable) -> None:
    fault = button.removeprefix("inject_")
    suffer(fault, V4l2Camera(node.path), lambda: press(node.path, button), lambda: None, 0.0, fault_report)
