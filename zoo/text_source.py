"""The texts of a job, told in tokens: by the tokenizer of its weights, or by one that pretraining makes or is given."""

import dataclasses
from pathlib import Path

from zoo.data.text.dataset import TextDataset
from zoo.data.text.tokenise import Form, tokenise
from zoo.data.text.tokens import TokenDataset
from zoo.data_source import DataSource
from zoo.errors import DataError, PluginError, UsageError
from zoo.settings import LanguageSettings, TextFinetuneSettings, TrainingSettings
from zoo.sources import find_weights
from zoo.specs import ModelSpec, Target
from zoo.weights.tokenizer import TextInputs, Tokenizer, read_tokenizer
from zoo.weights.tokenizer_training import KINDS, REPRODUCIBLE, make_tokenizer

_SENTINEL = "<extra_id_{}>"
"""What stands for a span that was taken out, as T5 writes it."""
_FORM = "bytes, characters, bpe:SIZE, wordpiece:SIZE, a tokenizer.json, or weights that come with one"


def texts_to_pretrain(source: DataSource, settings: TrainingSettings) -> tuple[TokenDataset, TextInputs]:
    """Return a stream of tokens, and the tokenizer that the settings ask for, learnt from the training split."""
    if not isinstance(settings, LanguageSettings):
        raise PluginError("the settings of a recipe that pretrains on text must extend zoo.LanguageSettings")
    texts = source.open_texts()
    tokenizer = _tokenizer(settings.tokenizer, texts)
    if settings.sentinels:
        tokenizer = tokenizer.with_special([_SENTINEL.format(place) for place in range(settings.sentinels)])
    inputs = TextInputs(tokenizer, settings.max_tokens)
    return tokenise(texts, inputs, Form("tokens")), inputs


def texts_for(
    source: DataSource, known: TextInputs, model: ModelSpec, settings: TrainingSettings, learns_from: Target
) -> tuple[TokenDataset, TextInputs]:
    """Return texts in the form that a task learns from, told by the tokenizer of the weights.

    They are cut where the settings say, or sooner where the model has no more positions.
    """
    most, longest = known.max_tokens, known.max_tokens
    max_written = 0
    if isinstance(settings, LanguageSettings | TextFinetuneSettings):
        longest = min(settings.max_tokens, most)
    joins = learns_from == "written" and "encode-decode" not in model.capabilities
    if learns_from == "written":
        if not isinstance(settings, TextFinetuneSettings):
            raise PluginError(
                f"the settings of a recipe that learns from {learns_from!r} must extend zoo.TextFinetuneSettings"
            )
        max_written = min(settings.max_written, most // 2 if joins else most)
        longest = min(longest, most - max_written) if joins else longest
    inputs = dataclasses.replace(known, max_tokens=longest)
    return tokenise(source.open_texts(), inputs, Form(learns_from, joins, max_written)), inputs


def _tokenizer(name: str, texts: TextDataset) -> Tokenizer:
    kind, _, size = name.partition(":")
    if kind in KINDS:
        if kind not in REPRODUCIBLE:
            raise UsageError(
                f"a {kind} tokenizer is another one each time it is learnt; learn it once, and name its file: "
                f"`zoo tokenizer train DATA --kind {kind} --out tokenizer.json`"
            )
        if size and not size.isdigit():
            raise UsageError(f"tokenizer={name}: {size!r} is no number of tokens; write for example {kind}:8000")
        pieces = (text for text, _ in texts.splits["train"].pieces())
        return make_tokenizer(kind, pieces, size=int(size)) if size else make_tokenizer(kind, pieces)
    path = Path(name)
    try:
        return read_tokenizer(path if path.exists() else find_weights(name))
    except UsageError as error:
        raise DataError(f"tokenizer={name}: {error}; take {_FORM}") from error
