"""The samples of a split as a reviewer looks at them: pictures, or texts, with what can be measured of each."""

import base64
import io
import re
from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import zoo

_SIDE = 96
_LONGEST = 300


class Samples(Protocol):
    """A split's."""

    def __len__(self) -> int: ...

    def shown(self, place: int) -> str:
        """Return a sample as HTML."""
        ...

    def name(self, place: int) -> str:
        """Return what a sample is called, such as its file."""
        ...

    def figures(self) -> dict[str, NDArray[np.float64]]:
        """Return what may make samples hard, by name."""
        ...

    def features(self, model: Any, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors that a model makes of samples."""
        ...


class Pictures:
    """Images as bytes in the size that the weights take."""

    def __init__(self, split: Any, name: str) -> None:
        self.images, self.split, self._name = split.images, split, name

    def __len__(self) -> int:
        return len(self.images)

    def at(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return images (places, channels, height, width)."""
        return np.asarray(self.images[places])

    def shown(self, place: int) -> str:
        from PIL import Image

        image = self.at(np.array([place]))[0]
        picture = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
        times = max(1, _SIDE // max(picture.size))
        if times > 1:
            picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
        elif max(picture.size) > 2 * _SIDE:
            picture.thumbnail((2 * _SIDE, 2 * _SIDE))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return f'<img alt="" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'

    def name(self, place: int) -> str:
        return _origin(self.split, place, "file") or f"{self._name}/{place}"

    def figures(self) -> dict[str, NDArray[np.float64]]:
        bright, contrast = np.zeros(len(self)), np.zeros(len(self))
        for start in range(0, len(self), 512):
            places = np.arange(start, min(start + 512, len(self)))
            flat = self.at(places).reshape(len(places), -1).astype(np.float32) / 255
            bright[places], contrast[places] = flat.mean(1), flat.std(1)
        found = {"brightness": bright, "contrast": contrast}
        if self.split.sizes is not None:
            found["pixels of the file"] = np.asarray(self.split.sizes, np.float64).prod(1)
        return found

    def features(self, model: Any, places: NDArray[np.int64]) -> NDArray[np.float32]:
        parts = [model.embed(list(self.at(some))) for some in np.split(places, range(512, len(places), 512))]
        return np.concatenate([part.float().cpu().numpy() for part in parts])


class Texts:
    """Texts as their data have them."""

    def __init__(self, split: Any, name: str) -> None:
        self.texts = [str(origin.get("text", "")) for origin in split.origins]
        self._name = name

    def __len__(self) -> int:
        return len(self.texts)

    def shown(self, place: int) -> str:
        text = self.texts[place]
        return f"<q>{escape(text if len(text) <= _LONGEST else text[:_LONGEST] + '…')}</q>"

    def name(self, place: int) -> str:
        return f"{self._name}/{place}"

    def figures(self) -> dict[str, NDArray[np.float64]]:
        return {"words": np.array([len(text.split()) for text in self.texts], np.float64)}

    def features(self, model: Any, places: NDArray[np.int64]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = model.embed([self.texts[place] for place in places]).float().cpu().numpy()
        return found


def samples_of(split: Any, name: str) -> Samples:
    """Return the samples of a split. Raise UsageError for what is neither pictures nor texts."""
    if getattr(split, "images", None) is not None:
        return Pictures(split, name)
    if getattr(split, "origins", None) is not None and len(split) and "text" in split.origins[0]:
        return Texts(split, name)
    raise zoo.UsageError("zoo examine looks at classifiers of images and of texts; these data are neither")


def near_duplicates(train: Samples, test: Samples) -> list[tuple[int, int]]:
    """Return places in train and test of samples that are copies of one, as far as they look."""
    if isinstance(train, Pictures) and isinstance(test, Pictures):
        both = np.concatenate([train.at(np.arange(len(train))), test.at(np.arange(len(test)))])
        pairs = zoo.alike_images(both)
        return [(one, other - len(train)) for one, other in pairs if one < len(train) <= other]
    if isinstance(train, Texts) and isinstance(test, Texts):
        known: dict[str, int] = {}
        for place, text in enumerate(train.texts):
            known.setdefault(_bare(text), place)
        return [(known[key], place) for place, text in enumerate(test.texts) if (key := _bare(text)) in known]
    return []


def _bare(text: str) -> str:
    """Return the words of a text, in small letters, without what stands between them."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _origin(split: Any, place: int, key: str) -> str | None:
    origins: Sequence[Any] | None = getattr(split, "origins", None)
    found = origins[place].get(key) if origins is not None else None
    return None if found is None else str(found)
