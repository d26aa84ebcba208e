"""Weights that lie in an installed distribution."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import zoo
from tests.hooks.conftest import same
from zoo.errors import IntegrityError, NotFoundError
from zoo.training.result import RunResult


def installed_file(site: Any, authors: Path) -> Path:
    """Put weights into the distribution zoo-extras, listed with their hash as an installer does."""
    place = site.folder / "zoo_extras_data" / "tones.safetensors"
    place.parent.mkdir()
    place.write_bytes(authors.read_bytes())
    digest = base64.urlsafe_b64encode(hashlib.sha256(place.read_bytes()).digest()).decode().rstrip("=")
    record = site.folder / "zoo_extras-1.0.dist-info" / "RECORD"
    record.write_text(f"zoo_extras_data/tones.safetensors,sha256={digest},{place.stat().st_size}\nzoo_extras.py,,\n")
    return place


def test_weights_of_an_installed_distribution_are_hashed(extras: Any, run: RunResult, authors: Path) -> None:
    place, address = installed_file(extras, authors), "dist://zoo-extras/zoo_extras_data/tones.safetensors"
    assert same(zoo.load(address), zoo.load(run.folder))
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    with pytest.raises(IntegrityError, match="is not what zoo-extras 1.0 installed; pip install --force-reinstall"):
        zoo.load(address)
    place.unlink()
    with pytest.raises(NotFoundError, match="cannot be read"):
        zoo.load(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("dist://zoo-nowhere/x.safetensors", "pip install zoo-nowhere"),
        ("dist://zoo-extras/other.safetensors", "lists no file 'other.safetensors' with a sha256"),
        ("dist://zoo-extras/zoo_extras.py", "lists no file 'zoo_extras.py' with a sha256"),
        ("dist://zoo-extras/../../etc/passwd", "lists no file"),
        ("dist://zoo-extras", "lists no file ''"),
        ("dist://", "no distribution ''"),
    ],
)
def test_what_no_distribution_has_is_named(extras: Any, tmp_path: Path, address: str, said: str) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    installed_file(extras, tmp_path / "x.safetensors")
    with pytest.raises(NotFoundError, match=said):
        zoo.load(address)
