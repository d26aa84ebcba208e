"""Public data sets of text, in the files that their authors give out."""

import hashlib
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from zoo.data.hashes import content_hashes
from zoo.data.places import not_found, search_path
from zoo.data.text.columns import Record
from zoo.data.text.dataset import TextDataset
from zoo.data.text.documents import open_documents
from zoo.data.text.records import dataset_of, paired
from zoo.data.text.tables import read_table
from zoo.data.text_files import split_lines
from zoo.errors import DataError

_MULTI30K = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
_AESLC = {"train": "train", "dev": "validation", "test": "test"}
_AESLC_FILE = "enron_subject_line.tar.gz"


def ag_news(data_dir: Path | None) -> TextDataset:
    """Open AG News: title and description of each piece of news, joined by a blank, and its topic."""
    folder = _folder("ag_news", data_dir, ("ag_news/ag_news_csv", "ag_news_csv"), "train.csv")
    classes = tuple((folder / "classes.txt").read_text(encoding="utf-8").split())
    rows = {}
    for split in ("train", "test"):
        table = read_table(folder / f"{split}.csv", has_head=False).columns
        rows[split] = [
            Record(f"{title} {description}", labels=(classes[int(place) - 1],))
            for place, title, description in zip(table["1"], table["2"], table["3"], strict=True)
        ]
    files = [folder / name for name in ("classes.txt", "train.csv", "test.csv")]
    return _made("ag_news", rows, folder, files, classes, "non-commercial research")


def trec(data_dir: Path | None) -> TextDataset:
    """Open TREC's questions with the six coarse classes of what they ask for. The files are Latin-1."""
    folder = _folder("trec", data_dir, ("trec",), "TREC.train")
    rows = {}
    for split in ("train", "test"):
        lines = split_lines((folder / f"TREC.{split}").read_bytes().decode("latin-1"))
        parts = [line.partition(" ") for line in lines if line.strip()]
        rows[split] = [Record(question, labels=(label.partition(":")[0],)) for label, _, question in parts]
    return _made("trec", rows, folder, [folder / "TREC.train", folder / "TREC.test"], None, "unknown")


def tinyshakespeare(data_dir: Path | None) -> TextDataset:
    """Open the million characters of Shakespeare that char-rnn learnt from; the last tenth is to test on."""
    folder = _folder("tinyshakespeare", data_dir, ("tinyshakespeare",), "input.txt")
    found = open_documents(folder / "input.txt")
    return TextDataset(
        name="tinyshakespeare",
        splits=found.splits,
        license="public domain",
        source=found.source,
        fingerprint=found.fingerprint,
    )


def _multi30k(first: str, second: str) -> Callable[[Path | None], TextDataset]:
    def opened(data_dir: Path | None) -> TextDataset:
        folder = _folder("multi30k", data_dir, ("multi30k",), f"train.{first}.gz")
        files = {
            split: (folder / f"{stem}.{first}.gz", folder / f"{stem}.{second}.gz") for split, stem in _MULTI30K.items()
        }
        rows = paired(folder, files)
        name = f"multi30k_{first}_{second}"
        return _made(name, rows, folder, [file for pair in files.values() for file in pair], (), "non-commercial")

    return opened


multi30k_de_en = _multi30k("de", "en")
multi30k_en_de = _multi30k("en", "de")
multi30k_fr_en = _multi30k("fr", "en")
multi30k_en_fr = _multi30k("en", "fr")


def aeslc(data_dir: Path | None) -> TextDataset:
    """Open AESLC: e-mails of Enron, for each of which its subject is to be written (Zhang and Tetreault, 2019)."""
    folder = _folder("aeslc", data_dir, ("aeslc",), _AESLC_FILE)
    rows: dict[str, list[Record]] = {split: [] for split in _AESLC.values()}
    try:
        with tarfile.open(folder / _AESLC_FILE, "r:gz") as archive:
            for member in archive:  # read where it is: nothing is unpacked
                parts = Path(member.name).parts
                file = archive.extractfile(member) if member.name.endswith(".subject") else None
                if file is None or len(parts) < 2 or parts[-2] not in _AESLC:
                    continue
                text = file.read().decode("utf-8", "replace")
                body, _, rest = text.partition("@subject")
                subject = rest.partition("@ann0")[0].strip()
                rows[_AESLC[parts[-2]]].append(Record(body.strip(), target_text=subject))
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{folder / _AESLC_FILE} cannot be read: {error}; get it again") from None
    ordered = {split: sorted(found, key=lambda record: record.text) for split, found in rows.items()}
    return _made("aeslc", ordered, folder, [folder / _AESLC_FILE], (), "CC-BY-NC-SA-4.0")


def _folder(name: str, data_dir: Path | None, subfolders: tuple[str, ...], file: str) -> Path:
    places = search_path(data_dir, subfolders)
    folder = next((place for place in places if (place / file).is_file()), None)
    if folder is None:
        raise DataError(f"{not_found(name, data_dir, subfolders)}; get its files ({file} …) and pass --data-dir FOLDER")
    return folder


def _made(
    name: str,
    rows: Mapping[str, Sequence[Record]],
    folder: Path,
    files: Sequence[Path],
    classes: tuple[str, ...] | None,
    license: str,
) -> TextDataset:
    hashes = content_hashes(folder, files)
    digest = hashlib.sha256(repr((name, [hashes[file] for file in files])).encode()).hexdigest()
    return dataset_of(rows, name=name, source=str(folder), fingerprint=digest, license=license, classes=classes)
