"""What a run starts with: its network, from a file or built anew, and its teachers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from edgecam.errors import DataError
from edgecam.resources import models_folder
from edgecam.training import checkpoint
from edgecam.training.batches import Source, Stream
from edgecam.training.calibration import add_rounding
from edgecam.training.equalisation import EQUALISED_ON, equalise
from edgecam.training.front import put_front
from edgecam.training.laterals import fit_laterals
from edgecam.training.members import MEMBERS, configure, rebuild, start_from, teacher_from
from edgecam.training.quantise import calibration_images
from edgecam.training.weights import adopt, relabel

if TYPE_CHECKING:
    import argparse

    from edgecam.training.network import Network
    from edgecam.training.plan import Plan

FIT_IMAGES = 32  # photographs that a teacher's maps are measured and lighter parts are fitted on
LATERAL_BATCHES = 50  # of as many, that a transplant's laterals are fitted on


def sample_stream(training: list[Source], plan: Plan) -> Stream:
    """Views beside those of the run, FIT_IMAGES a batch."""
    return Stream(training, batch=FIT_IMAGES, sizes=plan.sizes[:1], view=plan.view, seed=plan.seed + 1)


def sample_images(training: list[Source], plan: Plan) -> torch.Tensor:
    """Views to measure maps on: uint8 (FIT_IMAGES, H, W, 3)."""
    return sample_stream(training, plan).at(0).images


def make_teachers(args: argparse.Namespace, training: list[Source], plan: Plan) -> list[Network]:
    if args.teacher and args.labels != "coco":
        raise DataError("--teacher knows COCO's 80 classes: use --labels coco with it")
    transplanted = args.recipe == "maps"
    return [teacher_from(path, sample_images(training, plan) if transplanted else None) for path in args.teacher]


def make_network(
    args: argparse.Namespace,
    labels: tuple[str, ...],
    teacher: Network | None,
    training: list[Source],
    plan: Plan,
    *,
    fit: bool,
) -> Network:
    """From the weights of --init, or built anew from the backbone's file and the teacher's neck and head.

    `fit`: the laterals of a transplant are fitted, which takes a minute; where its weights are not used it is left out.
    """
    if args.init == "none":
        if args.front:
            raise DataError("--front replaces the first layers of given weights: with --init none name a --backbone")
        config = configure(MEMBERS[args.model], args.set)
        if args.recipe == "maps" and not config.norm:
            config = configure(config, ["norm=rfcr,laterals"])
        fit_on = sample_images(training, plan) if teacher is not None else None
        network = start_from(config, teacher=teacher, backbone=args.backbone, fit_on=fit_on)
    else:
        path = Path(args.init) if args.init else models_folder() / f"edgecam-{args.model}.safetensors"
        if args.backbone:
            raise DataError("--backbone builds a network anew: use it with --init none")
        network = checkpoint.load_network(path)
        if teacher is not None and plan.outputs and learnt_maps(checkpoint.read(path).notes):
            adopt(network, teacher, sample_images(training, plan))
            if fit:
                fit_to_maps(network, teacher, sample_stream(training, plan))
        if args.front:
            network = put_front(network, args.front, args.freeze)
        if args.set:
            network = rebuild(network, args.set, teacher, sample_images(training, plan))
        if teacher is not None and args.recipe == "taps":
            check_taps(network, teacher, args.taps)
    if args.recipe != "maps" and not network.config.norm:
        network.fold()
    return relabel(network, labels)


def learnt_maps(notes: dict[str, Any]) -> bool:
    """Whether weights with these notes are a transplant's, whose neck and head are not the teacher's yet."""
    plan = notes.get("plan", {})
    return plan.get("outputs") is False and not plan.get("taps")


def check_taps(network: Network, teacher: Network, count: int) -> None:
    ours, theirs = (n.backbone.channels[:count] for n in (network, teacher))
    if network.config.backbone != teacher.config.backbone or ours != theirs:
        raise DataError(
            f"--recipe taps: the teacher's {teacher.config.backbone} has taps of {theirs} channels, the network's "
            f"{network.config.backbone} of {ours}; it must be the same backbone, only with more inner channels"
        )


def fit_to_maps(network: Network, teacher: Network, stream: Stream) -> None:
    network.eval()
    steps = tqdm(range(LATERAL_BATCHES), desc="fitting the laterals", disable=None, leave=False)
    fit_laterals(network, teacher, (stream.at(step).images for step in steps))
    network.train()


def round_like_int8(network: Network, training: list[Source], init: Path | None) -> None:
    """Let a network learn with int8's rounding; `init` are the weights that it starts from."""
    images = calibration_images([source.dataset for source in training])
    if init is None or not checkpoint.learnt_int8(init):
        equalise(network, torch.from_numpy(np.stack(images[:EQUALISED_ON])))
    add_rounding(network, torch.from_numpy(np.stack(images)))
