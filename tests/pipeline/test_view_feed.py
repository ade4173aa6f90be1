"""The three buffers between capture and screen."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edgecam.camera.pattern import read_frame_id, write_frame_id
from edgecam.frames import Frame
from edgecam.pipeline.view_feed import ViewFeed, fitted_size


def frame(number: int, size_wh: tuple[int, int] = (640, 360)) -> Frame:
    image = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    write_frame_id(image, number)
    return Frame(image, number, float(number))


@pytest.mark.parametrize(
    ("frame_wh", "view_wh", "expected"),
    [
        ((1280, 720), (926, 616), (926, 521)),
        ((720, 1280), (926, 616), (346, 616)),
        ((640, 480), (640, 480), (640, 480)),
        ((320, 240), (1280, 960), (1280, 960)),
        ((10000, 1), (100, 100), (100, 1)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_fitted_size(frame_wh: tuple[int, int], view_wh: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted_size(frame_wh, view_wh) == expected


def test_colours_keep_their_places() -> None:
    feed = ViewFeed()
    image = np.empty((90, 160, 3), np.uint8)
    image[:] = (10, 120, 250)
    feed.publish(Frame(image, 0, 0.0))
    picture = feed.latest()
    assert picture is not None
    assert picture.pixels.shape == (540, 960, 4)
    assert (picture.pixels == (10, 120, 250, 255)).all()


def test_the_newest_wins_and_what_was_missed_is_counted() -> None:
    feed = ViewFeed()
    assert feed.latest() is None
    assert feed.publish(frame(1))
    assert not feed.publish(frame(2))  # the view was woken for 1 already
    picture = feed.latest()
    assert picture is not None
    assert picture.frame.frame_id == 2
    assert feed.missed == 1
    assert feed.latest() is picture
    assert feed.publish(frame(3))


def test_a_picture_on_the_screen_is_never_written_to() -> None:
    """One thread publishes as fast as it can, the other checks that its picture does not change under its eyes."""
    feed = ViewFeed()
    feed.set_view_size((640, 360))
    stop = threading.Event()
    published = 0

    def produce() -> None:
        nonlocal published
        while not stop.is_set():
            feed.publish(frame(published))
            published += 1

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        last = -1
        while published < 200:
            picture = feed.latest()
            if picture is None:
                continue
            before = picture.pixels.copy()
            assert read_frame_id(picture.pixels) == picture.frame.frame_id
            assert picture.frame.frame_id >= last
            last = picture.frame.frame_id
            assert np.array_equal(before, picture.pixels)
    finally:
        stop.set()
        producer.join()
    assert last > 0


def test_buffers_are_used_again() -> None:
    feed = ViewFeed()
    seen = set()
    for number in range(50):
        feed.publish(frame(number))
        picture = feed.latest()
        assert picture is not None
        seen.add(picture.pixels.ctypes.data)
    assert len(seen) <= 3


def test_a_change_of_size_acts_on_the_next_frame() -> None:
    feed = ViewFeed()
    for view_wh, expected in (((320, 200), (180, 320, 4)), ((1000, 600), (562, 1000, 4)), ((0, 0), (1, 1, 4))):
        feed.set_view_size(view_wh)
        feed.publish(frame(0))
        picture = feed.latest()
        assert picture is not None
        assert picture.pixels.shape == expected
