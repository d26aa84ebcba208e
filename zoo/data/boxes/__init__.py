"""Folders of pictures with boxes: Pascal VOC, COCO and YOLO, told apart by their layout."""
