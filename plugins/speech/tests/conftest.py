"""Sounds to test with, and the embedded Hub, as the core offers it to tests of plugins."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from zoo.testing import served_hub as served_hub

RATE = 8000


def word(kind: str, random: np.random.Generator) -> np.ndarray:
    """Return a sound that rises or falls, or one of noise."""
    time = np.arange(int(RATE * random.uniform(0.2, 0.3))) / RATE
    pitch = random.uniform(300, 400)
    turns = {"rise": pitch * (1 + 3 * time), "fall": pitch * (2.5 - 3 * time)}
    noise = random.normal(0, 0.02 if kind in turns else 0.3, len(time))
    return (0.4 * np.sin(2 * np.pi * turns.get(kind, 0 * time) * time) + noise).astype(np.float32)


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three classes with ten clips each."""
    folder = tmp_path_factory.mktemp("words")
    random = np.random.default_rng(0)
    for kind in ("fall", "noise", "rise"):
        (folder / kind).mkdir()
        for place in range(10):
            soundfile.write(folder / kind / f"{place}.wav", word(kind, random), RATE)
    return folder


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of strings of such words with a table of what is said, by two speakers."""
    folder = tmp_path_factory.mktemp("sentences")
    random = np.random.default_rng(1)
    lines = ["file,text,speaker"]
    for place in range(24):
        kinds = [("rise", "fall")[int(random.integers(2))] for _ in range(int(random.integers(1, 4)))]
        soundfile.write(folder / f"{place}.flac", np.concatenate([word(kind, random) for kind in kinds]), RATE)
        lines.append(f"{place}.flac,{' '.join(kind[0] for kind in kinds)},{'ab'[place % 2]}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is decoded out of the user's cache."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
