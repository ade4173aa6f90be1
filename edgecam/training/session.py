"""`edgecam train` from its arguments to the last checkpoint: data, network, teacher, plan, progress."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tqdm import tqdm

from edgecam.errors import DataError
from edgecam.evaluation.datasets.labels import COCO_LABELS
from edgecam.evaluation.datasets.reading import joined_names, read
from edgecam.training import sources
from edgecam.training.beginning import make_network, make_teachers, round_like_int8
from edgecam.training.engine import Schedule, train
from edgecam.training.objectives import Distillation
from edgecam.training.plan import Plan, check
from edgecam.training.processes import choose_device, processes, share_weights, signals
from edgecam.training.progress import Progress
from edgecam.training.run import Run
from edgecam.training.views import ViewConfig

if TYPE_CHECKING:
    import argparse

    from edgecam.training.batches import Source
    from edgecam.training.network import Network

COARSEST = 64  # stride of the smallest map: at this size it has a single cell

logger = logging.getLogger(__name__)


def train_from(args: argparse.Namespace) -> Run:
    """Do what the command line says.

    Raises:
        DataError: an input is broken, missing or does not fit; the text names it.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    with processes() as (rank, world):
        device = choose_device(args.device, rank)
        torch.manual_seed(args.seed)
        labels = COCO_LABELS if args.labels == "coco" else joined_names([*args.data, *args.val])
        if args.labels not in {"coco", "data"} or not labels:
            raise DataError(f"--labels {args.labels}: must be coco, or data with classes")
        plan = make_plan(args)
        training, judges = open_data(args, labels, quiet=rank > 0)
        stream = plan.stream(training, rank=rank, world=world, device=device if device.type != "cpu" else None)
        teachers = make_teachers(args, training, plan)
        fit = rank == 0 and not args.resume
        network = make_network(args, labels, teachers[0] if teachers else None, training, plan, fit=fit)
        if network.config.norm and stream.batch == 1 and any(max(size) <= COARSEST for size in plan.sizes):
            raise DataError(
                f"--batch {plan.batch}: batch-norm needs two pictures in each process at such a small --size"
            )
        if plan.int8:
            round_like_int8(network, training, Path(args.init) if args.init not in {None, "none"} else None)
        run = start(network, teachers, plan, device, args)
        with Progress(plan, args.folder, run.step, quiet=rank > 0) as progress, signals() as interrupted:
            train(
                run,
                stream,
                teachers,
                judges,
                args.folder,
                notes={"command": " ".join(sys.argv[1:]), "data": [s.dataset.name for s in training]},
                schedule=Schedule(every=args.every, patience=args.patience),
                report=progress.report,
                judged=progress.judged,
                interrupted=interrupted,
            )
    if rank == 0:
        print(f"weights: {args.folder / 'weights.safetensors'}")
    if interrupted.is_set():
        print(f"stopped at step {run.step} of {plan.steps}; the same command with --resume goes on", file=sys.stderr)
        raise KeyboardInterrupt
    return run


def make_plan(args: argparse.Namespace) -> Plan:
    """The run that the arguments describe. Raises DataError on values that cannot work."""
    try:
        low, high = (float(part) for part in args.scale.split(","))
        sizes = tuple((int(h), int(w)) for h, w in (size.lower().split("x") for size in args.size or ["320x320"]))
        rates = {part: float(value) for part, value in (rate.split("=") for rate in args.rates)}
    except ValueError as error:
        raise DataError(
            f"--scale, --size or --rates is not as `0.6,1.7`, `320x320`, `backbone=0.2` ({error})"
        ) from error
    if not 0 <= args.colour <= 2:
        raise DataError(f"--colour {args.colour}: must be from 0 to 2")
    if args.recipe != "labels" and not args.teacher:
        raise DataError(f"--recipe {args.recipe} needs --teacher FILE")
    if args.recipe in {"maps", "taps"} and len(args.teacher) > 1:
        raise DataError(f"--recipe {args.recipe} learns the maps of one --teacher")
    distil: Distillation | None = None
    if args.recipe == "maps":
        distil, rates = Distillation(maps=1.0), {"backbone": 0.0, "neck": 0.0, "head": 0.0} | rates
    elif args.recipe == "outputs":
        distil = Distillation()
    elif args.recipe == "labels" and args.teacher:
        weight = 0.5 if args.distil is None else args.distil
        distil = Distillation(maps=0.3 * weight, classes=weight, distances=weight)
    plan = Plan(
        views=args.views,
        batch=args.batch,
        rate=args.rate,
        rates=rates,
        frozen_features=args.freeze,
        labels=1.0 if args.recipe == "labels" else 0.0,
        distillation=distil,
        teacher_zoom=args.teacher_zoom,
        mosaic=args.mosaic,
        mix=args.mix,
        outputs=args.recipe not in {"maps", "taps"},
        sizes=sizes,
        view=ViewConfig(scale=(low, high)).coloured(args.colour),
        ema=args.ema if args.recipe != "maps" else 0.0,
        seed=args.seed,
        straighten=args.straighten,
        int8=args.int8,
        muon=args.muon,
        taps=args.taps if args.recipe == "taps" else 0,
    )
    check(plan)
    return plan


def open_data(args: argparse.Namespace, labels: tuple[str, ...], *, quiet: bool) -> tuple[list[Source], list[Source]]:
    """The training and validation sources, their photographs decoded."""
    folder = args.cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgecam" / "pictures"
    boxes = sources.read_teacher_boxes(args.teacher_boxes) if args.teacher_boxes else None
    shares = [*args.share, *[1.0] * len(args.data)]

    def opened(spec: str, share: float, teacher: sources.TeacherBoxes | None) -> Source:
        dataset = read(spec, labels, args.images)
        with tqdm(total=len(dataset), desc=f"decoding {dataset.name}", disable=quiet or None, leave=False) as bar:
            return sources.open_source(
                dataset, folder, teacher, share, lambda done, _: bar.update(done - bar.n) and None
            )

    training = [opened(spec, share, boxes) for spec, share in zip(args.data, shares, strict=False)]
    judges = [opened(spec, 1.0, None) for spec in args.val]
    for source in judges:
        if not source.dataset.evaluated:
            raise DataError(f"--val {source.dataset.name}: has no labels to validate with")
    return training, judges


def start(network: Network, teachers: list[Network], plan: Plan, device: torch.device, args: argparse.Namespace) -> Run:
    """Put all on the device and take up an earlier run if that is asked for."""
    for module in (network, *teachers):
        module.to(device=device, memory_format=torch.channels_last)  # a third faster than NCHW on both
    share_weights(network)
    run = Run.start(network, plan)
    saved = args.folder / "last.safetensors"
    if args.resume:
        run.resume(saved)
    elif saved.exists():
        raise DataError(f"{args.folder}: already holds a run; go on with --resume, or give another --out")
    return run
