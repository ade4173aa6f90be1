"""The loop: it learns, goes on to the same result, keeps its files, and stops when it should."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from edgecam.errors import DataError
from edgecam.training import checkpoint
from edgecam.training.batches import Source, Stream
from edgecam.training.engine import Schedule, train
from edgecam.training.network import cells
from edgecam.training.objectives import Distillation
from edgecam.training.plan import check
from edgecam.training.run import Run
from edgecam.training.step import Stepper
from edgecam.training.validation import validate
from tests.training.toy import SIZE, small_network, toy_plan, toy_source


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return toy_source(tmp_path)


def go(run: Run, source: Source, folder: Path, **schedule: Any) -> list[dict[str, float]]:
    losses: list[dict[str, float]] = []
    train(
        run,
        run.plan.stream([source]),
        [],
        [source] if schedule else [],
        folder,
        notes={},
        schedule=Schedule(**schedule),
        report=lambda _, terms: losses.append(terms),
        judged=lambda *_: None,
    )
    return losses


def test_it_learns_the_toy(source: Source, tmp_path: Path) -> None:
    plan = toy_plan(views=4 * 60, rate=1e-2, ema=0.9)
    run = Run.start(small_network(), plan)
    before = validate(run.result, source, SIZE).ap50
    losses = go(run, source, tmp_path / "run")
    first, last = (sum(sum(t.values()) for t in part) / 5 for part in (losses[:5], losses[-5:]))
    assert last < 0.7 * first
    assert validate(run.result, source, SIZE).ap50 > before + 20


@pytest.mark.parametrize("muon", [False, True])
def test_resumed_run_ends_as_one_that_never_stopped(source: Source, tmp_path: Path, *, muon: bool) -> None:
    plan = toy_plan(ema=0.9, muon=muon)
    whole = Run.start(small_network(), plan)
    go(whole, source, tmp_path / "whole")

    first = Run.start(small_network(), plan)
    stream = plan.stream([source])
    first.network.train()
    stepper = Stepper(first, [])
    for step in range(3):
        stepper(stream.at(step))
    first.save(tmp_path / "parts", {})
    second = Run.start(small_network(), plan)
    second.resume(tmp_path / "parts" / "last.safetensors")
    assert second.step == 3
    go(second, source, tmp_path / "parts")
    for name, tensor in whole.average.state_dict().items():
        assert torch.equal(tensor, second.average.state_dict()[name]), name


def test_seed_decides_the_views(source: Source) -> None:
    streams = [toy_plan(seed=seed).stream([source]) for seed in (0, 0, 1)]
    same, again, other = (stream.at(5).images for stream in streams)
    assert torch.equal(same, again)
    assert not torch.equal(same, other)


def test_prefetched_batches_are_the_same_ones_and_errors_arrive(source: Source) -> None:
    stream = toy_plan().stream([source])
    for step, batch in enumerate(stream.prefetched(2, 5), 2):
        assert torch.equal(batch.images, stream.at(step).images)
    stream.sizes = [(0, 0)]
    with pytest.raises((cv2.error, ValueError, ZeroDivisionError)):
        next(iter(stream.prefetched(0, 1)))


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_devices_batches_are_drawn_by_processes_and_are_the_same_ones(source: Source, share: float) -> None:
    plan = toy_plan(teacher_zoom=1.5, mosaic=share, mix=share)
    here, there = (plan.stream([source], device=device) for device in (None, torch.device("cpu")))
    batches = list(there.prefetched(2, 5))
    assert len(batches) == 3
    for step, batch in enumerate(batches, 2):
        expected = here.at(step)
        for ours, theirs in zip(batch.targets.boxes, expected.targets.boxes, strict=True):
            assert torch.equal(ours[ours.any(dim=1)], theirs[theirs.any(dim=1)])
        assert (batch.images.float() - expected.images.float()).abs().mean() < 1.5
        assert (batch.teacher_images.float() - expected.teacher_images.float()).abs().mean() < 1.5


def test_processes_share_the_sequence(source: Source) -> None:
    whole = Stream([source], batch=8, sizes=[SIZE], view=toy_plan().view, seed=0)
    parts = [Stream([source], batch=8, sizes=[SIZE], view=toy_plan().view, seed=0, rank=r, world=2) for r in (0, 1)]
    assert torch.equal(whole.at(3).images, torch.cat([part.at(3).images for part in parts]))
    with pytest.raises(DataError, match="--batch 8: has no equal parts for 3 processes"):
        Stream([source], batch=8, sizes=[SIZE], view=toy_plan().view, seed=0, world=3)


def test_bad_pictures_are_skipped_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    toy_source(tmp_path, 6)
    broken = tmp_path / "data/images/train/003.png"
    broken.write_bytes(b"no picture")
    cv2.imwrite(str(tmp_path / "data/images/train/004.png"), np.full((1, 1), 7, np.uint16))
    for file in (tmp_path / "cache").iterdir():
        file.unlink()
    with caplog.at_level(logging.WARNING):
        source = toy_source_of(tmp_path)
    assert "003.png" in caplog.text
    stream = toy_plan().stream([source])
    assert len(stream) == 5
    for step in range(4):
        assert stream.at(step).images.shape == (4, *SIZE, 3)
    assert validate(small_network(), source, SIZE).ap >= 0


def toy_source_of(folder: Path) -> Source:
    """Open what is there, without writing it again."""
    from edgecam.evaluation.datasets.reading import read
    from edgecam.training.sources import open_source
    from tests.evaluation.toy_data import NAMES

    return open_source(read(str(folder / "data" / "data.yaml"), NAMES), folder / "cache")


def test_frozen_parts_stay(source: Source, tmp_path: Path) -> None:
    run = Run.start(small_network(norm=()), toy_plan(rates={"backbone": 0.0, "rfcr": 0.5}))
    before = {n: t.clone() for n, t in run.network.state_dict().items()}
    go(run, source, tmp_path / "run")
    for name, tensor in run.network.state_dict().items():
        if name.startswith("backbone"):
            assert torch.equal(tensor, before[name]), name
    assert not torch.equal(run.network.state_dict()["head.8.predict.weight"], before["head.8.predict.weight"])


@pytest.mark.parametrize("outputs", [True, False])
def test_a_teacher_is_learnt_from(source: Source, outputs: bool) -> None:
    teacher = small_network(norm=()).eval().requires_grad_(False)
    torch.manual_seed(3)
    network = type(teacher)(dataclasses.replace(teacher.config))
    run = Run.start(network, toy_plan(labels=0.0, outputs=outputs, distillation=Distillation(maps=1.0), views=400))
    batch = run.plan.stream([source]).at(0)
    stepper = Stepper(run, [teacher])
    losses = [sum(stepper(batch).read().values()) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_loss_that_is_no_number_ends_the_run_and_is_not_saved(source: Source, tmp_path: Path) -> None:
    run = Run.start(small_network(norm=()), toy_plan())
    with torch.no_grad():
        run.network.head["8"].predict.weight.fill_(float("nan"))
    with pytest.raises(DataError, match=r"at step 1 .*lower the learning rate"):
        go(run, source, tmp_path / "run", save_every_s=0.0)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("norm", [(), ("backbone", "rfcr", "laterals", "neck", "head")])
def test_recorded_steps_are_those_that_are_launched_one_by_one(source: Source, norm: Any) -> None:
    results = []
    for direct in (True, False):
        torch.manual_seed(3)
        network, teacher = small_network(norm=norm).cuda(), small_network(norm=()).eval().requires_grad_(False).cuda()
        plan = toy_plan(distillation=Distillation(maps=1.0), teacher_zoom=1.5, sizes=(SIZE, (96, 64)), views=64)
        run = Run.start(network, plan)
        stepper = Stepper(run, [teacher, teacher])
        if direct:
            stepper._compute = stepper._gradients
        stream = plan.stream([source])
        results.append([stepper(stream.at(step)).read() for step in range(plan.steps)])
    for direct_terms, recorded in zip(*results, strict=True):
        assert direct_terms.keys() == recorded.keys()
        np.testing.assert_allclose(list(recorded.values()), list(direct_terms.values()), rtol=0.05, atol=0.02)


def test_run_that_gets_no_better_stops_early(source: Source, tmp_path: Path) -> None:
    run = Run.start(small_network(norm=()), toy_plan(views=4 * 40, rate=0.0))
    go(run, source, tmp_path / "run", every=2, patience=3)
    assert run.step == 8
    assert len(run.history) == 4
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_previous_checkpoint_survives_a_full_disk(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run.start(small_network(norm=()), toy_plan())
    run.save(tmp_path, {})
    before = (tmp_path / "last.safetensors").read_bytes()

    def full(content: object, path: Path, **_: object) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(DataError, match=r"No space left on device.*the previous one is kept"):
        run.save(tmp_path, {})
    assert (tmp_path / "last.safetensors").read_bytes() == before
    assert not list(tmp_path.glob(".*partial"))
    with pytest.raises(DataError, match="No space left"):  # at the end of a run it must be said …
        go(run, source, tmp_path, save_every_s=0.0)
    assert "the previous one is kept" in caplog.text  # … on the way it is only logged


def test_checkpoints_of_another_kind_are_refused(tmp_path: Path) -> None:
    run = Run.start(small_network(norm=()), toy_plan())
    run.save(tmp_path, {})
    other = Run.start(small_network(norm=(), neck_channels=24), toy_plan())
    with pytest.raises(DataError, match=r"another configuration: \S+ is \(.*\), the network has"):
        other.resume(tmp_path / "last.safetensors")
    with pytest.raises(DataError, match="made with other settings"):
        Run.start(small_network(norm=()), toy_plan(rate=0.1)).resume(tmp_path / "last.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((tmp_path / "weights.safetensors").read_bytes()[:-100])
    for path in (cut, tmp_path / "missing.safetensors"):
        with pytest.raises(DataError, match="cannot be read as weights"):
            checkpoint.load_network(path)


def test_weights_go_on_anywhere_as_half_precision(tmp_path: Path) -> None:
    network = small_network(norm=()).eval()
    network.fold()
    checkpoint.save_weights(tmp_path / "w.safetensors", network, {"note": 1})
    again = checkpoint.load_network(tmp_path / "w.safetensors").eval()
    assert again.config == network.config
    images = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        ours, theirs = cells(again(images)), cells(network(images))
    torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2 * float(theirs.abs().mean()))
    size = (tmp_path / "w.safetensors").stat().st_size
    assert size < 2.2 * sum(p.numel() for p in network.parameters()) + 40_000


def test_impossible_plans_are_refused() -> None:
    for changes, message in (
        ({"batch": 0}, "at least one batch"),
        ({"sizes": ((100, 100),)}, "multiples of 32"),
        ({"outputs": False}, "needs a teacher"),
    ):
        with pytest.raises(DataError, match=message):
            check(toy_plan(**changes))
