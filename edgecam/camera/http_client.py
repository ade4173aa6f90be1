"""One HTTP GET whose body has no end: with login, redirections and TLS, over a connection that can be cut."""

from __future__ import annotations

import base64
import http.client
import socket
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from edgecam.camera.connecting import DEFAULT_PORTS, Server, connect
from edgecam.camera.credentials import masked_url
from edgecam.errors import CameraError, CameraLost, CredentialsNeeded

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from edgecam.camera.credentials import Credentials

_CONNECT_TIMEOUT_S: Final = 4.0
_MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Answer:
    """A successful answer: its body is read from `body`; `url` is where it was found in the end."""

    url: str
    content_type: str
    body: http.client.HTTPResponse
    connection: socket.socket

    def close(self) -> None:
        self.body.close()
        self.connection.close()


def server_of(url: str) -> Server:
    """Host, port and TLS of a URL."""
    parts = urlsplit(url)
    return Server(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme], parts.scheme in ("https", "rtsps"))


def get(
    url: str,
    credentials: Credentials | None,
    cancelled: threading.Event,
    connected: Callable[[socket.socket], None],
) -> Answer:
    """Asks for `url` and returns the answer's head.

    Args:
        url: without a login.
        credentials: used when the server asks for them; never sent to another server after a redirection.
        cancelled: ends connecting.
        connected: gets each connection; shutting that down ends what waits for it.

    Raises:
        CredentialsNeeded: the server wants a login, or another one.
        CameraError: it cannot be reached, or refuses.
    """
    authorization = ""
    first = server_of(url)
    for _ in range(_MAX_REDIRECTS):
        answer = _ask(url, authorization, cancelled, connected)
        status = answer.body.status
        if 200 <= status < 300:
            return answer
        challenge = answer.body.headers.get_all("WWW-Authenticate") or []
        location = answer.body.getheader("Location")
        answer.close()
        if status in _REDIRECTS and location:
            url = urljoin(url, location)
            if urlsplit(url).scheme not in ("http", "https"):
                raise CameraError(f"{masked_url(url)}, where the server points to, cannot be opened.")
            authorization = ""
        elif status == 401:
            if credentials is None or server_of(url) != first:
                raise CredentialsNeeded(f"{server_of(url)} asks for a user name and a password.")
            if authorization:
                raise CredentialsNeeded(f"{server_of(url)} refuses this user name or password.")
            authorization = _authorization(url, challenge, credentials)
        else:
            raise CameraError(f"{masked_url(url)}: the server answers {status} {answer.body.reason}.")
    raise CameraError(f"{masked_url(url)}: the server sends from one address to the next without end.")


def _ask(
    url: str, authorization: str, cancelled: threading.Event, connected: Callable[[socket.socket], None]
) -> Answer:
    parts, server = urlsplit(url), server_of(url)
    connection = connect(server, _CONNECT_TIMEOUT_S, cancelled)
    connected(connection)
    request = http.client.HTTPConnection(server.host, server.port)
    request.sock = connection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"User-Agent": "edgecam", "Accept": "*/*", "Connection": "close"}
    if authorization:
        headers["Authorization"] = authorization
    try:
        request.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
        standard = server.port == DEFAULT_PORTS[parts.scheme]
        headers["Host"] = parts.hostname or "" if standard and ":" not in server.host else str(server)
        for name, value in headers.items():
            request.putheader(name, value)
        request.endheaders()
        if not server.tls:
            _check_start(connection)
        body = request.getresponse()
    except (http.client.HTTPException, ValueError) as error:
        connection.close()
        raise CameraError(f"{server} does not answer as a web server does.") from error
    except OSError as error:
        connection.close()
        raise CameraLost(f"{server} closed the connection.") from error
    return Answer(url, (body.getheader("Content-Type") or "").strip(), body, connection)


def _check_start(connection: socket.socket) -> None:
    """Noise may have no end of its first line, for which `http.client` would wait.

    Raises:
        ValueError: it is noise.
    """
    start = connection.recv(5, socket.MSG_PEEK)
    if not b"HTTP/".startswith(start):
        raise ValueError(f"{start!r} is no HTTP")


def _authorization(url: str, challenges: list[str], credentials: Credentials) -> str:
    """The answer to the server's challenge: Digest where it is offered, else Basic."""
    for challenge in challenges:
        kind, _, rest = challenge.strip().partition(" ")
        if kind.lower() == "digest":
            values = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
            passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            passwords.add_password(None, url, credentials.user, credentials.password)
            handler = urllib.request.HTTPDigestAuthHandler(passwords)
            digest = handler.get_authorization(urllib.request.Request(url), values)
            if digest:
                return f"Digest {digest}"
    both = f"{credentials.user}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(both).decode()}"
