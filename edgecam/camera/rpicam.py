"""A Raspberry Pi camera through `rpicam-vid`, which writes raw frames to a pipe; works from a frozen program, too."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.pixel_formats import to_bgr
from edgecam.camera.rpicam_listing import list_facts
from edgecam.camera.stream_reader import Arrival, StreamReader
from edgecam.child_processes import clean_environment
from edgecam.errors import CameraBusy, CameraError, CameraLost, CameraTimeout
from edgecam.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 8.0
_STOP_S: Final = 1.0
_TERMINATE_S: Final = 0.5
_PIXEL_FORMAT: Final = "YU12"
_DEFAULT: Final = CameraMode(1280, 720, 30.0, _PIXEL_FORMAT)
# Rows are padded to 64 bytes on the way: only with such widths do frames follow each other without gaps.
_SIZES_WH: Final = ((640, 480), (1280, 720), (1920, 1080))


class RpicamCamera(Camera):
    """Runs `rpicam-vid` and reads its YUV 4:2:0 frames; the newest wins.

    Args:
        index: the camera's number.
        program: the path of rpicam-vid or libcamera-vid.
        wanted: size and rate to ask for; None for 1280 × 720 at 30 frames per second.
    """

    never_repeats = True

    def __init__(self, index: int, program: str, *, wanted: CameraMode | None = None) -> None:
        super().__init__()
        self.name = f"Raspberry Pi camera {index}"
        self.address = self.device = f"picamera:{index}"
        self.wanted = wanted
        self._index, self._program = index, program
        self._reader: _PipeReader | None = None
        self._mode: CameraMode | None = None
        self._modes: tuple[CameraMode, ...] = ()
        self._first: Frame | None = None
        self._next_id = 0

    def open(self) -> None:
        self._check_cancelled()
        self._release()
        self._next_id = 0
        self._modes = self._offered()
        mode = self._mode = self._choose()
        command = [
            self._program, "--nopreview", "--timeout", "0", "--camera", str(self._index), "--codec", "yuv420",
            "--width", str(mode.width), "--height", str(mode.height), "--framerate", f"{mode.fps or 30:g}",
            "--flush", "--output", "-",
        ]  # fmt: skip
        reader = self._reader = _PipeReader(self.name, command, mode)
        reader.start()
        try:
            self._first = self._read(OPEN_TIMEOUT_S)
        except CameraTimeout:
            said = reader.complaint()
            self._release()
            raise CameraError(f"{self.name} sent no picture within {OPEN_TIMEOUT_S:g} s.{said}") from None
        except CameraError:
            self._release()
            raise

    def _offered(self) -> tuple[CameraMode, ...]:
        sensors = [facts.modes for facts in list_facts(self._program) if facts.index == self._index]
        if not sensors or not sensors[0]:
            return tuple(CameraMode(*size, 30.0, _PIXEL_FORMAT) for size in _SIZES_WH)
        return tuple(
            CameraMode(*size, fps, _PIXEL_FORMAT)
            for size in _SIZES_WH
            for fps in (15.0, 30.0, 60.0)
            if any(size[0] <= width and size[1] <= height and fps <= rate for width, height, rate in sensors[0])
        )

    def _choose(self) -> CameraMode:
        self.notice = ""
        if self.wanted is None or self.wanted in self._modes:
            return self.wanted or _DEFAULT
        self.notice = f"{self.name} no longer offers {self.wanted}."
        return _DEFAULT

    def read(self, timeout_ms: int = 1000) -> Frame:
        first, self._first = self._first, None
        return first or self._read(timeout_ms / 1000)

    def _read(self, timeout_s: float) -> Frame:
        reader, mode = self._reader, self._mode
        if reader is None or mode is None:
            raise CameraError(f"{self.name} is not open.")
        self._check_cancelled()
        arrival = reader.take(timeout_s, self._cancelled)
        self._check_cancelled()
        if arrival is None:
            raise CameraTimeout(f"{self.name} sent no picture for {timeout_s:.3g} s.")
        picture = arrival.picture
        if isinstance(picture, bytes):
            picture = to_bgr(_PIXEL_FORMAT, np.frombuffer(picture, np.uint8), mode.width, mode.height, mode.width)
        frame = Frame(picture, self._next_id, arrival.at)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._release()
        self._cancelled.clear()

    def cancel(self) -> None:
        super().cancel()
        reader = self._reader
        if reader is not None:
            reader.wake()

    def _release(self) -> None:
        reader, self._reader, self._first = self._reader, None, None
        if reader is not None:
            reader.stop(_STOP_S)

    def resume(self) -> None:
        self._first = None
        if self._reader is not None:
            self._reader.take(0, self._cancelled)

    @property
    def mode(self) -> CameraMode | None:
        return self._mode

    @property
    def modes(self) -> Sequence[CameraMode]:
        return self._modes

    @property
    def dropped(self) -> int:
        return self._reader.skipped if self._reader is not None else 0


class _PipeReader(StreamReader):
    """Cuts the child's output into frames."""

    def __init__(self, name: str, command: list[str], mode: CameraMode) -> None:
        super().__init__(name)
        self._command = command
        self._frame_bytes = mode.width * mode.height * 3 // 2
        self._child: subprocess.Popen[bytes] | None = None
        self._said: deque[str] = deque(maxlen=20)

    def work(self) -> None:
        try:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=clean_environment(),
            )
        except OSError as error:
            raise CameraError(f"{self._command[0]} cannot be started: {error.strerror or error}.") from error
        self._child = child
        if self.stopped.is_set():
            self.cut()
        listener = threading.Thread(
            target=self._listen, args=(child.stderr,), name=f"{self.name} messages", daemon=True
        )
        listener.start()
        try:
            self._read_frames(child.stdout)
        finally:
            self._end(child)
            listener.join(_TERMINATE_S)
        raise self._death(child.returncode)

    def _read_frames(self, pipe: IO[bytes] | None) -> None:
        while pipe is not None and not self.stopped.is_set():
            data = pipe.read(self._frame_bytes)
            if len(data) < self._frame_bytes:
                return  # the child has ended, perhaps in the middle of a frame
            self.publish(Arrival(data, time.monotonic()))

    def _listen(self, pipe: IO[bytes] | None) -> None:
        for line in pipe or ():
            text = line.decode("utf-8", "replace").strip()
            if text:
                self._said.append(text)
                log.debug("%s: %s", self.stream_name, text)

    def complaint(self) -> str:
        """What the child last complained about, as a sentence to append; "" where it did not."""
        errors = [line for line in self._said if "error" in line.lower() or "***" in line]
        return f" It says: {errors[-1].strip('* ')}" if errors else ""

    def _death(self, code: int | None) -> CameraError:
        said = " ".join(self._said).lower()
        if "in use" in said or "busy" in said or "acquire" in said:
            return CameraBusy(f"{self.stream_name} is in use by another program. Close it there, then try again.")
        if "no cameras available" in said:
            return CameraError(f"{self.stream_name} is not connected: libcamera finds no camera.")
        return CameraLost(f"{self.stream_name} ended unexpectedly (exit code {code}).{self.complaint()}")

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            child.wait(_TERMINATE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()

    def cut(self) -> None:
        child = self._child
        if child is not None:
            with suppress(ProcessLookupError):
                child.terminate()
            # A child that ignores being asked is stopped for good by `_end`, once its pipe is shut.
            try:
                child.wait(_TERMINATE_S)
            except subprocess.TimeoutExpired:
                child.kill()
