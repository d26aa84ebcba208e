"""The frozen records that a plugin hands over. No code in them: a target is imported on first use."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from zoo.specs.named import Named, check
from zoo.specs.record import Record
from zoo.specs.renamed import TARGETS, renamed_arguments, tell_renamed

Stage = Literal["pretrain", "finetune"]
Capability = str
"""What a model can do, such as "features"; a modality declares the words that its recipes and models share."""
Target = str
"""What a task learns from beside the bare input, such as "labels"; a modality declares those that its data can have."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OptionSpec(Record):
    """One option that a modality or a task adds to `zoo predict`: `--name`, also `-short`; a flag takes no value."""

    name: str
    summary: str
    type: Literal["text", "integer", "number", "path", "flag"] = "text"
    short: str | None = None
    multiple: bool = False

    def __post_init__(self) -> None:
        check(self, ())
        if self.name in ("out", "device", "json", "hub", "help"):
            raise ValueError(f"option {self.name!r} is one of `zoo predict` itself; give it another name")
        if self.short is not None and not re.fullmatch("[a-gi-zA-Z]", self.short):
            raise ValueError(f"short {self.short!r} of option {self.name!r} must be one letter other than h")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ModalitySpec(Named):
    """One kind of data.

    `target` is an object that keeps the `zoo.Modality` protocol, `record` the msgspec struct of what config.json keeps
    of its inputs, `files` names what lies beside the weights then. `unit` is what progress counts, `example` how an
    item is typed at the shell: as a file that ends in one of `suffixes`, as a text, or by options alone (`typed`). With
    `draws`, `zoo predict --out` draws answers. `targets` are what a task may learn from, `capabilities` the words that
    recipes for it may ask of models. `grows` names arguments of models, such as the size of a vocabulary, that data may
    raise when weights are finetuned (`Need.grows`). `data_options` is a frozen dataclass of what else is said of data
    (`--data-set NAME=VALUE`); `options` are those of `zoo predict`.
    """

    record: str
    unit: str
    example: str
    files: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    typed: Literal["file", "text", "options"] = "file"
    draws: bool = False
    targets: tuple[Target, ...] = ("labels",)
    capabilities: tuple[Capability, ...] = ()
    grows: tuple[str, ...] = ()
    data_options: str | None = None
    options: tuple[OptionSpec, ...] = ()

    def __post_init__(self) -> None:
        check(self, ("target", "record") if self.data_options is None else ("target", "record", "data_options"))


