"""Weights that an installed distribution ships: `dist://NAME/path/in/it`, hashed like those of a Hub."""

import base64
import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from zoo.errors import IntegrityError, NotFoundError

DIST = "dist://"


def distribution_file(address: str) -> Path:
    """Return the file that an address names. Raise IntegrityError where it is not what was installed."""
    name, _, inner = address.removeprefix(DIST).partition("/")
    try:
        found = distribution(name)
    except (PackageNotFoundError, ValueError):
        raise NotFoundError(f"no distribution {name!r} is installed for {address}: pip install {name}") from None
    listed = next((file for file in found.files or () if file.as_posix() == inner), None)
    if listed is None or listed.hash is None or listed.hash.mode != "sha256":
        raise NotFoundError(f"{name} {found.version} lists no file {inner!r} with a sha256; `pip show -f {name}` shows")
    path, again = Path(str(listed.locate())), f"pip install --force-reinstall {name}"
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise NotFoundError(f"{path} of {name} cannot be read: {error.strerror}; {again}") from None
    if base64.urlsafe_b64encode(digest).decode().rstrip("=") != listed.hash.value:
        raise IntegrityError(f"{path} is not what {name} {found.version} installed; {again}")
    return path
