"""The bundled clip is what `assets/README.md` says, for the decoder that edgecam uses."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecam import resources


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(resources.demo_clip()))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(30)
    kept = []
    while True:
        delivered, frame = capture.read()
        if not delivered:
            return kept
        kept.append(frame[::4, ::4].copy())


def test_it_has_every_frame_of_its_fifteen_seconds(frames: list[np.ndarray]) -> None:
    assert len(frames) == 450
    assert frames[0].shape == (180, 320, 3)


def test_it_loops_without_a_jump(frames: list[np.ndarray]) -> None:
    """The step from the last frame to the first is not larger than the steps beside it."""
    steps = [float(np.abs(a.astype(np.int16) - b).mean()) for a, b in pairwise(frames)]
    seam = float(np.abs(frames[-1].astype(np.int16) - frames[0]).mean())
    assert seam <= 1.3 * max(steps[0], steps[-1])


def test_red_is_red(frames: list[np.ndarray]) -> None:
    """The saucer in the middle of the first frame."""
    blue, green, red = frames[0][155:165, 125:128].reshape(-1, 3).mean(axis=0)
    assert red > 2.5 * max(blue, green)


def test_every_photograph_is_credited() -> None:
    credits_text = (resources.assets_folder() / "README.md").read_text(encoding="utf-8")
    script = (Path(resources.assets_folder()) / "make_demo.py").read_text(encoding="utf-8")
    for name in ("astronaut", "chelsea", "coffee", "camera", "friends", "Wine"):
        assert name in script
        assert name.lower() in credits_text.lower(), name
