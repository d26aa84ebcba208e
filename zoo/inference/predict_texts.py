"""Say of texts what weights were finetuned to say, with the tokenizer and the labels that came with them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from zoo.data.text.columns import Columns
from zoo.data.text.typed import named_texts
from zoo.engine.modes import evaluating
from zoo.errors import UsageError
from zoo.inference.text.prompts import by_length
from zoo.registry.registry import default_registry
from zoo.specs.networks import TextPredictor
from zoo.weights.description import WeightsDescription
from zoo.weights.predictor import make_predictor
from zoo.weights.tokenizer import read_text_inputs

Result = dict[str, Any]


class PredictText:
    """Bound to a loaded model of text as `model.predict`."""

    modality: ClassVar[str] = "text"

    def __init__(self, model: nn.Module, block: WeightsDescription, place: Path) -> None:
        self._model = model
        self._block = block
        self._place = place

    def __call__(
        self, texts: str | Sequence[str], pairs: str | Sequence[str] | None = None, *, batch_size: int = 64
    ) -> list[Result]:
        """Return a result for each text, or each pair of texts: `predictions`, the most probable one first.

        Texts of similar length are looked at together. Raise UsageError where there are not as many pairs.
        """
        several = [texts] if isinstance(texts, str) else list(texts)
        seconds = [pairs] if isinstance(pairs, str) else None if pairs is None else list(pairs)
        if seconds is not None and len(seconds) != len(several):
            raise UsageError(f"{len(several)} texts and {len(seconds)} second texts do not pair up; give equally many")
        found: list[Result] = [{} for _ in several]
        with evaluating(self._model):
            for indices in by_length(several, batch_size):
                some = None if seconds is None else [seconds[place] for place in indices]
                results = self.predictor([several[place] for place in indices], some)
                for place, result in zip(indices, results, strict=True):
                    found[place] = result
        return found

    @cached_property
    def predictor(self) -> TextPredictor:
        """What the task makes of the model. Raise UsageError where it says nothing of single texts."""
        block = self._block
        offer = default_registry().known_task(block.task)
        if offer is None or offer.spec.predictor is None:
            can = (
                "generate with it (`zoo generate`)" if hasattr(self._model, "generate") else "embed texts (`zoo embed`)"
            )
            can = "the model itself, called, gives its numbers" if block.task.endswith("regression") else can
            raise UsageError(
                f"{block.architecture!r} for {block.task} makes no predictions for a text; {can}, or finetune it for a "
                "task first"
            )
        made: TextPredictor = make_predictor(offer, self._model, block.labels, read_text_inputs(self._place, block))
        return made

    @property
    def columns(self) -> Sequence[str]:
        """The heads of the table that results make."""
        return self.predictor.columns

    def row(self, result: Result) -> Sequence[str]:
        """Return a result as the cells of that table."""
        return self.predictor.row(result)

    def items(
        self, arguments: Sequence[str], options: Mapping[str, Any], out: Path | None
    ) -> Iterator[tuple[str, Result]]:
        """Yield each text that was typed, each line of files, and each row of tables, with its result."""
        if out is not None:
            raise UsageError("--out draws on images, and these weights take text; omit it")
        found = list(named_texts(arguments, Columns(text=options.get("text"), pair=options.get("pair"))))
        texts, seconds = [item.text for item in found], [item.pair for item in found if item.pair is not None]
        if 0 < len(seconds) < len(texts):
            raise UsageError("some inputs are pairs of texts and some are not; predict them one after the other")
        yield from zip(texts, self(texts, seconds or None), strict=True)
