"""An X window dump, as Xvfb keeps its screen in one, as PNG. With Python's own library only."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

# Of the header's 25 big-endian words, by their place in XWDFileHeader.
HEADER_SIZE, WIDTH, HEIGHT, BYTE_ORDER, BITS_PER_PIXEL, BYTES_PER_LINE, COLOURS = 0, 4, 5, 7, 11, 12, 19
COLOUR_SIZE = 12


def png_of(dump: bytes) -> bytes:
    """The PNG of a dump with 32 bits a pixel, least byte first.

    Raises:
        ValueError: the dump is of another kind.
    """
    header = struct.unpack(">25I", dump[:100])
    if header[1] != 7 or header[BITS_PER_PIXEL] != 32 or header[BYTE_ORDER] != 0:
        raise ValueError("not an X window dump with 32 bits a pixel, least byte first")
    start = header[HEADER_SIZE] + header[COLOURS] * COLOUR_SIZE
    width, height, stride = header[WIDTH], header[HEIGHT], header[BYTES_PER_LINE]
    rows = bytearray()
    for top in range(start, start + height * stride, stride):
        row = dump[top : top + 4 * width]
        rgb = bytearray(3 * width)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        rows += b"\0" + rgb  # no filter
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(png_of(Path(sys.argv[1]).read_bytes()))
