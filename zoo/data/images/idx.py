"""Read idx files, the format of MNIST: magic, sizes big-endian, bytes; gzipped or not."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.files import is_special

MAX_BYTES = 1 << 30


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes that the file holds. Raise DataError for anything else."""
    if is_special(path):
        raise DataError(f"{path} is a pipe or a device and no file; get the data set again")
    try:
        with open(path, "rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not zipped:
                return _array(raw, path)
            with gzip.open(raw) as unzipped:
                return _array(unzipped, path)
    except FileNotFoundError:
        raise DataError(f"no file {path}; get the data set again") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; get it again") from None


def _array(file: BinaryIO | gzip.GzipFile, path: Path) -> NDArray[np.uint8]:
    """Read the header first: a gzip bomb is unpacked no further than its header says it should be."""
    magic = file.read(4)
    if not magic:
        raise DataError(f"{path} is empty; get it again")
    if len(magic) < 4 or magic[:3] != b"\x00\x00\x08" or not 1 <= magic[3] <= 4:
        raise DataError(f"{path} is not an idx file of unsigned bytes; get it again")
    rank = magic[3]
    header = file.read(4 * rank)
    if len(header) < 4 * rank:
        raise DataError(f"{path} ends within its header; get it again")
    shape = struct.unpack(f">{rank}I", header)
    size = math.prod(shape)
    if not 0 < size <= MAX_BYTES:
        raise DataError(f"{path} says it holds {size:,} bytes; zoo reads idx files of 1 to {MAX_BYTES:,}, get it again")
    content = file.read(size + 1)
    if len(content) != size:
        held = f"{len(content):,}" if len(content) < size else f"more than {size:,}"
        raise DataError(f"{path} holds {held} bytes where its header says {size:,}; get it again")
    return np.frombuffer(content, np.uint8).reshape(shape)
