"""Draw fashion_mnist_sample from Fashion-MNIST: 200 training and 50 test pictures a class, by one seed.

python tools/make_fashion_mnist_sample.py FOLDER_WITH_THE_IDX_FILES
"""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np

from zoo.data.images.idx import read_idx

OUT = Path(__file__).parents[1] / "zoo" / "data" / "images" / "fashion_mnist_sample"
SEED = 2017


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    # mtime and file name would make two runs differ
    path.write_bytes(gzip.compress(header + array.tobytes(), 9, mtime=0))


def main() -> None:
    source = Path(sys.argv[1])
    OUT.mkdir(exist_ok=True)
    random = np.random.default_rng(SEED)
    for prefix, count in (("train", 200), ("t10k", 50)):
        images = read_idx(source / f"{prefix}-images-idx3-ubyte.gz")
        labels = read_idx(source / f"{prefix}-labels-idx1-ubyte.gz")
        chosen = np.concatenate([random.choice(np.flatnonzero(labels == c), count, replace=False) for c in range(10)])
        chosen = random.permutation(chosen)
        write_idx(OUT / f"{prefix}-images-idx3-ubyte.gz", images[chosen])
        write_idx(OUT / f"{prefix}-labels-idx1-ubyte.gz", labels[chosen])


if __name__ == "__main__":
    main()
