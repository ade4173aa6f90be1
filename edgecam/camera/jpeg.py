"""Whether a JPEG picture arrived whole: decoders fill what is missing with grey and say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_START, _END, _SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
# Markers without a length.
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
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


def _first_scan(data: bytes | memoryview) -> int | None:
    """Where the first scan's header begins. What stands before it (a thumbnail, say) has end markers of its own."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == _SCAN:
            return at
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + (data[at + 2] << 8 | data[at + 3])
    return None


def is_half_grey(image: NDArray[np.uint8]) -> bool:
    """Whether the last rows of a decoded JPEG (uint8 (H, W, 3)) are the exact grey that decoders fill gaps with.

    Only for pictures of a camera: its noise never leaves whole rows at one value.
    """
    last = image[-min(_FILL_ROWS, image.shape[0]) :]
    return bool(last[0, 0, 0] == _FILL_GREY and (last == _FILL_GREY).all())
