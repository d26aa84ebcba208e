"""What lists and pages say of a repo, worked out once when its branch main moves."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from zoo.hub.server.blobs import BlobStore
from zoo.hub.server.frontmatter import MAX_FRONT_MATTER, front_matter
from zoo.hub.server.trees import Entry

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_FIRST = ("thumbnail", "reconstruction", "sample", "generated", "detection", "segmentation", "confusion")
_MAX_HEADER = 8 * 1024 * 1024


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """`largest` is the file whose download counts as one of the repo; `picture` stands for the repo in lists."""

    card: dict[str, Any] = {}
    tags: list[str] = []
    size: int = 0
    files: int = 0
    largest: str = ""
    picture: str = ""
    parameters: dict[str, int] = {}

    def text(self, key: str) -> str | None:
        """Return a word of the card."""
        value = self.card.get(key)
        return value if isinstance(value, str) else None


encode_summary = msgspec.json.Encoder().encode
decode_summary = msgspec.json.Decoder(Summary).decode


def summarise(blobs: BlobStore, files: Mapping[str, Entry]) -> Summary:
    """Look at a tree's card, pictures and weights."""
    card: dict[str, Any] = {}
    if (readme := files.get("README.md")) is not None:
        text = blobs.read(readme.sha256, MAX_FRONT_MATTER).decode("utf-8", "replace")
        card = front_matter(text)
    pictures = sorted((path for path in files if path.lower().endswith(PICTURES)), key=rank_picture)
    return Summary(
        card=card,
        tags=_tags(card),
        size=sum(entry.size for entry in files.values()),
        files=len(files),
        largest=max(files, key=lambda path: (files[path].size, path), default=""),
        picture=next(iter(pictures), ""),
        parameters=_parameters(blobs, files),
    )


def rank_picture(path: str) -> tuple[int, int, str]:
    """Return a key that sorts pictures: those that show best what a model does come first."""
    name = path.rpartition("/")[2].lower()
    place = next((number for number, word in enumerate(_FIRST) if name.startswith(word)), len(_FIRST))
    return place, path.count("/"), path


def _tags(card: Mapping[str, Any]) -> list[str]:
    tags: list[str] = []
    for key in ("tags", "library_name", "pipeline_tag", "task_categories", "language", "datasets", "license"):
        listed = card.get(key)
        prefix = {"license": "license:", "datasets": "dataset:", "task_categories": "task_categories:"}.get(key, "")
        for value in listed if isinstance(listed, list) else [listed]:
            if isinstance(value, str | int | float) and 0 < len(str(value)) <= 100:
                tags.append(f"{prefix}{value}")
    return list(dict.fromkeys(tags))[:200]


def _parameters(blobs: BlobStore, files: Mapping[str, Entry]) -> dict[str, int]:
    """Return how many numbers of each type the safetensors at the root hold; nothing where a header cannot be read."""
    counts: dict[str, int] = {}
    for path, entry in files.items():
        if "/" in path or not path.endswith(".safetensors") or path == "selftest.safetensors":
            continue
        with blobs.open(entry.sha256) as file:
            length = int.from_bytes(file.read(8), "little")
            content = file.read(length) if length <= min(_MAX_HEADER, entry.size) else b""
        try:
            for name, tensor in json.loads(content).items():
                if name != "__metadata__":
                    number = 1
                    for side in tensor["shape"]:
                        number *= int(side)
                    counts[str(tensor["dtype"])[:20]] = counts.get(str(tensor["dtype"])[:20], 0) + number
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            return {}
    return counts if len(counts) <= 20 and all(0 <= number < 1 << 62 for number in counts.values()) else {}
