"""What is agreed with a V4L2 driver before it streams: format, size, rate and the values of controls."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.camera.base import CameraMode
from edgecam.camera.modes import default_mode, nearest_mode
from edgecam.camera.pixel_formats import COMPRESSED, READABLE
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgecam.camera.v4l2_device import Identity, Layout, V4l2Device

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """What the driver agreed to.

    Attributes:
        identity: what the driver said of the device.
        wanted: the mode that was wished for.
        offered: every mode of the camera that edgecam reads.
        notice: how that differs from what was asked for, fit to be shown; "" where it does not.
    """

    identity: Identity
    wanted: CameraMode | None
    layout: Layout
    mode: CameraMode
    offered: tuple[CameraMode, ...]
    notice: str


def set_up(
    device: V4l2Device, name: str, wanted: CameraMode | None, settings: Mapping[str, int], last: Setup | None = None
) -> Setup:
    """Sets the wanted mode, or a good one where there is no such mode (None: no wish), and the controls.

    Args:
        last: what was agreed when this camera was open before; where that still holds, it is not negotiated again.

    Raises:
        CameraError: it has no format that edgecam can read.
        OSError: as the kernel gives it.
    """
    if not device.identity.captures:
        raise CameraError(f"{device.path} ({device.identity.card}) delivers no pictures: it is not a camera.")
    setup = _as_before(device, wanted, last) or _negotiate(device, name, wanted)
    _restore(device, name, settings)
    return setup


def _as_before(device: V4l2Device, wanted: CameraMode | None, last: Setup | None) -> Setup | None:
    """A lost camera that returns: asking for its hundreds of modes would only keep the picture away for longer."""
    if last is None or last.identity != device.identity or last.wanted != wanted:
        return None
    layout = device.set_format(last.mode.width, last.mode.height, last.mode.pixel_format)
    if layout != last.layout or device.set_fps(last.mode.fps) != last.mode.fps:
        return None
    return last


def _negotiate(device: V4l2Device, name: str, wanted: CameraMode | None) -> Setup:
    offered = tuple(mode for mode in device.modes() if mode.pixel_format in READABLE)
    chosen = nearest_mode(wanted, offered) if wanted is not None else None
    notice = f"{name} no longer offers {wanted}." if wanted is not None and chosen is None else ""
    asked = chosen or default_mode(offered, COMPRESSED)
    if asked is None:
        formats = ", ".join(f"{code} ({text})" for code, text in device.pixel_formats()) or "none at all"
        raise CameraError(f"{name} offers no picture format that edgecam can read. It offers: {formats}.")
    layout = device.set_format(asked.width, asked.height, asked.pixel_format)
    if layout.pixel_format not in READABLE:
        raise CameraError(f"{name} gives {layout.pixel_format} pictures, which edgecam cannot read.")
    if layout.width <= 0 or layout.height <= 0:
        raise CameraError(f"{name} gives pictures of {layout.width} × {layout.height} pixels.")
    mode = CameraMode(layout.width, layout.height, device.set_fps(asked.fps), layout.pixel_format)
    if (mode.width, mode.height, mode.pixel_format) != (asked.width, asked.height, asked.pixel_format):
        notice = f"{name} was asked for {asked} and gave {mode}."
    return Setup(device.identity, wanted, layout, mode, offered, notice)


def _restore(device: V4l2Device, name: str, settings: Mapping[str, int]) -> None:
    # Twice: a value is refused while the automatic that rules over it is still on.
    for _ in range(2):
        for key, value in settings.items():
            try:
                device.set_control(key, value)
            except KeyError:
                continue
            except OSError as error:
                if error.errno == errno.ENODEV:
                    raise
                log.info("%s: %s could not be set to %d (%s)", name, key, value, error)
