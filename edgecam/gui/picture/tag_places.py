"""Where the tags of boxes stand, so that none hides another while there is room elsewhere at its box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

Rect = tuple[float, float, float, float]  # left, top, right, bottom

SLACK: Final = 3.0  # by so much two tags may meet: the letters are farther from the edge


def place_tags(
    boxes: Sequence[Rect], sizes: Sequence[tuple[float, float]], order: Sequence[int], area: Rect
) -> list[Rect]:
    """A place for each box's tag, inside `area` as far as it is as large.

    Above the box, or inside at its top, below it, or inside at its bottom: the first that no other tag has taken, and
    the first of all where each is taken.

    Args:
        sizes: (width, height) of the tags.
        order: indices of the boxes; who comes first chooses first. One that stays the same from frame to frame keeps
            tags from jumping.
    """
    places: list[Rect] = [area] * len(boxes)
    taken: list[Rect] = []
    for index in order:
        wanted = _candidates(boxes[index], sizes[index], area)
        places[index] = next((rect for rect in wanted if not _meets(rect, taken)), wanted[0])
        taken.append(places[index])
    return places


def _candidates(box: Rect, size: tuple[float, float], area: Rect) -> list[Rect]:
    (x1, y1, _, y2), (width, height) = box, size
    left = max(area[0], min(x1, area[2] - width))
    tops = [max(y1, area[1])]
    if y1 - height >= area[1]:
        tops.insert(0, y1 - height)
    if y2 + height <= area[3]:
        tops.append(y2)
    tops.append(min(y2, area[3]) - height)
    return [(left, top, left + width, top + height) for top in tops]


def _meets(rect: Rect, others: Sequence[Rect]) -> bool:
    left, top, right, bottom = rect
    return any(left < o[2] and o[0] < right and top + SLACK < o[3] and o[1] + SLACK < bottom for o in others)
