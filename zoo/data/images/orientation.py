"""Pictures as viewers show them: turned as their EXIF says, and with them what was annotated before they were."""

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

_TAG = 0x0112
_SIGNATURE = 8
_METADATA = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
_SWAPPED = (5, 6, 7, 8)
_LEFT_IS_RIGHT = (2, 3, 6, 7)
_TOP_IS_BOTTOM = (3, 4, 7, 8)


class Frame(NamedTuple):
    """Height and width of a picture once it is turned, and the orientation, 1 to 8, that says how it is stored."""

    height: int
    width: int
    orientation: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture that is seen."""
        return self.height, self.width

    @property
    def sideways(self) -> bool:
        """Whether the rows of the file are the columns that are seen."""
        return self.orientation in _SWAPPED

    @property
    def stored(self) -> tuple[int, int]:
        """Height and width as they stand in the file."""
        return (self.width, self.height) if self.sideways else self.size

    def as_stored(self, size: tuple[int, int]) -> bool | None:
        """Tell whether something of this size was made for the stored picture; None where it fits both, or neither."""
        fits = (size == self.size, size == self.stored)
        return None if fits[0] == fits[1] else fits[1]


def frame_of(picture: "Image") -> Frame:
    """Return the frame of a picture that was opened and not yet decoded, which few are for this."""
    turn = orientation(picture)
    # Pillow turns TIFFs itself, and says their size accordingly
    swapped = turn in _SWAPPED and picture.format != "TIFF"
    height, width = (picture.width, picture.height) if swapped else (picture.height, picture.width)
    return Frame(height, width, turn)


def orientation(picture: "Image") -> int:
    """Return the orientation of a picture, 1 to 8; 1 where its EXIF is missing, broken, or says something else."""
    from PIL.Image import Image

    if picture.format == "PNG" and _ends_in_metadata(picture):
        picture.load()
    try:
        value = Image.getexif(picture).get(_TAG, 1)  # that of PNG would decode every picture to look behind its pixels
    except Exception:  # EXIF is of whatever a camera or an editor wrote; viewers pass over what they cannot read
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def turned(picture: "Image") -> "Image":
    """Return a decoded picture as viewers show it."""
    from PIL.Image import Transpose

    methods = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    method = methods.get(orientation(picture))
    return picture if method is None else picture.transpose(method)


def turned_boxes(boxes: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    """Return boxes, rows that begin with left, top, right, bottom in the stored picture, in the one that is seen."""
    turn = frame.orientation
    order = [1, 0, 3, 2] if turn in _SWAPPED else [0, 1, 2, 3]
    found = boxes.copy()
    found[:, :4] = boxes[:, order]
    if turn in _LEFT_IS_RIGHT:
        found[:, [0, 2]] = frame.width - found[:, [2, 0]]
    if turn in _TOP_IS_BOTTOM:
        found[:, [1, 3]] = frame.height - found[:, [3, 1]]
    return found


def turned_mask(mask: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Return a mask (height, width) of the stored picture as one of the picture that is seen."""
    mask = mask.T if turn in _SWAPPED else mask
    mask = mask[:, ::-1] if turn in _LEFT_IS_RIGHT else mask
    return mask[::-1] if turn in _TOP_IS_BOTTOM else mask


def _ends_in_metadata(picture: Any) -> bool:
    """Tell whether a PNG that is not decoded has metadata behind its pixels."""
    file = getattr(picture, "fp", None)
    if file is None:
        return False
    place, pixels = file.tell(), False
    try:
        file.seek(_SIGNATURE)
        while len(head := file.read(8)) == 8:
            pixels = pixels or head[4:] == b"IDAT"
            if pixels and head[4:] in _METADATA:
                return True
            file.seek(int.from_bytes(head[:4]) + 4, os.SEEK_CUR)  # its content and checksum
        return False
    finally:
        file.seek(place)
