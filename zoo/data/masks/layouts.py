"""Find the masks that belong to the pictures of a folder, in the layouts that are in use.

- `<split>/images` with `<split>/masks`, or `images/<split>` with `masks/<split>`
- `images` with `masks`, to be split
- SegNet's: `train` with `trainannot`, and so on; lists such as train.txt say which files where there are any
- Pascal VOC's: `JPEGImages` with `SegmentationClass`, split by the lists in `ImageSets/Segmentation`
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.data.images.listing import pictures_below, stem_in
from zoo.data.splitting import SPLITS, needed_splits, with_test
from zoo.data.text_files import read_text, split_lines
from zoo.errors import DataError
from zoo.files import inside

ALL = "all"
"""The split of what is still to be split."""

_LAYOUTS = (
    "images/*.jpg with masks/*.png, the same within train and test, SegNet's train with trainannot, "
    "or Pascal VOC's JPEGImages with SegmentationClass"
)


@dataclass(frozen=True)
class Pair:
    """A picture, and where its mask lies, or should."""

    picture: Path
    mask: Path


@dataclass(frozen=True)
class Layout:
    """The pairs of each split: `train`, `test` and perhaps `validation`, or `all` of them to be split."""

    pairs: Mapping[str, list[Pair]]
    is_voc: bool


def find_layout(folder: Path) -> Layout:
    """Return the pairs of a folder. Raise DataError where it has none of the layouts, or lists what is not there."""
    if not folder.is_dir():
        raise DataError(f"no folder {folder}; check the path")
    images, masks = folder / "images", folder / "masks"
    is_voc = (folder / "JPEGImages").is_dir() and (folder / "SegmentationClass").is_dir()
    if is_voc:
        found = _voc(folder)
    elif images.is_dir() and masks.is_dir():
        found = _by_split({name: (images / name, masks / name) for name in SPLITS})
        found = found or {ALL: _pairs(images, masks)}
    else:
        found = _by_split({name: (folder / name / "images", folder / name / "masks") for name in SPLITS})
        found = found or _segnet(folder)
    if not found:
        raise DataError(f"no pictures with masks in {folder}; put them there as {_LAYOUTS}")
    if set(found) != {ALL}:
        found = _train_and_test(folder, found)
    for split, pairs in found.items():
        if not pairs:
            raise DataError(f"the {split} split of {folder} has no pictures; add some")
    return Layout(found, is_voc)


def _by_split(folders: Mapping[str, tuple[Path, Path]]) -> dict[str, list[Pair]]:
    """Return the pairs of each split whose folders of pictures and of masks are both there."""
    found: dict[str, list[Pair]] = {}
    for name, (images, masks) in folders.items():
        if images.is_dir() and masks.is_dir():
            _add(found, name, _pairs(images, masks))
    return found


def _segnet(folder: Path) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for name in SPLITS:
        masks = folder / f"{name}annot"
        if masks.is_dir() and (folder / name).is_dir():
            listed = folder / f"{name}.txt"
            _add(
                found, name, _listed_pairs(folder, listed, masks) if listed.is_file() else _pairs(folder / name, masks)
            )
    return found


def _add(found: dict[str, list[Pair]], name: str, pairs: list[Pair]) -> None:
    split = SPLITS[name]
    if split in found:
        raise DataError(f"{pairs[0].picture.parent if pairs else name} is a second {split} split; keep one of them")
    found[split] = pairs


def _listed_pairs(folder: Path, listed: Path, masks: Path) -> list[Pair]:
    """Return the pairs of a list whose lines are a picture and its mask, or a picture alone."""
    pairs = []
    by_stem = _by_stem(masks)
    for where, words in _lines(listed):
        if len(words) > 2:
            raise DataError(f"{where} has {len(words)} words; write a picture and its mask, relative to {folder}")
        paths = [_inside(folder, word, where) for word in words]
        if not paths[0].is_file():
            raise DataError(f"{where} lists the image {words[0]}, which does not exist; check the list")
        stem = paths[0].stem
        pairs.append(Pair(paths[0], paths[1] if len(paths) == 2 else by_stem.get(stem, masks / f"{stem}.png")))
    return pairs


def _voc(folder: Path) -> dict[str, list[Pair]]:
    images, masks, lists = (folder / name for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"))
    pairs = {pair.picture.stem: pair for pair in _pairs(images, masks)}
    found: dict[str, list[Pair]] = {}
    for name in (*SPLITS, "trainval"):
        listed = lists / f"{name}.txt"
        if not listed.is_file() or (name == "trainval" and "train" in found):
            continue
        stems = [(where, words[0]) for where, words in _lines(listed)]
        if unknown := next(((where, stem) for where, stem in stems if stem not in pairs), None):
            raise DataError(f"{unknown[0]} names {unknown[1]!r}, of which {images} has no picture; check the list")
        named = [pairs[stem] for _, stem in stems]
        if name == "trainval":
            found[ALL] = named
        else:
            _add(found, name, named)
    if ALL in found and len(found) > 1:  # what is trained and tested on is named together, beside one of the two
        del found[ALL]
    # Most of VOC's pictures have no mask at all
    return found or {ALL: [pair for pair in pairs.values() if pair.mask.is_file()]}


def _pairs(images: Path, masks: Path) -> list[Pair]:
    """Return each picture with the mask of its name, which should be a PNG where there is none."""
    by_stem = _by_stem(masks)
    stems = {path: stem_in(images, path) for path in pictures_below(images)}
    return [Pair(path, by_stem.get(stem, masks / f"{stem}.png")) for path, stem in stems.items()]


def _by_stem(masks: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in pictures_below(masks):
        stem = stem_in(masks, path)
        if stem in found:
            raise DataError(f"{masks} has two masks for {stem!r}: {path.name} and {found[stem].name}; remove one")
        found[stem] = path
    return found


def _train_and_test(folder: Path, found: dict[str, list[Pair]]) -> dict[str, list[Pair]]:
    """Return the splits, of which two must be there."""
    found = with_test(found)
    if missing := [name for name in needed_splits() if name not in found]:
        raise DataError(
            f"{folder} has pictures with masks for {', '.join(found)} but none for {missing[0]}; add some, "
            "or put all of them into images and masks to have them split"
        )
    return found


def _lines(listed: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the words of each line, with where it stands; empty lines are passed over."""
    for number, line in enumerate(split_lines(read_text(listed)), start=1):
        if words := line.split():
            yield f"line {number} of {listed}", words


def _inside(folder: Path, name: str, where: str) -> Path:
    """Return the path of a name in a list. Raise DataError where it leads out of the folder."""
    if (path := inside(folder, name)) is None:
        raise DataError(f"{where} names {name!r}, which is outside {folder}; write it relative to the folder")
    return path
