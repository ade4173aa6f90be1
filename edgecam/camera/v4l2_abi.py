"""The kernel's Video4Linux interface as ctypes: structures and request numbers of linux/videodev2.h, no behaviour."""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64, c_ulong, c_void_p
from typing import Final

CAPTURE: Final = 1
CAPTURE_MPLANE: Final = 9
MEMORY_MMAP: Final = 1
FIELD_ANY: Final = 0

CAP_VIDEO_CAPTURE: Final = 0x0000_0001
CAP_VIDEO_CAPTURE_MPLANE: Final = 0x0000_1000
CAP_VIDEO_M2M_MPLANE: Final = 0x0000_4000
CAP_VIDEO_M2M: Final = 0x0000_8000
CAP_STREAMING: Final = 0x0400_0000
CAP_IO_MC: Final = 0x2000_0000
CAP_DEVICE_CAPS: Final = 0x8000_0000

CAP_TIMEPERFRAME: Final = 0x1000

FRAME_DISCRETE, FRAME_CONTINUOUS, FRAME_STEPWISE = 1, 2, 3

BUFFER_ERROR: Final = 0x0040
BUFFER_CLOCK_MASK: Final = 0xE000
BUFFER_CLOCK_MONOTONIC: Final = 0x2000

CONTROL_INTEGER, CONTROL_BOOLEAN, CONTROL_MENU, CONTROL_BUTTON = 1, 2, 3, 4
CONTROL_CLASS, CONTROL_INTEGER_MENU = 6, 9
CONTROL_DISABLED, CONTROL_GRABBED, CONTROL_READ_ONLY = 0x01, 0x02, 0x04
CONTROL_INACTIVE, CONTROL_WRITE_ONLY, CONTROL_VOLATILE = 0x10, 0x40, 0x80
CONTROL_NEXT: Final = 0x8000_0000


class Capability(ctypes.Structure):
    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class Fraction(ctypes.Structure):
    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class _SizeStepwise(ctypes.Structure):
    _fields_ = (
        ("min_width", c_uint32),
        ("max_width", c_uint32),
        ("step_width", c_uint32),
        ("min_height", c_uint32),
        ("max_height", c_uint32),
        ("step_height", c_uint32),
    )


class FrameSize(ctypes.Structure):
    """A discrete size is read from `stepwise.min_width` and `stepwise.max_width`: they lie at the same place."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("stepwise", _SizeStepwise),
        ("reserved", c_uint32 * 2),
    )


class FrameInterval(ctypes.Structure):
    """A discrete interval is `minimum`; a range reaches from `minimum` (fastest) to `maximum` (slowest)."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("minimum", Fraction),
        ("maximum", Fraction),
        ("step", Fraction),
        ("reserved", c_uint32 * 2),
    )


class PixelFormat(ctypes.Structure):
    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    )


class PlaneFormat(ctypes.Structure):
    _fields_ = (("sizeimage", c_uint32), ("bytesperline", c_uint32), ("reserved", c_uint16 * 6))


class PixelFormatMplane(ctypes.Structure):
    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("colorspace", c_uint32),
        ("planes", PlaneFormat * 8),
        ("num_planes", c_uint8),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 10),
    )


class _FormatUnion(ctypes.Union):
    # The kernel's union holds pointers, which decide its alignment.
    _fields_ = (("pix", PixelFormat), ("mplane", PixelFormatMplane), ("raw", c_uint8 * 200), ("align", c_void_p))


class Format(ctypes.Structure):
    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class StreamParameters(ctypes.Structure):
    _fields_ = (
        ("type", c_uint32),
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fraction),
        ("extendedmode", c_uint32),
        ("readbuffers", c_uint32),
        ("reserved", c_uint8 * 176),
    )


class RequestBuffers(ctypes.Structure):
    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class _TimeValue(ctypes.Structure):
    # 64 bits each on 64-bit machines, and on 32-bit ones with the time type that survives 2038.
    _fields_ = (("seconds", c_int64), ("microseconds", c_int64))


class _PlaneMemory(ctypes.Union):
    _fields_ = (("mem_offset", c_uint32), ("userptr", c_ulong), ("fd", c_int32))


class Plane(ctypes.Structure):
    _fields_ = (
        ("bytesused", c_uint32),
        ("length", c_uint32),
        ("m", _PlaneMemory),
        ("data_offset", c_uint32),
        ("reserved", c_uint32 * 11),
    )


class _BufferMemory(ctypes.Union):
    _fields_ = (("offset", c_uint32), ("userptr", c_ulong), ("planes", c_void_p), ("fd", c_int32))


class Buffer(ctypes.Structure):
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", _TimeValue),
        ("timecode", c_uint32 * 4),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _BufferMemory),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class QueryControl(ctypes.Structure):
    _fields_ = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * 32),
        ("minimum", c_int64),
        ("maximum", c_int64),
        ("step", c_uint64),
        ("default_value", c_int64),
        ("flags", c_uint32),
        ("elem_size", c_uint32),
        ("elems", c_uint32),
        ("nr_of_dims", c_uint32),
        ("dims", c_uint32 * 4),
        ("reserved", c_uint32 * 32),
    )


class _MenuUnion(ctypes.Union):
    _pack_ = 1
    _fields_ = (("name", c_char * 32), ("value", c_int64))


class QueryMenu(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("id", c_uint32), ("index", c_uint32), ("item", _MenuUnion), ("reserved", c_uint32))


class ControlValue(ctypes.Structure):
    _fields_ = (("id", c_uint32), ("value", c_int32))


_WRITE, _READ = 1, 2


def _request(direction: int, number: int, structure: type[ctypes.Structure] | type[c_int32]) -> int:
    return direction << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


QUERYCAP: Final = _request(_READ, 0, Capability)
ENUM_FMT: Final = _request(_READ | _WRITE, 2, FormatDescription)
G_FMT: Final = _request(_READ | _WRITE, 4, Format)
S_FMT: Final = _request(_READ | _WRITE, 5, Format)
REQBUFS: Final = _request(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF: Final = _request(_READ | _WRITE, 9, Buffer)
QBUF: Final = _request(_READ | _WRITE, 15, Buffer)
DQBUF: Final = _request(_READ | _WRITE, 17, Buffer)
STREAMON: Final = _request(_WRITE, 18, c_int32)
STREAMOFF: Final = _request(_WRITE, 19, c_int32)
G_PARM: Final = _request(_READ | _WRITE, 21, StreamParameters)
S_PARM: Final = _request(_READ | _WRITE, 22, StreamParameters)
G_CTRL: Final = _request(_READ | _WRITE, 27, ControlValue)
S_CTRL: Final = _request(_READ | _WRITE, 28, ControlValue)
QUERYMENU: Final = _request(_READ | _WRITE, 37, QueryMenu)
ENUM_FRAMESIZES: Final = _request(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS: Final = _request(_READ | _WRITE, 75, FrameInterval)
QUERY_EXT_CTRL: Final = _request(_READ | _WRITE, 103, QueryControl)


def fourcc(text: str) -> int:
    """The number of a four-letter code."""
    return sum(ord(letter) << 8 * at for at, letter in enumerate(text.ljust(4)))


def fourcc_text(code: int) -> str:
    """The letters of a code; the kernel's marker for big-endian (top bit) becomes "-BE"."""
    letters = "".join(chr(code >> shift & 0x7F) for shift in (0, 8, 16, 24)).rstrip()
    return letters + ("-BE" if code >> 31 else "")


def text(raw: bytes) -> str:
    """A driver's words, which may hold anything."""
    return raw.decode("utf-8", "replace").strip()
