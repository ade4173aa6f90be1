"""How good a detector is on photographs with ground truth: COCO's and VOC's average precision."""
