"""The tasks of `benchmarks/bench.py`: small real data sets as folders that `zoo` opens, from what lies in $ZOO_DATA.

Sources fall into two halves. Defaults are chosen on one, and what they are worth is said of the other.
"""

import csv
import gzip
import io
import json
import os
import re
import tarfile
import wave
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Samples = list[tuple[Any, str]]
"""Pictures (height, width[, 3]) as bytes, or texts, each with the name of its class."""


@dataclass(frozen=True)
class Task:
    """A data set: train and test. `labels` is how many of the training samples keep theirs where few are looked at."""

    name: str
    kind: Literal["pictures", "texts"]
    half: Literal["choosing", "held-out"]
    make: Callable[[], tuple[Samples, Samples]]

    @property
    def labels(self) -> int:
        return 100 if self.kind == "pictures" else 500

    def folder(self, root: Path) -> Path:
        """Write the data set unless it is there; return its folder."""
        folder = root / self.name
        if not (folder / "ready").exists():
            for split, samples in zip(("train", "test"), self.make(), strict=True):
                (_write_pictures if self.kind == "pictures" else _write_texts)(folder, split, samples)
            (folder / "ready").touch()
        return folder / "data"


def _write_pictures(folder: Path, split: str, samples: Samples) -> None:
    for place, (pixels, label) in enumerate(samples):
        path = folder / "data" / split / label / f"{place:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def _write_texts(folder: Path, split: str, samples: Samples) -> None:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    with open(folder / "data" / f"{split}.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *samples])


def _data() -> Path:
    return Path(os.environ["ZOO_DATA"])


def _shuffled(samples: Samples, train: int, test: int) -> tuple[Samples, Samples]:
    """Return so many samples of each kind, drawn by one seed."""
    order = np.random.default_rng(0).permutation(len(samples)).tolist()
    return [samples[place] for place in order[:train]], [samples[place] for place in order[train : train + test]]


def _digits() -> tuple[Samples, Samples]:
    from sklearn.datasets import load_digits

    known = load_digits()
    pixels = (known.images * 15.9375).astype(np.uint8)
    return _shuffled([(picture, str(label)) for picture, label in zip(pixels, known.target, strict=True)], 1200, 597)


