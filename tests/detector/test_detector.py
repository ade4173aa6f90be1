"""The detector as a whole: from a file to boxes in frame pixels, and what it says of files it cannot use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam import resources
from edgecam.bench.loop_camera import sample_frames
from edgecam.detector.description import Resize
from edgecam.detector.detector import SCORE_FLOOR, Detector
from edgecam.detector.limits import Limits
from edgecam.detector.model_library import ModelEntry
from edgecam.errors import ModelError
from edgecam.evaluation.evaluate import open_detector
from tests.tiny_models import constant_model, describe, gfl_cells, grey

if TYPE_CHECKING:
    from pathlib import Path

CELLS = gfl_cells(
    (64, 64), (8, 16), classes=2, bins=8, objects=[(8, 4, 4, 1, 3.0, (2, 1, 2, 1)), (16, 0, 0, 0, 1.0, (3, 3, 3, 3))]
)  # boxes in the input: 16,24 – 48,40 and -48,-48 – 48,48


def detector(path: Path, **changes: object) -> Detector:
    return Detector(
        constant_model(path / "tiny.onnx", {"cells": CELLS[None]}, description=describe(**changes)), threads=1
    )


@pytest.mark.parametrize(
    ("resize", "first", "second"),
    [
        # 128x64: scaled by half, 16 rows of padding above where centred
        (Resize.LETTERBOX, [32, 16, 96, 48], [0, 0, 96, 64]),
        (Resize.LETTERBOX_TOP_LEFT, [32, 48, 96, 64], [0, 0, 96, 64]),
        (Resize.STRETCH, [32, 24, 96, 40], [0, 0, 96, 48]),
    ],
)
def test_boxes_are_in_frame_pixels_and_clipped(
    tmp_path: Path, resize: Resize, first: list[float], second: list[float]
) -> None:
    found = detector(tmp_path, resize=resize)(grey(128, 64)).candidates
    order = np.argsort(-found.scores)
    assert found.boxes[order].tolist() == [first, second]
    assert found.class_ids[order].tolist() == [1, 0]


def test_it_follows_frames_of_another_size(tmp_path: Path) -> None:
    detect = detector(tmp_path)
    assert detect.input_hw is None
    detect.warm_up()
    assert detect.input_hw == (64, 64)
    small, large = detect(grey(64, 64)).candidates, detect(grey(640, 640)).candidates
    assert large.boxes == pytest.approx(small.boxes * 10)


def test_it_says_what_it_is(tmp_path: Path) -> None:
    detect = detector(tmp_path)
    assert (detect.name, detect.labels, detect.threads) == ("tiny", ("cat", "dog"), 1)
    inference = detect(grey(64, 64))
    assert min(inference.preprocess_ms, inference.inference_ms, inference.postprocess_ms) >= 0


def test_open_axes_take_the_size_asked_for(tmp_path: Path) -> None:
    path = constant_model(
        tmp_path / "open.onnx",
        {"cells": CELLS[None]},
        input_shape=(1, 3, "height", "width"),
        description=describe(height=None, width=None, sizes=((320, 320),)),
    )
    detect = Detector(path, threads=1, input_hw=(64, 64))
    detect(grey(64, 64))
    assert detect.input_hw == (64, 64)


def test_the_precision_is_read_from_the_weights_where_nobody_says_it(tmp_path: Path) -> None:
    assert detector(tmp_path).description.precision == "fp32"


def refused(path: Path) -> str:
    """The message with which a file is refused, at the latest when it runs."""
    with pytest.raises(ModelError) as caught:
        Detector(path, threads=1).warm_up()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_missing_file(tmp_path: Path) -> None:
    assert "there is no such model file" in refused(tmp_path / "gone.onnx")


def test_a_folder(tmp_path: Path) -> None:
    assert "there is no such model file" in refused(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    assert "empty.onnx" in refused(tmp_path / "empty.onnx")


def test_a_web_page_saved_as_a_model(tmp_path: Path) -> None:
    (tmp_path / "page.onnx").write_text("<!DOCTYPE html><html><body>Sign in to download</body></html>")
    assert "page.onnx" in refused(tmp_path / "page.onnx")


def test_a_truncated_file(tmp_path: Path) -> None:
    whole = constant_model(tmp_path / "whole.onnx", {"cells": CELLS[None]}, description=describe()).read_bytes()
    for part in (10, len(whole) // 2, len(whole) - 3):
        (tmp_path / "part.onnx").write_bytes(whole[:part])
        assert "part.onnx" in refused(tmp_path / "part.onnx")


def test_a_model_of_another_shape_than_its_description(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "other.onnx", {"cells": CELLS[None, :, :-1]}, description=describe())
    assert "79 cells, expected 80" in refused(path)


def test_an_input_of_another_shape_than_its_description(tmp_path: Path) -> None:
    path = constant_model(
        tmp_path / "other.onnx", {"cells": CELLS[None]}, input_shape=(1, 3, 32, 32), description=describe()
    )
    assert "Expected: 32" in refused(path)


def test_an_unknown_provider_names_those_that_are_there(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "tiny.onnx", {"cells": CELLS[None]}, description=describe())
    with pytest.raises(ModelError, match=r"has no NoSuchProvider; it has .*CPUExecutionProvider"):
        Detector(path, provider="NoSuchProvider")


def test_names_of_ones_own_hold_but_not_for_a_data_set(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "tiny.onnx", {"cells": CELLS}, description=describe())
    sidecar = tmp_path / "own" / "tiny.json"
    sidecar.parent.mkdir()
    sidecar.write_text(json.dumps({"labels": ["Katze", "Hund"]}), encoding="utf-8")
    entry = ModelEntry("tiny", path, bundled=True, sidecar=sidecar)
    assert Detector.of(entry, threads=1).labels == ("Katze", "Hund")
    assert open_detector(entry, None, 1).labels == ("cat", "dog")
    stranger = ModelEntry("tiny", path, bundled=False, sidecar=sidecar)
    assert open_detector(stranger, None, 1).labels == ("Katze", "Hund")
    assert (Detector.of(entry, threads=1).limits, Detector.of(stranger, threads=1).limits) == (None, Limits())


def test_lower_scores_are_decoded_when_they_are_wanted() -> None:
    """The window decodes what is above its threshold; a slider moved down then finds the rest of the same picture."""
    detect = Detector(resources.models_folder() / "edgecam-nano.onnx", threads=1)
    picture = sample_frames(resources.demo_clip(), 1)[0]
    everything = detect(picture)
    assert everything.decode is None
    assert everything.above(0.01) is everything.candidates
    wanted = detect(picture, floor=0.4)
    assert 0 < len(wanted.candidates) < len(everything.candidates)
    assert wanted.candidates.scores.min() >= 0.4
    assert wanted.above(0.5) is wanted.candidates
    for score in (0.2, 0.05, 0.0):
        mask = everything.candidates.scores >= score
        found = wanted.above(score)
        np.testing.assert_array_equal(found.boxes, everything.candidates.boxes[mask])
        np.testing.assert_array_equal(found.scores, everything.candidates.scores[mask])


def test_of_large_outputs_only_boxes_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.detector.detector.KEPT_NUMBERS", 1)
    inference = detector(tmp_path)(grey(64, 64), floor=0.9)
    assert inference.decode is None
    assert inference.floor == SCORE_FLOOR
