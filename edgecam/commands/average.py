"""`edgecam average WEIGHTS[=SHARE] …`: the mean of several trainings of one network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgecam.commands.extra import need_extra

if TYPE_CHECKING:
    import argparse

NAME = "average"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="average the weights of several trainings that started from the same")
    add = parser.add_argument
    add(
        "weights", nargs="+", metavar="WEIGHTS[=SHARE]", help=".safetensors of `edgecam train`, each with its share (1)"
    )
    add("--output", type=Path, required=True, metavar="FILE", help="the .safetensors to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the mean and prints what it is of."""
    need_extra(NAME)
    from edgecam.training.averaging import average
    from edgecam.training.checkpoint import save_weights

    parts = [_part(text) for text in args.weights]
    save_weights(args.output, average(parts), {"average": {path.name: share for path, share in parts}})
    print(f"{args.output}: the mean of {', '.join(f'{path.name} x {share:g}' for path, share in parts)}")
    return 0


def _part(text: str) -> tuple[Path, float]:
    """A file's name may contain an equals sign itself: only a number behind the last one is a share."""
    name, _, share = text.rpartition("=")
    try:
        return Path(name or text), float(share) if name else 1.0
    except ValueError:
        return Path(text), 1.0
