"""Fitting to this board: measuring, using what was chosen, keeping to it, and remembering it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgecam.errors import ModelError
from edgecam.fit.choice import name
from edgecam.fit.store import Fit, load_fit, save_fit
from edgecam.gui.fit.dialog import FitDialog
from edgecam.gui.fit.keeper_thread import KeeperThread
from edgecam.gui.fit.measurement import Measurement
from edgecam.sensors import cpu_temperature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgecam.bench.models import CaseResult
    from edgecam.fit.choice import Choice, Wish
    from edgecam.fit.keeper import Moment
    from edgecam.gui.models.control import ModelControl
    from edgecam.gui.panel.side_panel import SidePanel
    from edgecam.gui.widgets.toast import Toast
    from edgecam.pipeline.pipeline import Pipeline

JOIN_S = 1.0


class FitControl(QObject):
    """The detector rests while it measures; a model that is chosen by hand ends the keeping.

    Args:
        store: where the choice is kept from one start to the next.
        measure: makes the measurement for a wish.
    """

    _looked = Signal(object, int)

    def __init__(
        self, pipeline: Pipeline, models: ModelControl, panel: SidePanel, toast: Toast, store: Path,
        measure: Callable[[Wish, QObject], Measurement] = Measurement,
    ) -> None:  # fmt: skip
        super().__init__(panel)
        self._pipeline, self._models, self._panel, self._toast = pipeline, models, panel, toast
        self._store, self._measure = store, measure
        self.fit: Fit | None = load_fit(store)
        self.dialog: FitDialog | None = None
        self._measurement: Measurement | None = None
        self._before = ""  # what ran before the measurement
        self._keeper: KeeperThread | None = None
        self._looked.connect(self._on_look)
        models.chosen_by_hand.connect(self._on_chosen_by_hand)
        panel.fit_wanted.connect(self.open)

    def open(self) -> None:
        """The dialog with the wish, or with the measurement that is under way."""
        if self.dialog is None:
            self.dialog = FitDialog(self._panel.window(), has_sensor=cpu_temperature() is not None)
            self.dialog.wanted.connect(self._start)
            self.dialog.rejected.connect(self._cancel)
        if self._measurement is None:
            self.dialog.ask(self.fit, self._rate_of_camera())
        self.dialog.open()

    def resume(self) -> bool:
        """Uses what was chosen in an earlier run; False where nothing was, or it does not hold any more."""
        if self.fit is None or not self.fit.keeping or not self._use(self.fit.choice.index):
            return False
        self._keep()
        return True

    def stop(self) -> None:
        """Ends measurement and keeping."""
        if self._measurement is not None:
            self._measurement.cancel()
            self._measurement = None
        self._stop_keeper()

    def _start(self, wish: Wish) -> None:
        self._stop_keeper()
        running = self._pipeline.detect.detector
        self._before = str(running.path) if running is not None else "none"
        self._pipeline.detect.change("", None)  # it would take the processor from what is measured
        self._measurement = self._measure(wish, self)
        if self.dialog is not None:
            self._measurement.progressed.connect(self.dialog.show_progress)
        self._measurement.finished.connect(lambda choice, cases: self._on_measured(wish, choice, cases))
        self._measurement.failed.connect(self._on_failed)
        self._measurement.start()

    def _cancel(self) -> None:
        if self._measurement is None:
            return
        self._measurement.cancel()
        self._measurement = None
        self._go_back()

    def _go_back(self) -> None:
        if not self.resume():
            self._models.choose(self._before, ask=False)

    def _on_failed(self, message: str) -> None:
        self._measurement = None
        if self.dialog is not None:
            self.dialog.show_failure(message)
        self._go_back()

    def _on_measured(self, wish: Wish, choice: Choice, cases: tuple[CaseResult, ...]) -> None:
        self._measurement = None
        watching = self.dialog is None or self.dialog.watching
        self.fit = Fit(wish, choice, watching=watching)
        save_fit(self._store, self.fit)
        if self.dialog is not None:
            self.dialog.show_choice(choice, cases)
        self.resume()

    def _use(self, index: int) -> bool:
        assert self.fit is not None
        case = self.fit.choice.ladder[index]
        try:
            self._models.use(case.model, threads=case.threads, input_hw=case.input_hw)
        except ModelError as error:
            self._toast.say(f"What was fitted cannot be used: {error}")
            return False
        return True

    def _keep(self) -> None:
        self._stop_keeper()
        assert self.fit is not None
        self._panel.show_fit(_told(self.fit, self.fit.choice.index))
        if self.fit.watching:
            self._keeper = KeeperThread(self.fit, self._pipeline, self._looked.emit)
            self._keeper.start()

    def _stop_keeper(self) -> None:
        self._panel.show_fit("")
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper.join(JOIN_S)
            self._keeper = None

    def _on_look(self, moment: Moment, index: int) -> None:
        if not moment.step or self._keeper is None or self.fit is None or not self._use(index):
            return
        case = name(self.fit.choice.ladder[index])
        self._toast.say(f"Stepped {'down' if moment.step < 0 else 'up'} to {case}: {moment.reason}.")
        self._panel.show_fit(_told(self.fit, index, moment.reason))

    def _on_chosen_by_hand(self) -> None:
        if self.fit is None or not self._panel.fit_text:  # it is in use as long as the panel says so
            return
        self._stop_keeper()
        self.fit = replace(self.fit, keeping=False)
        save_fit(self._store, self.fit)

    def _rate_of_camera(self) -> float | None:
        capture = self._pipeline.capture
        mode = capture.camera.mode if capture else None
        return mode.fps if mode and mode.fps else None


def _told(fit: Fit, index: int, reason: str = "") -> str:
    """What the panel says: the wish, what runs, and where on the ladder that is."""
    ladder, lines = fit.choice.ladder, [f"At least {fit.wish}", name(fit.choice.ladder[index])]
    if not fit.choice.fulfilled:
        lines[0] += ": not reached by any model here"
    if fit.watching and len(ladder) > 1:
        lines.append(f"Step {index + 1} of {len(ladder)}" + (f": {reason}" if reason else ""))
    return "\n".join(lines)
