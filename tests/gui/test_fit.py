"""Fitting to this board in the window."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt

from edgecam.bench.models import CaseResult
from edgecam.errors import ModelError
from edgecam.fit.choice import Wish, choose
from edgecam.fit.store import Fit, load_fit, save_fit
from edgecam.gui.fit.dialog import FitDialog
from edgecam.gui.fit.measurement import Measurement, options_of
from tests.gui.test_performance import DescribedDetector

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow
    from tests.gui.conftest import WindowMaker


def case(model: str, ms: float, accuracy: float) -> CaseResult:
    return CaseResult(model, 1, (64, 64), ms, ms * 1.1, ms, 1000 / ms, 100.0, 20, 1.0, accuracy)


CASES = (case("edgecam-mobile", 10, 16), case("edgecam-nano", 40, 21))
CHOICE = choose(CASES, Wish(15), cores=4)


def answer(wish: Wish, parent: Any) -> Measurement:
    """A measurement that says at once what was measured elsewhere."""
    import json
    from dataclasses import asdict

    data = asdict(CHOICE) | {"cases": [one.to_json() for one in CASES]}
    script = (
        "import sys, json\n"
        'print(json.dumps({"text": "round 1 of 1", "share": 0.5}), file=sys.stderr, flush=True)\n'
        f"print({json.dumps(data)!r})\n"
    )
    return Measurement(wish, parent, [sys.executable, "-c", script])


def running(window: MainWindow) -> str:
    detector = window.pipeline.detect.detector
    return "" if detector is None else detector.path.stem


def test_from_the_wish_to_the_model_that_runs_and_is_remembered(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("demo", model="edgecam-mobile")
    qtbot.waitUntil(lambda: window.pipeline.detect.detector is not None, timeout=20_000)
    window.fit._measure = answer
    window.panel.fit_wanted.emit()
    dialog = window.fit.dialog
    assert dialog is not None
    assert "30" in dialog.by_camera.text()
    dialog.per_second.setValue(15)
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    assert window.pipeline.detect.detector is None  # it must not disturb the measurement
    qtbot.waitUntil(lambda: dialog.pages.currentIndex() == 2, timeout=20_000)
    assert "edgecam-nano" in dialog.why.text()
    assert dialog.table.item(0, 0).text() == "edgecam-nano"
    assert dialog.table.rowCount() == 2
    qtbot.waitUntil(lambda: running(window) == "edgecam-nano", timeout=20_000)
    assert "At least 15.0 per second" in window.panel.fit_text
    saved = load_fit(window.preferences.folder / "fit.json")
    assert saved is not None
    assert saved.keeping
    assert saved.choice == CHOICE
    dialog.reject()
    window.models.choose("edgecam-mobile")  # by hand: that is what counts from now on
    assert window.panel.fit_text == ""
    saved = load_fit(window.preferences.folder / "fit.json")
    assert saved is not None
    assert not saved.keeping


def test_it_goes_on_at_the_next_start(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window()
    save_fit(window.preferences.folder / "fit.json", Fit(Wish(15), CHOICE))
    window.close()
    window = make_window()
    assert window.fit.resume()
    qtbot.waitUntil(lambda: window.pipeline.detect.detector is not None, timeout=20_000)
    detector = window.pipeline.detect.detector
    assert detector is not None
    assert (detector.path.stem, detector.base_hw, detector.threads) == ("edgecam-nano", (64, 64), 1)


def test_it_steps_down_when_the_board_slows_and_up_when_it_recovers(
    make_window: WindowMaker, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 ms of the better model become 160 ms; the quicker one's 10 ms become 40."""
    monkeypatch.setattr("edgecam.fit.governor.UP_AFTER_S", 3.0)
    window = make_window("demo")
    slowness = [4.0]
    used: list[str] = []

    def use(name: str, **_: object) -> None:
        used.append(name)
        step = {one.model: one for one in CASES}[name]
        detector = DescribedDetector(name, step.median_ms / 1000 * slowness[0])
        window.pipeline.detect.change(name, lambda: detector)  # type: ignore[arg-type,return-value]

    monkeypatch.setattr(window.models, "use", use)
    window.fit.fit = Fit(Wish(15), CHOICE)
    longest = 0.0
    assert window.fit.resume()
    last = time.monotonic()
    until = last + 30
    while len(used) < 2 and last < until:
        qtbot.wait(5)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert used == ["edgecam-nano", "edgecam-mobile"]
    assert "Step 1 of 2" in window.panel.fit_text
    assert "Stepped down" in window.toast.text
    assert longest < 1.0  # the window has answered all the time
    slowness[0] = 1.0
    window.pipeline.detect.change("x", lambda: DescribedDetector("edgecam-mobile", 0.01))  # type: ignore[arg-type,return-value]
    qtbot.waitUntil(lambda: len(used) == 3, timeout=40_000)
    assert used[-1] == "edgecam-nano"


