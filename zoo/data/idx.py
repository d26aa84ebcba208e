"""Read idx files, the format of MNIST: magic, sizes big-endian, bytes; gzipped or not."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError

MAX_BYTES = 1 << 30


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes that the file holds. Raise DataError for anything else."""
    try:
        content = _content(path)
    except FileNotFoundError:
        raise DataError(f"no file {path}; get the data set again") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; get it again") from None
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or not 1 <= content[3] <= 4:
        raise DataError(f"{path} is no idx file of unsigned bytes; get it again")
    rank = content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise DataError(f"{path} ends within its header; get it again")
    shape = struct.unpack(f">{rank}I", content[4:start])
    if math.prod(shape) != len(content) - start:
        raise DataError(
            f"{path} holds {len(content) - start:,} bytes where its header says {math.prod(shape):,}; get it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(path: Path) -> bytes:
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if zipped else open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f"{path} unpacks to more than {MAX_BYTES:,} bytes; it is no data set that zoo knows")
    return content
