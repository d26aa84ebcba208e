"""Files that were cut, overwritten and spliced: each is read, or refused in one line, by a process that may crash.

ZOO_MUTATIONS says how many; 5,000 take minutes. The program that reads is forked instead of started, and is the same.
"""

import os
import random
import resource
from pathlib import Path
from typing import Any

import files
import pytest
from zoo_keras import hdf5, hdf5_program
from zoo_keras.container import open_file

import zoo

COUNT = int(os.environ.get("ZOO_MUTATIONS", "150"))
MEMORY = 300 << 10


def forked(path: Path, span: hdf5.Span) -> tuple[int, bytes]:
    """Do what `run_program` does, without a new interpreter."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(write, 1)
            os.close(read)
            hdf5_program.main(str(path), str(span.start), str(span.size))
        finally:
            os._exit(3)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        output = file.read()
    return os.waitpid(child, 0)[1], output


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return a file with one thing done to it."""
    changed = bytearray(content)
    match chance.randrange(6):
        case 0:
            del changed[chance.randrange(len(changed)) :]
        case 1:
            for _ in range(chance.randrange(1, 40)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        case 2:
            place = chance.randrange(len(changed))
            changed[place : place + chance.randrange(1, 64)] = b"\xff" * chance.randrange(1, 64)
        case 3:
            place, other = chance.randrange(len(changed)), chance.randrange(len(changed))
            length = chance.randrange(1, 512)
            changed[place : place + length] = changed[other : other + length]
        case 4:  # a size, an address, a count
            place = chance.randrange(0, max(1, len(changed) - 8), 8)
            changed[place : place + 8] = chance.choice([0, 1, 1 << 31, 1 << 62, len(changed)]).to_bytes(8, "little")
        case 5:
            place = chance.randrange(len(changed))
            changed[place:place] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 32)))
    return bytes(changed)


def test_mutated_files_are_read_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "run_program", forked)
    import h5py  # noqa: F401 (once, before it is forked)

    originals: list[Any] = [
        files.write_keras(tmp_path / "a.keras", optimizer=True),
        files.write_weights(tmp_path / "a.weights.h5"),
        files.write_legacy(tmp_path / "a.h5"),
    ]
    contents = [(path, path.read_bytes()) for path in originals]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = 0
    for seed in range(COUNT):
        path, content = contents[seed % 3]
        path.write_bytes(mutated(content, random.Random(seed)))
        try:
            open_file(path).load()
            read += 1
        except zoo.ZooError as error:
            assert "\n" not in str(error) and str(path) in str(error), (seed, error)
    assert 0 < read < COUNT
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, own + MEMORY)
