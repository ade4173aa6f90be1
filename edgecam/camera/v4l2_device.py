"""A V4L2 device node: what it is, what it offers, and how it is set. Frames are the matter of `v4l2_stream`."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from edgecam.camera import v4l2_abi as abi
from edgecam.camera.base import CameraMode
from edgecam.camera.controls import Control, ControlKind, control_key
from edgecam.camera.modes import STANDARD_FPS, STANDARD_SIZES_WH

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Iterator
    from ctypes import c_int32

_Entry = TypeVar("_Entry", bound="ctypes.Structure")

_MAX_ENTRIES: Final = 512  # a driver that enumerates without end is broken
_KINDS: Final = {
    abi.CONTROL_INTEGER: ControlKind.INTEGER,
    abi.CONTROL_BOOLEAN: ControlKind.BOOLEAN,
    abi.CONTROL_MENU: ControlKind.MENU,
    abi.CONTROL_INTEGER_MENU: ControlKind.MENU,
    abi.CONTROL_BUTTON: ControlKind.BUTTON,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What a driver says of a device node."""

    driver: str
    card: str
    bus_info: str
    caps: int

    @property
    def captures(self) -> bool:
        """Whether frames can be had from it as from a camera: no codec, no metadata, no media-controller pipeline."""
        codec = self.caps & (abi.CAP_VIDEO_M2M | abi.CAP_VIDEO_M2M_MPLANE)
        video = self.caps & (abi.CAP_VIDEO_CAPTURE | abi.CAP_VIDEO_CAPTURE_MPLANE)
        return bool(video and self.caps & abi.CAP_STREAMING and not codec and not self.caps & abi.CAP_IO_MC)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes of a frame lie: what S_FMT really set."""

    width: int
    height: int
    pixel_format: str
    stride: int
    size: int


class V4l2Device:
    """An open device node. Controls may be set from any thread; all else is for the thread that opened it.

    Raises (every method): OSError as the kernel gives it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._lock = threading.Lock()
        try:
            self.identity = self._query()
        except OSError:
            self.close()
            raise
        mplane = self.identity.caps & abi.CAP_VIDEO_CAPTURE_MPLANE and not self.identity.caps & abi.CAP_VIDEO_CAPTURE
        self.buffer_type = abi.CAPTURE_MPLANE if mplane else abi.CAPTURE

    @property
    def fd(self) -> int:
        return self._fd

    def close(self) -> None:
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def ioctl(self, request: int, argument: ctypes.Structure | c_int32) -> None:
        """One request; `argument` is filled by the kernel."""
        if self._fd < 0:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        fcntl.ioctl(self._fd, request, argument, True)

    def _query(self) -> Identity:
        answer = abi.Capability()
        self.ioctl(abi.QUERYCAP, answer)
        caps = answer.device_caps if answer.capabilities & abi.CAP_DEVICE_CAPS else answer.capabilities
        return Identity(_text(answer.driver), _text(answer.card), _text(answer.bus_info), caps)

    # What it offers

    def pixel_formats(self) -> list[tuple[str, str]]:
        """Each format's four letters and the driver's description of it."""
        return [
            (abi.fourcc_text(entry.pixelformat), _text(entry.description))
            for entry in self._enumerate(abi.ENUM_FMT, self._format_entry)
        ]

    def modes(self) -> list[CameraMode]:
        """Every format, size and rate; ranges are given by their usual values and their limits."""
        modes: dict[CameraMode, None] = {}
        for entry in self._enumerate(abi.ENUM_FMT, self._format_entry):
            name = abi.fourcc_text(entry.pixelformat)
            for width, height in self._sizes(entry.pixelformat) or [self._current_size()]:
                rates: list[float | None] = [*self._rates(entry.pixelformat, width, height)]
                for fps in rates or [None]:
                    modes[CameraMode(width, height, fps, name)] = None
        return list(modes)

    def _format_entry(self, index: int) -> abi.FormatDescription:
        return abi.FormatDescription(index=index, type=self.buffer_type)

    def _sizes(self, code: int) -> list[tuple[int, int]]:
        sizes: dict[tuple[int, int], None] = {}
        for entry in self._enumerate(abi.ENUM_FRAMESIZES, lambda at: abi.FrameSize(index=at, pixel_format=code)):
            limits = entry.stepwise
            if entry.type == abi.FRAME_DISCRETE:
                sizes[limits.min_width, limits.max_width] = None
            else:
                sizes.update(dict.fromkeys(_sizes_within(limits)))
                break
        return [size for size in sizes if size[0] > 0 and size[1] > 0]

    def _rates(self, code: int, width: int, height: int) -> list[float]:
        rates: dict[float, None] = {}
        entries = self._enumerate(
            abi.ENUM_FRAMEINTERVALS,
            lambda at: abi.FrameInterval(index=at, pixel_format=code, width=width, height=height),
        )
        for entry in entries:
            fastest = _rate(entry.minimum)
            if entry.type == abi.FRAME_DISCRETE:
                if fastest:
                    rates[fastest] = None
                continue
            slowest = _rate(entry.maximum)
            usual = [fps for fps in STANDARD_FPS if (slowest or 0) <= fps <= (fastest or 0)]
            rates.update(dict.fromkeys(usual or [fps for fps in (slowest, fastest) if fps]))
            break
        return list(rates)

    def _enumerate(self, request: int, make: Callable[[int], _Entry]) -> Iterator[_Entry]:
        for index in range(_MAX_ENTRIES):
            entry = make(index)
            try:
                self.ioctl(request, entry)
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOTTY, errno.ENODATA):
                    return
                raise
            yield entry

    def _current_size(self) -> tuple[int, int]:
        layout = self.layout()
        return layout.width, layout.height

    # How it is set

    def layout(self) -> Layout:
        """What is set now."""
        setting = abi.Format(type=self.buffer_type)
        self.ioctl(abi.G_FMT, setting)
        return self._layout(setting)

    def set_format(self, width: int, height: int, pixel_format: str) -> Layout:
        """Asks for a format; drivers answer with the nearest they have."""
        setting = abi.Format(type=self.buffer_type)
        pix = setting.fmt.mplane if self.buffer_type == abi.CAPTURE_MPLANE else setting.fmt.pix
        pix.width, pix.height = width, height
        pix.pixelformat, pix.field = _code(pixel_format), abi.FIELD_ANY
        self.ioctl(abi.S_FMT, setting)
        return self._layout(setting)

    def _layout(self, setting: abi.Format) -> Layout:
        if self.buffer_type == abi.CAPTURE_MPLANE:
            many = setting.fmt.mplane
            plane = many.planes[0]
            stride, size = plane.bytesperline, plane.sizeimage
            return Layout(many.width, many.height, abi.fourcc_text(many.pixelformat), stride, size)
        pix = setting.fmt.pix
        return Layout(pix.width, pix.height, abi.fourcc_text(pix.pixelformat), pix.bytesperline, pix.sizeimage)

    def set_fps(self, fps: float | None) -> float | None:
        """Asks for a rate (None: leaves it) and returns what was set; None where the driver does not say."""
        parameters = abi.StreamParameters(type=self.buffer_type)
        try:
            self.ioctl(abi.G_PARM, parameters)
            if fps and parameters.capability & abi.CAP_TIMEPERFRAME:
                parameters.timeperframe = abi.Fraction(1000, round(fps * 1000))
                self.ioctl(abi.S_PARM, parameters)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return None
            raise
        return _rate(parameters.timeperframe)

    # Controls

    def controls(self) -> list[Control]:
        """Every control that can be set, with its present value, in the driver's order."""
        with self._lock:
            found = [self._control(query) for query in self._control_queries()]
        return [control for control in found if control is not None]

    def _control_queries(self) -> Iterator[abi.QueryControl]:
        control_id = 0
        for _ in range(_MAX_ENTRIES):
            query = abi.QueryControl(id=control_id | abi.CONTROL_NEXT)
            try:
                self.ioctl(abi.QUERY_EXT_CTRL, query)
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOTTY):
                    return
                raise
            control_id = query.id
            yield query

    def _control(self, query: abi.QueryControl) -> Control | None:
        kind = _KINDS.get(query.type)
        if kind is None or query.flags & (abi.CONTROL_DISABLED | abi.CONTROL_READ_ONLY):
            return None
        value = abi.ControlValue(id=query.id)
        if kind is not ControlKind.BUTTON and not query.flags & abi.CONTROL_WRITE_ONLY:
            try:
                self.ioctl(abi.G_CTRL, value)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    raise
                return None
        name = _text(query.name)
        return Control(
            control_key(name),
            name,
            kind,
            query.minimum,
            query.maximum,
            query.step,
            query.default_value,
            value.value,
            self._choices(query) if kind is ControlKind.MENU else (),
            not query.flags & (abi.CONTROL_INACTIVE | abi.CONTROL_GRABBED),
        )

    def _choices(self, query: abi.QueryControl) -> tuple[tuple[int, str], ...]:
        choices = []
        for value in range(max(0, query.minimum), min(query.maximum, _MAX_ENTRIES) + 1):
            menu = abi.QueryMenu(id=query.id, index=value)
            try:
                self.ioctl(abi.QUERYMENU, menu)
            except OSError:
                continue  # lists have holes
            is_number = query.type == abi.CONTROL_INTEGER_MENU
            choices.append((value, str(menu.item.value) if is_number else _text(menu.item.name)))
        return tuple(choices)

    def set_control(self, key: str, value: int) -> None:
        """Sets the control named `key`.

        Raises:
            KeyError: there is no such control.
        """
        with self._lock:
            for query in self._control_queries():
                if control_key(_text(query.name)) == key:
                    self.ioctl(abi.S_CTRL, abi.ControlValue(id=query.id, value=value))
                    return
        raise KeyError(key)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip()


def _code(pixel_format: str) -> int:
    big_endian = pixel_format.endswith("-BE")
    return abi.fourcc(pixel_format.removesuffix("-BE")) | (1 << 31 if big_endian else 0)


def _rate(interval: abi.Fraction) -> float | None:
    if not interval.numerator or not interval.denominator:
        return None
    return round(float(interval.denominator / interval.numerator), 3)


def _sizes_within(limits: abi._SizeStepwise) -> list[tuple[int, int]]:
    """The usual sizes that a range allows, and its largest."""

    def fits(value: int, least: int, most: int, step: int) -> bool:
        return least <= value <= most and (value - least) % max(step, 1) == 0

    usual = [
        (width, height)
        for width, height in STANDARD_SIZES_WH
        if fits(width, limits.min_width, limits.max_width, limits.step_width)
        and fits(height, limits.min_height, limits.max_height, limits.step_height)
    ]
    largest = (limits.max_width, limits.max_height)
    return usual if largest in usual else [*usual, largest]
