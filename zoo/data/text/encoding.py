"""Tell texts in tokens, cut where they are too long; of megabytes only what is used is looked at."""

from collections.abc import Sequence

from zoo.weights.tokenizer import TextInputs

_TEXTS_AT_ONCE = 4096
_CHARACTERS_A_TOKEN = 64
"""How many characters of a text are looked at for each token that it is cut to: more would only be thrown away."""


def encoded_rows(
    texts: Sequence[str], pairs: Sequence[str] | None, inputs: TextInputs, maximum: int | None = None
) -> tuple[list[list[int]], list[list[int]] | None]:
    """Return the tokens of texts, `inputs.max_tokens` of each at the most or `most`.

    Of pairs the second list says which of the two texts each token belongs to. A text of nothing becomes a token of
    padding.
    """
    longest = inputs.max_tokens if maximum is None else maximum
    inner = inputs.tokenizer.inner
    reach = longest * _CHARACTERS_A_TOKEN
    ids: list[list[int]] = []
    segments: list[list[int]] = []
    inner.enable_truncation(longest)
    try:
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = [text[:reach] for text in texts[start : start + _TEXTS_AT_ONCE]]
            seconds = None if pairs is None else [text[:reach] for text in pairs[start : start + _TEXTS_AT_ONCE]]
            for encoding in inputs.tokenizer.encode(some, seconds):
                ids.append(encoding.ids)
                segments.append(encoding.type_ids)
    finally:
        inner.no_truncation()
    empty = [inputs.tokenizer.role("pad") or 0]
    return [row or empty for row in ids], None if pairs is None else [row or [0] for row in segments]
