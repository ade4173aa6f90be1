"""The thread that reads an RTSP stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgecam.camera.connecting import connect
from edgecam.camera.ffmpeg_reader import LOW_DELAY, FfmpegReader
from edgecam.camera.http_client import server_of
from edgecam.camera.rtsp_probe import check_alive
from edgecam.camera.rtsp_watch import RtspWatch
from edgecam.errors import CameraError, CameraLost

if TYPE_CHECKING:
    from edgecam.camera.credentials import Credentials

_CONNECT_TIMEOUT_S: Final = 4.0
_OPTIONS: Final = {**LOW_DELAY, "allowed_media_types": "video"}
_TCP: Final = {**_OPTIONS, "rtsp_transport": "tcp", "max_delay": "0"}
# Packets may overtake each other: a gap is waited for, but only as long as nobody sees it (µs).
_UDP: Final = {**_OPTIONS, "rtsp_transport": "udp", "max_delay": "100000", "buffer_size": "1048576"}
_NO_SUCH_TRANSPORT: Final = 461


class RtspReader(FfmpegReader):
    """See `FfmpegReader`; a URL that begins with rtspu:// has its pictures sent over UDP instead of TCP."""

    def __init__(self, name: str, url: str, credentials: Credentials | None) -> None:
        self._over_udp = url.startswith("rtspu://")
        super().__init__(name, url.replace("rtspu://", "rtsp://", 1), credentials)
        self._watch = RtspWatch()

    def work(self) -> None:
        # Connecting here rather than in FFmpeg: it can be cancelled, and tells why it failed.
        with connect(server_of(self._url), _CONNECT_TIMEOUT_S, self.stopped) as connection:
            self._connection = connection
            if self.stopped.is_set():
                return
            check_alive(connection, self._url, self.stream_name)
            self._connection = None
        self.play(self._url, _UDP if self._over_udp else _TCP)

    def pass_on(self, data: bytes, host: str) -> bytes:
        return self._watch.pass_on(data, host)

    def check(self) -> None:
        if self._watch.resized:
            self.can_start_again = True
            raise CameraLost(f"{self.stream_name} changed the size of its picture; it is opened anew.")

    def refused(self, status: int) -> CameraError | None:
        if status != _NO_SUCH_TRANSPORT:
            return None
        asked, other = ("UDP", "rtsp") if self._over_udp else ("TCP", "rtspu")
        return CameraError(
            f"{self.stream_name}: the server does not send over {asked}. Begin the address with {other}:// instead."
        )

    def complaint(self) -> str:
        if not self._over_udp:
            return ""
        return " A firewall may hold back UDP: an address that begins with rtsp:// asks for TCP instead."
