"""Looks on while an RTSP server answers: notices when the picture changes its size, which FFmpeg's reader hides.

OpenCV goes on delivering pictures of the size that the stream began with, scaled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from edgecam.camera.parameter_sets import PictureSize, h264_size, h265_size
from edgecam.camera.rtsp_framing import RtspFraming

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAPPING: Final = re.compile(rb"a=rtpmap:(\d+) (H264|H265)/")
_TRANSPORT: Final = re.compile(rb"(?im)^(transport:(?![^\r\n]*(?:source=|/tcp))[^\r\n]*)")
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
        self._framing = RtspFraming()
        self._codecs: dict[int, bytes] = {_JPEG: b"JPEG"}
        self._sizes_seen: dict[int, PictureSize] = {}

    def pass_on(self, data: bytes, host: str) -> bytes:
        """What is to reach FFmpeg: all but noise between packets.

        Args:
            data: the next bytes from the server, whose address is `host`.

        Raises:
            ConnectionAbortedError: the server answers with noise, on which FFmpeg would wait for more.
        """
        framed = self._framing.feed(data)
        for whole in framed.whole:
            self._read(whole)
        # FFmpeg believes the relay to be the server, and would send its receiver reports there.
        passed = framed.passed
        return _TRANSPORT.sub(rb"\1;source=" + host.encode(), passed) if passed.startswith(b"RTSP/") else passed

    def _read(self, whole: bytes) -> None:
        if whole[:1] != b"$":
            self._codecs |= {int(number): codec for number, codec in _MAPPING.findall(whole)}
        elif whole[1] % 2 == 0:  # RTP; odd channels carry reports
            for size in self._sizes(whole[4:]):
                # A stream may have several sets; only one that changes means another picture.
                self.resized = self.resized or self._sizes_seen.setdefault(size.set_id, size) != size

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
