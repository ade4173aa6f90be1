"""Looks on while an RTSP server answers: notices when the picture changes its size, and holds back noise.

FFmpeg's reader hides the one (OpenCV goes on delivering pictures of the size that the stream began with, scaled), and
is led astray by the other: it takes a chance "$" for a packet, and as many good bytes as that announces for the rest.
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
_LONGEST_START: Final = max(map(len, _STARTS))
# "$", channel and length, then the packet's first byte, whose upper two bits are the version, and its type.
_PACKET_START: Final = 6
_VERSION: Final = 2
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
        self._lost = False
        self._buffer = bytearray()
        self._passed = 0  # of the buffer's first bytes, so many have gone to FFmpeg
        self._kinds: set[tuple[int, int]] = set()
        self._codecs: dict[int, bytes] = {_JPEG: b"JPEG"}
        self._sizes_seen: dict[int, PictureSize] = {}

    def pass_on(self, data: bytes, host: str) -> bytes:
        """What is to reach FFmpeg: all but noise between packets.

        Args:
            data: the next bytes from the server, whose address is `host`.

        Raises:
            ConnectionAbortedError: the server answers with noise, on which FFmpeg would wait for more.
        """
        self._buffer += data
        if len(self._buffer) > _MAX_BUFFER:
            raise ConnectionAbortedError("not RTSP")
        out = bytearray()
        while self._find_start():
            end = self._end()
            out += self._buffer[self._passed : end]
            self._passed = min(end, len(self._buffer))
            if len(self._buffer) < end:
                break
            self._take(end)
        # FFmpeg believes the relay to be the server, and would send its receiver reports there.
        return _TRANSPORT.sub(rb"\1;source=" + host.encode(), out) if out.startswith(b"RTSP/") else bytes(out)

    def _find_start(self) -> bool:
        """Drops noise before a packet or an answer; False while too little has come to tell."""
        if self._passed:
            return True
        while self._buffer:
            known = self._begins()
            if known is not False:
                return known is True
            if not self._playing:  # among the answers before the packets nothing of the kind may be
                raise ConnectionAbortedError("not RTSP")
            self._lost = True
            following = _START.search(self._buffer, 1)
            # A start may be cut off: what may yet become one stays.
            del self._buffer[: following.start() if following else max(1, len(self._buffer) - _LONGEST_START + 1)]
        return False

    def _begins(self) -> bool | None:
        """Whether the buffer begins with a packet or an answer; None if more must come to tell."""
        if self._buffer[:1] != b"$":
            if _START.match(self._buffer):
                return True
            return None if any(start.startswith(self._buffer) for start in _STARTS) else False
        if len(self._buffer) < _PACKET_START:
            return None
        # Noise has a "$" in every 256 bytes: once it came, only what has come before counts as a packet.
        return self._buffer[4] >> 6 == _VERSION and (not self._lost or self._kind() in self._kinds)

    def _kind(self) -> tuple[int, int]:
        """Channel and type of the packet at the buffer's start; the type's first bit marks the end of a picture."""
        channel, kind = self._buffer[1], self._buffer[5]
        return channel, kind if channel % 2 else kind & 0x7F

    def _end(self) -> int:
        """Where the packet or answer ends with which the buffer begins; beyond the buffer if more must come."""
        if self._buffer[:1] == b"$":
            return 4 + int.from_bytes(self._buffer[2:4], "big")
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return len(self._buffer) + 1
        length = _LENGTH.search(self._buffer, 0, head)
        return head + 4 + (int(length[1]) if length else 0)

    def _take(self, end: int) -> None:
        """Reads the packet or answer that is complete, and drops it."""
        whole = bytes(self._buffer[:end])
        if whole[:1] == b"$":
            self._playing = True
            self._kinds.add(self._kind())
            if whole[1] % 2 == 0:
                for size in self._sizes(whole[4:]):
                    # A stream may have several sets; only one that changes means another picture.
                    self.resized = self.resized or self._sizes_seen.setdefault(size.set_id, size) != size
        else:
            self._codecs |= {int(number): codec for number, codec in _MAPPING.findall(whole)}
        self._lost = False
        del self._buffer[:end]
        self._passed = 0

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
