"""In which form pictures are asked for."""

from typing import TypedDict

from zoo.data.images.scaling import Scaling


class ImageForm(TypedDict, total=False):
    """In which form pictures are opened: all of one size and with as many channels, scaled in one way.

    Up to `skip_bad` broken ones are left out. `stream` decodes them as they are needed instead of once; None does so
    where together they would not fit into memory. With `crops` training gets photographs whole, to cut parts out of.
    """

    image_size: tuple[int, int] | None
    channels: int | None
    scaling: Scaling
    skip_bad: int
    stream: bool | None
    crops: bool
