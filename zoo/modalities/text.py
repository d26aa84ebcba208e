"""Texts, tokenized: by the tokenizer of the weights, or by one that pretraining trains or is given."""

import dataclasses
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from zoo.data.drawing import draw_labelled
from zoo.data.hub_files import HUB_DATASETS
from zoo.data.text.baseline import word_accuracy, word_answers
from zoo.data.text.common_tokens import common_tokens
from zoo.data.text.dataset import TextDataset
from zoo.data.text.open import open_texts
from zoo.data.text.tokenize import TokenLayout, tokenize
from zoo.data.text.tokens import TokenDataset
from zoo.errors import DataError, PluginError, UsageError
from zoo.inference.predict_texts import PredictText
from zoo.inference.text.embed import EmbedTexts
from zoo.inference.text.generate import Generate
from zoo.modalities.named import named_dataset
from zoo.registry.recipe_settings import recipe_settings
from zoo.specs.backbones import TextBackbone
from zoo.specs.modality import DataSource, Loaded, Need
from zoo.specs.modality_offers import Baseline, HeldOut, SharedRows
from zoo.specs.records import ModelSpec, Target
from zoo.specs.settings import LanguageSettings, TextFinetuneSettings, TrainingSettings
from zoo.weights.description import WeightsDescription
from zoo.weights.find import find_weights
from zoo.weights.inputs import Tokenization
from zoo.weights.tokenizer import TextInputs, Tokenizer, read_text_inputs, read_tokenizer, text_inputs
from zoo.weights.tokenizer_training import DEFAULT_SIZE, KINDS, REPRODUCIBLE, fitting_size, make_tokenizer

_TF_IDF = "logistic regression on TF-IDF"
_SENTINEL = "<extra_id_{}>"
"""What stands for a span that was taken out, as T5 writes it."""
_FORM = (
    "bytes, characters, bpe:SIZE, wordpiece:SIZE (auto: by the text), a tokenizer.json, or weights that come with one"
)


