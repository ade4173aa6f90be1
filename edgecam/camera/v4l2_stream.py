"""The buffers that a V4L2 driver fills and this program reads, shared by memory mapping."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import select
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edgecam.camera import v4l2_abi as abi

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgecam.camera.v4l2_device import V4l2Device

# One being filled, one ready, one being decoded, one to spare: with fewer, a busy machine loses frames.
BUFFERS: Final = 4


@dataclass(frozen=True, slots=True)
class Filled:
    """A buffer with a frame in it, owned by the program until `requeue`.

    Attributes:
        sequence: the driver's count of frames, those it lost included.
        captured_at: the driver's time stamp (monotonic s); None where it uses another clock.
        broken: the driver says that the data are damaged.
    """

    index: int
    used: int
    offset: int
    sequence: int
    captured_at: float | None
    broken: bool


class V4l2Stream:
    """Maps buffers and streams into them.

    Raises (every method): OSError as the kernel gives it.
    """

    def __init__(self, device: V4l2Device) -> None:
        self._device = device
        self._maps: list[mmap.mmap] = []
        self._streaming = False
        try:
            self._allocate()
        except OSError:
            self.close()
            raise

    def _allocate(self) -> None:
        request = abi.RequestBuffers(count=BUFFERS, type=self._device.buffer_type, memory=abi.MEMORY_MMAP)
        self._device.ioctl(abi.REQBUFS, request)
        if request.count < 2:
            raise OSError(errno.ENOMEM, "the driver gives fewer than two buffers")
        for index in range(request.count):
            buffer, planes = self._buffer(index)
            self._device.ioctl(abi.QUERYBUF, buffer)
            length, offset = (planes[0].length, planes[0].m.mem_offset) if planes else (buffer.length, buffer.m.offset)
            self._maps.append(mmap.mmap(self._device.fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset))

    @property
    def count(self) -> int:
        """Number of buffers."""
        return len(self._maps)

    def _buffer(self, index: int = 0) -> tuple[abi.Buffer, ctypes.Array[abi.Plane] | None]:
        buffer = abi.Buffer(index=index, type=self._device.buffer_type, memory=abi.MEMORY_MMAP)
        if self._device.buffer_type != abi.CAPTURE_MPLANE:
            return buffer, None
        planes = (abi.Plane * 8)()
        buffer.m.planes = ctypes.addressof(planes)
        buffer.length = len(planes)
        return buffer, planes

    def start(self) -> None:
        """Hands all buffers to the driver and lets it stream; also again after `stop`."""
        for index in range(len(self._maps)):
            self.requeue(index)
        self._device.ioctl(abi.STREAMON, ctypes.c_int32(self._device.buffer_type))
        self._streaming = True

    def stop(self) -> None:
        """Ends streaming; what was captured and not read is gone."""
        if self._streaming:
            self._streaming = False
            self._device.ioctl(abi.STREAMOFF, ctypes.c_int32(self._device.buffer_type))

    def close(self) -> None:
        """Stops and unmaps; never raises."""
        with contextlib.suppress(OSError):  # the device is gone
            self.stop()
        maps, self._maps = self._maps, []
        for memory in maps:
            # A view may still live in the trace of an error; the map goes with it.
            with contextlib.suppress(BufferError):
                memory.close()

    def wait(self, timeout_s: float, wake_fd: int) -> bool:
        """Waits until `dequeue` has something to tell: True; False when the time is up or `wake_fd` was written."""
        poll = select.poll()
        poll.register(self._device.fd, select.POLLIN)
        poll.register(wake_fd, select.POLLIN)
        ready = dict(poll.poll(max(0, round(timeout_s * 1000))))
        return wake_fd not in ready and self._device.fd in ready

    def dequeue(self) -> Filled | None:
        """The oldest filled buffer; None where there is none yet."""
        buffer, planes = self._buffer()
        try:
            self._device.ioctl(abi.DQBUF, buffer)
        except BlockingIOError:
            return None
        stamp = buffer.timestamp
        monotonic = buffer.flags & abi.BUFFER_CLOCK_MASK == abi.BUFFER_CLOCK_MONOTONIC
        return Filled(
            buffer.index,
            planes[0].bytesused if planes else buffer.bytesused,
            planes[0].data_offset if planes else 0,
            buffer.sequence,
            stamp.seconds + stamp.microseconds / 1e6 if monotonic else None,
            bool(buffer.flags & abi.BUFFER_ERROR),
        )

    def data(self, filled: Filled) -> NDArray[np.uint8]:
        """uint8 (n,), a view that must not outlive `requeue`."""
        whole = np.frombuffer(self._maps[filled.index], np.uint8)
        return whole[filled.offset : filled.used or None]

    def requeue(self, index: int) -> None:
        """Gives a buffer back to the driver."""
        buffer, _planes = self._buffer(index)
        self._device.ioctl(abi.QBUF, buffer)
