"""What Qt says when it finds no screen, in one line; Qt itself prints seven and aborts."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QtMsgType, qInstallMessageHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QMessageLogContext

EXIT_CODE = 1
OTHERWISE = "Without a window: edgecam run SOURCE --headless"
_UNREACHABLE = re.compile(r"could not connect to display (\S*)|Failed to create wl_display")


@contextlib.contextmanager
def said_in_words() -> Iterator[None]:
    """While Qt starts: if it gives up, the process ends with one line that says why, and what helps."""
    said: list[str] = []

    def listen(kind: QtMsgType, _context: QMessageLogContext, text: str | None) -> None:
        said.append(text or "")
        if kind == QtMsgType.QtFatalMsg:
            print(f"edgecam: {reason(said)}", file=sys.stderr, flush=True)
            os._exit(EXIT_CODE)  # else Qt would abort, and leave a core dump

    earlier = qInstallMessageHandler(listen)
    try:
        yield
    finally:
        qInstallMessageHandler(earlier)
        for text in said:
            print(text, file=sys.stderr)


def reason(said: list[str]) -> str:
    """Why there is no window.

    Args:
        said: Qt's messages, the last of which was fatal.
    """
    found = next(filter(None, map(_UNREACHABLE.search, said)), None)
    if found is not None:
        name = found[1] or os.environ.get("WAYLAND_DISPLAY", "")
        return f"The display {name} cannot be reached. Is it running, and may this user use it? {OTHERWISE}"
    if any("xcb-cursor" in text for text in said):
        return (
            "Qt cannot use X11: a library is missing, most often libxcb-cursor0 (sudo apt install libxcb-cursor0); "
            f"`edgecam doctor` names it. {OTHERWISE}"
        )
    return f"Qt cannot open a window: {' '.join(said).strip()} {OTHERWISE}"
