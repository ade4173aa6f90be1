"""Class names: the 80 of COCO, and VOC's other words for twenty of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

from edgecam.errors import DataError

_COCO: Final = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,"
    "parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,"
    "tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,"
    "tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,"
    "keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,"
    "hair drier,toothbrush"
)
COCO_LABELS: Final = tuple(_COCO.split(","))
VOC_WORDS: Final = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}

Key = TypeVar("Key", bound=Hashable)


def class_ids_of(names: Mapping[Key, str], labels: tuple[str, ...], source: str) -> dict[Key, int]:
    """For each of a source's classes its index in `labels`.

    Raises:
        DataError: a class is not among the labels; the text names it and says which there are.
    """
    index = {label: i for i, label in enumerate(labels)}
    ids = {}
    for key, name in names.items():
        word = name if name in index else VOC_WORDS.get(name, name)
        if word not in index:
            known = ", ".join(labels[:6]) + (", …" if len(labels) > 6 else "")
            raise DataError(f"{source}: class {name!r} is not among the network's {len(labels)} labels ({known})")
        ids[key] = index[word]
    return ids
