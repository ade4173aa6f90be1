"""The picture's way into an int8 file, and activations that an int8 convolution does by itself."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from edgecam.errors import DataError, ModelError
from edgecam.training.engine import Schedule, train
from edgecam.training.export import describe, export
from edgecam.training.int8_stem import center_on_zero_point, find_stem, use_integers
from edgecam.training.layers import LEAK, Conv
from edgecam.training.network import cells
from edgecam.training.onnx_graph import build
from edgecam.training.plan import Plan, check
from edgecam.training.quantise import quantise
from edgecam.training.run import Run
from tests.training.toy import (
    mobile_net,
    pictures,
    shuffle_net,
    small_network,
    toy_plan,
    toy_source,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


SMALL_STEM = 24  # channels of ShuffleNetV2's first convolution


def outputs(model: onnx.ModelProto, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: NDArray[np.float32] = session.run(None, {"image": image[None]})[0]
    return result


def first_convolution(model: onnx.ModelProto, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What comes out of it, before its activation."""
    return value(model, find_stem(model).conv.output[0], image)


def value(model: onnx.ModelProto, name: str, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A float tensor inside the graph."""
    model = copy.deepcopy(model)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return outputs(model, image)


def both(folder: Path) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """A network with a pooled stem, in float and quantised."""
    network = shuffle_net()
    source, path = folder / "shuffle.onnx", folder / "shuffle-int8.onnx"
    export(network, source, describe(network, name="shuffle", provenance={}, accuracy={}))
    quantise(source, path, pictures(), name="shuffle")
    return onnx.load(source), onnx.load(path)


def test_integer_sums_differ_by_the_rounding_of_the_weights_alone(tmp_path: Path) -> None:
    before, after = both(tmp_path)
    kinds = [node.op_type for node in after.graph.node][:6]
    assert kinds == ["Transpose", "ConvInteger", "Cast", "MaxPool", "Add", "LeakyRelu"]
    pooled = after.graph.node[5].output[0]
    assert pooled in {node.output[0] for node in before.graph.node if node.op_type == "MaxPool"}
    scale = np.abs(find_stem(before).weight).max(axis=(1, 2, 3)).reshape(1, -1, 1, 1) / 127
    for image in pictures():
        ours, theirs = value(before, pooled, image), value(after, pooled, image) * scale
        difference = np.abs(ours - theirs)
        assert difference[:, :, 1:, 1:].max() < 0.01 * np.abs(ours).max()
        assert difference.max() < 0.1 * np.abs(ours).max()  # at the border a zero is the zero point, not the mean
    assert np.abs(value(before, pooled, pictures()[0]) - value(before, pooled, pictures()[1])).max() > 0.1


def test_each_channel_of_the_stem_is_quantised_by_its_own_scale(tmp_path: Path) -> None:
    """The map at stride 4 and RFCR's pool of it: bytes times one step are what the float network has there."""
    before, after = both(tmp_path)
    pooled = after.graph.node[5].output[0]
    (further,) = [n for n in after.graph.node if n.op_type == "MaxPool" and n.input[0] == pooled]
    for name in (pooled, further.output[0]):
        (quantised,) = [n for n in after.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == name]
        (read,) = [n for n in after.graph.node if n.op_type == "DequantizeLinear" and n.input[0] == quantised.output[0]]
        steps = {v.name: numpy_helper.to_array(v) for v in after.graph.initializer}
        assert steps[quantised.input[1]].shape == (SMALL_STEM,)
        assert steps[read.input[1]].shape == ()
        step, zero = (steps[constant].astype(np.float32) for constant in read.input[1:])
        ours, theirs = value(before, name, pictures()[0]), value(after, read.output[0], pictures()[0])
        ours = np.clip(ours, -zero * step, (255 - zero) * step)  # beyond what calibration has seen it saturates
        assert np.abs(ours - theirs)[:, :, 1:, 1:].max() < 2 * step


def test_a_whole_zero_point_changes_the_border_alone() -> None:
    network = mobile_net()
    before, after = build(network), build(network)
    difference, zero = center_on_zero_point(after)
    assert (difference, zero) == (find_stem(after).subtract.output[0], 128)
    for image in pictures():
        ours, theirs = first_convolution(before, image), first_convolution(after, image)
        np.testing.assert_allclose(theirs[:, :, :-1, :-1], ours[:, :, :-1, :-1], rtol=1e-3, atol=1e-4)
        assert 0 < np.abs(theirs - ours).max() < 0.01 * np.abs(ours).max()


def test_the_int8_file_takes_the_bytes_of_the_picture(tmp_path: Path) -> None:
    for name, network in (("shuffle", shuffle_net()), ("mobile", mobile_net())):
        source, path = tmp_path / f"{name}.onnx", tmp_path / f"{name}-int8.onnx"
        export(network, source, describe(network, name=name, provenance={}, accuracy={}))
        assert quantise(source, path, pictures(), name=name).score_mean < 0.1
        graph = onnx.load(path).graph
        nodes = graph.node
        assert {value.name for value in graph.initializer} <= {name for node in nodes for name in node.input}
        (first,) = (node for node in nodes if "image" in node.input)
        (second,) = (node for node in nodes if first.output[0] in node.input)
        assert first.op_type == "Transpose"
        assert second.op_type == ("ConvInteger" if name == "shuffle" else "DequantizeLinear")


def test_a_foreign_graph_is_refused() -> None:
    model = build(shuffle_net())
    for node in list(model.graph.node):
        if node.op_type == "Sub":
            model.graph.node.remove(node)
    with pytest.raises(ModelError, match="has no Sub"):
        use_integers(model)


def test_activations_are_straight_when_the_run_ends(tmp_path: Path) -> None:
    plan = toy_plan(views=32, straighten=0.5, ema=0.9)
    assert [round(plan.leak_at(step), 3) for step in (0, 2, 4, 8)] == [LEAK, LEAK / 2, 0.0, 0.0]
    source = toy_source(tmp_path)
    run = Run.start(small_network(), plan)
    assert run.network.config.activation == "relu"
    seen: list[float] = []
    run.network.backbone.conv1.register_forward_pre_hook(lambda conv, _: seen.append(conv.leak))
    train(
        run,
        plan.stream([source]),
        [],
        [],
        tmp_path / "run",
        notes={},
        schedule=Schedule(),
        report=lambda *_: None,
        judged=lambda *_: None,
    )
    assert seen == [plan.leak_at(step) for step in range(plan.steps)]
    leaks = {m.leak for n in (run.network, run.average) for m in n.modules() if isinstance(m, Conv)}
    assert leaks == {0.0}
    trained = run.average
    trained.fold()
    kinds = {node.op_type for node in build(trained).graph.node}
    assert "Relu" in kinds
    assert "LeakyRelu" not in kinds
    image = torch.from_numpy(pictures(1)[0][None])
    with torch.no_grad():
        theirs = cells(trained(image)).numpy()
    np.testing.assert_allclose(outputs(build(trained), pictures(1)[0]), theirs, rtol=1e-3, atol=1e-3)


def test_a_part_beyond_the_run_is_refused() -> None:
    with pytest.raises(DataError, match="--straighten 1"):
        check(Plan(straighten=1.5))
