"""The way of a picture to the screen."""

from __future__ import annotations

import numpy as np
import pytest

from edgecam.camera.pattern import read_frame_id, write_frame_id
from edgecam.frames import Frame, FrameSlot
from edgecam.pipeline.view_feed import MAX_WIDTH, ViewFeed, fitted_size


def frame(number: int, size_wh: tuple[int, int] = (640, 360), colour: tuple[int, int, int] = (0, 0, 255)) -> Frame:
    image = np.full((size_wh[1], size_wh[0], 3), colour, np.uint8)
    write_frame_id(image, number)
    return Frame(image, number, float(number))


@pytest.mark.parametrize(
    ("frame_wh", "view_wh", "expected"),
    [
        ((1280, 720), (1280, 720), (1280, 720)),
        ((1280, 720), (640, 640), (640, 360)),
        ((640, 480), (1920, 480), (640, 480)),
        ((640, 480), (1920, 960), (1280, 960)),
        ((480, 640), (100, 100), (75, 100)),
        ((4000, 10), (100, 100), (100, 1)),
    ],
    ids=["same", "narrow view", "low view", "enlarged", "upright", "never without pixels"],
)
def test_fitted_size(frame_wh: tuple[int, int], view_wh: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted_size(frame_wh, view_wh) == expected


def test_the_newest_picture_is_given_and_the_others_are_counted_as_missed() -> None:
    feed = ViewFeed()
    feed.set_view_size((640, 360))
    assert feed.latest() is None
    woken = [feed.publish(frame(number)) for number in range(5)]
    assert woken == [True, False, False, False, False]
    picture = feed.latest()
    assert picture is not None
    assert picture.frame.frame_id == 4
    assert read_frame_id(picture.pixels) == 4
    assert feed.missed == 4
    assert feed.latest() is picture
    assert feed.publish(frame(5)) is True
    assert feed.missed == 4
    feed.reset()
    assert feed.missed == 0


def test_red_stays_red_in_bgrx_at_any_size() -> None:
    for view_wh in ((640, 360), (320, 180), (333, 250), (1500, 900)):
        feed = ViewFeed()
        feed.set_view_size(view_wh)
        feed.publish(frame(0))
        picture = feed.latest()
        assert picture is not None
        assert picture.pixels.shape[1::-1] == fitted_size((640, 360), view_wh)
        assert picture.pixels[-1, -1].tolist() == [0, 0, 255, 255]


def test_a_huge_view_is_filled_by_stretching_a_smaller_picture() -> None:
    feed = ViewFeed()
    feed.set_view_size((7680, 4320))
    feed.publish(frame(0))
    picture = feed.latest()
    assert picture is not None
    assert picture.pixels.shape[:2] == (MAX_WIDTH * 9 // 16, MAX_WIDTH)


def test_three_buffers_are_enough_and_the_one_on_the_screen_is_not_written() -> None:
    feed = ViewFeed()
    feed.set_view_size((320, 180))
    buffers = set()
    for number in range(60):
        feed.publish(frame(number))
        if number % 3 == 0:
            shown = feed.latest()
        assert shown is not None
        assert read_frame_id(shown.pixels) == shown.frame.frame_id
        buffers.add(shown.pixels.ctypes.data)
    assert len(buffers) <= 3


def test_a_change_of_size_drops_the_old_buffers() -> None:
    feed = ViewFeed()
    for size in ((320, 180), (640, 360), (160, 90)):
        feed.set_view_size(size)
        for number in range(4):
            feed.publish(frame(number))
            picture = feed.latest()
            assert picture is not None
            assert picture.pixels.shape == (size[1], size[0], 4)
    assert len(feed._spare) <= 2


def test_a_slot_gives_the_newest_and_counts_the_rest() -> None:
    slot = FrameSlot()
    for number in range(4):
        slot.put(frame(number))
    taken = slot.take(timeout_s=0)
    assert taken is not None
    assert (taken[0].frame_id, taken[1], slot.skipped) == (3, 0, 3)
    assert slot.take(timeout_s=0.01) is None
    slot.renew()
    assert (slot.generation, slot.skipped) == (1, 0)


def test_a_closed_slot_takes_and_gives_nothing() -> None:
    slot = FrameSlot()
    slot.put(frame(0))
    slot.close()
    slot.put(frame(1))
    assert slot.put_wait(frame(2)) is False
    assert slot.take() is None
