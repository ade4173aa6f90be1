"""The address of a stream: with a login in it or without, typed as people type it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from edgecam.camera.credentials import Credentials, masked_url
from edgecam.errors import CameraError

STREAM_SCHEMES: Final = frozenset({"rtsp", "rtspu", "rtsps", "http", "https"})
# A name or an IPv4 address, or an IPv6 address (with its interface) in brackets; then perhaps a port.
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|[^\s:@\[\]%]+)(:-?\w*)?")


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """A stream; `url` and `text` hold no secret, `credentials` and `secret_url` never reach a log."""

    url: str
    secret_url: str
    credentials: Credentials | None = None

    @property
    def text(self) -> str:
        return masked_url(self.url)

    def __repr__(self) -> str:
        return f"StreamAddress({self.text!r})"


def parse_stream(scheme: str, rest: str) -> StreamAddress:
    """The stream at `scheme`://`rest`.

    Raises:
        CameraError: that names no server, or holds a masked password; says so without any password.
    """
    rest = rest.replace(" ", "%20")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, at, host_port = authority.rpartition("@")
    if not at and "@" in rest and not re.search(r"^[^:]+(:\d+)?$", authority):
        # Passwords are typed as they are, with "/", "?" or "#" in them: then the last "@" ends the login.
        login, at, tail = rest.rpartition("@")
        host_port = re.split(r"[/?#]", tail, maxsplit=1)[0]
    tail = rest[len(login) + len(at) :]
    url = f"{scheme}://{tail}"
    shown = masked_url(url)
    if not _is_host(host_port):
        raise CameraError(f"{shown} does not name a server: an example is {scheme}://192.168.1.20/stream")
    try:
        port = urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise CameraError(f"{shown}: the port must be a number from 1 to 65535.")
    if "***" in url:
        raise CameraError(f"{shown} was kept without its password. Enter the whole address again.")
    credentials = None
    if at:
        user, _, password = login.partition(":")
        credentials = Credentials(unquote(user), unquote(password))
    return StreamAddress(url, credentials.into(url) if credentials else url, credentials)


def _is_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None and ".." not in text
