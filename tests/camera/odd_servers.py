"""Servers for tests that accept connections, and then do nothing good."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that accepts connections and never says a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept, name="dead server")
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()
    for connection in held:
        connection.close()


SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
)


def agree(request: str) -> bytes:
    """The answer of a server that agrees to everything."""
    number = re.search(r"CSeq: (\d+)", request)
    if number is None:
        return b""  # a receiver report
    head = f"RTSP/1.0 200 OK\r\nCSeq: {number[1]}\r\nSession: 7\r\n"
    if request.startswith("DESCRIBE"):
        return f"{head}Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n".encode() + SDP
    if request.startswith("SETUP"):
        transport = re.search(r"Transport: ([^\r\n]*)", request)
        assert transport is not None
        head += f"Transport: {transport[1]}{'' if 'TCP' in transport[1] else ';server_port=9000-9001'}\r\n"
    return f"{head}\r\n".encode()


@contextmanager
def agreeing_server(pictures: bytes) -> Iterator[int]:
    """The port of a server that agrees to everything, and on PLAY sends `pictures` instead of pictures."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                while request := connection.recv(4000).decode(errors="replace"):
                    connection.sendall(agree(request))
                    if request.startswith("PLAY"):
                        connection.sendall(pictures)

        def accept() -> None:
            while not stop.is_set():
                with suppress(TimeoutError):
                    threads.append(threading.Thread(target=serve, args=listener.accept()[:1], name="agrees"))
                    threads[-1].start()

        threads = [threading.Thread(target=accept, name="agreeing server")]
        threads[0].start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
