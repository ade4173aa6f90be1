"""Motion JPEG over HTTP: pictures one after the other, each a part of an endless multipart answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Body(Protocol):
        """What is read from: an `http.client.HTTPResponse`, or any binary file."""

        def readline(self, limit: int = -1, /) -> bytes: ...
        def read(self, size: int = -1, /) -> bytes: ...


_MAX_LINE: Final = 1 << 16
_MAX_PART: Final = 1 << 26


def boundary_of(content_type: str) -> bytes:
    """The line that stands between two parts, without the leading "--".

    Raises:
        CameraError: the content type names none.
    """
    match = re.search(r'(?i)boundary=(?:"([^"]+)"|([^\s;]+))', content_type)
    if match is None:
        raise CameraError(f"The server's answer ({content_type}) is not Motion JPEG: it names no boundary.")
    return (match[1] or match[2]).encode().removeprefix(b"--")


def parts(body: Body, boundary: bytes) -> Iterator[bytes]:
    """The content of each part, whole or not, until the body ends. What stands between the parts is passed over."""
    mark = b"--" + boundary
    line = body.readline(_MAX_LINE)
    while line:
        # Some servers write the boundary with its dashes into the content type, some leave them out in the body.
        if not line.startswith((mark, boundary)):
            line = body.readline(_MAX_LINE)
            continue
        length = _length(body)
        if length is not None:
            yield body.read(length)
            line = body.readline(_MAX_LINE)
        else:
            data, line = _until(body, mark)
            yield data


def _length(body: Body) -> int | None:
    """Reads the head of a part; its Content-Length, None where it has no sensible one."""
    length = None
    while (line := body.readline(_MAX_LINE).strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
    return length if length is not None and 0 < length <= _MAX_PART else None


def _until(body: Body, mark: bytes) -> tuple[bytes, bytes]:
    """The bytes before the next line that begins with `mark`, and that line."""
    collected = bytearray()
    while line := body.readline(_MAX_LINE):
        if line.startswith(mark):
            break
        collected += line
        if len(collected) > _MAX_PART:
            collected.clear()
    return bytes(collected), line
