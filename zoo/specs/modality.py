"""What Zoo asks of a kind of data: protocols, so that nothing has to be inherited.

A modality opens data, says how they become inputs of a model, and what a loaded model can be asked of it. Zoo's own,
image and text, keep these protocols as every other one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from zoo.specs.records import ModelSpec, RecipeSpec, Stage, Target, TaskSpec
from zoo.specs.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Generator, Tensor, device, nn


@runtime_checkable
class Inputs(Protocol):
    """How data become inputs of a model: what travels with weights, so that others give them the same."""

    modality: ClassVar[str]

    def record(self) -> Any:
        """Return what config.json keeps: the struct that the modality's spec names."""
        ...

    def write(self, folder: Path) -> None:
        """Write the files that lie beside weights, such as a vocabulary."""
        ...

    def model_arguments(self) -> dict[str, Any]:
        """Return the arguments by which a fresh model fits; those that it does not take are left out."""
        ...

    def example(self, count: int, random: Generator) -> dict[str, Tensor]:
        """Return inputs by name, small enough to be stored; the modality's `prepared` makes arguments of them."""
        ...

    def describe(self) -> str:
        """Return one sentence for the model card: what goes in."""
        ...


class Split(Protocol):
    """Samples that belong together.

    One may have `origins`, for each sample a mapping such as {"file": path}: `zoo evaluate --out` writes that of each.
    """

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def batches(self, *, device: device, **options: Any) -> Batches:
        """Return what gives out batches to a device; `options` are those of `zoo.BatchOptions`."""
        ...

    def evaluation_batch_size(self, batch_size: int) -> int:
        """Return how many samples are scored at once, where `batch_size` are trained on."""
        ...


class Batches(Protocol):
    """What gives out batches: dictionaries of tensors with `index`, the places of the samples in their split."""

    batch_size: int
    num_samples: int

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        ...

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch from position `start` on, in an order that seed and epoch decide."""
        ...


@runtime_checkable
class Dataset(Protocol):
    """Splits named train and test (and validation), class names, and the sha256 over all contents."""

    @property
    def name(self) -> str:
        """The data set's name."""
        ...

    @property
    def splits(self) -> Mapping[str, Any]:
        """The splits by name; each keeps `zoo.Split`."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; none where nothing is classified."""
        ...

    @property
    def license(self) -> str:
        """The licence, or "unknown"."""
        ...

    @property
    def source(self) -> str:
        """Where it was opened, for messages."""
        ...

    @property
    def fingerprint(self) -> str:
        """The sha256 over all contents."""
        ...

    @property
    def labelled(self) -> bool:
        """Whether every split has labels."""
        ...

    def check(self, target: Target) -> None:
        """Raise DataError unless a task that learns from this can be learnt."""
        ...

    def subset(self, labels: int, seed: int) -> Dataset:
        """Keep that many training samples, drawn by the seed."""
        ...

    def hold_out(self, share: float, seed: int) -> Dataset:
        """Move a share of the training split, drawn by the seed, to a split `validation`."""
        ...


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Where data come from: a data set's name, a folder or a file, or `hf://datasets/…` on the Hub that `hub` says.

    `folder` is where the files of a data set lie that is known by name. `options` are what else was said of the data:
    by name as they were typed, and as the modality's own dataclass once it is asked to open them.
    """

    name: str
    folder: Path | None = None
    hub: str | Path | None = None
    options: Any = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Need:
    """What data are opened for.

    `inputs` are those of the weights that go on, None for a fresh model or where weights say nothing; `arguments` are
    the model's, as far as they were asked for. `task` is what is finetuned or scored, `same_task` says that the weights
    were made for it, and `reader` is what the task names to open a folder. With `grows` the inputs returned may know
    more than `inputs` do, behind what these know: the weights are finetuned, and get room for it. `scored` says that
    the settings are those that weights were made by, which are now scored.
    """

    stage: Stage
    recipe: RecipeSpec
    settings: TrainingSettings
    model: ModelSpec
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: Any = None
    task: TaskSpec | None = None
    same_task: bool = False
    reader: Any = None
    grows: bool = False
    scored: bool = False

    @property
    def learns_from(self) -> Target | None:
        """What every sample must have; None where a recipe that pretrains decides."""
        return self.task.learns_from if self.task is not None else None


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Weights that were loaded: the model, its spec, what config.json says of it, and where its files lie.

    `changed` says that its head or its stem is not the one that was stored.
    """

    model: Any
    spec: ModelSpec
    description: Any
    folder: Path
    changed: bool = False


