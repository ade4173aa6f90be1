"""An HTTP server for tests that sends what a test tells it to: Motion JPEG, garbage, nothing, a demand for a login."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edgecam.camera.pattern import write_frame_id

if TYPE_CHECKING:
    import ssl

REALM, NONCE = "camera", "abc123"


def jpeg(number: int, size_wh: tuple[int, int] = (320, 240)) -> bytes:
    """A JPEG that carries `number` in its pixels."""
    image = np.full((size_wh[1], size_wh[0], 3), 90, np.uint8)
    write_frame_id(image, number)
    return cv2.imencode(".jpg", image)[1].tobytes()


@dataclass
class Behaviour:
    """What the server does; changed by tests while it runs."""

    fps: float = 50.0
    size_wh: tuple[int, int] = (320, 240)
    login: tuple[str, str] | None = None
    digest: bool = False
    with_length: bool = True
    frozen: bool = False
    silent: bool = False  # accepts, and never answers
    broken_every: int = 0  # every n-th picture is cut off
    noise: bool = False  # instead of pictures
    garbage_every: int = 0  # before every n-th picture comes noise
    content_type: str = "multipart/x-mixed-replace; boundary=frame"
    body: bytes | None = None  # sent instead of pictures
    redirect: str = ""
    limit: int | None = None  # pictures before the server ends the stream
    requests: list[str] = field(default_factory=list)


class MjpegServer:
    """Listens from construction until `stop`; `stop` also cuts every open connection."""

    def __init__(self, port: int = 0) -> None:
        self.behaviour = Behaviour()
        self.stopping = threading.Event()
        self._connections: list[socket.socket] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def setup(self) -> None:
                super().setup()
                owner._connections.append(self.connection)

            def do_GET(self) -> None:
                with contextlib.suppress(OSError):  # the client left
                    owner._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/video"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="test server")
        self._thread.start()

    def secure(self, context: ssl.SSLContext) -> None:
        """Speaks TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def stop(self) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._server.shutdown()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        behaviour = self.behaviour
        behaviour.requests.append(f"{handler.path} {handler.headers.get('Authorization', '')}".strip())
        while behaviour.silent and not self.stopping.is_set():
            time.sleep(0.02)
        if behaviour.redirect and handler.path != "/moved":
            handler.send_response(302)
            handler.send_header("Location", behaviour.redirect)
            handler.end_headers()
            return
        if behaviour.login and not self._logged_in(handler):
            handler.send_response(401)
            kind = (
                f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"' if behaviour.digest else f'Basic realm="{REALM}"'
            )
            handler.send_header("WWW-Authenticate", kind)
            handler.end_headers()
            return
        handler.send_response(200)
        handler.send_header("Content-Type", behaviour.content_type)
        if behaviour.body is not None:
            handler.send_header("Content-Length", str(len(behaviour.body)))
            handler.end_headers()
            handler.wfile.write(behaviour.body)
            return
        handler.end_headers()
        self._stream(handler)

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        number = 0
        due = time.monotonic()
        while not self.stopping.is_set():
            behaviour = self.behaviour
            if behaviour.limit is not None and number >= behaviour.limit:
                return
            if behaviour.frozen:
                time.sleep(0.02)
                due = time.monotonic()
                continue
            handler.wfile.write(self._part(number, behaviour))
            number += 1
            due += 1 / behaviour.fps
            time.sleep(max(0.0, due - time.monotonic()))

    def _part(self, number: int, behaviour: Behaviour) -> bytes:
        if behaviour.noise:
            return np.random.default_rng(number).bytes(3000)
        data = jpeg(number, behaviour.size_wh)
        if behaviour.broken_every and number % behaviour.broken_every == behaviour.broken_every - 1:
            data = data[: len(data) // 2]
        head = b"--frame\r\nContent-Type: image/jpeg\r\n"
        if behaviour.with_length:
            head += b"Content-Length: %d\r\n" % len(data)
        part = head + b"\r\n" + data + b"\r\n"
        if behaviour.garbage_every and number % behaviour.garbage_every == behaviour.garbage_every - 1:
            part = np.random.default_rng(number).bytes(3000) + b"\r\n" + part
        return part

    def _logged_in(self, handler: BaseHTTPRequestHandler) -> bool:
        assert self.behaviour.login is not None
        user, password = self.behaviour.login
        given = handler.headers.get("Authorization", "")
        if not self.behaviour.digest:
            return given == "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        values = {key: quoted or plain for key, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', given)}
        if not given.startswith("Digest ") or "nc" not in values:
            return False

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        first, second = md5(f"{user}:{REALM}:{password}"), md5(f"GET:{handler.path}")
        expected = md5(f"{first}:{NONCE}:{values['nc']}:{values['cnonce']}:auth:{second}")
        return values["response"] == expected
