"""The command, and the watch on a pipeline."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import pytest

from edgecam.bench.machine import usable_cores
from edgecam.cli import main
from edgecam.commands import fit
from edgecam.errors import CameraError, ModelError
from edgecam.fit.choice import Wish, choose
from edgecam.fit.watch import FitWatch
from tests.bench.conftest import tiny_model as tiny_model
from tests.fit.test_choice import case
from tests.pipeline.pipeline_fakes import Behaviour, FakeCamera, FakeDetector

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.bench.models import CaseResult
    from edgecam.fit.keeper import Moment

CASES = [case("small", 10, accuracy=20), case("large", 40, accuracy=30)]


def watch(slowness: float, moments: list[Moment], seconds: float) -> list[Moment]:
    choice = choose(CASES, Wish(15), cores=4)
    assert choice.case.model == "large"

    def load(chosen: CaseResult) -> Any:
        return FakeDetector(chosen.model, chosen.median_ms / 1000 * slowness)

    runner = FitWatch(choice, Wish(15), load)
    return runner.run(lambda: FakeCamera("camera", Behaviour(fps=30)), seconds, moments.append)


def test_it_steps_down_on_a_machine_that_is_slower_than_measured() -> None:
    moments: list[Moment] = []
    assert watch(slowness=4.0, moments=moments, seconds=9) == moments
    assert moments[0].case.startswith("large")
    assert [moment.step for moment in moments if moment.step] == [-1]
    assert moments[-1].case.startswith("small")
    assert moments[-1].per_second > moments[1].per_second
    assert moments[-1].model_ms == pytest.approx(40, abs=12)


def test_it_stays_on_a_machine_that_is_as_quick_as_measured() -> None:
    moments = watch(slowness=1.0, moments=[], seconds=5)
    assert {moment.case.split()[0] for moment in moments} == {"large"}


def test_source_and_model_that_fail() -> None:
    choice = choose(CASES, Wish(15), cores=4)

    def broken(chosen: CaseResult) -> Any:
        raise ModelError(f"{chosen.model}.onnx: not a model.")

    def whole(_: CaseResult) -> Any:
        return FakeDetector("x")

    runner = FitWatch(choice, Wish(15), broken)
    with pytest.raises(ModelError, match=r"large\.onnx"):
        runner.run(lambda: FakeCamera("camera"), 5, lambda _: None)
    runner = FitWatch(choice, Wish(15), whole)
    with pytest.raises(CameraError, match="no such file"):
        runner.run(
            lambda: FakeCamera("clip", Behaviour(open_error=CameraError("no such file")), live=False), 5,
            lambda _: None,
        )  # fmt: skip


def test_the_command(
    tiny_model: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own_home / "models"
    folder.mkdir()
    (folder / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    monkeypatch.setattr("edgecam.resources.models_folder", lambda: folder)
    assert main(["fit", "--at-least", "1", "--rounds", "1", "--watch", "2", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["chosen"]["model"] == "tiny"
    assert data["fulfilled"] is True
    assert len(data["time_line"]) >= 1
    assert main(["fit", "--at-least", "1000000", "--rounds", "1"]) == 1
    assert "quickest" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--burden", "busy"], "add --watch"),
        (["--burden", "quota", "--quota", "20"], "add --watch"),
        (["--watch", "9", "--quota", "20"], "--quota only counts with --burden quota"),
        (["--watch", "9", "--burden", "quota", "--busy", "4"], "--busy only counts with --burden busy"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", *options]) != 0
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--burden", "busy", "--busy", "5"], "5 busy processes"),
        (["--burden", "busy"], f"{usable_cores()} busy process{'' if usable_cores() == 1 else 'es'}"),
        (["--burden", "quota"], "at most 25 % of a core"),
        (["--burden", "quota", "--quota", "40"], "at most 40 % of a core"),
        ([], None),
    ],
)
def test_which_burden_is_meant(options: list[str], name: str | None) -> None:
    parser = argparse.ArgumentParser()
    fit.add_parser(parser.add_subparsers())
    burden = fit._burden(parser.parse_args(["fit", "--watch", "9", *options]))
    assert (burden and burden.name) == name
