"""Whether a JPEG picture arrived whole: decoders fill what is missing with grey and say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

_START, _END, _SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
# Markers without a length.
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
# Start of frame: all but the tables that have numbers in between (DHT, JPG, DAC).
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FILL_ROWS: Final = 16
_FILL_GREY: Final = 128


def jpeg_fault(data: bytes | memoryview) -> str | None:
    """What is wrong with the frame of `data` (a JPEG file, padding allowed), or None. Costs microseconds."""
    if bytes(data[:2]) != _START:
        return "not a JPEG picture"
    scan = _first_scan(data)
    if scan is None:
        return "cut off in the header"
    # Within a scan 0xFF is always stuffed, so that the end marker cannot stand there by chance. It is looked for from
    # the back, where it is within a few bytes but for padding.
    end = len(data)
    while end > scan:
        begin = max(scan, end - 4096)
        if _END in bytes(data[begin:end]):
            return None
        end = begin + 1 if begin > scan else scan
    return "cut off"


def jpeg_size(data: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height that the header tells; None where it tells none."""
    for marker, at in _segments(data):
        if marker in _FRAMES and at + 9 <= len(data):
            return data[at + 7] << 8 | data[at + 8], data[at + 5] << 8 | data[at + 6]
    return None


def _first_scan(data: bytes | memoryview) -> int | None:
    """Where the first scan's header begins. What stands before it (a thumbnail, say) has end markers of its own."""
    return next((at for marker, at in _segments(data) if marker == _SCAN), None)


def _segments(data: bytes | memoryview) -> Iterator[tuple[int, int]]:
    """Each segment's marker and where it stands, as far as the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        yield marker, at
        if marker == _SCAN:
            return
        at += 2 + (data[at + 2] << 8 | data[at + 3])


def is_half_grey(image: NDArray[np.uint8]) -> bool:
    """Whether the last rows of a decoded JPEG (uint8 (H, W, 3)) are the exact grey that decoders fill gaps with.

    Only for pictures of a camera: its noise never leaves whole rows at one value.
    """
    last = image[-min(_FILL_ROWS, image.shape[0]) :]
    return bool(last[0, 0, 0] == _FILL_GREY and (last == _FILL_GREY).all())
