"""From frame to tensor: sizes, colours, layouts and padding, exact to the pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgecam.detector.description import InputSpec, Layout, Resize
from edgecam.detector.preprocess import Preprocessor, choose_input_hw
from tests.tiny_models import grey

OPEN = InputSpec(stride=32)


@pytest.mark.parametrize(
    ("frame_wh", "base_hw", "expected"),
    [
        ((640, 640), (320, 320), (320, 320)),
        ((1280, 720), (320, 320), (256, 416)),  # 16:9
        ((720, 1280), (320, 320), (416, 256)),
        ((640, 480), (320, 320), (288, 352)),
        ((640, 480), (416, 416), (352, 480)),
        ((4000, 100), (320, 320), (64, 1696)),
    ],
)
def test_open_axes_follow_the_frame(
    frame_wh: tuple[int, int], base_hw: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert choose_input_hw(OPEN, frame_wh, base_hw) == expected
    budget = base_hw[0] * base_hw[1] * 1.06
    options = [(h, w) for h in range(32, 3424, 32) for w in range(32, 3424, 32) if h * w <= budget]

    def scale(hw: tuple[int, int]) -> float:
        return min(hw[0] / frame_wh[1], hw[1] / frame_wh[0])

    largest = max(scale(hw) for hw in options)
    assert scale(expected) == pytest.approx(largest)
    assert expected[0] * expected[1] == min(h * w for h, w in options if scale((h, w)) > largest - 1e-6)


def test_fixed_axes_stay() -> None:
    assert choose_input_hw(replace(OPEN, height=300, width=200), (1280, 720), (320, 320)) == (300, 200)


def test_a_base_smaller_than_the_stride_is_kept() -> None:
    assert choose_input_hw(replace(OPEN, stride=64), (640, 480), (32, 32)) == (32, 32)


def _frame() -> np.ndarray:
    """4 wide, 2 high: a different colour everywhere."""
    return np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10


def test_a_frame_of_the_inputs_size_arrives_unchanged() -> None:
    spec = InputSpec(layout=Layout.NHWC, color="BGR", dtype="uint8", height=2, width=4)
    tensor = Preprocessor(spec, (4, 2), (2, 4))(_frame())
    assert tensor.dtype == np.uint8
    assert tensor.shape == (1, 2, 4, 3)
    assert (tensor[0] == _frame()).all()


def test_rgb_turns_the_colours_round_and_nchw_the_axes() -> None:
    spec = InputSpec(layout=Layout.NCHW, color="RGB", dtype="uint8", height=2, width=4)
    tensor = Preprocessor(spec, (4, 2), (2, 4))(_frame())
    assert (tensor[0] == _frame()[:, :, ::-1].transpose(2, 0, 1)).all()
    assert tensor.flags.c_contiguous


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("color", ["BGR", "RGB"])
def test_mean_and_std_are_in_the_tensors_colour_order(layout: Layout, dtype: str, color: str) -> None:
    mean, std = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)
    spec = InputSpec(layout=layout, color=color, dtype=dtype, mean=mean, std=std, height=2, width=4)
    tensor = Preprocessor(spec, (4, 2), (2, 4))(_frame())
    pixels = _frame().astype(np.float64)
    expected = ((pixels if color == "BGR" else pixels[:, :, ::-1]) - mean) / std
    if layout is Layout.NCHW:
        expected = expected.transpose(2, 0, 1)
    assert tensor.dtype == np.dtype(dtype)
    assert tensor[0] == pytest.approx(expected, abs=1e-4 if dtype == "float32" else 0.1)


@pytest.mark.parametrize(
    ("resize", "top", "bottom"),
    [(Resize.LETTERBOX, 20, 60), (Resize.LETTERBOX_TOP_LEFT, 0, 40), (Resize.STRETCH, 0, 80)],
)
def test_padding_lies_where_the_frame_does_not(resize: Resize, top: int, bottom: int) -> None:
    spec = InputSpec(layout=Layout.NHWC, color="BGR", dtype="uint8", resize=resize, pad_value=7, height=80, width=80)
    tensor = Preprocessor(spec, (160, 80), (80, 80))(grey(160, 80, 200))[0]
    assert (tensor[top:bottom] == 200).all()
    assert (tensor[:top] == 7).all()
    assert (tensor[bottom:] == 7).all()


def test_padding_survives_the_next_frame() -> None:
    spec = InputSpec(layout=Layout.NHWC, color="BGR", dtype="uint8", height=64, width=64)
    prepare = Preprocessor(spec, (128, 64), (64, 64))
    first = prepare(grey(128, 64, 10)).copy()
    assert (prepare(grey(128, 64, 250))[0, :16] == 114).all()
    assert (prepare(grey(128, 64, 10)) == first).all()
