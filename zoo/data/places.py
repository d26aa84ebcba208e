"""Where the files of a data set may lie."""

import os
from pathlib import Path

_DEBIAN = Path("/usr/share/datasets")


def search_path(data_dir: Path | None, subfolders: tuple[str, ...]) -> list[Path]:
    """Return where a data set may lie: `data_dir` alone where it is given, or else `$ZOO_DATA` and Debian's place.

    Each root stands for itself and for its subfolders.
    """
    return [place for root in _roots(data_dir) for place in (root, *(root / name for name in subfolders))]


def not_found(name: str, data_dir: Path | None, subfolders: tuple[str, ...]) -> str:
    """Return the first half of a message: what was not found, and everywhere that was looked."""
    roots = " or ".join(str(root) for root in _roots(data_dir))
    return f"no {name} in {roots} (nor in {', '.join(subfolders)} there)"


def _roots(data_dir: Path | None) -> list[Path]:
    if data_dir:
        return [data_dir.expanduser()]
    configured = os.environ.get("ZOO_DATA")
    return [*([Path(configured).expanduser()] if configured else []), _DEBIAN]
