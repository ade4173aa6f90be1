"""A TCP connection whose making can be cancelled: name resolution, connecting and TLS never hold the program."""

from __future__ import annotations

import errno
import ipaddress
import os
import queue
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Final

from edgecam.errors import CameraError

_STEP_S: Final = 0.05
DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a stream comes from."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def connect(server: Server, timeout_s: float, cancelled: threading.Event) -> socket.socket:
    """A connected, blocking socket (an `ssl.SSLSocket` for a server with TLS).

    Raises:
        CameraError: it cannot be reached; says why. Also soon after `cancelled` is set.
    """
    deadline = time.monotonic() + timeout_s
    error: OSError | None = None
    for family, address in _resolve(server, deadline, cancelled):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            _finish(connection, address, deadline, cancelled)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if server.tls:
                connection = _with_tls(connection, server, deadline, cancelled)
        except OSError as failure:
            connection.close()
            error = failure
        except CameraError:
            connection.close()
            raise
        else:
            connection.setblocking(True)
            return connection
    raise CameraError(f"{server} cannot be reached: {_reason(error)}.") from error


def _resolve(server: Server, deadline: float, cancelled: threading.Event) -> list[tuple[int, tuple[str, int]]]:
    answers: queue.Queue[list[tuple[int, tuple[str, int]]] | OSError] = queue.Queue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
            answers.put([(entry[0], entry[4]) for entry in found])  # type: ignore[misc]  # its type allows for more families
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    # The C library cannot be interrupted here; its thread ends by itself when the name server answers or not.
    threading.Thread(target=resolve, name="resolve a stream's host", daemon=True).start()
    while time.monotonic() < deadline:
        _check(server, cancelled)
        try:
            answer = answers.get(timeout=_STEP_S)
        except queue.Empty:
            continue
        if isinstance(answer, OSError):
            raise CameraError(f"There is no host “{server.host}” that this machine can find.") from answer
        return answer
    raise CameraError(f"The name “{server.host}” could not be resolved in time: no answer from the name server.")


def _finish(connection: socket.socket, address: tuple[str, int], deadline: float, cancelled: threading.Event) -> None:
    code = connection.connect_ex(address)
    if code not in (0, errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)):
        raise OSError(code, os.strerror(code))
    while not select.select([], [connection], [connection], _STEP_S)[1]:
        if cancelled.is_set():
            raise CameraError("Connecting was cancelled.")
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _with_tls(connection: socket.socket, server: Server, deadline: float, cancelled: threading.Event) -> ssl.SSLSocket:
    wrapped = _tls_context(server.host).wrap_socket(
        connection, server_hostname=server.host, do_handshake_on_connect=False
    )
    try:
        _shake_hands(wrapped, server, deadline, cancelled)
    except ssl.SSLCertVerificationError as error:
        wrapped.close()
        raise CameraError(f"{server}: its certificate cannot be trusted ({error.verify_message}).") from error
    except (OSError, CameraError):
        wrapped.close()
        raise
    return wrapped


def _shake_hands(wrapped: ssl.SSLSocket, server: Server, deadline: float, cancelled: threading.Event) -> None:
    while True:
        try:
            wrapped.do_handshake()
        except ssl.SSLWantReadError:
            select.select([wrapped], [], [], _STEP_S)
        except ssl.SSLWantWriteError:
            select.select([], [wrapped], [], _STEP_S)
        else:
            return
        _check(server, cancelled)
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _tls_context(host: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        private = ipaddress.ip_address(host).is_private
    except ValueError:
        private = host.endswith((".local", ".lan", ".home.arpa")) or "." not in host
    if private:
        # Cameras at home sign their certificates themselves; no authority could do it for a private address.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check(server: Server, cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise CameraError(f"Connecting to {server} was cancelled.")


def _reason(error: OSError | None) -> str:
    if error is None:
        return "the name has no address"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    texts = {
        errno.ECONNREFUSED: "nothing listens at this port (connection refused)",
        errno.EHOSTUNREACH: "there is no way to this host",
        errno.ENETUNREACH: "there is no network",
        errno.ECONNRESET: "it closes the connection",
    }
    return texts.get(error.errno or 0, error.strerror or str(error))
