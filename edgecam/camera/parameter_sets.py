"""The picture's size in the parameter sets of H.264 and H.265: only as much is read as comes before it."""

from __future__ import annotations

from typing import Final, NamedTuple

# Profiles of H.264 whose sequence parameter set tells the colour format (7.3.2.1.1).
_HIGH_PROFILES: Final = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
_CHROMA_444: Final = 3


class PictureSize(NamedTuple):
    """Width and height of the coded picture, as the parameter set with the number `set_id` tells it."""

    set_id: int
    width: int
    height: int


class _Bits:
    """Reads bit by bit. Raises IndexError at the end."""

    def __init__(self, unit: bytes) -> None:
        # 00 00 03 stands for 00 00 inside a unit, so that no start code appears in it.
        self._data = unit.replace(b"\0\0\3", b"\0\0")
        self._at = 0

    def bits(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - self._at % 8) & 1
            self._at += 1
        return value

    def skip(self, count: int) -> None:
        self._at += count

    def number(self) -> int:
        """An unsigned Exp-Golomb code; a signed one is as long."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        code = self.number()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def h264_size(unit: bytes) -> PictureSize | None:
    """What a sequence parameter set (with its header byte) tells; None where it is broken."""
    try:
        return _h264_size(_Bits(unit))
    except IndexError:
        return None


def _h264_size(read: _Bits) -> PictureSize:
    read.skip(8)
    profile = read.bits(8)
    read.skip(16)
    set_id = read.number()
    if profile in _HIGH_PROFILES:
        _skip_colour(read)
    read.number()  # log2_max_frame_num
    order = read.number()
    if order == 0:
        read.number()
    elif order == 1:
        read.skip(1)
        read.number(), read.number()
        for _ in range(read.number()):
            read.number()
    read.number()  # max_num_ref_frames
    read.skip(1)
    width, height = read.number() + 1, read.number() + 1
    return PictureSize(set_id, 16 * width, 16 * height * (2 - read.bits(1)))


def _skip_colour(read: _Bits) -> None:
    chroma = read.number()
    if chroma == _CHROMA_444:
        read.skip(1)
    read.number(), read.number()  # bit depths
    read.skip(1)
    if not read.bits(1):
        return
    for at in range(12 if chroma == _CHROMA_444 else 8):
        if read.bits(1):
            _skip_scaling_list(read, 16 if at < 6 else 64)


def _skip_scaling_list(read: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + read.signed()) % 256
        last = following or last


def h265_size(unit: bytes) -> PictureSize | None:
    """As `h264_size`, of H.265 (7.3.2.2; with its two header bytes)."""
    try:
        return _h265_size(_Bits(unit))
    except IndexError:
        return None


def _h265_size(read: _Bits) -> PictureSize:
    read.skip(16 + 4)
    layers = read.bits(3)
    read.skip(1 + 88 + 8)
    told = [(read.bits(1), read.bits(1)) for _ in range(layers)]
    read.skip(2 * (8 - layers) if layers else 0)
    for profile, level in told:
        read.skip(88 * profile + 8 * level)
    set_id = read.number()
    if read.number() == _CHROMA_444:
        read.skip(1)
    return PictureSize(set_id, read.number(), read.number())
