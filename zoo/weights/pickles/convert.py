"""Convert a pickle, or an archive of NumPy, to a folder of safetensors."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from zoo.errors import IntegrityError, NotFoundError, UsageError, ZooError
from zoo.files import new_folder, storage_errors
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.kinds import archive_of, tell_kind
from zoo.weights.pickles import opener
from zoo.weights.replacing import check_out
from zoo.weights.stored import WEIGHTS_FILE

BESIDE = (
    *("config.json", "preprocessor_config.json", "generation_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
)
"""What describes weights where they lie, and goes on doing so where they go."""

_MEMORY = 1 << 30
_TIMES_ITS_SIZE = 4
_SECONDS = 60
_BYTES_A_SECOND = 20_000_000
_PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "LANG")  # nothing that is secret


@dataclass(frozen=True)
class Converted:
    """What was written, and of what: the wrappers `opened`, `others` that hold tensors too, and what is `left_out`.

    `block` describes the model that the tensors fit; None where no plugin has one.
    """

    folder: Path
    tensors: int
    opened: tuple[str, ...]
    others: tuple[str, ...]
    left_out: tuple[str, ...]
    block: WeightsDescription | None


class _Report(msgspec.Struct):
    refused: str | None = None
    tensors: int = 0
    opened: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def convert_pickle(file: Path, out: Path, *, key: str | None = None, force: bool = False) -> Converted:
    """Write the tensors of a file to the folder `out`, whole or not at all, and find the model that they fit.

    Raise IntegrityError for a file that is refused, naming what of it could run code.
    """
    if not os.path.lexists(file):
        raise NotFoundError(f"no file {file}; give one that torch.save or numpy.savez wrote")
    check_out(out, force=force)
    if not file.is_file():
        raise UsageError(f"{file} is no file; give one that torch.save or numpy.savez wrote")
    if archive_of(file) is None:
        tell_kind(file)
        other = (
            "it is safetensors, which is loaded as it is" if file.suffix == ".safetensors" else "nothing is converted"
        )
        raise IntegrityError(f"{file} is no file that torch.save or numpy.savez wrote; {other}")
    with storage_errors(f"writing {out}"), new_folder(out) as temporary:
        report = _opened(file, temporary / WEIGHTS_FILE, key)
        for name in BESIDE:
            if (file.parent / name).is_file():
                shutil.copyfile(file.parent / name, temporary / name)
        block = _described(temporary)
    return Converted(out, report.tensors, report.opened, report.others, report.left_out, block)


def _opened(file: Path, target: Path, key: str | None) -> _Report:
    size = file.stat().st_size
    seconds = _SECONDS + size // _BYTES_A_SECOND
    memory = _MEMORY + _TIMES_ITS_SIZE * size
    command = [
        sys.executable,
        "-P",
        "-m",
        opener.__name__,
        str(file.absolute()),
        str(target),
        str(memory),
        str(seconds),
    ]
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        done = subprocess.run(
            [*command, *([key] if key else [])],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
            timeout=5 * seconds,  # of a clock; the seconds are those of a processor
        )
    except subprocess.TimeoutExpired:
        raise IntegrityError(f"{file} was not read within {5 * seconds} s; nothing is converted") from None
    lines: list[Any] = done.stdout.strip().split(b"\n") if done.stdout else []
    if done.returncode != 0 or not lines:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        raise IntegrityError(
            f"{file} ended the process that read it ({how}), which has {seconds} s of a processor and "
            f"{memory / 1e9:.1f} GB; nothing is converted"
        )
    report = msgspec.json.decode(lines[-1], type=_Report)
    if report.refused is not None:
        cure = (
            "get the weights as safetensors, or let whoever trusts it save its state_dict alone"
            if "could run code" in report.refused
            else "nothing is converted"
        )
        raise IntegrityError(f"{file} {report.refused}; {cure}")
    return report


def _described(folder: Path) -> WeightsDescription | None:
    try:
        return read_config(folder)
    except ZooError:
        return None
