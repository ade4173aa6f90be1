"""Looks on while an RTSP server answers: notices when the picture changes its size, which FFmpeg's reader hides.

OpenCV goes on delivering pictures of the size that the stream began with, scaled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from edgecam.camera.parameter_sets import PictureSize, h264_size, h265_size

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAPPING: Final = re.compile(rb"a=rtpmap:(\d+) (H264|H265)/")
_LENGTH: Final = re.compile(rb"(?im)^content-length: *(\d+)")
_TRANSPORT: Final = re.compile(rb"(?im)^(transport:(?![^\r\n]*(?:source=|/tcp))[^\r\n]*)")
# What a server says: a packet, an answer, or a request of its own.
_STARTS: Final = (b"$", b"RTSP/1.", *(f"{name} ".encode() for name in (
    "OPTIONS", "ANNOUNCE", "GET_PARAMETER", "SET_PARAMETER", "REDIRECT", "PLAY_NOTIFY", "TEARDOWN",
)))  # fmt: skip
_START: Final = re.compile(b"|".join(map(re.escape, _STARTS)))
_MAX_BUFFER: Final = 1 << 20
_JPEG: Final = 26
_AGGREGATE_264, _SPS_264 = 24, 7
_AGGREGATE_265, _SPS_265 = 48, 33


class RtspWatch:
    """Sees what comes from the server; see `pass_on`.

    Attributes:
        resized: the picture has another size than at first. Stays False where the pictures come over UDP.
    """

    def __init__(self) -> None:
        self.resized = False
        self._playing = False
        self._buffer = bytearray()
        self._codecs: dict[int, bytes] = {_JPEG: b"JPEG"}
        self._sizes_seen: dict[int, PictureSize] = {}

    def pass_on(self, data: bytes, host: str) -> bytes:
        """`data` as it is to reach FFmpeg.

        Args:
            data: the next bytes from the server, whose address is `host`.

        Raises:
            ConnectionAbortedError: the server answers with noise, on which FFmpeg would wait for more.
        """
        self._buffer += data
        if len(self._buffer) > _MAX_BUFFER:
            self._buffer.clear()  # not RTSP; FFmpeg will say so
        for packet in self._packets():
            for size in self._sizes(packet):
                # A stream may have several sets; only one that changes means another picture.
                self.resized = self.resized or self._sizes_seen.setdefault(size.set_id, size) != size
        # FFmpeg believes the relay to be the server, and would send its receiver reports there.
        return _TRANSPORT.sub(rb"\1;source=" + host.encode(), data) if data.startswith(b"RTSP/") else data

    def _packets(self) -> Iterator[bytes]:
        """The RTP packets that are complete; takes the server's answers out of the way and reads the codecs there."""
        while self._buffer:
            self._find_start()
            if self._buffer[:1] == b"$":
                end = 4 + int.from_bytes(self._buffer[2:4], "big")
                if len(self._buffer) < end:
                    return
                self._playing = True
                is_rtp = self._buffer[1] % 2 == 0
                packet = bytes(self._buffer[4:end])
                del self._buffer[:end]
                if is_rtp:
                    yield packet
                continue
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self._buffer, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < end:
                return
            self._codecs |= {int(number): codec for number, codec in _MAPPING.findall(self._buffer[:end])}
            del self._buffer[:end]

    def _find_start(self) -> None:
        """Drops noise between packets, as FFmpeg does; among the answers before them nothing of the kind may be."""
        if _START.match(self._buffer, endpos=16) or any(start.startswith(self._buffer) for start in _STARTS):
            return
        if not self._playing:
            raise ConnectionAbortedError("not RTSP")
        following = _START.search(self._buffer, 1)
        del self._buffer[: following.start() if following else len(self._buffer)]

    def _sizes(self, packet: bytes) -> Iterator[PictureSize]:
        """The sizes that an RTP packet tells."""
        if len(packet) <= 16:
            return
        codec = self._codecs.get(packet[1] & 0x7F)
        start = 12 + 4 * (packet[0] & 0x0F)
        if packet[0] & 0x10:
            start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
        payload = packet[start:]
        if not payload:
            return
        if codec == b"JPEG" and len(payload) > 8 and payload[6] and payload[7]:
            yield PictureSize(0, 8 * payload[6], 8 * payload[7])
        elif codec == b"H264":
            for unit in _units(payload, payload[0] & 0x1F == _AGGREGATE_264, 1):
                if unit[0] & 0x1F == _SPS_264 and (size := h264_size(unit)):
                    yield size
        elif codec == b"H265":
            for unit in _units(payload, payload[0] >> 1 & 0x3F == _AGGREGATE_265, 2):
                if unit[0] >> 1 & 0x3F == _SPS_265 and (size := h265_size(unit)):
                    yield size


def _units(payload: bytes, is_aggregate: bool, header: int) -> Iterator[bytes]:
    """The NAL units of a packet: itself, or those that an aggregate of several holds."""
    if not is_aggregate:
        yield payload
        return
    at = header
    while at + 2 < len(payload):
        length = int.from_bytes(payload[at : at + 2], "big")
        if length:
            yield payload[at + 2 : at + 2 + length]
        at += 2 + length
