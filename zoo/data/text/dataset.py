"""A data set of texts as they were written, before a tokenizer has seen them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from zoo.data.arrays import Labels
from zoo.data.splitting import needed_splits
from zoo.errors import DataError
from zoo.specs.renamed import renamed_arguments


@runtime_checkable
class Documents(Protocol):
    """Texts that are read from files when they are asked for, piece by piece."""

    def __len__(self) -> int:
        """Return the number of texts."""
        ...

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield whole lines, about a million characters at once, and whether a text ends with them."""
        ...


@renamed_arguments(written="target_text")
@dataclass(frozen=True)
class TextSplit:
    """Texts, and what is known of each.

    `pairs` are second texts, for tasks that look at two. `labels` are int64 (samples,), or uint8 (samples, classes) of
    0 and 1 where a text may have several. `target_text` is what is to be written for each: translations or summaries.
    """

    texts: Sequence[str] | Documents
    pairs: Sequence[str] | None = None
    labels: Labels | None = None
    target_text: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield parts of texts, all that the split has, and whether a text ends with each."""
        if isinstance(self.texts, Documents):
            yield from self.texts.pieces()
            return
        for texts in (self.texts, self.pairs or (), self.target_text or ()):
            yield from ((text, True) for text in texts)


@renamed_arguments(licence="license")
@dataclass(frozen=True, kw_only=True)
class TextDataset:
    """Splits named train and test (and validation), class names, and the sha256 over all contents."""

    name: str
    splits: Mapping[str, TextSplit]
    classes: tuple[str, ...] = ()
    license: str = "unknown"
    source: str
    fingerprint: str

    def __post_init__(self) -> None:
        if missing := set(needed_splits()) - self.splits.keys():
            raise DataError(f"{self.name} has no {' and no '.join(sorted(missing))} split; it needs train and test")
        for name, split in self.splits.items():
            if not len(split):
                raise DataError(f"the {name} split of {self.name} is empty; look into {self.source}")
            for what, values in (("pairs", split.pairs), ("labels", split.labels), ("target_text", split.target_text)):
                if values is not None and len(values) != len(split):
                    raise DataError(
                        f"{self.name} has {len(split):,} {name} texts but {len(values):,} {what}; get it again"
                    )
