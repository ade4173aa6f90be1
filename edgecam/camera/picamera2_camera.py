"""A Raspberry Pi camera through picamera2, which belongs to the system's Python (`apt install python3-picamera2`).

One stream, although libcamera has a second one ("lores") that could come at the detector's size. For 1280 × 720 and an
input of 416 × 256, on one x86-64 core, scaling takes 0.45 ms and turning the second stream's YUV 4:2:0 (a Pi 4 has
nothing else there) into BGR 0.07 ms, while the network takes 12 to 15 ms; and the next frame is prepared while the
network runs. Against that stand a new configuration of the camera, a gap in the picture, whenever a model of another
size is chosen, a second picture to mirror and turn, and a detector that sees other pixels of this camera than of all
others.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.pi_modes import DEFAULT_FPS, choose, pi_modes
from edgecam.camera.picamera2_controls import in_libcameras_words, list_controls
from edgecam.camera.picamera2_module import load_picamera2
from edgecam.camera.stamps import Stamps
from edgecam.errors import CameraBusy, CameraError, CameraLost, CameraTimeout
from edgecam.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgecam.camera.controls import Control

log = logging.getLogger(__name__)

_PIXEL_FORMAT: Final = "RGB888"
_STEP_S: Final = 0.1


class Picamera2Camera(Camera):
    """Delivers the newest completed request of picamera2.

    Args:
        index: the camera's number.
        wanted: size and rate to ask for; None for 1280 × 720 at 30 frames per second.
        settings: values of controls to set at each `open`, by key; those that the camera lacks are passed over.
    """

    never_repeats = True

    def __init__(
        self, index: int, *, wanted: CameraMode | None = None, settings: Mapping[str, int] | None = None
    ) -> None:
        super().__init__()
        self.name = f"Raspberry Pi camera {index}"
        self.address = self.device = f"picamera:{index}"
        self.wanted = wanted
        self.settings = dict(settings or {})
        self._index = index
        self._camera: Any = None
        self._modes: tuple[CameraMode, ...] = ()
        self._stamps = Stamps()
        self._offered: Mapping[str, tuple[Any, Any, Any]] = {}
        self._told: Mapping[str, Any] = {}  # by libcamera, of the last frame

    def open(self) -> None:
        self._check_cancelled()
        self._release()
        self._next_id, self._stamps = 0, Stamps()
        picamera2 = load_picamera2()
        try:
            self._camera = picamera2.Picamera2(self._index)
            self._start(self._camera)
        except (IndexError, RuntimeError, OSError, ValueError) as error:
            self._release()
            raise self._refusal(error) from error

    def _refusal(self, error: BaseException) -> CameraError:
        """What an error means; picamera2 hides the first one behind "Camera __init__ sequence did not complete."."""
        first = error
        while (before := first.__cause__ or first.__context__) is not None:
            first = before
        said = str(first)
        if isinstance(first, IndexError) or "not found" in said:
            return CameraError(f"{self.name} is not connected: libcamera finds no such camera.")
        if "acquire" in said.lower() or "busy" in said.lower():
            return CameraBusy(f"{self.name} is in use by another program. Close it there, then try again.")
        return CameraError(f"{self.name} cannot be opened: {said}.")

    def _start(self, camera: Any) -> None:
        sensor = [(*mode["size"], float(mode["fps"])) for mode in camera.sensor_modes if "fps" in mode]
        self._modes = pi_modes(sensor, _PIXEL_FORMAT)
        mode, self.notice = choose(self.wanted, self._modes, self.name, _PIXEL_FORMAT)
        # libcamera's "RGB888" lies in memory as blue, green, red. No preview: the view is drawn by this program.
        configuration = camera.create_video_configuration(
            main={"size": (mode.width, mode.height), "format": _PIXEL_FORMAT},
            controls={"FrameRate": mode.fps or DEFAULT_FPS},
            buffer_count=4,
            queue=False,
        )
        camera.configure(configuration)
        self._mode, self._offered = mode, camera.camera_controls
        for key, value in self.settings.items():
            try:
                camera.set_controls(in_libcameras_words(self._offered, key, value, self._fps))
            except (KeyError, ValueError) as error:
                log.info("%s: “%s” is not set to %s: %s", self.name, key, value, error)
        camera.start()
        width, height = camera.camera_configuration()["main"]["size"]
        self._mode = CameraMode(width, height, mode.fps, _PIXEL_FORMAT)

    def read(self, timeout_ms: int = 1000) -> Frame:
        camera = self._camera
        if camera is None:
            raise CameraError(f"{self.name} is not open.")
        request = self._next_request(camera, timeout_ms / 1000)
        try:
            image = np.ascontiguousarray(request.make_array("main"), np.uint8)  # a copy already
            self._told = request.get_metadata()
        finally:
            request.release()
        frame = Frame(image, self._next_id, self._moment(self._told.get("SensorTimestamp")))
        self._next_id += 1
        return frame

    def _next_request(self, camera: Any, timeout_s: float) -> Any:
        deadline = time.monotonic() + timeout_s
        job = camera.capture_request(wait=False)
        while True:
            self._check_cancelled()
            try:
                return camera.wait(job, timeout=_STEP_S)
            except TimeoutError:
                if time.monotonic() >= deadline:
                    with suppress(Exception):
                        camera.cancel_all_and_flush()
                    raise CameraTimeout(f"{self.name} sent no picture for {timeout_s:.3g} s.") from None
            except RuntimeError as error:
                raise CameraLost(f"{self.name} failed: {error}.") from error

    def _moment(self, sensor_ns: int | None) -> float:
        """libcamera's stamp counts since boot, sleep included; `Frame` wants the monotonic clock."""
        now = time.monotonic()
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return self._stamps.moment(None if sensor_ns is None else now - (since_boot - sensor_ns / 1e9), now)

    def close(self) -> None:
        self._release()
        self._cancelled.clear()

    def _release(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            # Whatever state the fault left it in, the device must be free afterwards.
            for end in (camera.stop, camera.close):
                try:
                    end()
                except RuntimeError as error:
                    log.debug("%s: %s", self.name, error)

    def pause(self) -> None:
        if self._camera is not None:
            self._camera.stop()

    def resume(self) -> None:
        if self._camera is not None:
            try:
                self._camera.start()
            except RuntimeError as error:
                raise CameraLost(f"{self.name} does not come back: {error}.") from error

    @property
    def modes(self) -> Sequence[CameraMode]:
        return self._modes

    def controls(self) -> list[Control]:
        return list_controls(self._offered, self._told, self.settings, self._fps) if self._camera is not None else []

    def set_control(self, key: str, value: int) -> None:
        camera = self._camera
        if camera is None:
            raise CameraError(f"{self.name} is not open.")
        try:
            camera.set_controls(in_libcameras_words(self._offered, key, value, self._fps))
        except KeyError:
            raise CameraError(f"{self.name} has no control “{key}”.") from None
        except (ValueError, RuntimeError, TypeError, AttributeError) as error:  # the last two while it is being closed
            raise CameraError(f"{self.name} refuses {value} for “{key}”: {error}.") from error
        self.settings[key] = value

    @property
    def _fps(self) -> float:
        return (self._mode.fps if self._mode is not None else None) or DEFAULT_FPS
