"""How pictures and results wake the window: once for what belongs together, and for no result without its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.detections import Detections
from edgecam.frames import Frame
from edgecam.gui.bridge import Bridge
from edgecam.pipeline.result import Result, StageTimes
from edgecam.pipeline.view_feed import ViewFeed

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def frame(number: int) -> Frame:
    return Frame(np.zeros((36, 64, 3), np.uint8), number, 100.0 + number)


def result(of: Frame) -> Result:
    nothing = Detections.empty()
    return Result(of, nothing, nothing, (), StageTimes(0, 0, 0, 0), of.captured_at, 0)


class Woken:
    """What the window was told, and, as the window does, takes what there is when it is woken."""

    def __init__(self) -> None:
        self.bridge = Bridge(ViewFeed())
        self.signals: list[str] = []
        self.taken: list[int] = []
        self.bridge.picture_ready.connect(lambda: self._wake("picture"))
        self.bridge.result_ready.connect(lambda: self._wake("result"))

    def _wake(self, what: str) -> None:
        self.signals.append(what)
        found = self.bridge.take_result()
        if found is not None:
            self.taken.append(found.frame.frame_id)


@pytest.fixture
def woken(qtbot: QtBot) -> Woken:
    return Woken()


def test_a_file_wakes_the_window_once_for_a_picture_and_its_result(woken: Woken) -> None:
    for number in range(3):
        picture = frame(number)
        woken.bridge.result_arrived(result(picture))
        assert woken.bridge.take_result() is None  # the boxes would be drawn over another picture
        woken.bridge.frame_arrived(picture)
        woken.bridge.feed.latest()  # painted
    assert woken.signals == ["picture"] * 3
    assert woken.taken == [0, 1, 2]


def test_the_result_of_a_picture_that_replaces_one_not_painted_is_not_forgotten(woken: Woken) -> None:
    woken.bridge.frame_arrived(frame(0))
    woken.bridge.result_arrived(result(second := frame(1)))
    woken.bridge.frame_arrived(second)  # the first is not painted yet: no need to wake the view for this one
    assert woken.signals == ["picture", "result"]
    assert woken.taken == [1]


def test_a_live_result_comes_when_it_is_there(woken: Woken) -> None:
    pictures = [frame(number) for number in range(3)]
    for picture in pictures:
        woken.bridge.frame_arrived(picture)
        woken.bridge.feed.latest()
    woken.bridge.result_arrived(result(pictures[0]))
    assert woken.signals == ["picture"] * 3 + ["result"]
    assert woken.taken == [0]


def test_what_is_forgotten_does_not_come_with_the_next_picture(woken: Woken) -> None:
    woken.bridge.result_arrived(result(picture := frame(5)))
    woken.bridge.forget_result()
    woken.bridge.frame_arrived(picture)
    assert woken.signals == ["picture"]
    assert woken.taken == []