class TextModality:
    """Keeps `zoo.Modality` for texts."""

    def open(self, source: DataSource, need: Need) -> tuple[TokenDataset, TextInputs]:
        """Open texts and tokenize them: in the form that a task learns from, or as a stream to pretrain on."""
        learns_from = need.learns_from or ("labels" if need.recipe.labels else "tokens")
        if need.stage == "pretrain":
            return texts_to_pretrain(source, need.settings, learns_from)
        return tokenize_for_task(_open(source, learns_from == "labels"), need, learns_from)

    def baseline(self, source: DataSource, need: Need, labels: int | None) -> Baseline | None:
        """Tell classes by logistic regression on TF-IDF of words and pairs of words."""
        texts = _open(source, need.learns_from == "labels")
        train, test = texts.splits["train"], texts.splits["test"]
        if need.learns_from != "labels" or train.labels is None or train.labels.ndim != 1:
            return None
        count = len(train) if labels is None else labels
        places = draw_labelled(train.labels, len(train), texts.classes, count, need.settings.seed)
        return Baseline(name=_TF_IDF, scores={"accuracy": word_accuracy(train, test, places)})

    def held_out_baseline(self, source: DataSource, need: Need, samples: int, folds: int) -> HeldOut | None:
        """Tell classes of training texts by logistic regression on TF-IDF, learnt from the others."""
        texts, seed = _open(source, need.learns_from == "labels"), need.settings.seed
        train = texts.splits["train"]
        if need.learns_from != "labels" or train.labels is None or train.labels.ndim != 1:
            return None
        places = draw_labelled(train.labels, len(train), texts.classes, min(samples, len(train)), seed)
        answers = word_answers(train, places, folds, seed)
        return HeldOut(name=_TF_IDF, answers=answers, labels=train.labels[places].tolist())

    def read_inputs(self, folder: Path, record: Tokenization | None, arguments: Mapping[str, Any]) -> TextInputs:
        """Read the tokenizer, which must lie beside the weights."""
        return text_inputs(folder, record, arguments)

    def shared_rows(self, inputs: TextInputs, folder: Path, description: WeightsDescription) -> SharedRows:
        """Return the tokens that both know."""
        theirs = read_text_inputs(folder, description).tokenizer
        mine, there = common_tokens(inputs.tokenizer, theirs)
        return SharedRows(argument="vocab_size", mine=mine, theirs=there)

    def inputs_for(self, batch: Mapping[str, Tensor]) -> TextInputs:
        """Return a tokenizer of bytes, for texts as long as the batch has them."""
        return TextInputs(make_tokenizer("bytes", ()), batch["input_ids"].shape[1])

    def prepared(self, example: Mapping[str, Tensor], like: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Return tokens and mask by name."""
        return (), {name: tensor.to(like.device) for name, tensor in example.items()}

    def outputs(self, model: nn.Module, example: Mapping[str, Tensor], spec: ModelSpec) -> dict[str, Any]:
        """Return the features of all tokens, and the logits after the last one."""
        if "features" not in spec.capabilities:
            return {}
        known: Any = model
        _, given = self.prepared(example, next(iter(model.parameters())))
        features = known.forward_features(**given)
        found: dict[str, Any] = {"features": features}
        if "encode-decode" in spec.capabilities:
            features = known.decode(given["input_ids"], features, given["attention_mask"])
        if "language-model" in spec.capabilities:
            with suppress(UsageError):  # weights may have been stored without the head that says it
                found["output.lm"] = known.lm_logits(features[:, -1])
        return found

    def bind(self, loaded: Loaded) -> None:
        """Let a model predict, generate and embed, as far as it can."""
        model: Any = loaded.model
        block, folder = loaded.description, loaded.folder
        if not (loaded.changed or _has(model, "predict")):
            model.predict = PredictText(model, block, folder)
        reads = isinstance(model, TextBackbone)
        writes = reads and {"generate", "encode-decode"} & set(loaded.spec.capabilities)
        if writes and not _has(model, "generate"):
            model.generate = Generate(model, partial(read_text_inputs, folder, block), task=block.task)
        if reads and not _has(model, "embed"):
            model.embed = self.embedder(loaded)

    def embedder(self, loaded: Loaded) -> EmbedTexts:
        """Return what makes vectors of texts. Raise UsageError for a model that makes none."""
        if not isinstance(loaded.model, TextBackbone):
            raise UsageError(f"{loaded.description.architecture!r} makes no vectors of texts")
        return EmbedTexts(loaded.model, partial(read_text_inputs, loaded.folder, loaded.description), _open)

    def check_publishable(self, folder: Path, description: WeightsDescription) -> None:
        """Raise NotFoundError where the tokenizer is missing."""
        read_text_inputs(folder, description)


def texts_to_pretrain(
    source: DataSource, settings: TrainingSettings, learns_from: Target
) -> tuple[TokenDataset, TextInputs]:
    """Return a stream of tokens, or rows with labels, and the tokenizer that the settings ask for.

    It is learnt from the training split.
    """
    if not isinstance(settings, LanguageSettings):
        raise PluginError("the settings of a text pretraining recipe must extend zoo.LanguageSettings")
    texts = _open(source)
    tokenizer = _tokenizer(settings.tokenizer, texts)
    if settings.sentinels:
        tokenizer = tokenizer.with_special([_SENTINEL.format(place) for place in range(settings.sentinels)])
    inputs = TextInputs(tokenizer, settings.max_tokens)
    return tokenize(texts, inputs, TokenLayout(learns_from)), inputs


def tokenize_for_task(texts: TextDataset, need: Need, learns_from: Target) -> tuple[TokenDataset, TextInputs]:
    """Return texts in the form that a task learns from, told by the tokenizer of the weights, or of a fresh model.

    They are cut where the settings say, or sooner where the model has no more positions.
    """
    settings = need.settings
    joins = learns_from == "target_text" and "encode-decode" not in need.model.capabilities
    if learns_from == "target_text" and not isinstance(settings, TextFinetuneSettings):
        raise PluginError(
            f"the settings of a recipe that learns from {learns_from!r} must extend zoo.TextFinetuneSettings"
        )
    known: TextInputs = _fresh_inputs(texts, need, joins) if need.inputs is None else need.inputs
    maximum, longest = known.max_tokens, known.max_tokens
    max_target_tokens = 0
    if isinstance(settings, LanguageSettings | TextFinetuneSettings):
        longest = min(settings.max_tokens, maximum)
    if isinstance(settings, TextFinetuneSettings):
        if settings.tokenizer is not None and need.inputs is not None and not need.scored:
            raise UsageError(
                f"tokenizer={settings.tokenizer}, but the weights have a tokenizer of their own; omit it, or give the "
                f"name {need.model.name} in place of weights, with --method scratch"
            )
        if learns_from == "target_text":
            max_target_tokens = min(settings.max_target_tokens, maximum // 2 if joins else maximum)
            longest = min(longest, maximum - max_target_tokens) if joins else longest
    inputs = dataclasses.replace(known, max_tokens=longest)
    return tokenize(texts, inputs, TokenLayout(learns_from, joins, max_target_tokens)), inputs


def _fresh_inputs(texts: TextDataset, need: Need, joins: bool) -> TextInputs:
    """Return how a fresh model takes texts: by the tokenizer asked for, or of the kind that it is pretrained with.

    It has a position for each token that it reads or writes.
    """
    settings = need.settings
    if not isinstance(settings, TextFinetuneSettings):
        raise PluginError("the settings of a recipe that finetunes on text must extend zoo.TextFinetuneSettings")
    own = recipe_settings(None, need.model.name, {})[1] if need.model.recipe else None
    name = settings.tokenizer or (own if isinstance(own, LanguageSettings) else LanguageSettings()).tokenizer
    read, written = settings.max_tokens, settings.max_target_tokens
    fitting = read + written if joins else max(read, written)
    asked = need.arguments.get("context")
    context = asked if isinstance(asked, int) and asked > 0 else fitting  # the model tells what else is wrong with it
    return TextInputs(_tokenizer(name, texts), context, context=context)


def _tokenizer(name: str, texts: TextDataset) -> Tokenizer:
    kind, _, size = name.partition(":")
    if kind in KINDS:
        if kind not in REPRODUCIBLE:
            raise UsageError(
                f"training a {kind} tokenizer is not deterministic; train it once and pass its file: "
                f"`zoo tokenizer train DATA --kind {kind} --out tokenizer.json`"
            )
        if size and size != "auto" and not size.isdigit():
            raise UsageError(
                f"tokenizer={name}: {size!r} is not a vocabulary size; for example {kind}:8000, {kind}:auto"
            )
        train = texts.splits["train"]
        known = fitting_size(text for text, _ in train.pieces()) if size == "auto" else int(size or DEFAULT_SIZE)
        return make_tokenizer(kind, (text for text, _ in train.pieces()), size=known)
    path = Path(name)
    try:
        return read_tokenizer(path if path.exists() else find_weights(name))
    except UsageError as error:
        raise DataError(f"tokenizer={name}: {error}; take {_FORM}") from error


def _open(source: DataSource, labelled: bool = False) -> TextDataset:
    return open_texts(
        source.name,
        data_dir=source.folder,
        spec=named_dataset(source, f"a folder of texts, or {HUB_DATASETS}org/name"),
        columns=source.options,
        hub=source.hub,
        labelled=labelled,
    )


def _has(model: Any, name: str) -> bool:
    return callable(getattr(type(model), name, None))


modality = TextModality()
