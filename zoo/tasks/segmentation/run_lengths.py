"""Masks as COCO writes them without compression: how long the runs of pixels are, outside and inside in turn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.augmentation.masks import IGNORED

VOID = "void"


def run_lengths(mask: Tensor, classes: Sequence[str]) -> dict[str, list[int]]:
    """Return by class the lengths of runs down the columns of a mask (height, width), beginning outside; 0 may be one.

    Classes that do not occur are left out; pixels that do not count are `void`.
    """
    flat = mask.numpy().T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [flat.size]])
    names = {place: name for place, name in enumerate(classes)} | {IGNORED: VOID}
    return {
        names[value]: _runs(starts[flat[starts] == value], ends[flat[starts] == value], flat.size)
        for value in np.unique(flat).tolist()
    }


def _runs(starts: NDArray[np.intp], ends: NDArray[np.intp], size: int) -> list[int]:
    borders = np.stack([starts, ends], 1).ravel()
    lengths: list[int] = np.diff(borders, prepend=0, append=size).tolist()
    return lengths if lengths[-1] else lengths[:-1]