def test_a_paused_camera_is_no_reason_to_step(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("demo", model="edgecam-mobile")
    qtbot.waitUntil(lambda: window.pipeline.detect.rate.count > 2, timeout=20_000)
    window.pipeline.pause(True)
    window.fit.fit = Fit(Wish(15), CHOICE)
    assert window.fit.resume()
    qtbot.wait(7000)
    assert "Step 2 of 2" in window.panel.fit_text


def test_cancelling_brings_the_old_model_back(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("demo", model="edgecam-mobile")
    qtbot.waitUntil(lambda: window.pipeline.detect.detector is not None, timeout=20_000)
    window.fit._measure = lambda wish, parent: Measurement(
        wish, parent, [sys.executable, "-c", "import time; time.sleep(60)"]
    )
    window.fit.open()
    assert window.fit.dialog is not None
    window.fit.dialog.start.click()
    window.fit.dialog.close_.click()
    qtbot.waitUntil(lambda: window.pipeline.detect.detector is not None, timeout=20_000)
    assert window.fit.fit is None


@pytest.mark.parametrize(
    ("script", "words"),
    [("import sys; print('edgecam: no model', file=sys.stderr); sys.exit(2)", "no model"), ("pass", "code 0"),
     ("print('{}')", "cannot be read")],
)  # fmt: skip
def test_a_measurement_that_fails_is_told(script: str, words: str, qtbot: QtBot) -> None:
    measurement = Measurement(Wish(15), None, [sys.executable, "-c", script])
    with qtbot.waitSignal(measurement.failed, timeout=10_000) as told:
        measurement.start()
    assert words in told.args[0]


def test_the_wish_in_the_dialog(qtbot: QtBot) -> None:
    dialog = FitDialog()
    qtbot.addWidget(dialog)
    dialog.ask(None, 25.0)
    assert dialog.wish() == Wish(15, offered=25.0)
    dialog.by_camera.click()
    dialog.limit_cpu.click()
    dialog.limit_heat.click()
    assert dialog.wish() == Wish(25.0, 50, 70, 25.0)
    dialog.ask(Fit(dialog.wish(), CHOICE), 25.0)
    assert dialog.by_camera.isChecked()
    assert dialog.wish() == Wish(25.0, 50, 70, 25.0)
    dialog.ask(None, None)
    assert not dialog.by_camera.isEnabled()
    assert not FitDialog(has_sensor=False).limit_heat.isEnabled()


def test_the_wish_on_the_command_line() -> None:
    options = options_of(Wish(15.0, 50.0, 70.0, 30.0))
    assert options[3:] == ["--at-least", "15.0", "--cpu", "50.0", "--below", "70.0", "--offered", "30.0"]


def test_what_is_stored_holds_for_one_board(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    assert load_fit(path) is None
    save_fit(path, Fit(Wish(15, 40), CHOICE), where="a Pi 5")
    assert load_fit(path, where="a Pi 5") == Fit(Wish(15, 40), CHOICE)
    assert load_fit(path, where="a Pi 4") is None
    path.write_text('{"made_on": "a Pi 5"}')
    assert load_fit(path, where="a Pi 5") is None


def test_a_model_that_is_gone(make_window: WindowMaker) -> None:
    window: MainWindow = make_window()
    window.fit.fit = Fit(Wish(15), choose([case("gone", 10, 1)], Wish(15), cores=4))
    assert not window.fit.resume()
    assert "gone" in window.toast.text
    with pytest.raises(ModelError):
        window.models.use("gone", threads=1, input_hw=(64, 64))
