"""Write text behind a text, or of one that is read, with the tokenizer that came with the weights."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Unpack, overload

import torch

from zoo.inference.text.decoding_options import Decoding, DecodingOptions
from zoo.inference.text.method import TextMethod
from zoo.inference.text.output_rows import Row
from zoo.inference.text.prompts import by_length, checked, padded
from zoo.inference.text.token_loop import room_for, write
from zoo.specs.backbones import EncoderDecoder
from zoo.weights.tokenizer import TextInputs

ANSWERS = ("translation", "summarization")
"""The tasks for which a causal model learns texts, an end token, and what they are to become."""


class Generate(TextMethod):
    """Bound to a loaded model as `model.generate`."""

    def __init__(self, model: Any, inputs: Callable[[], TextInputs], *, task: str) -> None:
        reads = isinstance(model, EncoderDecoder)
        super().__init__(model, inputs, "read" if reads else "answered" if task in ANSWERS else "continued")
        self.task = task

    @overload  # a str is a sequence of them too, which no type can leave out
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, *, batch_size: int = 16, special: bool = True, **decoding: Unpack[DecodingOptions]
    ) -> str: ...

    @overload
    def __call__(
        self, texts: Sequence[str], *, batch_size: int = 16, special: bool = True, **decoding: Unpack[DecodingOptions]
    ) -> list[str]: ...

    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        batch_size: int = 16,
        special: bool = True,
        **decoding: Unpack[DecodingOptions],
    ) -> str | list[str]:
        """Return what is written behind each text, or of it; a str for a str.

        `zoo.Decoding` says what can be asked. Without `max_new_tokens` it is its default, or half of the model's
        context where that is less. Texts of similar length are batched. With draws, each text has its own by its place.
        Without `special` no tokens are put around a text: it holds those that the model is to see.
        """
        several, requested = checked(texts), self._decoding(decoding)
        prompts = self._fitted(several, requested, special)
        new_text = [""] * len(several)
        for indices in by_length(prompts, batch_size):
            rows = self._rows([prompts[place] for place in indices], requested)
            for _ in self._write([prompts[place] for place in indices], rows, requested, indices):
                pass
            for place, row in zip(indices, rows, strict=True):
                new_text[place] = row.new_text(last=True)
        return new_text[0] if isinstance(texts, str) else new_text

    def stream(self, text: str, *, special: bool = True, **decoding: Unpack[DecodingOptions]) -> Iterator[str]:
        """Yield the same text piece by piece, as its characters become complete; with beams all at once."""
        requested = self._decoding(decoding)
        prompts = self._fitted(checked([text]), requested, special)
        rows = self._rows(prompts, requested)
        for _ in self._write(prompts, rows, requested, [0]):
            if piece := rows[0].new_text():
                yield piece
        if piece := rows[0].new_text(last=True):
            yield piece

    @property
    def _ends(self) -> frozenset[int]:
        end = self.inputs.tokenizer.role("end")
        return frozenset() if end is None else frozenset({end})

    @property
    def _pad(self) -> int:
        found = self.inputs.tokenizer.role("pad")
        return next(iter(self._ends), 0) if found is None else found

    def _decoding(self, requested: DecodingOptions) -> Decoding:
        context: int = self._model.context
        decoding = Decoding(**requested)
        few = decoding.max_new_tokens if "max_new_tokens" in requested else max(1, context // 2)
        return replace(decoding, max_new_tokens=min(decoding.max_new_tokens, few))

    def _fitted(self, texts: list[str], requested: Decoding, special: bool) -> list[list[int]]:
        room = room_for(self._model.context, requested.max_new_tokens, reads=self._form == "read")
        return self._ids(texts, room, special=special)

    def _rows(self, prompts: Sequence[Sequence[int]], requested: Decoding) -> list[Row]:
        before = prompts if self._form == "continued" else [()] * len(prompts)
        return [Row(self._ends, self.inputs.tokenizer, ids, requested.stop) for ids in before]

    def _write(
        self, prompts: Sequence[Sequence[int]], rows: list[Row], requested: Decoding, names: Sequence[int]
    ) -> Iterator[None]:
        device = next(self._model.parameters()).device
        ids, mask = padded(prompts, self._pad, left=self._form != "read", device=torch.device(device))
        banned = frozenset({self._pad}) - self._ends
        return write(self._model, ids, mask, requested, rows, names=names, banned=banned)
