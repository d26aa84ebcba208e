"""Folders of sound files: by class, by the lists of Speech Commands, or by a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import zoo
from zoo_speech.clips import Clip, Clips, contents_of
from zoo_speech.decoding import SUFFIXES

_TABLES = ("metadata.csv", "labels.csv", "transcripts.csv", "metadata.tsv")
_FILES, _LABELS, _TEXTS, _SPEAKERS = (
    ("file", "file_name", "path"),
    ("label", "class"),
    ("text", "transcription", "sentence"),
    ("speaker", "speaker_id", "client_id"),
)
_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
_BACKGROUND = "_background_noise_"
_MAX_BYTES = 1 << 30


def open_folder(place: Path) -> Clips:
    """Open a folder of sounds, or a table of them."""
    if place.is_file():
        if place.suffix.lower() in SUFFIXES:
            raise zoo.DataError(
                f"{place} is one sound; give a folder of them, or a table with the columns file and label"
            )
        return _clips(place, place.parent, _from_table(place))
    table = next((place / name for name in _TABLES if (place / name).is_file()), None)
    if table is not None:
        return _clips(place, place, _from_table(table))
    paths = [path for path in zoo.files_below(place, SUFFIXES) if _BACKGROUND not in path.parts]
    if not paths:
        raise zoo.DataError(
            f"no sound files in {place}; put {', '.join(SUFFIXES[:4])} there, labelled ones as {place}/<class>/*.wav"
        )
    lists = {split: place / name for split, name in _LISTS.items() if (place / name).is_file()}
    splits = _by_lists(place, paths, lists) if lists else _by_folders(place, paths)
    return _clips(place, place, splits)


def _clips(place: Path, root: Path, splits: Mapping[str, Sequence[Clip]]) -> Clips:
    contents = contents_of(splits, root)
    return Clips(name=place.resolve().stem, source=str(place), splits=splits, contents=contents)


def _by_lists(folder: Path, paths: Sequence[Path], lists: Mapping[str, Path]) -> dict[str, list[Clip]]:
    """Split as Speech Commands does: what its lists do not name is to train on; file names begin with the speaker."""
    split_of = {line: split for split, path in lists.items() for line in zoo.read_text(path).split()}
    found: dict[str, list[Clip]] = {"train": []}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        clip = Clip(source=path, label=path.parent.name, speaker=path.stem.partition("_nohash_")[0])
        found.setdefault(split_of.get(name, "train"), []).append(clip)
    return found


def _by_folders(folder: Path, paths: Sequence[Path]) -> dict[str, list[Clip]]:
    roots = zoo.split_folders(folder)
    if not (len(roots) > 1 or len(roots) == 1 == len(list(folder.iterdir()))):
        roots = {"": folder}
    by_split = {split: [path for path in paths if path.is_relative_to(root)] for split, root in roots.items()}
    labels = {path: _label(path, roots[split]) for split, part in by_split.items() for path in part}
    bare = [path for path, label in labels.items() if label is None]
    if bare and len(bare) < len(labels):
        raise zoo.DataError(f"{bare[0]} is beside class folders; move it into one of them, or remove the folders")
    if len(by_split) == 1 and "test" not in by_split:
        every = next(iter(by_split.values()))
        by_split = zoo.split_by_hash(every, zoo.common_hashes(every), {path: (labels[path],) for path in every})
    return {split: [Clip(source=path, label=labels[path]) for path in part] for split, part in by_split.items()}


def _label(path: Path, root: Path) -> str | None:
    within = path.relative_to(root).parts
    return within[0] if len(within) > 1 else None


def _from_table(table: Path) -> dict[str, list[Clip]]:
    read = zoo.read_delimited(zoo.read_text(table, maximum=_MAX_BYTES), str(table))
    columns = {
        kind: next((read.names.index(name) for name in names if name in read.names), None)
        for kind, names in (("file", _FILES), ("label", _LABELS), ("text", _TEXTS), ("speaker", _SPEAKERS))
    }
    split_column = read.names.index("split") if "split" in read.names else None
    if columns["file"] is None:
        raise zoo.DataError(f"{table} has the columns {', '.join(read.names)}; it needs file, and label or text")
    found: dict[str, list[Clip]] = {}
    for line, row in zip(read.lines, read.rows, strict=True):
        where = f"line {line} of {table}"
        cells = {kind: None if place is None else row[place].strip() for kind, place in columns.items()}
        path = zoo.inside(table.parent, cells["file"] or "")
        if path is None:
            raise zoo.DataError(
                f"{where} names {cells['file']!r}, which is outside {table.parent}; write it relative to it"
            )
        if not path.is_file():
            raise zoo.DataError(f"{where} lists {cells['file']}, which does not exist; check it")
        if cells["label"] == "":
            raise zoo.DataError(f"{where} has no label; write one, or remove the column")
        split = "" if split_column is None else _split(row[split_column], where)
        clip = Clip(source=path, label=cells["label"], text=cells["text"], speaker=cells["speaker"])
        found.setdefault(split, []).append(clip)
    if not found:
        raise zoo.DataError(f"{table} has no lines; give a line for each sound")
    if set(found) == {""}:
        return _split_apart(found[""])
    return found


def _split_apart(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    by_path = {clip.source: clip for clip in clips if isinstance(clip.source, Path)}
    paths = list(by_path)
    parts = zoo.split_by_hash(paths, zoo.common_hashes(paths), {path: (by_path[path].label,) for path in paths})
    return {split: [by_path[path] for path in part] for split, part in parts.items()}


def _split(name: str, where: str) -> str:
    if name.strip().lower() not in zoo.SPLITS:
        raise zoo.DataError(f"{where} has the split {name!r}; write train, validation or test")
    return zoo.SPLITS[name.strip().lower()]
