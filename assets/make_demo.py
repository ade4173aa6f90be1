"""Makes the bundled demo clip: a slow camera over a wall of photographs, as a seamless loop.

The photographs (assets/README.md names their authors and licences) are not in the repository:

    python3 -m venv V && V/bin/pip install scikit-image==0.26.0 opencv-python-headless
    apt-get install ffmpeg lomiri-wallpapers-16.04
    V/bin/python assets/make_demo.py assets/demo.mp4

The same versions of these tools give the same bytes: the encoder runs on one thread and writes no date.
"""

from __future__ import annotations

import argparse
import math
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

CLIP_SIZE: Final = (1280, 720)  # width, height
RATE: Final = 30
LOOP_S: Final = 15

WALL_SIZE: Final = (1760, 1090)  # wall units; one unit is one pixel of the clip at zoom 1
ROW_HEIGHT: Final = 400
GAP: Final = 76
MAT: Final = 15
FRAME: Final = 7
DETAIL: Final = 1.3  # pixels of the painted wall per wall unit, so that the closest view is sharp

WALL_COLOUR: Final = (150, 158, 164)  # BGR
MAT_COLOUR: Final = (236, 241, 243)
FRAME_COLOURS: Final = ((38, 44, 52), (34, 58, 88))


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A photograph on the wall: what part of it is shown (x, y, width, height as fractions), and how wide it hangs."""

    path: Path
    part: tuple[float, float, float, float] = (0, 0, 1, 1)
    aspect: float = 1.0


def pictures(wallpapers: Path) -> tuple[tuple[Picture, ...], ...]:
    """The rows of the wall, top to bottom."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("make_demo: scikit-image is missing (see the head of this file)")
    skimage = Path(spec.origin).parent / "data"
    return (
        (
            Picture(path=skimage / "astronaut.png"),
            Picture(path=skimage / "chelsea.png", aspect=1.503),
            Picture(path=skimage / "camera.png"),
        ),
        (
            Picture(path=wallpapers / "friends_by_Aitzol_Berasategi.jpg", part=(0.1, 0.12, 0.8, 0.533)),
            Picture(path=skimage / "coffee.png", aspect=1.5),
            Picture(path=wallpapers / "Wine_by_Jakkub_Mede.jpg", part=(0.17, 0.06, 0.8, 0.533)),
        ),
    )


def read(picture: Picture, width: int, height: int) -> Image:
    """The shown part of a photograph as (height, width, 3) uint8 BGR."""
    image = cv2.imread(str(picture.path), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"make_demo: cannot read {picture.path} (see the head of this file)")
    rows, columns = image.shape[:2]
    x, y, w, h = picture.part
    image = image[round(y * rows) : round((y + h) * rows), round(x * columns) : round((x + w) * columns)]
    shrinks = image.shape[0] > height
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4)


def bare_wall() -> Image:
    """A plain wall, lit from above, as (height, width, 3) float32."""
    width, height = (round(side * DETAIL) for side in WALL_SIZE)
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)
    light = 1.12 - 0.34 * y[:, None] ** 1.4 - 0.16 * x[None, :] ** 2
    return light[..., None] * np.array(WALL_COLOUR, np.float32)


def shadow(wall: Image, x: int, y: int, width: int, height: int) -> None:
    """Darkens the wall under a picture frame, softly and mostly below it."""
    for offset, blur, strength in ((4, 4, 0.35), (20, 22, 0.5)):
        mask = np.zeros(wall.shape[:2], np.float32)
        cv2.rectangle(mask, (x, y + offset), (x + width, y + height + offset), strength, cv2.FILLED)
        wall *= 1 - cv2.GaussianBlur(mask, (0, 0), blur * DETAIL)[..., None]


