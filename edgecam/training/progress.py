"""What a run shows while it lasts: a bar with ETA, live loss and accuracy, and TensorBoard's curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tqdm import tqdm

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from edgecam.evaluation.coco import Accuracy
    from edgecam.training.plan import Plan

SMOOTHING = 0.98


class Progress:
    """Use as a context manager around `engine.train`; `quiet` shows and writes nothing."""

    def __init__(self, plan: Plan, folder: Path, step: int, *, quiet: bool) -> None:
        self._plan, self._quiet = plan, quiet
        self._smooth: dict[str, float] = {}
        self._accuracy = ""
        self._writer: Any = None
        if not quiet:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=step)
        self._bar = tqdm(total=plan.steps, initial=step, unit="step", disable=quiet, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        if self._writer is not None:
            self._writer.close()

    def report(self, step: int, terms: dict[str, float]) -> None:
        """The loss terms of a step."""
        for name, value in terms.items():
            self._smooth[name] = SMOOTHING * self._smooth.get(name, value) + (1 - SMOOTHING) * value
        self._bar.update()
        if step % 10 == 0 and not self._quiet:
            losses = " ".join(f"{name} {value:.3f}" for name, value in self._smooth.items())
            self._bar.set_postfix_str(f"{losses} {self._accuracy}".strip())
            for name, value in terms.items():
                self._writer.add_scalar(f"loss/{name}", value, step)
            self._writer.add_scalar("rate", self._plan.rate_at(step), step)

    def judged(self, step: int, found: dict[str, Accuracy]) -> None:
        """The accuracy by data set of a validation."""
        if self._quiet:
            return
        self._accuracy = " ".join(f"{name} {a.ap:.1f}/{a.ap50:.1f}" for name, a in found.items())
        self._bar.write(f"step {step}: " + "  ".join(f"{name} {accuracy}" for name, accuracy in found.items()))
        for name, accuracy in found.items():
            self._writer.add_scalar(f"AP/{name}", accuracy.ap, step)
            self._writer.add_scalar(f"AP50/{name}", accuracy.ap50, step)
