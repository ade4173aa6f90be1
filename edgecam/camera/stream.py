"""Network cameras: RTSP, Motion JPEG over HTTP, and video over HTTP."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import cv2
import numpy as np

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.clock import MediaClock
from edgecam.camera.connecting import connect
from edgecam.camera.credentials import masked_url
from edgecam.camera.ffmpeg import open_capture, pixel_format
from edgecam.camera.http_client import Answer, get, server_of
from edgecam.camera.mjpeg import boundary_of, parts
from edgecam.camera.pixel_formats import BrokenPicture, to_bgr
from edgecam.camera.relay import Relay
from edgecam.camera.rtsp_probe import check_alive
from edgecam.camera.stream_reader import Arrival, StreamReader
from edgecam.errors import CameraError, CameraTimeout, CredentialsNeeded, EndOfStream
from edgecam.frames import Frame

if TYPE_CHECKING:
    from edgecam.camera.credentials import Credentials
    from edgecam.camera.stream_address import StreamAddress

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 8.0
_CONNECT_TIMEOUT_S: Final = 4.0
_STOP_S: Final = 1.0
_LATE_S: Final = 1.0
# The time limits are a backstop: the relay ends FFmpeg's waiting long before. One thread, because a decoder with N
# threads holds back N - 1 frames.
_PARAMETERS: Final = (
    cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 30_000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 30_000, cv2.CAP_PROP_N_THREADS, 1,
)  # fmt: skip
# No probing of the rate, which costs a second at each opening. Not "nobuffer" either: it throws away the first key
# frame, and the picture waits for the next; the reader empties any buffer faster than it fills.
_LOW_DELAY: Final = {"flags": "low_delay", "fpsprobesize": "0", "analyzeduration": "5000000"}
_RTSP: Final = {**_LOW_DELAY, "rtsp_transport": "tcp", "allowed_media_types": "video", "max_delay": "0"}
_PAGES: Final = ("text/html", "application/json", "text/xml", "application/xml", "application/xhtml")
_PLAYLISTS: Final = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl")


def stream_camera(address: StreamAddress, credentials: Credentials | None = None) -> StreamCamera:
    """The camera behind the address of a stream; a login in the address goes before `credentials`."""
    return StreamCamera(address.url, address.credentials or credentials)


class StreamCamera(Camera):
    """Delivers the newest picture of a stream. Nothing queues: what comes while one picture is looked at is skipped.

    Args:
        url: rtsp, rtsps, http or https; without a login.
        credentials: for a server that asks.
    """

    remote = True

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        super().__init__()
        self.address = masked_url(url)
        self.name = self.address.partition("://")[2].rstrip("/")
        self._url, self._credentials = url, credentials
        self._reader: _RtspReader | _HttpReader | None = None
        self._first: Frame | None = None
        self._mode: CameraMode | None = None
        self._next_id = self._broken = 0

    def open(self) -> None:
        self._check_cancelled()
        self._release()
        self._next_id = self._broken = 0
        self.needs_login = False
        kind = _RtspReader if self._url.startswith("rtsp") else _HttpReader
        self._reader = kind(self.name, self._url, self._credentials)
        self._reader.start()
        try:
            self._first = self._read(OPEN_TIMEOUT_S)
        except CameraTimeout:
            self._release()
            raise CameraError(f"{self.name} sent no picture within {OPEN_TIMEOUT_S:g} s.") from None
        except EndOfStream as error:
            self._release()
            raise CameraError(f"{self.name} holds no picture.") from error
        except CameraError as error:
            self.needs_login = isinstance(error, CredentialsNeeded)
            self._release()
            raise

    def read(self, timeout_ms: int = 1000) -> Frame:
        first, self._first = self._first, None
        return first or self._read(timeout_ms / 1000)

    def _read(self, timeout_s: float) -> Frame:
        reader = self._reader
        if reader is None:
            raise CameraError(f"{self.name} is not open.")
        deadline = time.monotonic() + timeout_s
        while True:
            self._check_cancelled()
            arrival = reader.take(deadline - time.monotonic(), self._cancelled)
            self._check_cancelled()
            if arrival is None:
                raise CameraTimeout(f"{self.name} sent no picture for {timeout_s:.3g} s.")
            try:
                return self._frame(arrival, reader)
            except BrokenPicture as error:
                self._broken += 1
                log.debug("%s: broken picture: %s", self.name, error)

    def _frame(self, arrival: Arrival, reader: _RtspReader | _HttpReader) -> Frame:
        picture = arrival.picture
        if isinstance(picture, bytes):
            picture = to_bgr("MJPG", np.frombuffer(picture, np.uint8), 0, 0, 0)
        height, width = picture.shape[:2]
        self._mode = CameraMode(width, height, reader.fps, reader.codec)
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
        # The reader went on reading: what it holds is older than the end of the pause.
        self._first = None
        if self._reader is not None:
            self._reader.take(0, self._cancelled)

    @property
    def mode(self) -> CameraMode | None:
        return self._mode

    @property
    def dropped(self) -> int:
        return self._broken + (self._reader.skipped if self._reader is not None else 0)


class _FfmpegReader(StreamReader):
    """Reads with FFmpeg through a relay.

    Attributes:
        fps: what the stream says; None where it does not.
        codec: its four letters.
    """

    def __init__(self, name: str, url: str, credentials: Credentials | None) -> None:
        super().__init__(name)
        self.fps: float | None = None
        self.codec = ""
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
        relay = self._relay = Relay(server_of(url))
        try:
            if self.stopped.is_set():
                return
            capture = open_capture(self._through(relay, url), options=options, parameters=_PARAMETERS)
            try:
                if not capture.isOpened():
                    raise self._refused(relay)
                self._pass_on(capture, playlist=playlist)
            finally:
                capture.release()
        finally:
            relay.close()

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
        if relay.refusal == 404:
            return CameraError(f"{self.stream_name}: the server has no such stream (404).")
        if relay.refusal:
            return CameraError(f"{self.stream_name}: the server refuses the stream ({relay.refusal}).")
        return CameraError(f"{self.stream_name} sends nothing that can be played as video.")

    def _pass_on(self, capture: cv2.VideoCapture, *, playlist: bool) -> None:
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= 240 else None
        self.codec = pixel_format(capture)
        finite = self._url.startswith("http") and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0
        clock = MediaClock(_LATE_S) if finite or playlist else None
        while not self.stopped.is_set():
            arrived, image = capture.read()
            if not arrived:
                break
            if clock is not None:
                clock.wait(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, self.stopped)
            self.publish(Arrival(np.asarray(image, np.uint8), time.monotonic()))
        if finite:
            raise EndOfStream(f"{self.stream_name} has ended.")


class _RtspReader(_FfmpegReader):
    def work(self) -> None:
        # Connecting here rather than in FFmpeg: it can be cancelled, and tells why it failed.
        with connect(server_of(self._url), _CONNECT_TIMEOUT_S, self.stopped) as connection:
            self._connection = connection
            if self.stopped.is_set():
                return
            check_alive(connection, self._url, self.stream_name)
            self._connection = None
        self.play(self._url, _RTSP)


class _HttpReader(_FfmpegReader):
    def work(self) -> None:
        answer = get(self._url, self._credentials, self.stopped, self._connected)
        try:
            kind = answer.content_type.lower()
            if kind.startswith("multipart/"):
                self._read_mjpeg(answer)
                return
            if kind.startswith("image/"):
                raise CameraError(f"{self.stream_name} is a single picture ({kind}), not a stream.")
            if kind.startswith(_PAGES):
                raise CameraError(
                    f"{self.stream_name} is a web page ({kind}), not a video: look for the address of the stream "
                    "in the camera's manual."
                )
        finally:
            answer.close()
        self._connection = None
        server = server_of(answer.url)
        options = {**_LOW_DELAY, "headers": f"Host: {server}\r\n"}
        self.play(answer.url, options, playlist=kind.startswith(_PLAYLISTS))

    def _connected(self, connection: socket.socket) -> None:
        self._connection = connection
        if self.stopped.is_set():
            self.cut()

    def _read_mjpeg(self, answer: Answer) -> None:
        self.codec = "MJPG"
        for data in parts(answer.body, boundary_of(answer.content_type)):
            if self.stopped.is_set():
                return
            if data:
                self.publish(Arrival(data, time.monotonic()))