def _fashion(kept: Sequence[int], train: int, test: int) -> tuple[Samples, Samples]:
    found = []
    for stem, count in (("train", train), ("t10k", test)):
        folder = _data() / "fashion-mnist"
        images = np.frombuffer(
            gzip.decompress((folder / f"{stem}-images-idx3-ubyte.gz").read_bytes()), np.uint8, -1, 16
        )
        labels = np.frombuffer(gzip.decompress((folder / f"{stem}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, -1, 8)
        places = np.flatnonzero(np.isin(labels, kept))[:count]
        found.append([(images.reshape(-1, 28, 28)[place], str(labels[place])) for place in places])
    return found[0], found[1]


def _cifar10() -> tuple[Samples, Samples]:
    found = []
    for name, count in (("data_batch_1", 4000), ("test_batch", 2000)):
        records = (_data() / "cifar10" / "cifar-10-batches-bin" / f"{name}.bin").read_bytes()
        rows = np.frombuffer(records, np.uint8).reshape(-1, 3073)[:count]
        pictures = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        found.append([(picture, str(label)) for picture, label in zip(pictures, rows[:, 0], strict=True)])
    return found[0], found[1]


def spectrogram(path: Path, size: int = 32) -> NDArray[np.uint8]:
    """Return a recording as a picture of that many bands (below 4 kHz, the lowest last) and steps in time."""
    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
    starts = np.linspace(0, max(0, len(sound) - 256), size).astype(int)
    frames = np.stack([np.resize(sound[start : start + 256], 256) * np.hanning(256) for start in starts])
    power = np.abs(np.fft.rfft(frames))[:, 1:].reshape(size, size, -1).mean(2).T[::-1]
    logs = np.log1p(power)
    return np.asarray((logs / max(1e-9, logs.max()) * 255).round(), np.uint8)


def _spoken(part: int) -> tuple[Samples, Samples]:
    """Return FSDD by the first part of its names, the digit, or by the second, who speaks; by the official split."""
    found: tuple[Samples, Samples] = ([], [])
    for path in sorted((_data() / "fsdd" / "recordings").glob("*.wav")):
        fields = path.stem.split("_")
        found[int(fields[2]) < 5].append((spectrogram(path), fields[part]))
    return found


def _camvid(size: int = 48) -> tuple[Samples, Samples]:
    """Return patches of which one class has at least 7 tenths, as pictures of 32 pixels; of no more than 400 each."""
    root = _data() / "camvid"
    names = (root / "classes.txt").read_text().split()
    found: list[Samples] = []
    for split, most in (("train", 400), ("test", 150)):
        counts: Counter[int] = Counter()
        samples: Samples = []
        for path in sorted((root / "CamVid" / split).glob("*")):
            mask = np.asarray(Image.open(root / "CamVid" / f"{split}annot" / f"{path.stem}.png"))
            image = Image.open(path).convert("RGB")
            for top in range(0, mask.shape[0] - size + 1, size):
                for left in range(0, mask.shape[1] - size + 1, size):
                    numbers = np.bincount(mask[top : top + size, left : left + size].ravel(), minlength=12)
                    label = int(numbers.argmax())
                    if label < 11 and numbers[label] >= 0.7 * size * size and counts[label] < most:
                        counts[label] += 1
                        crop = image.crop((left, top, left + size, top + size)).resize((32, 32), Image.Resampling.BOX)
                        samples.append((np.asarray(crop), f"{label:02}-{names[label]}"))
        found.append(samples)
    known = {label for label, count in Counter(label for _, label in found[0]).items() if count >= 60}
    return _kept(found[0], known), _kept(found[1], known)


def _bccd() -> tuple[Samples, Samples]:
    """Return cells by their kind, of each at most 350 to train on and 120 to test on, as grey pictures of 24 pixels."""
    root = _data() / "bccd" / "BCCD"
    found: list[Samples] = []
    for lists, most in ((("train", "val"), 350), (("test",), 120)):
        counts: Counter[str] = Counter()
        samples: Samples = []
        for stem in (stem for name in lists for stem in (root / "ImageSets/Main" / f"{name}.txt").read_text().split()):
            image = Image.open(root / "JPEGImages" / f"{stem}.jpg").convert("L")
            for item in ElementTree.parse(root / "Annotations" / f"{stem}.xml").iter("object"):
                label = str(item.findtext("name"))
                box = [int(str(item.findtext(f"bndbox/{edge}"))) for edge in ("xmin", "ymin", "xmax", "ymax")]
                if counts[label] < most and box[2] - box[0] > 5 and box[3] - box[1] > 5:
                    counts[label] += 1
                    crop = image.crop((box[0], box[1], box[2], box[3])).resize((24, 24), Image.Resampling.BOX)
                    samples.append((np.asarray(crop), label))
        found.append(samples)
    return found[0], found[1]


def _ag_news(kept: Sequence[int]) -> tuple[Samples, Samples]:
    found = []
    for split, count in (("train", 8000), ("test", 2000)):
        with open(_data() / "ag_news" / "ag_news_csv" / f"{split}.csv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if int(row[0]) in kept]
        found.append([(f"{row[1]} {row[2]}", row[0]) for row in rows[:count]])
    return found[0], found[1]


def _trec(fine: bool) -> tuple[Samples, Samples]:
    found: list[Samples] = []
    for split in ("train", "test"):
        text = (_data() / "trec" / f"TREC.{split}").read_bytes().decode("latin-1")
        parts = [line.partition(" ") for line in text.split("\n") if line.strip()]
        found.append([(words, label if fine else label.partition(":")[0]) for label, _, words in parts])
    known = {label for label, count in Counter(label for _, label in found[0]).items() if count >= 100}
    return (_kept(found[0], known), _kept(found[1], known)) if fine else (found[0], found[1])


def _scitldr() -> Iterator[list[dict[str, Any]]]:
    for split in ("train", "test"):
        with open(_data() / "scitldr" / "SciTLDR-A" / f"{split}.jsonl", encoding="utf-8") as file:
            yield [json.loads(line) for line in file]


def _places() -> tuple[Samples, Samples]:
    """Return sentences of abstracts by the third in which they lie."""
    thirds = ("begins", "goes on", "ends")
    found = []
    for papers, count in zip(_scitldr(), (6000, 2000), strict=True):
        rows = [
            (sentence, thirds[3 * place // len(paper["source"])])
            for paper in papers
            for place, sentence in enumerate(paper["source"])
            if len(paper["source"]) >= 3
        ]
        found.append(_shuffled(rows, count, 0)[0])
    return found[0], found[1]


def _best_sentences() -> tuple[Samples, Samples]:
    """Return sentences of abstracts by whether one is the nearest to the summary, as many of each."""
    found = []
    for papers, count in zip(_scitldr(), (3500, 1000), strict=True):
        rows = [
            (sentence, "summary" if label else "other")
            for paper in papers
            for sentence, label in zip(paper["source"], paper["source_labels"], strict=True)
        ]
        best, others = ([row for row in rows if (row[1] == "summary") == side] for side in (True, False))
        half = min(count // 2, len(best))
        found.append(_shuffled([*best[:half], *_shuffled(others, half, 0)[0]], 2 * half, 0)[0])
    return found[0], found[1]


def _mails() -> tuple[Samples, Samples]:
    """Return e-mails by how many words their subject has."""
    found: tuple[Samples, Samples] = ([], [])
    with tarfile.open(_data() / "aeslc" / "enron_subject_line.tar.gz", "r:gz") as archive:
        for member in archive:
            split, file = Path(member.name).parent.name, archive.extractfile(member)
            if split not in ("train", "test") or file is None:
                continue
            body, _, rest = io.TextIOWrapper(file, "utf-8", "replace").read().partition("@subject")
            words = len(rest.partition("@ann0")[0].split())
            if words:
                label = "1 or 2" if words < 3 else "3 or 4" if words < 5 else "5 or more"
                found[split == "test"].append((" ".join(body.split())[:1000], label))
    return _shuffled(found[0], 6000, 0)[0], found[1]


def _speakers() -> tuple[Samples, Samples]:
    """Return speeches of the 6 who speak most in Shakespeare's plays here, by who speaks."""
    text = (_data() / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    speeches = [block.split(":\n", 1) for block in re.split(r"\n\n+", text) if ":\n" in block]
    most = {name for name, _ in Counter(name for name, _ in speeches).most_common(6)}
    rows: Samples = [(" ".join(words.split())[:400], name.title()) for name, words in speeches if name in most]
    return _shuffled(rows, len(rows) * 2 // 3, len(rows))


def _kept(samples: Samples, known: set[str]) -> Samples:
    return [sample for sample in samples if sample[1] in known]


TASKS = (
    Task("digits", "pictures", "choosing", _digits),
    Task("fashion", "pictures", "choosing", lambda: _fashion(range(10), 4000, 2000)),
    Task("fashion-tops", "pictures", "choosing", lambda: _fashion((0, 2, 4, 6), 3000, 1000)),
    Task("cifar10", "pictures", "choosing", _cifar10),
    Task("fsdd-digits", "pictures", "held-out", lambda: _spoken(0)),
    Task("fsdd-speakers", "pictures", "held-out", lambda: _spoken(1)),
    Task("camvid-patches", "pictures", "held-out", _camvid),
    Task("bccd-cells", "pictures", "held-out", _bccd),
    Task("ag-news", "texts", "choosing", lambda: _ag_news((1, 2, 3, 4))),
    Task("ag-news-pair", "texts", "choosing", lambda: _ag_news((3, 4))),
    Task("trec", "texts", "choosing", lambda: _trec(False)),
    Task("trec-fine", "texts", "choosing", lambda: _trec(True)),
    Task("scitldr-places", "texts", "held-out", _places),
    Task("scitldr-best", "texts", "held-out", _best_sentences),
    Task("aeslc-lengths", "texts", "held-out", _mails),
    Task("shakespeare-speakers", "texts", "held-out", _speakers),
)
