"""User name and password of a stream, and how they are kept out of every text that is shown, logged or stored."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

# Keys under which cameras take a password inside the path or the query ("…?user=admin&pwd=1234").
_SECRET: Final = re.compile(
    r"(?i)\b(user(?:name)?|usr|login|pass(?:word|wd)?|pwd|psw|token|auth|api_?key|key|secret|sig(?:nature)?)=([^&/?#\s]*)"
)
# A login ends at the last "@" before the path; a password may itself hold "@" and "/", but then is no port number.
_LOGIN: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s/?#]*@|[^\s/:@]+:(?!\d+[/?#])\S*@)")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a server asks for before it shows its picture."""

    user: str
    password: str = field(repr=False)

    def into(self, url: str) -> str:
        """`url` (without a login) with these credentials in it."""
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{rest}"


def masked_url(url: str) -> str:
    """`url` without a login, and with the secrets inside its path and query as `***`: fit to be shown and stored."""
    return _SECRET.sub(lambda match: f"{match[1]}=***" if match[2] else match[0], without_login(url))


def without_login(url: str) -> str:
    """`url` without a user name and password before the host."""
    return _LOGIN.sub(r"\1", url)
