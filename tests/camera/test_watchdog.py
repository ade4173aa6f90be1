"""Pictures that stand still."""

from __future__ import annotations

import numpy as np

from edgecam.camera.watchdog import RepeatWatch

RANDOM = np.random.default_rng(3)


def picture() -> np.ndarray:
    return RANDOM.integers(0, 255, (120, 160, 3), np.uint8)


def test_changing_pictures_are_well() -> None:
    watch = RepeatWatch(after_s=1)
    assert not any(watch.is_stuck(picture(), second / 10) for second in range(100))


def test_a_picture_that_stands_still_is_told_once() -> None:
    watch, still = RepeatWatch(after_s=1), picture()
    told = [watch.is_stuck(still, second / 10) for second in range(50)]
    assert told.index(True) == 10
    assert sum(told) == 1


def test_short_repetitions_are_well() -> None:
    """A camera at 15 fps in a mode of 30 fps sends each picture twice."""
    watch = RepeatWatch(after_s=1)
    for second in range(0, 100, 2):
        twice = picture()
        assert not watch.is_stuck(twice, second / 10)
        assert not watch.is_stuck(twice, second / 10 + 0.1)


def test_another_still_picture_is_told_again() -> None:
    watch, first, second = RepeatWatch(after_s=1), picture(), picture()
    told = [watch.is_stuck(still, at / 10) for at, still in enumerate([first] * 20 + [second] * 20)]
    assert sum(told) == 2


def test_noise_in_one_pixel_of_the_grid_counts() -> None:
    watch, still = RepeatWatch(after_s=1), picture()
    for at in range(50):
        noisy = still.copy()
        noisy[::8, ::8, 0] ^= at % 2
        assert not watch.is_stuck(noisy, at / 10)
