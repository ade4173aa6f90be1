"""The headless twin as scripts use it: a process, its lines, its exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgecam import resources

PROJECT = Path(__file__).resolve().parent.parent


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "edgecam", *args]


def run(*args: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*args), capture_output=True, text=True, timeout=timeout, check=False)


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_demo_gives_boxes_with_times() -> None:
    done = run("run", "demo", "--headless", "--frames", "12", "--score", "0.3")
    assert done.returncode == 0, done.stderr
    lines = lines_of(done.stdout)
    assert len(lines) == 12
    assert [line["frame_id"] for line in lines] == sorted({line["frame_id"] for line in lines})
    found = [detection for line in lines for detection in line["detections"]]
    assert {"cat", "person"} & {detection["label"] for detection in found}
    for detection in found:
        x1, y1, x2, y2 = detection["box"]
        assert 0 <= x1 < x2 <= 1280
        assert 0 <= y1 < y2 <= 720
        assert 0.3 <= detection["score"] <= 1
    assert all(line["times_ms"]["inference"] > 0 for line in lines)
    assert "12 detected" in done.stderr
    assert "median" in done.stderr


def test_every_frame_of_a_file_is_detected_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 100, (320, 240))
    for i in range(40):
        writer.write(np.full((240, 320, 3), i, np.uint8))
    writer.release()
    output = tmp_path / "out.jsonl"
    done = run("run", str(path), "--headless", "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert [line["frame_id"] for line in lines_of(output.read_text())] == list(range(40))


def test_a_photograph_gives_one_line(shared: Path) -> None:
    photo = sorted((shared / "data" / "photos" / "voc2007" / "val").iterdir())[0]
    done = run("run", str(photo), "--headless")
    assert done.returncode == 0, done.stderr
    assert len(lines_of(done.stdout)) == 1


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["run", "--headless"], 1, "needs a SOURCE"),
        (["run", "/no/such.mp4", "--headless"], 3, "/no/such.mp4"),
        (["run", "{empty}", "--headless"], 3, "no pictures"),
        (["run", "{text}", "--headless"], 3, "notes.txt"),
        (["run", "{broken}", "--headless"], 3, "broken.jpg"),
        (["run", "{truncated}", "--headless"], 3, "truncated.mp4"),
        (["run", "rtsp://127.0.0.1:9/cam", "--headless"], 3, "127.0.0.1:9"),
        (["run", "gopher://x", "--headless"], 3, "gopher"),
        (["run", "/dev/null", "--headless"], 3, "/dev/null"),
        (["run", "/dev/video99", "--headless"], 3, "/dev/video99"),
        (["run", "demo", "--headless", "--model", "nix"], 4, "nix"),
        (["run", "demo", "--headless", "--model", "{text}"], 4, "notes.txt"),
        (["run", "demo", "--headless", "--model", "none"], 1, "model"),
        (["run", "demo", "--headless", "--classes", "unicorn"], 1, "unicorn"),
        (["run", "demo", "--headless", "--score", "2"], 2, "--score"),
        (["run", "demo", "--headless", "--frames", "0"], 2, "--frames"),
        (["run", "demo", "--headless", "--fps", "nan"], 2, "--fps"),
        (["run", "demo", "--headless", "--output", "/no/such/folder/x"], 1, "/no/such/folder/x"),
        (["run", "demo", "--headless", "--frobnicate"], 2, "--frobnicate"),
        (["--frobnicate"], 2, "--frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_a_code(tmp_path: Path, args: list[str], code: int, says: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("nothing to see")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    clip = resources.demo_clip().read_bytes()
    (tmp_path / "truncated.mp4").write_bytes(clip[: len(clip) // 1000])
    places = {"empty": "empty", "text": "notes.txt", "broken": "broken.jpg", "truncated": "truncated.mp4"}
    done = run(*(arg.format(**{key: tmp_path / name for key, name in places.items()}) for arg in args))
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.startswith("edgecam")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_soon_with_the_summary(number: signal.Signals) -> None:
    process = subprocess.Popen(command("run", "demo", "--headless"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    asked = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert time.monotonic() - asked < 2
    assert process.returncode == 130
    assert b"detected" in errors


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    process = subprocess.Popen(command("run", "demo", "--headless"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(10) == 0
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_no_display_is_said_and_the_way_out_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    done = run("demo")
    assert done.returncode == 1
    assert "--headless" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
