"""The thread that reads a stream with FFmpeg, through a relay that can cut it off."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import cv2
import numpy as np

from edgecam.camera.clock import MediaClock
from edgecam.camera.ffmpeg import open_capture, pixel_format
from edgecam.camera.http_client import server_of
from edgecam.camera.relay import Relay
from edgecam.camera.stream_reader import Arrival, StreamReader
from edgecam.errors import CameraError, CredentialsNeeded, EndOfStream

if TYPE_CHECKING:
    from edgecam.camera.credentials import Credentials

_LATE_S: Final = 1.0
# The time limits are a backstop: the relay ends FFmpeg's waiting long before. One thread, because a decoder with N
# threads holds back N - 1 frames.
_PARAMETERS: Final = (
    cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 30_000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 30_000, cv2.CAP_PROP_N_THREADS, 1,
)  # fmt: skip
# No probing of the rate, which costs a second at each opening. Not "nobuffer" either: it throws away the first key
# frame, and the picture waits for the next; the reader empties any buffer faster than it fills.
LOW_DELAY: Final = {"flags": "low_delay", "fpsprobesize": "0", "analyzeduration": "5000000"}


class FfmpegReader(StreamReader):
    """Reads with FFmpeg through a relay.

    Args:
        name: what the stream is called in messages.
        url: without a login.
        credentials: for a server that asks.
    """

    def __init__(self, name: str, url: str, credentials: Credentials | None) -> None:
        super().__init__(name)
        self._url, self._credentials = url, credentials
        self._relay: Relay | None = None
        self._connection: socket.socket | None = None

    def cut(self) -> None:
        connection, relay = self._connection, self._relay
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if relay is not None:
            relay.close()

    def play(self, url: str, options: dict[str, str], *, playlist: bool = False) -> None:
        """Plays `url` until it ends; paced by its own time stamps where it is a file or a playlist."""
        relay = self._relay = Relay(server_of(url), self.pass_on)
        try:
            if self.stopped.is_set():
                return
            capture = open_capture(self._through(relay, url), options=options, parameters=_PARAMETERS)
            try:
                if not capture.isOpened():
                    raise self._refused(relay)
                if not self._pass_on(capture, playlist=playlist) and not self.stopped.is_set():
                    raise self._refused(relay)
            finally:
                capture.release()
        finally:
            relay.close()

    def pass_on(self, data: bytes, _host: str) -> bytes:
        """Sees what comes from the server at the address `_host`, and may change it on its way to FFmpeg."""
        return data

    def check(self) -> None:
        """Called for each picture before it is published.

        Raises:
            CameraLost: the stream must be opened anew.
        """

    def refused(self, status: int) -> CameraError | None:
        """What a status of the server means for this kind of stream; None where it means nothing special."""
        return None

    def _through(self, relay: Relay, url: str) -> str:
        """`url` with the relay as its server; TLS ends at the relay's far side."""
        parts_of = urlsplit(url)
        tail = (parts_of.path or "/") + (f"?{parts_of.query}" if parts_of.query else "")
        local = f"{parts_of.scheme.removesuffix('s')}://127.0.0.1:{relay.port}{tail}"
        return self._credentials.into(local) if self._credentials is not None else local

    def _refused(self, relay: Relay) -> CameraError:
        if relay.refusal in (401, 403):
            what = "asks for" if self._credentials is None else "refuses this"
            return CredentialsNeeded(f"{self.stream_name} {what} user name and password.")
        if (known := self.refused(relay.refusal)) is not None:
            return known
        if relay.refusal == 404:
            return CameraError(f"{self.stream_name}: the server has no such stream (404).")
        if relay.refusal:
            return CameraError(f"{self.stream_name}: the server refuses the stream ({relay.refusal}).")
        return CameraError(f"{self.stream_name} sends nothing that can be played as video.")

    def _pass_on(self, capture: cv2.VideoCapture, *, playlist: bool) -> int:
        """Publishes picture after picture; returns how many there were."""
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= 240 else None
        self.codec = pixel_format(capture)
        finite = self._url.startswith("http") and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0
        clock = MediaClock(_LATE_S) if finite or playlist else None
        count = 0
        while not self.stopped.is_set():
            arrived, image = capture.read()
            if not arrived:
                break
            if clock is not None:
                clock.wait(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, self.stopped)
            self.check()
            self.publish(Arrival(np.asarray(image, np.uint8), time.monotonic()))
            count += 1
        if finite:
            raise EndOfStream(f"{self.stream_name} has ended.")
        return count
