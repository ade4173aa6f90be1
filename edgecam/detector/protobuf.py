"""Protobuf's wire format, as far as it takes to walk through a message of which only a few fields are of interest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Malformed(Exception):
    """These bytes are no protobuf message."""


def fields(view: memoryview) -> Iterator[tuple[int, memoryview | int, int, int]]:
    """(field number, value, start, end) of each field; the value is bytes, or a number for other wire types."""
    position, length = 0, len(view)
    while position < length:
        start = position
        tag, position = _read_varint(view, position)
        number, kind = tag >> 3, tag & 7
        value: memoryview | int = 0
        if kind == 2:
            size, position = _read_varint(view, position)
            end = position + size
            if end > length:
                raise Malformed("a field goes beyond the end")
            value = view[position:end]
        elif kind == 0:
            value, end = _read_varint(view, position)
        elif kind in {1, 5}:
            end = position + (8 if kind == 1 else 4)
        else:
            raise Malformed(f"a field of kind {kind}")
        if end > length or number == 0:
            raise Malformed("a field goes beyond the end")
        position = end
        yield number, value, start, end


def _read_varint(view: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(view) or shift > 63:
            raise Malformed("a broken number")
        byte = view[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(message: memoryview, field_number: int) -> bytes:
    """The last value of a text field of `message`; empty where there is none."""
    found = b""
    for number, value, _, _ in fields(message):
        if number == field_number and isinstance(value, memoryview):
            found = bytes(value)
    return found
