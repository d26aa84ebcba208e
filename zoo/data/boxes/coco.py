"""COCO: one json a split with images, annotations and categories (Lin et al., 2014); crowds are not scored.

Categories are matched by their names: each json may number them its own way, and list them in an order of its own.
"""

import codecs
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from zoo.data.arrays import CROWD
from zoo.data.boxes.records import AnnotatedImage, Annotations, Box, check_classes, inside, settle_splits, split_of
from zoo.errors import DataError
from zoo.files import is_special

_SPLITS = ("train", "valid", "val", "test")
_MAX_BYTES = 4 * 1024**3


class _Image(msgspec.Struct):
    id: int | str
    file_name: str
    height: int | None = None
    width: int | None = None


class _Annotation(msgspec.Struct):
    image_id: int | str
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class _Category(msgspec.Struct):
    id: int
    name: str


class _Instances(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def recognizes(folder: Path) -> bool:
    """Tell whether a folder is one of COCO."""
    return bool(_files(folder))


def read(folder: Path) -> Annotations:
    """Read the json of every split. Classes are the categories of the training split in the order of their ids."""
    jsons: list[tuple[str, Path, _Instances]] = []
    files = _files(folder)
    for path in files:
        name = path.parent.name if path.parent.name in _SPLITS else path.stem
        split = "all" if len(files) == 1 else split_of(name)
        if split is None:
            raise DataError(f"the name of {path} names no split (train, val or test); rename it")
        jsons.append((split, path, _decode(path)))
    _, first, learnt = next((item for item in jsons if item[0] == "train"), jsons[0])
    categories = sorted(learnt.categories, key=lambda category: category.id)
    classes = check_classes([category.name for category in categories], str(first))
    parts: dict[str, list[AnnotatedImage]] = {}
    for split, path, instances in jsons:
        names = [category.name for category in instances.categories]
        if sorted(names) != sorted(classes):
            raise DataError(f"{path} has other categories than {first.name}; give both the same")
        parts.setdefault(split, []).extend(_annotated(folder, path, instances, classes))
    return Annotations(classes, settle_splits(parts, str(folder)))


def _files(folder: Path) -> list[Path]:
    """Return the json files: those named as COCO names them, else those of split folders, else any there are."""
    groups = (
        [*folder.glob("instances_*.json"), *folder.glob("annotations/instances_*.json")],
        [path for split in _SPLITS for path in folder.glob(f"{split}/[!.]*.json")],
        list(folder.glob("annotations/[!.]*.json")),
        list(folder.glob("[!.]*.json")),
    )
    return sorted(next((group for group in groups if group), []))


def _decode(path: Path) -> _Instances:
    if is_special(path):
        raise DataError(f"{path} is a pipe or a device and no file; remove it")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path} has more than {_MAX_BYTES:,} bytes; split it")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check it") from None
    try:
        return msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8), type=_Instances)
    except msgspec.ValidationError as error:
        raise DataError(f"{path} is not in COCO's format: {error}; correct it") from None
    except RecursionError:
        raise DataError(f"{path} is nested too deeply for COCO; get a fresh copy") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        place = re.search(r"\(byte (\d+)\)", str(error))
        line = content.count(b"\n", 0, int(place[1]) if place else None) + 1
        raise DataError(f"{path}:{line} is not JSON: {error}; get a fresh copy") from None


def _annotated(folder: Path, path: Path, instances: _Instances, classes: Sequence[str]) -> list[AnnotatedImage]:
    source = str(path)
    root = _pictures(folder, path, instances)
    places = {category.id: classes.index(category.name) for category in instances.categories}
    boxes: dict[int | str, list[Box]] = {image.id: [] for image in instances.images}
    if len(places) < len(instances.categories) or len(boxes) < len(instances.images):
        raise DataError(f"{source} has an image or a category twice by its id; give each its own")
    ids: dict[PurePosixPath, int | str] = {}
    for image in instances.images:
        if (other := ids.setdefault(PurePosixPath(image.file_name), image.id)) != image.id:
            raise DataError(
                f"{source} lists {image.file_name} as image {other!r} and as image {image.id!r}, each with a part of "
                "its boxes; give it one id"
            )
    for number, item in enumerate(instances.annotations):
        if item.category_id not in places:
            raise DataError(f"annotation {number} of {source} is of category {item.category_id}, which is not listed")
        if item.image_id not in boxes:
            raise DataError(f"annotation {number} of {source} is of image {item.image_id!r}, which is not listed")
        left, top, width, height = item.bbox
        box = Box(left, top, left + width, top + height, places[item.category_id], CROWD if item.iscrowd else 0)
        boxes[item.image_id].append(box)
    return [
        AnnotatedImage(
            inside(root, image.file_name, source),
            boxes[image.id],
            source,
            (image.height, image.width) if image.height and image.width else None,
        )
        for image in instances.images
    ]


def _pictures(folder: Path, path: Path, instances: _Instances) -> Path:
    """Return the folder of the pictures: one named as the split, or images, or that of the json itself."""
    name = path.stem.removeprefix("instances_")
    places = [folder / name, folder / "images" / name, path.parent, folder / "images", folder]
    first = next((image.file_name for image in instances.images), "")
    if first:
        inside(folder, first, str(path))
    return next((place for place in places if (place / first).is_file()), places[0])
