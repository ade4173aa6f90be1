"""Asks an RTSP server for a sign of life before FFmpeg is let loose on it.

OpenCV opens one source at a time: a server that does not answer would hold up a file that the user opens meanwhile.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from edgecam.errors import CameraError, CameraLost

if TYPE_CHECKING:
    import socket

_START: Final = b"RTSP/1."
_MAX_ANSWER: Final = 1 << 14
_STATUS: Final = re.compile(rb"RTSP/1\.\d \d{3}")


def check_alive(connection: socket.socket, url: str, name: str) -> None:
    """Returns once the server at the other end of `connection` has answered, whatever it says.

    Waits for ever: shut the connection down to end it.

    Args:
        connection: connected, for this question alone.
        url: without a login.
        name: what the stream is called in errors.

    Raises:
        CameraError: it is no RTSP server.
        CameraLost: it closed the connection.
    """
    try:
        connection.sendall(f"OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: edgecam\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < _MAX_ANSWER:
            data = connection.recv(_MAX_ANSWER)
            if not data:
                break
            answer += data
            if not answer.startswith(_START[: len(answer)]):
                break  # something else, which may have no end
    except OSError as error:
        raise CameraLost(f"{name}: the server closed the connection.") from error
    if not answer:
        raise CameraLost(f"{name}: the server closed the connection.")
    if not _STATUS.match(answer):
        raise CameraError(f"{name} does not answer as an RTSP server does.")
