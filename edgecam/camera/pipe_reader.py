"""The thread that runs `rpicam-vid` and reads its frames from a pipe."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from edgecam.camera.pixel_formats import full_range_420
from edgecam.camera.stream_reader import Arrival, StreamReader
from edgecam.child_processes import clean_environment
from edgecam.errors import CameraBusy, CameraError, CameraLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edgecam.camera.base import CameraMode

log = logging.getLogger(__name__)

_TERMINATE_S: Final = 0.5


class PipeReader(StreamReader):
    """Cuts the child's output into frames.

    Args:
        name: what the camera is called in messages.
        prepare: called first, and in this thread, because it may take seconds; gives the program with its arguments,
            which writes raw frames to its standard output and nothing else, and what those frames are (YU12).
    """

    def __init__(self, name: str, prepare: Callable[[], tuple[list[str], CameraMode]]) -> None:
        super().__init__(name)
        self._prepare = prepare
        self._size_wh = 0, 0
        self._child: subprocess.Popen[bytes] | None = None
        self._said: deque[str] = deque(maxlen=20)

    def work(self) -> None:
        command, mode = self._prepare()
        if self.stopped.is_set():
            return
        self.fps, self.codec, self._size_wh = mode.fps, mode.pixel_format, (mode.width, mode.height)
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=clean_environment(),
            )
        except OSError as error:
            raise CameraError(f"{command[0]} cannot be started: {error.strerror or error}.") from error
        self._child = child
        if self.stopped.is_set():
            self.cut()
        listener = threading.Thread(
            target=self._listen, args=(child.stderr,), name=f"{self.name} messages", daemon=True
        )
        listener.start()
        try:
            self._read_frames(child.stdout, mode.width * mode.height * 3 // 2)
        finally:
            self._end(child)
            listener.join(_TERMINATE_S)  # what the child said last tells why it ended
        raise self._death(child.returncode)

    def _read_frames(self, pipe: IO[bytes] | None, frame_bytes: int) -> None:
        while pipe is not None and not self.stopped.is_set():
            data = pipe.read(frame_bytes)
            if len(data) < frame_bytes:
                return  # the child has ended, perhaps in the middle of a frame
            self.publish(Arrival(data, time.monotonic()))

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        # rpicam-vid asks libcamera for the colours of JPEG where it writes yuv420.
        return full_range_420(np.frombuffer(data, np.uint8), *self._size_wh)

    def _listen(self, pipe: IO[bytes]) -> None:
        """Reads until everyone who could write has ended; closed from elsewhere, `pipe` would lose its last lines."""
        with pipe:
            for line in pipe:
                text = line.decode("utf-8", "replace").strip()
                if text:
                    self._said.append(text)
                    log.debug("%s: %s", self.stream_name, text)

    def complaint(self) -> str:
        """What the child last complained about, as a sentence to append; "" where it did not."""
        errors = [line for line in tuple(self._said) if "error" in line.lower() or "***" in line]
        return f" It says: {errors[-1].removeprefix('ERROR:').strip('* ')}." if errors else ""

    def _death(self, code: int | None) -> CameraError:
        said = " ".join(tuple(self._said)).lower()
        if "in use" in said or "busy" in said or "acquire" in said:
            return CameraBusy(f"{self.stream_name} is in use by another program. Close it there, then try again.")
        if "no cameras available" in said or "selected camera is not available" in said:
            return CameraError(f"{self.stream_name} is not connected: libcamera finds no such camera.")
        return CameraLost(f"{self.stream_name} ended unexpectedly (exit code {code}).{self.complaint()}")

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        _terminate(child)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()

    def cut(self) -> None:
        if self._child is not None:
            _terminate(self._child)


def _terminate(child: subprocess.Popen[bytes]) -> None:
    """Asks the child to end, and ends it where it does not."""
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        child.wait(_TERMINATE_S)
    except subprocess.TimeoutExpired:
        child.kill()
