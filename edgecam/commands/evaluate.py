"""`edgecam evaluate MODEL DATA`: average precision of a model file, through the loader that the window uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgecam.commands.extra import need_extra
from edgecam.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from edgecam.detector.detector import Detector

NAME = "evaluate"
MODULES = ("pycocotools", "tqdm", "yaml")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        NAME,
        help="measure a model's accuracy on labelled photographs",
        epilog="The figure behind ± is how far AP would scatter on other photographs like these (one standard "
        "deviation): two models that differ by less than twice the ± of their difference cannot be told apart.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="name of an installed model, or an ONNX file")
    add("data", nargs="+", metavar="DATA", help="COCO json, VOC folder[:list] or YOLO yaml[:key]")
    add("--images", type=Path, metavar="FOLDER", help="where the pictures of a COCO json lie")
    add("--size", default=None, metavar="HxW", help="input size (default: the model's own)")
    add("--shaped", action="store_true", help="let each photograph choose its input's shape, as the window does")
    add("--per-class", action="store_true", help="one line per class")
    add("--plot", type=Path, metavar="FILE", help="write the precision-recall curves (png, svg, pdf)")
    add("--than", metavar="MODEL", help="say by how much the first model is better or worse than this one")
    add("--threads", type=int, default=None, metavar="N")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints one table per data set and model."""
    need_extra(NAME, (*MODULES, "matplotlib") if args.plot else MODULES)
    from tqdm import tqdm

    from edgecam.evaluation import report
    from edgecam.evaluation.datasets.reading import read
    from edgecam.evaluation.evaluate import evaluate

    size = _size(args.size)
    detectors = [_detector(name, size, args.threads) for name in (args.model, args.than) if name]
    reports = []
    for spec in args.data:
        results = []
        for detector in detectors:
            dataset = read(spec, detector.labels, args.images)
            with tqdm(total=len(dataset), desc=dataset.name, leave=False, disable=None) as bar:
                result = evaluate(detector, dataset, input_hw=size, square=not args.shaped, progress=bar.update)
            print(report.table(result, per_class=args.per_class))
            results.append(result)
        if len(results) > 1:
            print(report.comparison(*results))
        reports += results
    if args.plot:
        report.plot(reports, args.plot)
    return 0


def _detector(name: str, size: tuple[int, int] | None, threads: int | None) -> Detector:
    from edgecam.commands.source_options import model_library, model_records
    from edgecam.detector.loading import passed
    from edgecam.evaluation.evaluate import open_detector

    entry = model_library().find(name)
    if not entry.bundled:
        passed(entry.path, model_records(), threads=threads, input_hw=size)
    return open_detector(entry, size, threads)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        height, width = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise UsageError(f"--size {text}: must be HEIGHTxWIDTH, for example 320x320") from error
    if height < 32 or width < 32 or height % 32 or width % 32:
        raise UsageError(f"--size {text}: both sides must be multiples of 32")
    return height, width
