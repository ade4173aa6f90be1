"""Every variant of the family is built, folded, exported and gives in onnxruntime what it gives in torch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from edgecam.errors import DataError
from edgecam.training.config import ModelConfig
from edgecam.training.members import MEMBERS, configure
from edgecam.training.network import Network, batch_norm_parts, cells
from edgecam.training.onnx_graph import build
from tests.training.toy import SMALL, shake_norms, small_network

if TYPE_CHECKING:
    from pathlib import Path

NARROW = {"collect": 16, "redistribute": 32, "neck_channels": 32, "head_channels": 24}
VARIANTS: dict[str, dict[str, Any]] = {
    "mobile": {"backbone": "mobilenetv2"},
    "nano": {"backbone": "shufflenetv2"},
    "mobile untruncated": {"backbone": "mobilenetv2", "truncated": False},
    "nano untruncated": {"backbone": "shufflenetv2", "truncated": False},
    "without RFCR": {"rfcr": False},
    "three taps, as the port": {"shortcut": False},
    "width 0.75": {"backbone": "mobilenetv2", "width": 0.75},
    "width 1.4": {"backbone": "mobilenetv2", "width": 1.4},
    "ShuffleNetV2 0.5": {"width": 0.5},
    "channels 16/32": {"collect": 16, "redistribute": 32},
    "channels 48/96": {"collect": 48, "redistribute": 96},
    "pruned expansions": {"backbone": "mobilenetv2", "hidden": (32, 64, 96, 96)},
    "resampled first": {"resample_first": True},
    "bilinear": {"upsample": "bilinear", "neck_upsample": "bilinear"},
    "sub-sampled, as the port": {"pool": "subsample"},
    "deeper laterals": {"deepen": (0, 1, 2), "deepen_hidden": 24},
    "no neck": {"neck": "none"},
    "FPN": {"neck": "fpn"},
    "PAN": {"neck": "pan"},
    "ghost FPN": {"neck": "ghost_fpn"},
    "ghost PAN 5x5": {"neck": "ghost_pan", "neck_kernel": 5, "head_kernel": 5},
    "3x3 where cells are many": {
        "neck": "ghost_pan",
        "neck_kernel": 5,
        "fine_neck_kernel": 3,
        "head_kernel": 5,
        "fine_head_kernel": 3,
        "head_depth": 2,
    },
    "no stride 64": {"strides": (8, 16, 32)},
    "FPN without stride 64": {"neck": "fpn", "strides": (8, 16, 32)},
    "no head block": {"head_depth": 0},
    "head of two blocks": {"head_depth": 2, "head_channels": 32},
    "ReLU": {"activation": "relu"},
    "ReLU6": {"activation": "relu6"},
}


def variant(name: str) -> Network:
    base = dataclasses.replace(SMALL, width=1.0, **NARROW)
    torch.manual_seed(2)
    network = Network(dataclasses.replace(base, **VARIANTS[name]))
    shake_norms(network)
    return network


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_trains_folds_and_exports(name: str) -> None:
    network = variant(name)
    images = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    cells(network(images)).square().mean().backward()
    missing = [n for n, p in network.named_parameters() if p.grad is None]
    assert not missing

    network = variant(name).eval()
    with torch.no_grad():
        before = cells(network(images))
        network.fold()
        after = cells(network(images)).numpy()
    assert not batch_norm_parts(network)
    scale = np.abs(after).mean()
    np.testing.assert_allclose(after, before.numpy(), rtol=1e-3, atol=1e-3 * scale)

    session = ort.InferenceSession(build(network).SerializeToString(), providers=["CPUExecutionProvider"])
    for height, width in ((64, 96), (128, 64)):
        images = torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8)
        (ours,) = session.run(None, {"image": images.numpy()})
        with torch.no_grad():
            theirs = cells(network(images)).numpy()
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).mean())


def test_graph_has_no_node_that_slows_it_down() -> None:
    network = variant("mobile").eval()
    network.fold()
    kinds = {node.op_type for node in build(network).graph.node}
    assert not kinds & {"Sum", "BatchNormalization", "HardSwish", "Sigmoid", "Mul"}
    for node in build(network).graph.node:
        values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Resize" and values["mode"] == b"nearest":
            assert values["coordinate_transformation_mode"] == b"asymmetric"


def test_truncation_cuts_the_heaviest_layers() -> None:
    def parameters(**changes: Any) -> int:
        network = Network(dataclasses.replace(MEMBERS["mobile"], **changes))
        return sum(p.numel() for p in network.backbone.parameters())

    whole, truncated = parameters(truncated=False), parameters()
    assert truncated < 0.65 * whole
    assert len(Network(MEMBERS["mobile"]).backbone.features) == 17


def test_rfcr_by_hand() -> None:
    """One channel, every weight 1: the fused map is the sum of the taps, each brought to stride 16."""
    network = small_network(collect=1, redistribute=1, norm=())
    rfcr = network.rfcr
    assert rfcr is not None
    with torch.no_grad():
        for parameter in rfcr.parameters():
            parameter.fill_(1.0)
        rfcr.depthwise.weight.zero_()
        rfcr.depthwise.weight[0, 0, 2, 2] = 1.0
        for conv in (rfcr.depthwise, rfcr.pointwise):
            conv.bias.zero_()
        rfcr.depthwise.act = rfcr.pointwise.act = None
    taps = [torch.zeros(1, c, s, s) for c, s in zip(network.backbone.channels, (16, 8, 4, 2), strict=True)]
    taps[0][0, 0, 5, 6] = 1.0  # stride 4: pooled 4 x 4
    taps[1][0, 0, 2, 3] = 10.0  # stride 8: pooled 2 x 2
    taps[2][0, 0, 1, 1] = 100.0
    taps[3][0, 0, 0, 0] = 1000.0  # stride 32: doubled
    s8, s16, s32 = rfcr(taps)
    fused = torch.zeros(4, 4)
    fused[:2, :2] = 1000.0
    fused[1, 1] += 111.0
    torch.testing.assert_close(s16[0, -1], fused)
    torch.testing.assert_close(s8[0, -1], fused.repeat_interleave(2, 0).repeat_interleave(2, 1))
    torch.testing.assert_close(s32[0, -1], torch.tensor([[1111.0, 0.0], [0.0, 0.0]]))
    assert s8.shape[1] == network.backbone.channels[1] + 1


@pytest.mark.parametrize("first", [False, True])
def test_rfcr_folds_scalars_of_any_sign(first: bool) -> None:
    network = small_network(resample_first=first).eval()
    rfcr = network.rfcr
    assert rfcr is not None
    with torch.no_grad():
        rfcr.scales.copy_(torch.tensor([0.5, -1.5, 2.0, -0.1]))
        images = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
        before = cells(network(images))
        network.fold()
        torch.testing.assert_close(cells(network(images)), before, rtol=1e-3, atol=1e-3 * float(before.abs().mean()))


def test_unknown_settings_are_named() -> None:
    with pytest.raises(DataError, match="neck must be one of none, fpn"):
        configure(MEMBERS["nano"], ["neck=bifpn"])
    with pytest.raises(DataError, match="'necks=fpn' is not a setting"):
        configure(MEMBERS["nano"], ["necks=fpn"])
    with pytest.raises(DataError, match=r"deepen must be a count for each of strides 8, 16 and 32, not \(1, 2\)"):
        configure(MEMBERS["mobile"], ["deepen=1,2"])
    with pytest.raises(DataError, match="head_depth=two"):
        configure(MEMBERS["nano"], ["head_depth=two"])
    with pytest.raises(DataError, match="width of ShuffleNetV2 must be one of"):
        Network(configure(MEMBERS["nano"], ["width=0.75"]))
    changed = configure(MEMBERS["mobile"], ["neck=fpn", "strides=8,16,32", "rfcr=off", "width=1.4"])
    assert (changed.neck, changed.strides, changed.rfcr, changed.width) == ("fpn", (8, 16, 32), False, 1.4)


def test_configuration_survives_json() -> None:
    for config in MEMBERS.values():
        assert ModelConfig.from_json(config.to_json()) == config
    with pytest.raises(DataError, match="unknown settings of a network: color"):
        ModelConfig.from_json({"color": 1})


def test_members_are_written_for_any_shape(tmp_path: Path) -> None:
    for name, config in MEMBERS.items():
        network = Network(config).eval()
        network.fold()
        onnx.save(build(network), tmp_path / f"{name}.onnx")
        session = ort.InferenceSession(str(tmp_path / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        for height, width in ((320, 320), (192, 320), (256, 416)):
            (output,) = session.run(None, {"image": np.zeros((1, height, width, 3), np.uint8)})
            count = sum(-(-height // s) * -(-width // s) for s in config.strides)
            assert output.shape == (1, 80 + 32, count)
