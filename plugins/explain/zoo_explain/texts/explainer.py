"""What every method of texts has in common: tokens, choosing what is explained, tables, colors and pages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

import zoo

_LISTED = 5
Item = "str | tuple[str, str]"


class TextExplainer:
    """Keeps `zoo.Explainer`. A subclass gives `explained`.

    A result has `target`, its `score`, and `tokens`: `{"text", "weight"}` one after the other, those that a tokenizer
    adds left out. A weight is above 0 where the token speaks for the target; the largest is 1 or -1.
    """

    columns: ClassVar[tuple[str, ...]] = ("target", "score", "tokens")

    def __init__(self, loaded: zoo.Loaded) -> None:
        self.loaded, self.model = loaded, loaded.model
        self.inputs = zoo.read_text_inputs(loaded.folder, loaded.description)
        self.tokenizer = self.inputs.tokenizer
        if not any(parameter.is_floating_point() for parameter in self.model.parameters()):
            raise zoo.UsageError(
                f"{loaded.description.architecture!r} has no weights that gradients pass through, as after quantizing; "
                "explain the weights that it was made from"
            )

    def __call__(
        self, items: Sequence[Any], *, target: str | None = None, batch_size: int = 16
    ) -> list[dict[str, Any]]:
        """Return a result for each text, or each pair of texts, a tuple of two."""
        for item in items:
            if not "".join(item if isinstance(item, tuple) else (item,)).strip():
                raise zoo.DataError("a text is empty: it has no tokens to explain; give one with words")
        found = []
        with zoo.evaluating(self.model):
            for start in range(0, len(items), batch_size):
                found += self.explained(items[start : start + batch_size], target, batch_size)
        return found

    def explained(self, items: Sequence[Any], target: str | None, batch_size: int) -> list[dict[str, Any]]:
        """Return the results of one batch."""
        raise NotImplementedError

    def items(self, arguments: Sequence[str]) -> list[tuple[str, Any]]:
        """Return the texts that were typed, the lines of files, and the rows of tables, which may be pairs."""
        return [
            (item.name, item.text if item.pair is None else (item.text, item.pair))
            for item in zoo.named_texts(arguments)
        ]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        """Return the target, how likely it is, and the tokens that speak most for it."""
        strongest = sorted(result["tokens"], key=lambda token: -token["weight"])[:_LISTED]
        listed = ", ".join(
            f"{token['text'].strip()} {token['weight']:.2f}" for token in strongest if token["weight"] > 0
        )
        return [result["target"], f"{result['score']:.3f}", listed or "none"]

    def shaded(self, result: Mapping[str, Any]) -> list[tuple[str, float]]:
        """Return pieces of text with their weights, for a terminal of colors."""
        return [(token["text"], token["weight"]) for token in result["tokens"]]

    def draw(self, item: Any, results: Mapping[str, Mapping[str, Any]], out: Path) -> list[Path]:
        """Write a page with the text in colors by each method."""
        from zoo_explain.texts.page import page

        path = out.with_name(f"{out.name}.html")
        zoo.write_file(path, page(results).encode())
        return [path]

    def encoded(self, items: Sequence[Any]) -> "Encoded":
        """Return texts as tokens, cut where the weights cut them."""
        firsts = [item[0] if isinstance(item, tuple) else item for item in items]
        paired = [isinstance(item, tuple) for item in items]
        if any(paired) and not all(paired):
            raise zoo.UsageError("some inputs are pairs of texts and some are not; explain them one after the other")
        seconds = [item[1] for item in items] if any(paired) else None
        self.tokenizer.inner.enable_truncation(self.inputs.max_tokens)
        try:
            rows = self.tokenizer.encode(firsts, seconds, offsets=True)
        finally:
            self.tokenizer.inner.no_truncation()
        if any(not row.ids for row in rows):
            raise zoo.DataError("a text has no tokens to explain; give one with words")
        return Encoded(self, rows, list(zip(firsts, seconds or [""] * len(firsts), strict=True)), seconds is not None)


class Encoded:
    """A batch of texts as tokens: `ids`, `mask` and `segments` (batch, tokens), the last None for single texts."""

    def __init__(self, explainer: TextExplainer, rows: Sequence[Any], texts: Sequence[Any], pairs: bool) -> None:
        self.rows, self.texts = rows, texts
        device = next(explainer.model.parameters()).device
        longest, pad = max(len(row.ids) for row in rows), explainer.tokenizer.role("pad") or 0

        def padded(lists: list[list[int]], value: int) -> Tensor:
            return torch.tensor([[*one, *[value] * (longest - len(one))] for one in lists], device=device)

        self.ids = padded([row.ids for row in rows], pad)
        self.mask = padded([[1] * len(row.ids) for row in rows], 0)
        self.segments = padded([row.type_ids for row in rows], 0) if pairs else None
        self.special = padded([row.special_tokens_mask for row in rows], 1).bool()

    def tokens(self, place: int, weights: Tensor) -> list[dict[str, Any]]:
        """Return the tokens of a text with their weights, as the text has them, the largest weight 1."""
        row, found, end = self.rows[place], [], [0, 0]
        top = float(weights.masked_fill(self.special[place], 0).abs().max())
        for number, (start, stop) in enumerate(row.offsets):
            if row.special_tokens_mask[number] or stop <= start:
                continue
            which = (row.sequence_ids[number] or 0) if self.segments is not None else 0
            text = self.texts[place][which]
            between = text[end[which] : start]
            if which and not end[1]:
                between = f" ‖ {between}"
            end[which] = stop
            weight = float(weights[number]) / top if top > 0 else 0.0
            found.append({"text": between + text[start:stop], "weight": round(weight, 4)})
        return found
