"""Cuts what an RTSP server sends into packets and answers, and holds back noise between them.

FFmpeg's reader is led astray by noise: it takes a chance "$" for a packet, and as many good bytes as that announces for
the rest of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_LENGTH: Final = re.compile(rb"(?im)^content-length: *(\d+)")
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


@dataclass(frozen=True, slots=True)
class Framed:
    """Attributes:
    passed: what may be passed on: all but noise, a packet's or answer's beginning before the rest of it has come.
    whole: the packets (with the "$", channel and length before them) and answers that are complete now.
    """

    passed: bytes
    whole: list[bytes]


class RtspFraming:
    """What has come from a server; see `feed`."""

    def __init__(self) -> None:
        self._playing = False
        self._lost = False
        self._buffer = bytearray()
        self._passed = 0  # of the buffer's first bytes, so many are passed on
        self._kinds: set[tuple[int, int]] = set()

    def feed(self, data: bytes) -> Framed:
        """Add the next bytes.

        Raises:
            ConnectionAbortedError: the server answers with noise, or with something that does not end.
        """
        self._buffer += data
        if len(self._buffer) > _MAX_BUFFER:
            raise ConnectionAbortedError("not RTSP")
        passed, whole = bytearray(), []
        while self._find_start():
            end = self._end()
            passed += self._buffer[self._passed : end]
            if len(self._buffer) < end:
                self._passed = len(self._buffer)
                break
            whole.append(self._take(end))
        return Framed(bytes(passed), whole)

    def _find_start(self) -> bool:
        """Drops noise before a packet or an answer; False while too little has come to tell."""
        if self._passed:
            return True
        while self._buffer:
            begins = self._begins()
            if begins is not False:
                return bool(begins)
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

    def _take(self, end: int) -> bytes:
        """The packet or answer that is complete, no longer in the buffer."""
        whole = bytes(self._buffer[:end])
        if whole[:1] == b"$":
            self._playing = True
            self._kinds.add(self._kind())
        self._lost = False
        del self._buffer[:end]
        self._passed = 0
        return whole
