"""Learning with int8's rounding."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from edgecam.detector.session import create_session, run_session
from edgecam.errors import DataError
from edgecam.training import checkpoint
from edgecam.training.calibration import add_rounding
from edgecam.training.delivery import deliver
from edgecam.training.export import describe, export
from edgecam.training.layers import Conv
from edgecam.training.network import Network, cells
from edgecam.training.objectives import Distillation
from edgecam.training.plan import Plan, check
from edgecam.training.quantise import quantise
from edgecam.training.rounding import Grid
from edgecam.training.run import Run
from edgecam.training.step import Stepper
from tests.training.toy import mobile_net, pictures, shuffle_net, small_network, toy_plan, toy_source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BYTES = 256


def numbers(network: Network, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    with torch.no_grad():
        result: NDArray[np.float32] = cells(network(torch.from_numpy(np.stack(images)))).numpy()
    return result


def rounded(network: Network, images: list[NDArray[np.uint8]]) -> Network:
    twin = copy.deepcopy(network)
    add_rounding(twin, torch.from_numpy(np.stack(images)))
    return twin


def test_a_grid_holds_zero_and_as_many_values_as_a_byte() -> None:
    grid = Grid.of(-1.3, 2.9)
    values = grid.round(torch.linspace(-2, 4, 5000))
    assert len(values.unique()) == BYTES
    assert 0.0 in values
    assert float(values.min()) == pytest.approx(-1.3, abs=grid.scale)
    assert float(values.max()) == pytest.approx(2.9, abs=grid.scale)
    assert float(Grid.of(0.5, 1.0).round(torch.zeros(1))) == 0.0


@pytest.mark.parametrize("make", [shuffle_net, mobile_net])
def test_a_rounded_network_is_close_to_its_int8_file(make: object, tmp_path: Path) -> None:
    assert callable(make)
    network, images = make(), pictures(8)
    fp32, int8 = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    export(network, fp32, describe(network, name="small", provenance={}, accuracy={}))
    quantise(fp32, int8, images, name="small int8")
    session = create_session(int8, threads=1)
    theirs = np.concatenate([run_session(session, ["cells"], {"image": image[None]})[0] for image in images])
    exact, ours = numbers(network, images), numbers(rounded(network, images), images)
    error, left = theirs - exact, theirs - ours
    assert np.square(left).mean() < 0.5 * np.square(error).mean()


def test_what_is_learnt_with_rounding_loses_less_by_it(tmp_path: Path) -> None:
    teacher = shuffle_net()
    network = rounded(teacher, pictures(8))
    distillation = Distillation(maps=0.0)
    plan = toy_plan(views=240, batch=4, rate=3e-4, labels=0.0, distillation=distillation, int8=True, ema=0.9)
    run = Run.start(network, plan)
    stream = plan.stream([toy_source(tmp_path)])
    stepper = Stepper(run, [teacher])
    losses = [sum(stepper(stream.at(step)).read().values()) for step in range(plan.steps)]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    # The average that is validated rounds too, and its file is one like any other.
    assert any(isinstance(m, Conv) and m.rounding is not None for m in run.average.modules())
    checkpoint.save_weights(tmp_path / "weights.safetensors", run.average, {})
    plain = checkpoint.load_network(tmp_path / "weights.safetensors")
    assert all(m.rounding is None for m in plain.modules() if isinstance(m, Conv))


def test_gradients_pass_where_nothing_was_cut() -> None:
    x = torch.tensor([-5.0, 0.3, 0.9, 7.0], requires_grad=True)
    Grid.of(-1.0, 1.0).round(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 0]


def test_rounding_comes_last() -> None:
    with pytest.raises(DataError, match="batch-norm"):
        add_rounding(small_network().eval(), torch.from_numpy(np.stack(pictures(2))))
    plan = Plan(int8=True, labels=1.0)
    check(plan)
    for change in ({"straighten": 0.5}, {"outputs": False, "distillation": Distillation()}):
        with pytest.raises(DataError, match="--int8 comes last"):
            check(dataclasses.replace(plan, **change))


@pytest.mark.parametrize("learnt", [True, False])
def test_weights_that_learnt_it_are_exported_as_they_lie(learnt: bool, tmp_path: Path) -> None:
    """Equalised again, they would be rounded elsewhere."""
    weights, output = tmp_path / "weights.safetensors", tmp_path / "net.onnx"
    checkpoint.save_weights(weights, shuffle_net(), {"plan": {"int8": learnt}})
    deliver(weights, output, name="net", provenance={}, accuracy={}, images=pictures(4))
    name = "head.8.conv0.pointwise.weight"
    written = {value.name: numpy_helper.to_array(value) for value in onnx.load(output).graph.initializer}[name]
    stored = checkpoint.load_network(weights).state_dict()[name].numpy()
    assert np.array_equal(written, stored) is learnt
