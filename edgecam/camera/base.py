"""The contract that every source of frames keeps: V4L2, Raspberry Pi, stream, file, pictures, test pattern."""

from __future__ import annotations

import abc
import enum
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.camera.orientation import Orientation
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from edgecam.camera.controls import Control
    from edgecam.frames import Frame


class CameraState(enum.Enum):
    """What a camera is doing; drives icon, text, log line and accessible name."""

    OPENING = "opening"
    LIVE = "live"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CameraMode:
    """What the driver really gave, not what was asked for.

    Attributes:
        width, height: pixels.
        fps: frames per second; None where the source does not say.
        pixel_format: as the driver calls it ("MJPG", "YUYV", "h264", …); "" where unknown.
    """

    width: int
    height: int
    fps: float | None
    pixel_format: str = ""

    def __str__(self) -> str:
        parts = [f"{self.width} × {self.height}"]
        if self.pixel_format:
            parts.append(self.pixel_format)
        if self.fps:
            parts.append(f"{self.fps:.3g} fps")
        return " · ".join(parts)


class Camera(abc.ABC):
    """A source of frames.

    One thread calls `open`, `read`, `pause` and `resume`; any thread may call `cancel`. After a failed `open`
    everything is released and `open` may be tried again; so it may after `close`. Frame ids start at 0 with each
    `open`.

    Attributes:
        name: what a user calls it ("HD Pro Webcam C920"); never holds a password.
        address: the text that opens the same source again, without a password.
        live: True where frames come whether one reads them or not (the newest wins); False for files and pictures
            (every frame counts, and reading can wait).
        never_repeats: two equal pictures in a row mean that the camera hangs, because real ones have noise.
        needs_login: the last failure was a server asking for a user name and password, or refusing those it got.
        orientation: how the pictures are turned before anyone sees them; may be changed at any time, from any thread.
        wanted: the mode to ask for at the next `open`; None for a good default.
        notice: what the user should know although all went well ("… no longer offers …"); "" where there is nothing.
        remote: it is reached over a network.
        device: the operating system's device that only one can hold at a time, or None: two cameras with the same
            device cannot be open together.
    """

    name: str
    address: str
    live: bool = True
    remote: bool = False
    device: str | None = None
    never_repeats: bool = False
    needs_login: bool = False
    orientation: Orientation = Orientation()
    wanted: CameraMode | None = None
    notice: str = ""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._mode: CameraMode | None = None
        self._next_id = self._dropped = 0

    @abc.abstractmethod
    def open(self) -> None:
        """Opens the source and returns once it can be read; blocks for a bounded time.

        Raises:
            CameraError: it cannot be opened; says which device or file, why, and what to do.
        """

    @abc.abstractmethod
    def read(self, timeout_ms: int = 1000) -> Frame:
        """The next frame. Files and pictures pace themselves to their own rate here.

        Raises:
            CameraTimeout: no frame within `timeout_ms`; reading on may help.
            CameraLost: the source is gone and must be opened again.
            EndOfStream: there is no further frame.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Releases everything; safe to call at any time, also twice, also after a failed `open`."""

    def cancel(self) -> None:
        """Makes a running `open` or `read`, and each one before the next `close`, end soon, with `CameraError`.

        Called from another thread. It stays in force until `close`, so that it cannot come too early.
        """
        self._cancelled.set()

    def may_be_back(self) -> bool:
        """While closed: there is a sign that the lost source has returned. Cheap; the capture thread asks often."""
        return False

    def pause(self) -> None:  # noqa: B027 (doing nothing is right for most)
        """Nothing will be read for a while: a camera that fills buffers by itself stops doing so."""

    def resume(self) -> None:  # noqa: B027 (as above)
        """Reading goes on: what was captured before the pause must not be delivered any more.

        Raises:
            CameraError: the source does not come back.
        """

    @property
    def mode(self) -> CameraMode | None:
        """What the driver really gave; None before the first successful `open`."""
        return self._mode

    @property
    def modes(self) -> Sequence[CameraMode]:
        """Every mode that the driver offers and edgecam reads; empty where there is no choice, and before `open`."""
        return ()

    def controls(self) -> list[Control]:
        """What can be set on the open camera, with its present values, in the driver's order; any thread."""
        return []

    def set_control(self, key: str, value: int) -> None:
        """Sets a control, and sets it again whenever the camera is opened; any thread.

        Raises:
            CameraError: there is no such control, or the driver refuses the value.
        """
        raise CameraError(f"{self.name} has nothing to set.")

    @property
    def dropped(self) -> int:
        """Frames that the driver says it lost since `open` (gaps in its numbering, broken pictures)."""
        return self._dropped

    @property
    def duration_s(self) -> float | None:
        """Length of a file in seconds; None for what has no end."""
        return None

    @property
    def frame_count(self) -> int | None:
        """How many frames a file or folder holds; None where that is unknown."""
        return None

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise CameraError(f"{self.name} was cancelled.")

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