@renamed_arguments(licence="license")
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ModelSpec(Record):
    """One architecture.

    `target` is a callable of JSON-able keyword arguments that returns an `nn.Module`; `arguments` are those this name
    fixes. `limits` bounds integers, and lists of them, that a config.json may ask for. `parameters` counts the weights
    with default arguments. `recipe` pretrains it unless another is asked for, and `settings` are what it changes of
    that one's defaults. `layouts` names a tuple of `zoo.Layout`: how other libraries store it. A `fallback` yields its
    name to any other model, and stays `family/name`.
    """

    name: str
    family: str
    summary: str
    target: str
    modality: str = "image"
    task: str = "image-feature-extraction"
    capabilities: tuple[Capability, ...] = ("features",)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    parameters: int | None = None
    recipe: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    layouts: str | None = None
    license: str = "Apache-2.0"
    fallback: bool = False

    def __post_init__(self) -> None:
        check(self, ("target",) if self.layouts is None else ("target", "layouts"))
        for name in ("arguments", "limits", "settings"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FamilySpec(Named):
    """Many architectures, and weights of them, that are described when somebody asks for one: a library's whole list.

    Its models have the spec's name for their `family`. `target` keeps the `zoo.Family` protocol; `models` and `weights`
    count what it knows. `library` is whose folders it reads: each of its models has the name that their config.json
    says.
    """

    models: int
    weights: int = 0
    modality: str = "image"
    library: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RecipeSpec(Record):
    """One way to train.

    `target` is a class that keeps the `zoo.Recipe` protocol, `settings` a frozen dataclass that extends
    `zoo.TrainingSettings`. A model must have the capabilities that it `requires`, and with `labels` the data must be
    labelled. `score` decides which of two trained models is the better one. With `modality` None it serves any kind.
    """

    name: str
    stage: Stage
    summary: str
    target: str
    settings: str
    task: str
    score: str
    higher_is_better: bool = False
    modality: str | None = "image"
    requires: tuple[Capability, ...] = ()
    labels: bool = False

    def __post_init__(self) -> None:
        check(self, ("target", "settings"))
        if self.stage not in get_args(Stage):
            raise ValueError(f"stage {self.stage!r} of {self.name!r} must be one of {', '.join(get_args(Stage))}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TaskSpec(Record):
    """What a finetuned model is for, named by the Hub's tag where it has one. `recipe` names what finetunes for it.

    `learns_from` is what every sample must have besides the bare input; "images" and "tokens" are nothing, and
    "target_text" is what a model is to generate. With `needs_labels` weights are of no use without names for their
    classes. `hub_tag` is the Hub's `pipeline_tag`, the name unless another is given, "" where the Hub has none.
    `command` is what uses such weights at the shell, and `options` are what the task adds to `zoo predict`.

    The targets are callables: `network(backbone, num_classes, **arguments)` makes the task's `zoo.Network`, None where
    the backbone's own classifier is enough; `reader` opens a folder of this task's data, of images as
    `reader(folder, *, image_size, channels, skip_bad, stream)`, None where the modality's own way is right;
    `predictor(model, labels, inputs)` makes what its modality asks for, of images a `zoo.Predictor`, of texts a
    `zoo.TextPredictor`.
    """

    name: str
    summary: str
    recipe: str
    score: str
    modality: str = "image"
    learns_from: Target = "labels"
    needs_labels: bool = False
    hub_tag: str | None = None
    command: str = "predict"
    options: tuple[OptionSpec, ...] = ()
    network: str | None = None
    reader: str | None = None
    predictor: str | None = None

    def __post_init__(self) -> None:
        if (new := TARGETS.get(self.learns_from)) is not None:
            tell_renamed(f"learns_from={self.learns_from!r}", f"learns_from={new!r}")
            object.__setattr__(self, "learns_from", new)
        check(self, tuple(name for name in ("network", "reader", "predictor") if getattr(self, name) is not None))


@renamed_arguments(licence="license")
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DatasetSpec(Named):
    """One data set by name.

    `target` is a callable of `data_dir: Path | None` that returns what its modality opens: a `zoo.ImageDataset`, a
    `zoo.TextDataset`. `hub_id` is what the Hub calls it.
    """

    modality: str = "image"
    task: str = "image-classification"
    license: str = "unknown"
    hub_id: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CommandSpec(Named):
    """One subcommand of `zoo`. `target` is a `click.Command`."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComparisonSpec(Named):
    """A part of the Hub's page /compare that reads tensors. `target(before, after)` yields `zoo.ComparisonTable`s.

    It gets two folders with the safetensors and JSON files at the root of two commits; a file that both share is one
    file. It runs in a process of its own with little time and memory, and raises a ZooError for what it cannot compare.
    """


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayoutSpec(Named):
    """How a library stores models of other plugins. `target` names a tuple of `zoo.Layout`."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FormatSpec(Named):
    """One container of weights other than safetensors. `target` is an object that keeps the `zoo.Format` protocol.

    With `folder` it writes several files, into a folder.
    """

    suffixes: tuple[str, ...]
    folder: bool = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MethodSpec(Named):
    """One way to finetune. `target(settings, network)` makes what keeps the `zoo.FinetuneMethod` protocol.

    Where it `adapts` small corrections of frozen layers learn, for which rates that nobody gives are higher.
    """

    adapts: bool = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TrackerSpec(Named):
    """One tracker of runs, for `--track NAME`. `target()` makes what keeps the `zoo.Tracker` protocol.

    `secrets` are environment variables whose values are taken out of everything that is printed.
    """

    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EngineSpec(Named):
    """One way to compute loaded models, for `--engine NAME`. `target` keeps the `zoo.Engine` protocol."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExplainerSpec(Named):
    """One way to explain predictions, of a modality, a task, or with None of any.

    `target(loaded)` makes of a `zoo.Loaded` what keeps the `zoo.Explainer` protocol, bound as `model.explain`.
    """

    modality: str | None = None
    task: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AbilitySpec(Named):
    """Something that loaded weights can be asked besides: `target(loaded)` is bound to the model by the spec's name.

    `modality` is the kind of data, None for any, and `requires` what a model must be able to do. The target is called
    whenever such weights are loaded: what takes time waits until it is used.
    """

    modality: str | None = None
    requires: tuple[Capability, ...] = ()


Spec = (
    AbilitySpec
    | CommandSpec
    | ComparisonSpec
    | DatasetSpec
    | EngineSpec
    | ExplainerSpec
    | FamilySpec
    | FormatSpec
    | LayoutSpec
    | MethodSpec
    | ModalitySpec
    | ModelSpec
    | RecipeSpec
    | TaskSpec
    | TrackerSpec
)


def singular(kind: str) -> str:
    """Return what one of a kind is called: a model, a modality."""
    return f"{kind[:-3]}y" if kind.endswith("ies") else kind.removesuffix("s")
