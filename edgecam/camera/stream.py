"""A stream from the network: RTSP, Motion JPEG over HTTP, or anything else that FFmpeg plays over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecam.camera.credentials import masked_url
from edgecam.camera.http_reader import HttpReader
from edgecam.camera.reader_camera import ReaderCamera
from edgecam.camera.rtsp_reader import RtspReader

if TYPE_CHECKING:
    from edgecam.camera.credentials import Credentials
    from edgecam.camera.stream_address import StreamAddress
    from edgecam.camera.stream_reader import StreamReader


def stream_camera(address: StreamAddress, credentials: Credentials | None = None) -> StreamCamera:
    """The camera behind the address of a stream; a login in the address goes before `credentials`."""
    return StreamCamera(address.url, address.credentials or credentials)


class StreamCamera(ReaderCamera):
    """The camera at a URL.

    Args:
        url: rtsp, rtspu (RTSP whose pictures come over UDP), rtsps, http or https; without a login.
        credentials: for a server that asks.
    """

    remote = True

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        super().__init__()
        self.address = masked_url(url)
        self.name = self.address.partition("://")[2].rstrip("/")
        self._url, self._credentials = url, credentials

    def new_reader(self) -> StreamReader:
        kind = RtspReader if self._url.startswith("rtsp") else HttpReader
        return kind(self.name, self._url, self._credentials)
