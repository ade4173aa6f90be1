"""Pictures and folders of pictures, good and broken."""

from __future__ import annotations

import logging
import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.camera.images import ImagesCamera, pictures_in, read_image
from edgecam.camera.png import START as PNG_START
from edgecam.errors import CameraError, EndOfStream
from tests.camera.conftest import write_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.frames import Frame


def read_all(camera: ImagesCamera) -> tuple[list[Frame], str]:
    frames = []
    try:
        while True:
            frames.append(camera.read())
    except EndOfStream as end:
        return frames, str(end)


def brightness(frame: Frame) -> int:
    return int(frame.image[0, 0, 0])


def test_one_picture_comes_once(pictures: Path) -> None:
    with ImagesCamera(pictures / "picture1.png") as camera:
        assert camera.frame_count == 1
        assert str(camera.mode) == "64 × 48"
        frame = camera.read()
        assert brightness(frame) == 40
        with pytest.raises(EndOfStream, match=r"picture1.png has ended"):
            camera.read()


def test_a_folder_in_natural_order(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "folder.png").mkdir()
    with ImagesCamera(tmp_path, fps=1000) as camera:
        frames, end = read_all(camera)
    assert [brightness(frame) for frame in frames] == [40 + 10 * number for number in range(12)]
    assert [frame.frame_id for frame in frames] == list(range(12))
    assert frames[5].position_s == pytest.approx(0.005)
    assert end.endswith("has ended.")


def test_names_with_and_without_numbers_sort_together(tmp_path: Path) -> None:
    for name in ("b.png", "a10.png", "A2.PNG", "10.png", "9.png"):
        (tmp_path / name).touch()
    assert [path.name for path in pictures_in(tmp_path)] == ["9.png", "10.png", "A2.PNG", "a10.png", "b.png"]


def test_the_rate(pictures: Path) -> None:
    with ImagesCamera(pictures, fps=20) as camera:
        frames, _end = read_all(camera)
    assert np.diff([frame.captured_at for frame in frames]).min() > 0.048
    with ImagesCamera(pictures) as camera:
        assert camera.mode is not None
        assert camera.mode.fps == 1


def test_a_loop(pictures: Path) -> None:
    with ImagesCamera(pictures, loop=True, fps=1000) as camera:
        frames = [camera.read() for _ in range(7)]
    assert [brightness(frame) for frame in frames] == [40, 50, 60, 40, 50, 60, 40]
    assert frames[-1].frame_id == 6


def test_broken_pictures_are_named_and_the_rest_goes_on(pictures: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))[1].tobytes()
    (pictures / "a-cut.jpg").write_bytes(whole[: len(whole) // 2])
    (pictures / "b-empty.png").touch()
    (pictures / "z-noise.jpg").write_bytes(b"noise" * 100)
    with caplog.at_level(logging.WARNING), ImagesCamera(pictures, fps=1000) as camera:
        frames, end = read_all(camera)
        assert camera.dropped == 3
    assert [brightness(frame) for frame in frames] == [40, 50, 60]
    assert "3 of 6 pictures could not be read" in end
    for name, why in (("a-cut.jpg", "cut off"), ("b-empty.png", "empty"), ("z-noise.jpg", "damaged")):
        assert any(name in fault and why in fault for fault in camera.faults)
        assert name in caplog.text


def test_a_loop_over_broken_pictures_ends(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"noise")
    (tmp_path / "b.png").write_bytes(b"noise")
    with pytest.raises(CameraError, match="None of the 2 pictures"):
        ImagesCamera(tmp_path, loop=True).open()


def test_one_broken_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"noise")
    with pytest.raises(CameraError, match=r"a\.png is not a picture that can be read \(damaged\)"):
        ImagesCamera(path).open()


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG of the size that it claims to have."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_START + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


WHOLE_PNG = cv2.imencode(".png", np.arange(3000, dtype=np.uint8).reshape(20, 50, 3))[1].tobytes()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (WHOLE_PNG[: len(WHOLE_PNG) // 2], "cut off"),
        (WHOLE_PNG[:40] + b"\xaa" + WHOLE_PNG[41:], "damaged"),
        (png(0, 0, b""), "0 × 0 pixels"),
        (png(2**31 - 1, 2**31 - 1, b""), "pixels"),
        (png(100_000, 100_000, b""), "100000 × 100000 pixels"),
    ],
)
def test_a_bad_png_is_refused_in_one_line(
    data: bytes, why: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """libpng itself would write on standard error."""
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(CameraError, match=rf"a\.png is not a picture that can be read \(.*{why}\)"):
        read_image(path)
    assert capfd.readouterr().err == ""


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="holds no pictures"):
        ImagesCamera(tmp_path).open()


def test_a_picture_that_goes_away_between(pictures: Path) -> None:
    with ImagesCamera(pictures, fps=1000) as camera:
        camera.read()
        (pictures / "picture2.png").unlink()
        assert brightness(camera.read()) == 60
        assert camera.dropped == 1


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("grey.png", np.full((6, 8), 100, np.uint8)),
        ("colour.png", np.full((6, 8, 3), 100, np.uint8)),
        ("alpha.png", np.dstack([np.full((6, 8, 3), 100, np.uint8), np.full((6, 8), 7, np.uint8)])),
        ("deep.png", np.full((6, 8, 3), 100 * 257, np.uint16)),
        ("deep-grey.tif", np.full((6, 8), 100 * 257, np.uint16)),
        ("deep-alpha.png", np.full((6, 8, 4), 100 * 257, np.uint16)),
        ("picture.bmp", np.full((6, 8, 3), 100, np.uint8)),
        ("picture.webp", np.full((6, 8, 3), 100, np.uint8)),
    ],
)
def test_every_depth_and_number_of_channels(name: str, pixels: np.ndarray, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / name), pixels)
    image = read_image(tmp_path / name)
    assert (image.shape, image.dtype) == ((6, 8, 3), np.uint8)
    assert np.abs(image.astype(int) - 100).max() <= 2


def test_cmyk(tmp_path: Path) -> None:
    """A picture for the press: cyan ink alone."""
    pillow = pytest.importorskip("PIL.Image", reason="Pillow writes the CMYK picture")
    pillow.new("CMYK", (16, 16), (255, 0, 0, 0)).save(tmp_path / "press.jpg", quality=95)
    blue, green, red = read_image(tmp_path / "press.jpg")[8, 8]
    assert blue > 200
    assert green > 200
    assert red < 60


def with_orientation(data: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF orientation put in."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def test_pictures_stand_upright(tmp_path: Path) -> None:
    lying = np.zeros((32, 64, 3), np.uint8)
    lying[:, :32] = 255  # the left half is bright; turned clockwise it is at the top
    data = cv2.imencode(".jpg", lying)[1].tobytes()
    path = tmp_path / "phone.jpg"
    path.write_bytes(with_orientation(data, 6))
    image = read_image(path)
    assert image.shape == (64, 32, 3)
    assert image[:30].min() > 200
    assert image[34:].max() < 50
