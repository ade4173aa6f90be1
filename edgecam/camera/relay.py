"""A door in this process through which FFmpeg talks to a server: shutting it ends every call into FFmpeg at once.

OpenCV's FFmpeg reader can neither be cancelled nor asked why it failed. Through the relay it can: what FFmpeg waits
for ends when the relay closes, and the server's answers pass by here.
"""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from edgecam.camera.connecting import Server, connect
from edgecam.errors import CameraError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_CHUNK: Final = 1 << 16
_CONNECT_TIMEOUT_S: Final = 4.0
_JOIN_S: Final = 1.0
_STATUS: Final = re.compile(rb"(?:RTSP|HTTP)/1\.\d (\d{3})")


class Relay:
    """Listens on the loopback address and passes every connection on to `server`.

    Args:
        server: the far end.
        pass_on: gets what comes from the server, and its address; what it returns reaches FFmpeg.

    Attributes:
        port: where it listens on 127.0.0.1.
        refusal: the last status of the server that was not a success; 0 while there is none.
        received_at: when the last bytes came from the server (monotonic s).
    """

    def __init__(self, server: Server, pass_on: Callable[[bytes, str], bytes] | None = None) -> None:
        self._server, self._pass_on = server, pass_on
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.refusal = 0
        self.received_at = time.monotonic()
        self._closed = threading.Event()
        self._wake_r, self._wake_w = socket.socketpair()
        self._threads = [threading.Thread(target=self._accept, name=f"relay to {server}", daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Ends every connection; waits briefly for the threads."""
        self._closed.set()
        with suppress(OSError):
            self._wake_w.send(b"x")  # never read: every `select` sees it
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)
        for end in (self._listener, self._wake_r, self._wake_w):
            end.close()

    def _accept(self) -> None:
        while self._wait(self._listener):
            client, _address = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(client,), name=f"relay to {self._server}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _wait(self, *sources: socket.socket) -> list[socket.socket]:
        """The sources that can be read; empty once closed."""
        ready: list[socket.socket] = select.select([*sources, self._wake_r], [], [])[0]
        return [] if self._wake_r in ready else ready

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                far = connect(self._server, _CONNECT_TIMEOUT_S, self._closed)
            except CameraError:
                return
            with far, suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pump(client, far)

    def _pump(self, client: socket.socket, far: socket.socket | ssl.SSLSocket) -> None:
        host = far.getpeername()[0]
        while ready := self._wait(client, far):
            if client in ready:
                data = client.recv(_CHUNK)
                if not data:
                    return
                self._send(far, data)
            if far in ready:
                data = far.recv(_CHUNK)
                # TLS decrypts whole records: what it still holds is not seen by `select`.
                while data and hasattr(far, "pending") and far.pending():
                    data += far.recv(_CHUNK)
                if not data:
                    return
                self._note(data)
                if self._pass_on is not None:
                    data = self._pass_on(data, host)
                self._send(client, data)

    def _send(self, target: socket.socket, data: bytes) -> None:
        """Sends all, unless the relay closes meanwhile."""
        target.settimeout(0.25)
        view = memoryview(data)
        while view and not self._closed.is_set():
            with suppress(TimeoutError):
                view = view[target.send(view) :]
        target.settimeout(None)

    def _note(self, data: bytes) -> None:
        self.received_at = time.monotonic()
        match = _STATUS.match(data)
        if match is not None and int(match[1]) >= 300:
            self.refusal = int(match[1])
