"""What exporters, sidecars and inputs say of a file, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecam.detector.description import Layout, Resize
from edgecam.detector.detector import Detector
from edgecam.detector.recognition.exporters import parse_labels
from edgecam.detector.recognition.sidecar import forget, read_sidecar, write_sidecar
from edgecam.errors import ModelError
from tests.family_outputs import (
    BOX,
    CELLS,
    Outputs,
    dense,
    fastestdet,
    levels,
    plus,
    yolox,
)
from tests.tiny_models import constant_model, grey

if TYPE_CHECKING:
    from pathlib import Path


ULTRALYTICS = {
    "names": "{0: 'cat', 1: \"rock 'n' roll\", 2: '猫', 3: 'it\\'s'}",
    "stride": "32",
    "task": "detect",
    "imgsz": "[128, 128]",
    "license": "AGPL-3.0",
}


def test_the_exporters_metadata_names_classes_and_size(tmp_path: Path) -> None:
    path = constant_model(
        tmp_path / "own.onnx",
        {"output0": dense(4).T[None]},
        input_shape=("batch", 3, "height", "width"),
        metadata=ULTRALYTICS,
    )
    detector = Detector(path, threads=1)
    assert detector.labels == ("cat", "rock 'n' roll", "猫", "it's")
    assert detector.recognition.questions == ()
    assert detector.description.input.sizes == ((128, 128),)
    assert detector.description.provenance["licence"] == "AGPL-3.0"
    assert detector(grey(128, 128)).candidates.boxes[0] == pytest.approx(BOX)


def test_masks_and_key_points_are_left_alone(tmp_path: Path) -> None:
    outputs = {
        "output0": np.concatenate([dense(4), np.full((CELLS, 32), 0.99, np.float32)], axis=1).T[None],
        "output1": np.zeros((1, 32, 32, 32), np.float32),
    }
    metadata = ULTRALYTICS | {"task": "segment"}
    path = constant_model(tmp_path / "seg.onnx", outputs, input_shape=(1, 3, 128, 128), metadata=metadata)
    found = Detector(path, threads=1)(grey(128, 128)).candidates
    assert found.class_ids.tolist() == [2]


@pytest.mark.parametrize("task", ["classify", "obb"])
def test_other_tasks_are_refused(tmp_path: Path, task: str) -> None:
    path = constant_model(tmp_path / "other.onnx", {"output0": dense(4).T[None]}, metadata=ULTRALYTICS | {"task": task})
    with pytest.raises(ModelError, match=f"task '{task}'"):
        Detector(path, threads=1)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{0: 'a', 1: 'b'}", ("a", "b")),
        ("['a', \"b\"]", ("a", "b")),
        ('["a", "b"]', ("a", "b")),
        ("a,b", ("a", "b")),
        ("a\nb, c\n", ("a", "b, c")),
        ("{1: 'b'}", ("class 0", "b")),
        ("{0: 'a, b: c', 1: '{2: x}'}", ("a, b: c", "{2: x}")),
        ("{999999999: 'a'}", ()),
        ("__import__('os').system('true')", ("__import__('os').system('true')",)),
        ("", ()),
        ("{" * 10_000, ()),
    ],
)
def test_labels_of_exporters_are_read_and_never_run(text: str, labels: tuple[str, ...]) -> None:
    assert parse_labels(text) == labels


def with_sidecar(tmp_path: Path, sidecar: Any, outputs: Outputs, **options: Any) -> Detector:
    path = constant_model(tmp_path / "own.onnx", outputs, input_shape=(1, 3, 128, 128), **options)
    text = sidecar if isinstance(sidecar, str) else json.dumps(sidecar)
    (tmp_path / "own.json").write_text(text, encoding="utf-8")
    return Detector(path, threads=1)


def test_a_sidecar_answers_what_the_file_leaves_open(tmp_path: Path) -> None:
    sidecar = {"labels": ["ä", "b", "c"], "input": {"color": "BGR", "resize": "stretch"}, "thresholds": {"score": 0.2}}
    detector = with_sidecar(tmp_path, sidecar, {"output0": dense(3).T[None]})
    assert detector.labels == ("ä", "b", "c")
    assert detector.recognition.questions == ()
    assert detector.description.input.color == "BGR"
    assert detector.description.input.resize is Resize.STRETCH
    assert (detector.description.thresholds.score, detector.description.thresholds.iou) == (0.2, 0.6)


def test_a_sidecar_can_say_all_of_an_unknown_output(tmp_path: Path) -> None:
    outputs = {"strange": dense(3)[None, :50], "more": np.zeros((7, 7), np.float32)}
    with pytest.raises(ModelError, match=r"of no kind that edgecam knows: 'strange' float32 \(1, 50, 7\)"):
        with_sidecar(tmp_path, {}, outputs)
    sidecar = {
        "labels": ["a", "b", "c"],
        "output": {"decoder": "dense", "names": ["strange"], "rows": True, "activation": "none"},
    }
    assert with_sidecar(tmp_path, sidecar, outputs)(grey(128, 128)).candidates.boxes.shape == (0, 4)


def test_labels_are_forgotten_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    forget(path, "labels")
    write_sidecar(path, {"labels": ["a"], "thresholds": {"score": 0.2}})
    forget(path, "labels")
    assert read_sidecar(path) == {"format": 1, "thresholds": {"score": 0.2}}
    path.write_text('{"labels": ["a"]}')
    forget(path, "labels")
    assert not path.exists()


@pytest.mark.parametrize(
    "sidecar",
    [
        "{",
        "[]",
        {"format": 2},
        {"input": 3},
        {"input": {"color": "blue"}},
        {"labels": ["one"]},
        {"output": {"bins": -1}},
    ],
)
def test_a_broken_sidecar_is_one_message(tmp_path: Path, sidecar: Any) -> None:
    with pytest.raises(ModelError, match=r"own\.(json|onnx): "):
        with_sidecar(tmp_path, sidecar, {"output0": dense(3).T[None]})


@pytest.mark.parametrize(
    ("shape", "dtype", "layout", "mean", "std"),
    [
        ((1, 3, 128, 128), "float32", Layout.NCHW, 0, 255),
        ((1, 128, 128, 3), "float32", Layout.NHWC, 0, 255),
        (("n", 3, "h", "w"), "float32", Layout.NCHW, 0, 255),
        (("n", "c", "h", "w"), "float16", Layout.NCHW, 0, 255),
        (("n", "h", "w", 3), "uint8", Layout.NHWC, 0, 1),
        ((1, 3, 128, 128), "int8", Layout.NCHW, 128, 1),
    ],
)
def test_inputs(tmp_path: Path, shape: tuple, dtype: str, layout: Layout, mean: float, std: float) -> None:
    path = constant_model(tmp_path / "own.onnx", {"output0": dense(80).T[None]}, input_shape=shape, input_dtype=dtype)
    detector = Detector(path, threads=1, input_hw=(128, 128))
    spec = detector.description.input
    assert (spec.layout, spec.dtype, spec.mean[0], spec.std[0]) == (layout, dtype, mean, std)
    assert detector(grey(128, 128)).candidates.boxes[0] == pytest.approx(BOX, abs=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": (8, 3, 128, 128)}, "takes 8 pictures at once"),
        ({"input_shape": (1, 1, 128, 128)}, "no picture of three colours"),
        ({"input_shape": (1, 10)}, "no input takes a picture"),
        ({"input_shape": (1, 3, 9000, 9000)}, "larger than 8192"),
        ({"input_dtype": "int64"}, "no input takes a picture"),
        ({"extra_inputs": {"text": ((1, 77), "int64")}}, "a further input, 'text' int64"),
    ],
)
def test_inputs_that_cannot_be_fed(tmp_path: Path, options: dict, message: str) -> None:
    path = constant_model(tmp_path / "own.onnx", {"output0": dense(80).T[None]}, **options)
    with pytest.raises(ModelError, match=message):
        Detector(path, threads=1)


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "own.onnx", {"logits": np.zeros((1, 1000), np.float32)})
    with pytest.raises(ModelError, match=r"no kind that edgecam knows: 'logits' float32 \(1, 1000\)"):
        Detector(path, threads=1)


@pytest.mark.parametrize(
    ("outputs", "color", "resize", "std"),
    [
        ({"output": yolox(80)[None]}, "BGR", Resize.LETTERBOX_TOP_LEFT, 1.0),
        ({"output0": dense(80).T[None]}, "RGB", Resize.LETTERBOX, 255.0),
        (levels(80, (8, 16, 32)), "BGR", Resize.LETTERBOX_TOP_LEFT, 57.375),
        (levels(80, (8, 16, 32, 64)), "RGB", Resize.STRETCH, 58.395),
        ({"output": plus(80)}, "BGR", Resize.STRETCH, 57.375),
        ({"758": fastestdet(80)}, "BGR", Resize.STRETCH, 255.0),
    ],
)
def test_each_family_prepares_its_pictures_in_its_own_way(
    tmp_path: Path, outputs: Outputs, color: str, resize: Resize, std: float
) -> None:
    path = constant_model(tmp_path / "some.onnx", outputs, input_shape=(1, 3, 128, 128))
    spec = Detector(path, threads=1).description.input
    assert (spec.color, spec.resize, spec.std[0]) == (color, resize, std)


def test_a_further_input_of_a_type_that_cannot_be_fed(tmp_path: Path) -> None:
    """Found by fuzzing: the name is known, the type is none of ours."""
    path = constant_model(
        tmp_path / "odd.onnx", {"output0": dense(4).T[None]}, input_shape=(1, 3, 128, 128),
        extra_inputs={"orig_target_sizes": ((1, 2), "int16")},
    )  # fmt: skip
    with pytest.raises(ModelError, match="further input, 'orig_target_sizes' tensor"):
        Detector(path, threads=1)
