"""Video files: every frame in turn, at the file's rate."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.pattern import read_frame_id
from edgecam.camera.video import VideoCamera
from edgecam.errors import CameraError, EndOfStream
from tests.camera.conftest import write_video

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.frames import Frame


def read_all(camera: VideoCamera, pause_s: float = 0) -> tuple[list[Frame], str]:
    frames = []
    try:
        while True:
            frames.append(camera.read())
            time.sleep(pause_s)
    except EndOfStream as end:
        return frames, str(end)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_every_frame_in_turn(suffix: str, tmp_path: Path) -> None:
    with VideoCamera(write_video(tmp_path / f"clip{suffix}", frames=40), fps=math.inf) as camera:
        frames, end = read_all(camera)
    assert [read_frame_id(frame.image) for frame in frames] == list(range(40))
    assert [frame.frame_id for frame in frames] == list(range(40))
    np.testing.assert_allclose([frame.position_s or 0 for frame in frames], np.arange(40) / 30, atol=0.002)
    assert end == f"clip{suffix} has ended."
    assert camera.mode is not None
    assert (camera.mode.width, camera.mode.height) == (320, 240)


def test_facts(video: Path) -> None:
    camera = VideoCamera(video)
    assert (camera.name, camera.address, camera.live) == ("clip.mp4", str(video), False)
    with camera:
        assert camera.frame_count == 30
        assert camera.duration_s == pytest.approx(1.0)
        assert camera.mode is not None
        assert camera.mode.fps == 30


def test_plays_at_the_rate_of_the_file(tmp_path: Path) -> None:
    with VideoCamera(write_video(tmp_path / "slow.avi", frames=10, fps=20)) as camera:
        frames, _end = read_all(camera)
    steps = np.diff([frame.captured_at for frame in frames])
    # A busy machine may be late once; what follows is then late by the same, never early.
    assert steps.min() > 0.048
    assert np.median(steps) == pytest.approx(0.05, abs=0.002)


def test_another_rate(video: Path) -> None:
    with VideoCamera(video, fps=100) as camera:
        frames, _end = read_all(camera)
    assert len(frames) == 30
    assert np.median(np.diff([frame.captured_at for frame in frames])) == pytest.approx(0.01, abs=0.002)


def test_a_late_consumer_loses_nothing(video: Path) -> None:
    with VideoCamera(video) as camera:
        first = camera.read()
        time.sleep(0.3)
        frames, _end = read_all(camera)
    assert [read_frame_id(frame.image) for frame in [first, *frames]] == list(range(30))
    assert camera.dropped == 0
    # And what follows is not raced through.
    assert np.diff([frame.captured_at for frame in frames]).min() > 0.02


def test_in_real_time_late_frames_are_skipped_and_counted(video: Path) -> None:
    with VideoCamera(video, realtime=True) as camera:
        assert camera.live
        first = camera.read()
        time.sleep(0.3)
        frames, _end = read_all(camera)
    shown = [read_frame_id(frame.image) for frame in [first, *frames]]
    assert camera.dropped == 30 - len(shown) > 5
    assert shown == sorted(set(shown))
    assert shown[-1] == 29
    assert frames[-1].captured_at - first.captured_at == pytest.approx(29 / 30, abs=0.05)


def test_in_real_time_a_consumer_that_is_always_late_still_sees_pictures(video: Path) -> None:
    with VideoCamera(video, realtime=True) as camera:
        frames, _end = read_all(camera, pause_s=0.1)
    assert len(frames) >= 8


@pytest.mark.parametrize("realtime", [False, True])
def test_a_loop_goes_on_counting(realtime: bool, tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=10, fps=100)
    with VideoCamera(path, loop=True, realtime=realtime) as camera:
        frames = [camera.read() for _ in range(25)]
    assert [frame.frame_id for frame in frames] == list(range(25))
    if not realtime:
        assert [read_frame_id(frame.image) for frame in frames] == [number % 10 for number in range(25)]
        assert frames[10].position_s == 0
    times = [frame.captured_at for frame in frames]
    assert times == sorted(times)
    assert 0.2 < times[-1] - times[0] < 5


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_a_truncated_file_ends_with_what_it_had_and_says_so(suffix: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / f"clip{suffix}", frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with VideoCamera(path, fps=math.inf) as camera:
        frames, end = read_all(camera)
    assert [read_frame_id(frame.image) for frame in frames] == list(range(len(frames)))
    assert 10 < len(frames) < 50
    assert f"clip{suffix} ends early, after {len(frames)} of 60 frames" in end


def test_a_file_without_an_index_cannot_be_played(video: Path) -> None:
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])
    camera = VideoCamera(video)
    with pytest.raises(CameraError, match=r"clip\.mp4 cannot be played"):
        camera.open()


@pytest.mark.parametrize("content", [b"\0" * 4096, bytes(range(256)) * 100])
def test_not_a_video(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(content)
    with pytest.raises(CameraError, match="cannot be played"):
        VideoCamera(path).open()


def test_a_file_that_goes_away(video: Path) -> None:
    camera = VideoCamera(video)
    video.unlink()
    with pytest.raises(CameraError, match="There is no file"):
        camera.open()


def test_a_wrong_rate(video: Path) -> None:
    with pytest.raises(CameraError, match="above 0"):
        VideoCamera(video, fps=0)


def test_nothing_is_written_to_stderr(tmp_path: Path) -> None:
    """In a process of its own: FFmpeg is told once, when it is first used, to be quiet."""
    path = tmp_path / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 100)
    program = (
        "import sys, pathlib\n"
        "from edgecam.camera.video import VideoCamera\n"
        "from edgecam.errors import CameraError\n"
        "try:\n    VideoCamera(pathlib.Path(sys.argv[1])).open()\nexcept CameraError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert "cannot be played" in done.stdout
    assert done.stderr == ""
