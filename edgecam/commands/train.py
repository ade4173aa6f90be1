"""`edgecam train DATA…`: train, or go on from the bundled weights, on COCO, VOC or YOLO data."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from edgecam.commands.extra import need_extra

NAME = "train"

EXAMPLES = """\
examples:
  edgecam train my/data.yaml --val my/data.yaml:val --out runs/mine      one's own classes, from the bundled weights
  edgecam train VOC2007:trainval --labels coco --views 20000             the bundled classes, more photographs
  edgecam train coco.json photos/ --recipe outputs --teacher nanodet_plus_m_416.npz --labels coco
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        NAME,
        help="train or fine-tune a detector",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "data", nargs="+", metavar="DATA", help="COCO json, VOC folder[:list], YOLO yaml[:key], or a folder of pictures"
    )
    add("--val", action="append", default=[], metavar="DATA", help="data to validate on (the first chooses the best)")
    add("--images", type=Path, metavar="FOLDER", help="where the pictures of a COCO json lie")
    add("--share", type=float, action="append", default=[], metavar="X", help="how often each DATA is drawn (1)")
    add(
        "--labels", default="data", metavar="data|coco", help="the network's classes: the data's (default) or COCO's 80"
    )
    add("--model", choices=("mobile", "nano"), default="nano", help="member of the family (default: nano)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="another variant, for example neck=fpn")
    add("--init", metavar="FILE|none", help="weights to start from (default: the bundled ones)")
    add("--out", type=Path, default=Path("runs/train"), metavar="FOLDER", dest="folder", help="where everything goes")
    add("--resume", action="store_true", help="go on with the run in --out to the same result")
    add("--device", default="auto", metavar="auto|cpu|cuda", help="where to train")
    add("--cache", type=Path, metavar="FOLDER", help="decoded pictures (default: in the user's cache)")
    _add_plan(parser)
    _add_teacher(parser)
    parser.set_defaults(run=run)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how").add_argument
    add("--views", type=int, default=20_000, metavar="N", help="photographs shown in the whole run (20000)")
    add("--batch", type=int, default=16, metavar="N", help="photographs in a step, of all processes together (16)")
    add("--rate", type=float, default=3e-4, metavar="R", help="highest learning rate (3e-4)")
    add("--rates", action="append", default=[], metavar="PART=X", help="multiplier of one part; 0 freezes it")
    add("--muon", action="store_true", help="1x1 convolutions take Muon's steps: transplants learn more per view")
    add("--freeze", type=int, default=0, metavar="N", help="the backbone's first N layers stay as they are")
    add("--front", type=Path, metavar="FILE", help="and begin as in FILE: weights, or MobileNetV2's arrays (.npz)")
    add("--size", action="append", default=[], metavar="HxW", help="input sizes to alternate between (320x320)")
    add("--straighten", type=float, default=0.0, metavar="X", help="turn LeakyReLU into ReLU in the first X of the run")
    add("--int8", action="store_true", help="learn with int8's rounding, for weights that are exported as int8")
    add("--scale", default="0.6,1.7", metavar="A,B", help="range of the augmentation's zoom")
    add("--colour", type=float, default=1.0, metavar="X", help="strength of its changes of colour; 0 for none (1)")
    add(
        "--mosaic",
        type=float,
        default=0.0,
        metavar="X",
        help="share of the views that are made of four photographs, until 0.85 of the run (0)",
    )
    add(
        "--mix",
        type=float,
        default=0.0,
        metavar="X",
        help="share of the views that have a second one in them, half transparent, until 0.85 of the run (0)",
    )
    add("--ema", type=float, default=0.998, metavar="D", help="decay of the moving average of the weights; 0 for none")
    add("--seed", type=int, default=0, metavar="N")
    add("--every", type=int, default=500, metavar="STEPS", help="validate so often; 0 only at the end")
    add("--patience", type=int, default=0, metavar="N", help="stop after N validations without a better one")


def _add_teacher(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("distillation").add_argument
    add(
        "--recipe",
        choices=("labels", "maps", "outputs", "taps"),
        default="labels",
        help="learn labels (default), a teacher's maps (transplant), a teacher's outputs, or after pruning the "
        "whole backbone's taps",
    )
    add(
        "--taps",
        type=int,
        choices=range(1, 5),
        default=4,
        metavar="N",
        help="--recipe taps learns the first N of the taps, at strides 4, 8, 16, 32 (4)",
    )
    add(
        "--teacher",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="NanoDet-Plus-m's arrays (.npz) or weights of ours (.safetensors); of several the mean is learnt",
    )
    add("--teacher-zoom", type=float, default=1.0, metavar="X", help="the teacher sees each view X times as large (1)")
    add("--distil", type=float, metavar="X", help="weight of the teacher's outputs beside labels (0.5)")
    add("--backbone", type=Path, metavar="FILE", help="MobileNetV2's arrays (.npz); with --init none")
    add("--teacher-boxes", type=Path, metavar="FILE", help="boxes of better models for classes without labels")


def run(args: argparse.Namespace) -> int:
    """Returns 0 when the run has reached its end or stopped early."""
    need_extra(NAME)
    # Before torch is loaded: threads that wait for each other do it asleep. Beside any other work they would burn four
    # times what the step itself takes.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from edgecam.training.session import train_from

    train_from(args)
    return 0
