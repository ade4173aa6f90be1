"""Which cameras are connected, and what they offer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.camera.picamera import pi_cameras
from edgecam.camera.rpicam_listing import sensor_modes
from edgecam.camera.v4l2_nodes import v4l2_nodes

if TYPE_CHECKING:
    from edgecam.camera.base import CameraMode
    from edgecam.camera.v4l2_nodes import V4l2Node


def list_cameras() -> list[CameraInfo]:
    """Every camera connected now, Raspberry Pi cameras first; opens V4L2 nodes briefly, without streaming."""
    if sys.platform != "linux":
        from edgecam.camera.system import system_cameras

        return system_cameras()
    return [*pi_cameras(), *(_info(node) for node in v4l2_nodes())]


def offered_modes(info: CameraInfo) -> list[CameraMode]:
    """Every mode of a camera, those that edgecam cannot read included; empty where the system does not tell.

    Raises:
        CameraError: it cannot be asked.
    """
    if info.kind is CameraKind.PI:
        return sensor_modes(info)
    if not info.device:
        return []
    from edgecam.camera.v4l2_device import V4l2Device
    from edgecam.camera.v4l2_faults import camera_error

    try:
        device = V4l2Device(info.device)
    except OSError as error:
        raise camera_error(error, info.name, info.device) from error
    try:
        return device.modes()
    except OSError as error:
        raise camera_error(error, info.name, info.device) from error
    finally:
        device.close()


def _info(node: V4l2Node) -> CameraInfo:
    unusable = ""
    if node.denied:
        from edgecam.camera.v4l2_faults import missing_permission

        unusable = f"No permission: {missing_permission(node.path)}"
    return CameraInfo(node.name, node.address, node.path, node.bus, node.kind, unusable)
