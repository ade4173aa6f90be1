"""The thread that reads a stream over HTTP: Motion JPEG by itself, everything else with FFmpeg."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from edgecam.camera.ffmpeg_reader import LOW_DELAY, FfmpegReader
from edgecam.camera.http_client import Answer, get, server_of
from edgecam.camera.mjpeg import boundary_of, parts
from edgecam.camera.stream_reader import Arrival
from edgecam.errors import CameraError

if TYPE_CHECKING:
    import socket

_PAGES: Final = ("text/html", "application/json", "text/xml", "application/xml", "application/xhtml")
_PLAYLISTS: Final = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl")


class HttpReader(FfmpegReader):
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
        options = {**LOW_DELAY, "headers": f"Host: {server}\r\n"}
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