@runtime_checkable
class Predicts(Protocol):
    """What is bound to loaded weights as `model.predict`; of it the shell asks this."""

    modality: ClassVar[str]

    @property
    def columns(self) -> Sequence[str]:
        """The heads of the table that results make. Raise UsageError for weights that say nothing of single items."""
        ...

    def row(self, result: Mapping[str, Any]) -> Sequence[str]:
        """Return a result as the cells of that table."""
        ...

    def items(
        self, arguments: Sequence[str], options: Mapping[str, Any], out: Path | None
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield each item that was typed with what is said of it; draw or write that into the folder `out`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What is to become vectors: items as `model.embed` takes them, read when they are asked for, and their names.

    `fingerprint` is the sha256 over all contents: what was interrupted goes on where it is the same.
    """

    items: Sequence[Any]
    names: Sequence[str]
    fingerprint: str


@runtime_checkable
class Embeds(Protocol):
    """What makes vectors of items: bound to loaded weights as `model.embed`, and asked by `zoo embed`."""

    modality: ClassVar[str]

    def __call__(self, items: Any, *, batch_size: int = ..., normalize: bool = False) -> Tensor:
        """Return vectors (items, features), of length 1 with `normalize`."""
        ...

    def items(self, arguments: Sequence[str]) -> Samples:
        """Return what was typed, such as the files in folders."""
        ...

    def data(self, source: DataSource, split: str) -> Samples:
        """Return the samples of a data set: those of one split, or with "all" of each."""
        ...

    def draw(self, samples: Samples, nearest: Sequence[Sequence[tuple[int, float]]], out: Path) -> bool:
        """Draw the first samples beside those nearest to each, as places with their similarity.

        Return whether there is anything to be seen.
        """
        ...


@runtime_checkable
class Modality(Protocol):
    """One kind of data, behind what its spec names.

    One that chooses settings by the data also keeps `zoo.ChoosesByData`, one with a classical method to compare with
    `zoo.HasBaseline`. One whose models make vectors also has `embedder(loaded: Loaded) -> Embeds`, which raises
    UsageError for weights that make none.
    """

    def open(self, source: DataSource, need: Need) -> tuple[Dataset, Inputs]:
        """Open data as a model needs them, and say how they become its inputs."""
        ...

    def read_inputs(self, folder: Path, record: Any, arguments: Mapping[str, Any]) -> Inputs | None:
        """Read how the weights in a folder take inputs; `record` is that of config.json, None where it has none.

        Return None where nothing is known; raise NotFoundError where a file is missing that there must be.
        """
        ...

    def inputs_for(self, batch: Mapping[str, Tensor]) -> Inputs:
        """Return inputs that could have given a batch; `zoo.testing` tries recipes with them."""
        ...

    def prepared(self, example: Mapping[str, Tensor], like: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Return an example as positional and named arguments of forward, of the device and type of `like`."""
        ...

    def outputs(self, loaded: nn.Module, example: Mapping[str, Tensor], spec: ModelSpec) -> dict[str, Any]:
        """Return what a model makes of an example besides forward's own output, by name, for its self-test."""
        ...

    def bind(self, loaded: Loaded) -> None:
        """Set what a loaded model can be asked, where its class has no method of that name: it means what it says.

        `predict` is for models as they were stored, and keeps `zoo.Predicts`.
        """
        ...

    def check_publishable(self, folder: Path, description: Any) -> None:
        """Raise IntegrityError or NotFoundError for weights that nobody could give inputs to."""
        ...