def paint_wall(rows: tuple[tuple[Picture, ...], ...]) -> Image:
    """The whole wall with its framed pictures, uint8 BGR, DETAIL pixels per wall unit."""
    wall = bare_wall()
    border = MAT + FRAME
    top = (WALL_SIZE[1] - len(rows) * ROW_HEIGHT - (len(rows) - 1) * GAP) / 2
    for row in rows:
        left = (WALL_SIZE[0] - sum(ROW_HEIGHT * p.aspect for p in row) - (len(row) - 1) * GAP) / 2
        for i, picture in enumerate(row):
            width = ROW_HEIGHT * picture.aspect
            x, y, w, h = (round(v * DETAIL) for v in (left, top, width, ROW_HEIGHT))
            b, m = round(border * DETAIL), round(MAT * DETAIL)
            shadow(wall, x - b, y - b, w + 2 * b, h + 2 * b)
            wall[y - b : y + h + b, x - b : x + w + b] = FRAME_COLOURS[i % 2]
            wall[y - m : y + h + m, x - m : x + w + m] = MAT_COLOUR
            wall[y : y + h, x : x + w] = read(picture, w, h)
            left += width + GAP
        top += ROW_HEIGHT + GAP
    return np.clip(wall, 0, 255).astype(np.uint8)


def view(wall: Image, phase: float) -> Image:
    """What the camera sees at `phase` (0..1) of its figure of eight over the wall."""
    turn = 2 * math.pi * phase
    zoom = 0.96 - 0.21 * math.cos(2 * turn)  # wide in the middle, close at both ends
    x = WALL_SIZE[0] / 2 + 250 * math.sin(turn)
    y = WALL_SIZE[1] / 2 + 110 * math.sin(2 * turn)
    width, height = CLIP_SIZE
    # Never past the edge of the wall.
    x = min(max(x, width / zoom / 2), WALL_SIZE[0] - width / zoom / 2)
    y = min(max(y, height / zoom / 2), WALL_SIZE[1] - height / zoom / 2)
    scale = 2 * zoom / DETAIL  # drawn at twice the size and averaged, against shimmering edges
    matrix = np.array([[scale, 0, width - x * 2 * zoom], [0, scale, height - y * 2 * zoom]])
    large = cv2.warpAffine(wall, matrix, (2 * width, 2 * height), flags=cv2.INTER_CUBIC)
    return cv2.resize(large, CLIP_SIZE, interpolation=cv2.INTER_AREA)


def frames(wall: Image) -> Iterator[Image]:
    """Every frame of the loop: the one after the last is the first."""
    count = LOOP_S * RATE
    return (view(wall, i / count) for i in range(count))


def encode(path: Path, images: Iterator[Image]) -> None:
    """Writes H.264 without B-frames, CABAC and deblocking: any board plays it, at half of the usual cost."""
    width, height = CLIP_SIZE
    # BT.601 although it is HD: OpenCV converts every clip as BT.601 and ignores the tag.
    tags = "-colorspace smpte170m -color_primaries bt709 -color_trc bt709"
    colour = f"-vf scale=out_color_matrix=bt601:out_range=tv {tags}"
    source = f"-f rawvideo -pix_fmt bgr24 -s {width}x{height} -r {RATE} -i -"
    codec = "-c:v libx264 -preset veryslow -tune fastdecode -crf 24 -bf 0 -g 60 -pix_fmt yuv420p -threads 1"
    exact = "-map_metadata -1 -fflags +bitexact -flags:v +bitexact -movflags +faststart"
    command = ["ffmpeg", "-v", "error", "-y", *f"{source} {colour} {codec} {exact}".split(), str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    for image in images:
        process.stdin.write(image.tobytes())
    process.stdin.close()
    if process.wait() != 0:
        raise SystemExit(f"make_demo: ffmpeg failed with status {process.returncode}")


def main() -> None:
    """Paints the wall, films it and writes the clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, help="the file to write")
    parser.add_argument("--wallpapers", type=Path, default=Path("/usr/share/backgrounds"), help="of the Debian package")
    args = parser.parse_args()
    encode(args.clip, frames(paint_wall(pictures(args.wallpapers))))


if __name__ == "__main__":
    main()
