"""Whether a PNG picture is whole: libpng would complain on standard error, beside the one line for the user."""

from __future__ import annotations

import struct
import zlib
from typing import Final

START: Final = b"\x89PNG\r\n\x1a\n"
_MAX_PIXELS: Final = 1 << 30  # OpenCV's own limit


def png_fault(data: bytes) -> str | None:
    """What is wrong with `data` (a PNG file), or None. Costs about a millisecond for each megabyte."""
    at = len(START)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return "damaged"
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", data, at + 8)
            if not 0 < width * height <= _MAX_PIXELS:
                return f"it has {width} × {height} pixels"
        if kind == b"IEND":
            return None
        at = end
    return "cut off"
