"""The one training loop: batches in, steps, checkpoints, validation now and then."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import distributed

from edgecam.errors import DataError
from edgecam.training import checkpoint
from edgecam.training.processes import any_process
from edgecam.training.step import Losses, Stepper
from edgecam.training.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from edgecam.evaluation.coco import Accuracy
    from edgecam.training.batches import Source, Stream
    from edgecam.training.network import Network
    from edgecam.training.run import Run

CHECKPOINT_S = 180.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How often a run is validated (in steps; 0: only at its end) and saved, and after how many validations without a
    better one it ends (0: never)."""

    every: int = 0
    patience: int = 0
    save_every_s: float = CHECKPOINT_S


def train(
    run: Run,
    stream: Stream,
    teachers: Sequence[Network],
    judges: Sequence[Source],
    folder: Path,
    *,
    notes: dict[str, Any],
    schedule: Schedule,
    report: Callable[[int, dict[str, float]], None],
    judged: Callable[[int, dict[str, Accuracy]], None],
    interrupted: Event | None = None,
) -> None:
    """Run to the plan's end or until it gets no better, with checkpoints and validations on the way.

    Once `interrupted` is set, it finishes its step, writes a checkpoint and returns. Under a `torchrun` the first
    process validates and saves, and what interrupts one process interrupts all.
    `report` is called with the loss terms of each step, `judged` with the accuracy by data set of each validation.
    A disk that is full when a checkpoint is written does not end the run: the previous one is kept.
    """
    run.network.train()
    main = not distributed.is_initialized() or distributed.get_rank() == 0
    saved_at = time.monotonic()
    stepper = Stepper(run, teachers)
    made: Losses | None = None
    for batch in stream.prefetched(run.step, run.plan.steps):
        before, made = made, stepper(batch)
        if before is not None:
            report(before.step, before.read())  # while the device works on the step after it
        last = run.step == run.plan.steps
        halt = any_process(interrupted is not None and interrupted.is_set())
        due = last or (not halt and schedule.every > 0 and run.step % schedule.every == 0)
        save = last or halt or time.monotonic() - saved_at > schedule.save_every_s
        if due or save:
            report(made.step, made.read())  # a loss that is no number ends the run before it is judged or saved
            made = None
        stop = due and bool(judges) and any_process(main and _judge(run, judges, folder, notes, schedule, judged))
        if main and (save or stop):
            _save(run, folder, notes, must=last or stop or halt)
            saved_at = time.monotonic()
        if halt and interrupted is not None:
            interrupted.set()
        if stop or halt:
            return


def _judge(
    run: Run,
    judges: Sequence[Source],
    folder: Path,
    notes: dict[str, Any],
    schedule: Schedule,
    judged: Callable[[int, dict[str, Accuracy]], None],
) -> bool:
    """Validate, keep the weights that are best on the first set, and say whether the run has stopped improving."""
    found = {source.dataset.name: validate(run.result, source, run.plan.sizes[0]) for source in judges}
    run.history.append({"step": run.step} | {name: [a.ap, a.ap50] for name, a in found.items()})
    judged(run.step, found)
    first = judges[0].dataset.name
    values = [entry[first][0] for entry in run.history]
    best = values.index(max(values))
    if best == len(values) - 1:
        checkpoint.save_weights(folder / "best.safetensors", run.result, notes | run.progress)
    return 0 < schedule.patience <= len(values) - 1 - best


def _save(run: Run, folder: Path, notes: dict[str, Any], *, must: bool) -> None:
    try:
        run.save(folder, notes)
    except DataError as error:
        if must:
            raise
        logger.warning("%s", error)
