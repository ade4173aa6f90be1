"""A camera behind the Linux kernel's V4L2: USB cameras, capture cards, virtual cameras.

Own ioctl calls rather than OpenCV's reader, which hides what a live view needs: the driver's time stamps and frame
numbers, the list of modes, the controls, the flag of damaged frames, and an error that tells busy from gone.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from edgecam.camera.base import Camera
from edgecam.camera.hotplug import device_snapshot
from edgecam.camera.info import CameraKind
from edgecam.camera.pixel_formats import BrokenPicture, to_bgr
from edgecam.camera.stamps import Stamps
from edgecam.camera.v4l2_device import V4l2Device
from edgecam.camera.v4l2_faults import camera_error
from edgecam.camera.v4l2_nodes import V4l2Node, find_node, locate
from edgecam.camera.v4l2_setup import Setup, set_up
from edgecam.camera.v4l2_stream import Filled, V4l2Stream
from edgecam.errors import CameraError, CameraLost, CameraTimeout
from edgecam.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgecam.camera.base import CameraMode
    from edgecam.camera.controls import Control

log = logging.getLogger(__name__)

_OLD_S: Final = 0.1  # a picture that waited so long because nobody read is not shown any more


class V4l2Camera(Camera):
    """One V4L2 camera, found again by its stable id on whatever node it returns.

    Args:
        device_id: "/dev/video0", or a stable id (see `discovery`); the first successful `open` turns it into the id.
        wanted: the mode to ask for; None for a good default.
        settings: values of controls to set at each `open`, by key; those that the camera lacks are passed over.
    """

    def __init__(
        self, device_id: str, *, wanted: CameraMode | None = None, settings: Mapping[str, int] | None = None
    ) -> None:
        super().__init__()
        self.wanted = wanted
        self.settings = dict(settings or {})
        self.notice = ""
        self._id = device_id
        self._node: V4l2Node | None = None
        self._card = ""
        self._device: V4l2Device | None = None
        self._stream: V4l2Stream | None = None
        self._setup: Setup | None = None
        self._nodes: object = None
        self._nodes_at_open: object = None
        self._wake = -1  # an eventfd while open; becomes readable, and stays so, when cancelled
        self._wake_lock = threading.Lock()
        self._sequence: int | None = None
        self._stamps = Stamps()
        self._set_names(locate(device_id))

    def _set_names(self, node: V4l2Node | None) -> None:
        self._node = node
        if node is None:
            self.name = self._card or self._id.removeprefix("/dev/")
            self.address = self._id if self._id.startswith("/dev/") else f"v4l2:{self._id}"
            self.device = None
        else:
            self.name, self.address, self.device = node.name, node.address, node.path
            self.never_repeats = node.kind in (CameraKind.USB, CameraKind.BOARD)

    # Camera

    def open(self) -> None:
        self._check_cancelled()
        self._release()
        self._nodes_at_open = device_snapshot()
        node = find_node(self._id)
        if node is None:
            raise CameraError(f"{self.name} is not connected. `edgecam cameras` lists the cameras that are.")
        self._set_names(node)
        self._next_id = self._dropped = 0
        with self._wake_lock:
            self._wake = os.eventfd(1 if self._cancelled.is_set() else 0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            self._start(node)
        except OSError as error:
            self._release()
            raise camera_error(error, node.name, node.path) from error
        except CameraError:
            self._release()
            raise
        self._id, self._card = node.stable_id, node.name

    def _start(self, node: V4l2Node) -> None:
        device = self._device = V4l2Device(node.path)
        setup = self._setup = set_up(device, node.name, self.wanted, self.settings, self._setup)
        self.notice = setup.notice
        self._stream = V4l2Stream(device)
        self._sequence, self._stamps = None, Stamps()
        self._stream.start()

    def read(self, timeout_ms: int = 1000) -> Frame:
        stream = self._stream
        if stream is None:
            raise CameraError(f"{self.name} is not open.")
        deadline = time.monotonic() + timeout_ms / 1000
        tried = False
        while True:
            self._check_cancelled()
            remaining_s = deadline - time.monotonic()
            try:
                if stream.wait(remaining_s, self._wake):
                    frame = self._newest(stream, even_old=tried)
                    tried = True
                    if frame is not None:
                        return frame
            except OSError as error:
                raise self._lost(error) from error
            self._check_cancelled()
            if time.monotonic() >= deadline:
                raise CameraTimeout(f"{self.name} sent no picture for {timeout_ms / 1000:.3g} s.")

    def _newest(self, stream: V4l2Stream, *, even_old: bool) -> Frame | None:
        """Takes every filled buffer and decodes the newest: what lay ready before it is already old.

        Where all of them were filled, the driver had none left to write to, and even the newest may be of long ago.
        """
        filled, taken = stream.dequeue(), 0
        while filled is not None:
            taken += 1
            self._count(filled)
            newer = stream.dequeue()
            if newer is None:
                break
            self._dropped += 1
            stream.requeue(filled.index)
            filled = newer
        if filled is None:
            return None
        is_old = taken == stream.count and _age_s(filled) > _OLD_S and not even_old
        image = None if is_old else self._decode(stream, filled)
        stream.requeue(filled.index)
        if image is None:
            self._dropped += 1
            return None
        frame = Frame(image, self._next_id, self._stamps.moment(filled.captured_at, time.monotonic()))
        self._next_id += 1
        return frame

    def _count(self, filled: Filled) -> None:
        if self._sequence is not None and filled.sequence > self._sequence + 1:
            self._dropped += filled.sequence - self._sequence - 1
        self._sequence = filled.sequence

    def _decode(self, stream: V4l2Stream, filled: Filled) -> NDArray[np.uint8] | None:
        if filled.broken or self._setup is None:
            return None
        layout = self._setup.layout
        try:
            return to_bgr(layout.pixel_format, stream.data(filled), layout.width, layout.height, layout.stride)
        except BrokenPicture as error:
            log.debug("%s: frame %d is broken: %s", self.name, filled.sequence, error)
            return None

    def _lost(self, error: OSError) -> CameraError:
        if error.errno == errno.EIO:
            return CameraLost(f"{self.name}: its driver reports a fatal error.")
        if error.errno == errno.ENODEV:
            return CameraLost(f"{self.name} was disconnected.")
        return CameraLost(f"{self.name} failed: {error.strerror or error}.")

    def close(self) -> None:
        self._release()
        self._cancelled.clear()

    def _release(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        device, self._device = self._device, None
        if device is not None:
            device.close()
        with self._wake_lock:
            wake, self._wake = self._wake, -1
        if wake >= 0:
            os.close(wake)

    def cancel(self) -> None:
        super().cancel()
        with self._wake_lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def may_be_back(self) -> bool:
        nodes = device_snapshot()
        settled, self._nodes = nodes == self._nodes, nodes  # udev sets rights and links after the node has come
        return settled and nodes != self._nodes_at_open

    def pause(self) -> None:
        if self._stream is not None:
            try:
                self._stream.stop()
            except OSError as error:
                log.info("%s could not be paused: %s", self.name, error)

    def resume(self) -> None:
        if self._stream is None:
            return
        try:
            self._stream.stop()
            self._sequence = None
            self._stream.start()
        except OSError as error:
            raise self._lost(error) from error

    @property
    def mode(self) -> CameraMode | None:
        return self._setup.mode if self._setup else None

    # What only cameras with a driver have

    @property
    def modes(self) -> Sequence[CameraMode]:
        return self._setup.offered if self._setup else ()

    def controls(self) -> list[Control]:
        device = self._device
        if device is None:
            return []
        try:
            return device.controls()
        except OSError:
            return []  # gone: `read` tells

    def set_control(self, key: str, value: int) -> None:
        device = self._device
        if device is None:
            raise CameraError(f"{self.name} is not open.")
        try:
            device.set_control(key, value)
        except KeyError:
            raise CameraError(f"{self.name} has no control “{key}”.") from None
        except OSError as error:
            raise CameraError(f"{self.name} refuses {value} for “{key}”: {error.strerror or error}.") from error
        self.settings[key] = value


def _age_s(filled: Filled) -> float:
    return math.inf if filled.captured_at is None else time.monotonic() - filled.captured_at
