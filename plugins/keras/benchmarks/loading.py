"""Compare `zoo.load` of a file of Keras with reading and transposing the same arrays by h5py and numpy.

    OMP_NUM_THREADS=1 python plugins/keras/benchmarks/loading.py FILE.keras

Seconds are of a processor, with those of the processes that were started, and of a clock: the least of `RUNS`, each
of a file that was not read before. Memory is the most that each has over what its imports took, in its own process.
"""

import contextlib
import io
import os
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

RUNS = 5


def by_h5py(path: Path) -> None:
    import h5py
    import numpy as np

    found = {}

    def read(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            value = item[()]
            axes = {4: (3, 2, 0, 1), 2: (1, 0)}.get(value.ndim)
            found[name] = np.ascontiguousarray(value.transpose(axes)) if axes else value

    with contextlib.ExitStack() as stack:
        source: object = path
        if path.suffix == ".keras":
            archive = stack.enter_context(zipfile.ZipFile(path))
            source = io.BytesIO(archive.read("model.weights.h5"))
        stack.enter_context(h5py.File(source)).visititems(read)


def by_zoo(path: Path) -> None:
    import zoo

    zoo.load(path)


def measured(read: Callable[[Path], None], path: Path) -> tuple[float, float]:
    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    read(path)
    runs = []
    for _ in range(RUNS):
        os.utime(path)  # so that nothing is known of it
        clock, processor = time.perf_counter(), used()
        read(path)
        runs.append((used() - processor, time.perf_counter() - clock))
    return min(run[0] for run in runs), min(run[1] for run in runs)


def memory(name: str, path: Path) -> float:
    code = (
        "import sys, h5py, numpy, torch, zoo, zoo.inference.load, zoo_cnn.resnet; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1]); import loading\n"
        "peak = lambda: int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
        "before = peak(); getattr(loading, sys.argv[2])(Path(sys.argv[3])); print((peak() - before) / 1024)"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, here, name, str(path)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main(path: Path) -> None:
    print(f"{path.name}: {os.path.getsize(path) / 1e6:.1f} MB")
    for read in (by_h5py, by_zoo):
        processor, clock = measured(read, path)
        most = memory(read.__name__, path)
        print(f"{read.__name__:>8}: {processor:.2f} s of a processor, {clock:.2f} s, {most:.0f} MiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
