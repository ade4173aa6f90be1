"""`edgecam export WEIGHTS`: a trained network as the ONNX file that the window loads, also in int8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecam.commands.extra import need_extra

if TYPE_CHECKING:
    import argparse

NAME = "export"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="write trained weights as an ONNX file")
    add = parser.add_argument
    add("weights", type=Path, metavar="WEIGHTS", help="a .safetensors of `edgecam train`")
    add("--output", type=Path, metavar="FILE", help="(default: WEIGHTS with .onnx)")
    add("--name", metavar="NAME", help="as the model picker shows it (default: `edgecam` and the member)")
    add("--about", type=Path, metavar="JSON", help="`provenance` and `accuracy` for the file's description")
    add("--int8", type=Path, metavar="FILE", help="write the int8 twin too; needs --calibrate")
    add("--calibrate", action="append", default=[], metavar="DATA", help="training photographs to calibrate int8 on")
    add("--images", type=Path, metavar="FOLDER", help="where the pictures of a COCO json lie")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the files and prints how far they are from torch and from each other."""
    need_extra(NAME)
    from edgecam.errors import UsageError
    from edgecam.training.delivery import deliver

    if args.int8 is not None and not args.calibrate:
        raise UsageError("--int8 needs --calibrate DATA: training photographs to measure the activations on")
    about = _about(args.about)
    output = args.output or args.weights.with_suffix(".onnx")
    images = _calibration(args) if args.int8 is not None else None
    done = deliver(
        args.weights,
        output,
        name=args.name,
        provenance=about.get("provenance", {}),
        accuracy=about.get("accuracy", {}),
        int8=args.int8,
        images=images,
    )
    print(f"{output}: differs from torch by {done.parity:.1e} of its values")
    if done.difference is not None and images:
        print(f"{args.int8}: {done.difference} (on {len(images)} photographs)")
    return 0


def _calibration(args: argparse.Namespace) -> list[Any]:
    from edgecam.evaluation.datasets.labels import COCO_LABELS
    from edgecam.evaluation.datasets.reading import names_of, read
    from edgecam.training.quantise import calibration_images

    datasets = [read(spec, names_of(spec) or COCO_LABELS, args.images) for spec in args.calibrate]
    return calibration_images(datasets)


def _about(path: Path | None) -> dict[str, Any]:
    import json

    from edgecam.errors import DataError

    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict) or set(content) - {"provenance", "accuracy"}:
        raise DataError(f"{path}: must be an object with `provenance` and `accuracy`")
    return content
