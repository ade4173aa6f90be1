"""Looking through a model's bytes: what is no model, what lies outside, what costs speed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgecam.detector.detector import Detector
from edgecam.detector.onnx_file import read_onnx_file
from edgecam.errors import ModelError
from tests.tiny_models import constant_model, describe, gfl_cells, grey, write_model

CELLS = gfl_cells((64, 64), (8, 16), classes=2, bins=8, objects=[(8, 4, 4, 1, 3.0, (2, 1, 2, 1))])[None]


def good(path: Path) -> Path:
    return constant_model(path / "good.onnx", {"cells": CELLS}, description=describe())


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"\r\n  <html>", "a web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><x/>", "a web page"),
        (b"PK\x03\x04" + bytes(60), "zip archive, perhaps a PyTorch checkpoint"),
        (b"\x80\x02}q\x00.", "a pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n", "git lfs pull"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\xff\xd8\xff\xe0", "a picture"),
        (b"\x89HDF\r\n", "Keras"),
        (b"", "is empty"),
        (b"just text", "not an ONNX file"),
        (bytes(1000), "not an ONNX file"),
        (b"\x08\x08", "not an ONNX file"),  # a model without a graph
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "not an ONNX file"),  # a graph of 2^63 bytes
        (b"\x08" + b"\xff" * 30, "not an ONNX file"),  # a number without end
    ],
)
def test_other_files_are_named(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "some.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"some\.onnx: ") as caught:
        read_onnx_file(path)
    assert what in str(caught.value)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = good(tmp_path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ModelError, match="cannot be read"):
        read_onnx_file(path)


def conv_model(path: Path, *, weights_among_inputs: bool) -> Path:
    rng = np.random.default_rng(0)
    return write_model(
        path,
        [
            helper.make_node("Conv", ["image", "w"], ["maps"], kernel_shape=[8, 8], strides=[8, 8]),
            helper.make_node("Reshape", ["maps", "shape"], ["cells"]),
        ],
        {"image": ((1, 3, 64, 64), "float32")},
        {"cells": ((1, 34, 64), "float32")},
        weights={"w": rng.normal(size=(34, 3, 8, 8)).astype(np.float32), "shape": np.array([1, 34, 64])},
        weights_among_inputs=weights_among_inputs,
        metadata={"edgecam": describe(strides=(8,)).to_json()},
    )


def test_weights_are_taken_out_of_the_inputs(tmp_path: Path) -> None:
    plain = conv_model(tmp_path / "plain.onnx", weights_among_inputs=False)
    listed = conv_model(tmp_path / "listed.onnx", weights_among_inputs=True)
    assert read_onnx_file(plain).without_weight_inputs is None
    cleaned = read_onnx_file(listed).without_weight_inputs
    assert cleaned is not None
    assert [item.name for item in onnx.load_from_string(cleaned).graph.input] == ["image"]
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (64, 64, 3), np.uint8)
    one, other = Detector(plain, threads=1)(image).candidates, Detector(listed, threads=1)(image).candidates
    assert len(one) > 0
    assert (one.boxes == other.boxes).all()


def external_model(path: Path, location: str) -> Path:
    constant_model(path, {"cells": CELLS}, description=describe())
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    data = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(len(data)))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    path.write_bytes(model.SerializeToString())
    (path.parent / "weights.bin").write_bytes(data)
    return path


def test_weights_in_a_file_beside_it_are_found(tmp_path: Path) -> None:
    path = external_model(tmp_path / "some.onnx", "weights.bin")
    assert read_onnx_file(path).external == {"weights.bin": CELLS.nbytes}
    assert Detector(path, threads=1)(grey(64, 64)).candidates.boxes.tolist() == [[16, 24, 48, 40]]


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    path = external_model(tmp_path / "some.onnx", "model.onnx_data")
    with pytest.raises(ModelError, match=r"second file, 'model\.onnx_data', which is missing; put it beside the model"):
        Detector(path)


def test_a_name_that_no_file_can_have_is_missing(tmp_path: Path) -> None:
    path = external_model(tmp_path / "some.onnx", "x" * 300)
    with pytest.raises(ModelError, match="which is missing"):
        Detector(path)


def test_a_file_of_weights_that_is_cut_short_is_named(tmp_path: Path) -> None:
    path = external_model(tmp_path / "some.onnx", "weights.bin")
    (tmp_path / "weights.bin").write_bytes(CELLS.tobytes()[:100])
    message = rf"second file, 'weights\.bin', is cut short: it has 100 bytes, and .* reach to {CELLS.nbytes}"
    with pytest.raises(ModelError, match=message):
        Detector(path)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "a/../../secret.bin", "link.bin", ".", "a\0b"])
def test_weights_outside_the_folder_are_not_touched(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret.bin").write_bytes(CELLS.tobytes())
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = external_model(folder / "some.onnx", location)
    with pytest.raises(ModelError, match="outside its own folder"):
        Detector(path)


def test_external_weights_are_found_wherever_a_tensor_may_hide(tmp_path: Path) -> None:
    hidden = numpy_helper.from_array(np.zeros(3, np.float32), "hidden")
    hidden.ClearField("raw_data")
    hidden.data_location = TensorProto.EXTERNAL
    entry = hidden.external_data.add()
    entry.key, entry.value = "location", "/etc/shadow"
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["x"], value=hidden)],
        "inner",
        [],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
    )
    path = write_model(
        tmp_path / "some.onnx",
        [helper.make_node("If", ["yes"], ["out"], then_branch=inner, else_branch=inner)],
        {"yes": ((), "uint8")},
        {"out": ((3,), "float32")},
    )
    with pytest.raises(ModelError, match="'/etc/shadow', outside its own folder"):
        read_onnx_file(path)


def test_custom_operators_are_named(tmp_path: Path) -> None:
    path = write_model(
        tmp_path / "some.onnx",
        [helper.make_node("TRTBatchedNMS", ["image"], ["out"], domain="mmdeploy")],
        {"image": ((1, 3, 64, 64), "float32")},
        {"out": ((1, 3, 64, 64), "float32")},
    )
    with pytest.raises(ModelError, match="operators of mmdeploy, which need a library"):
        read_onnx_file(path)


def test_precision(tmp_path: Path) -> None:
    assert read_onnx_file(good(tmp_path)).precision == "fp32"
    half = constant_model(tmp_path / "half.onnx", {"out": np.zeros((4, 4), np.float16)})
    assert read_onnx_file(half).precision == "fp16"
    quantised = write_model(
        tmp_path / "int8.onnx",
        [
            helper.make_node("QuantizeLinear", ["image", "scale", "zero"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["out"]),
        ],
        {"image": ((1, 3, 64, 64), "float32")},
        {"out": ((1, 3, 64, 64), "float32")},
        weights={"scale": np.array(0.1, np.float32), "zero": np.array(0, np.uint8)},
    )
    assert read_onnx_file(quantised).precision == "int8"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_bytes_are_read_or_refused(data: st.DataObject) -> None:
    folder = Path(os.environ["HOME"])
    whole = bytearray(good(folder).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    path = folder / "mutated.onnx"
    path.write_bytes(whole[:cut] if data.draw(st.booleans()) else whole)
    with contextlib.suppress(ModelError):  # anything else escapes, and fails the test
        read_onnx_file(path)
