"""ShuffleNetV2 written without its shuffles, and its branches filled up for int8."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import onnxruntime as ort
import pytest
import torch

from edgecam.training.backbones import ShuffleBranch, shuffle
from edgecam.training.network import Network, cells
from edgecam.training.onnx_graph import build
from edgecam.training.padding import fill_branches
from edgecam.training.unshuffle import follow
from tests.training.toy import SMALL


def network(**changes: object) -> Network:
    torch.manual_seed(3)
    made = Network(dataclasses.replace(SMALL, norm=(), **changes)).eval()
    made.fold()
    return made


def image() -> torch.Tensor:
    return torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("half", "units"), [(58, 4), (116, 8), (6, 3)])
def test_joined_slices_are_what_the_shuffles_hand_on(half: int, units: int) -> None:
    """Numbers instead of channels, sent through the real shuffles."""
    made = [torch.arange(half) + 1000 * output for output in range(units + 1)]
    state = shuffle(torch.cat(made[:2]).view(1, -1, 1, 1)).flatten()
    plan = follow(half, units)

    def joined(slices: tuple[tuple[int, int, int], ...]) -> torch.Tensor:
        return torch.cat([made[output][first:last] for output, first, last in slices])

    for unit, worked in enumerate(plan.worked, start=1):
        kept, taken = state.chunk(2)
        assert torch.equal(joined(worked.slices), taken[list(worked.order)])
        state = shuffle(torch.cat([kept, made[unit + 1]]).view(1, -1, 1, 1)).flatten()
    assert torch.equal(joined(plan.result.slices), state[list(plan.result.order)])
    assert [sum(plan.cuts(output)) for output in range(units + 1)] == [half] * (units + 1)
    assert len(plan.result.order) == 2 * half


@pytest.mark.parametrize("truncated", [True, False])
@pytest.mark.parametrize("rfcr", [True, False])
def test_graph_without_shuffles_computes_the_same(truncated: bool, rfcr: bool) -> None:
    made = network(truncated=truncated, rfcr=rfcr)
    before = copy.deepcopy(made.state_dict())
    model = build(made)
    assert all(torch.equal(before[name], tensor) for name, tensor in made.state_dict().items())
    assert [node.op_type for node in model.graph.node].count("Transpose") == 1  # the picture's
    assert not {"Shape", "Gather"} & {node.op_type for node in model.graph.node}
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ours = session.run(None, {"image": image().numpy()})[0]
    with torch.no_grad():
        theirs = cells(made(image())).numpy()
    assert theirs.std() > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * float(np.abs(theirs).max()))


def test_filled_branches_compute_the_same_in_even_widths() -> None:
    made = network(width=1.0)
    with torch.no_grad():
        before = cells(made(image()))
        assert fill_branches(made) == 12  # of 16: those of the last stage have 232 channels
        torch.testing.assert_close(cells(made(image())), before, rtol=1e-4, atol=1e-4 * float(before.abs().max()))
    inner = [branch.depthwise.out_channels for branch in made.modules() if isinstance(branch, ShuffleBranch)]
    assert sorted(set(inner)) == [64, 128, 232]
    assert fill_branches(made) == 0
