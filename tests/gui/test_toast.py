"""The message over the picture: as high as its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.gui.conftest import WindowMaker


def test_the_first_message_is_whole(make_window: WindowMaker) -> None:
    window = make_window()
    window.toast.say("A message of several lines, which goes on and on so that it does not fit into one line. " * 2)
    text = window.toast._text
    window.toast._layout.activate()
    assert text.height() >= text.heightForWidth(text.width())
