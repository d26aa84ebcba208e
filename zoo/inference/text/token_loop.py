"""The loop that writes: one token after the other for all rows of a batch, until each has ended."""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo.errors import IntegrityError, UsageError
from zoo.inference.text.beam_search import search
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.model_steps import few_go_on, steps_of
from zoo.inference.text.next_token import NO_NUMBERS, NextToken, Penalty, without_numbers
from zoo.inference.text.output_rows import Row
from zoo.specs.backbones import EncoderDecoder

if TYPE_CHECKING:
    from zoo.weights.tokenizer import Tokenizer

_NONE = -1
"""Stands for a token where there is none to choose."""

_log = logging.getLogger("zoo")


def generate_ids(
    model: Any,
    input_ids: Tensor,
    attention_mask: Tensor | None,
    decoding: Decoding,
    *,
    end: frozenset[int],
    pad: int,
    tokenizer: "Tokenizer | None" = None,
) -> list[list[int]]:
    """Return the tokens that a model writes for each row of `input_ids` (batch, tokens), without the end token.

    A causal model goes on with the rows, which are padded on the left where `attention_mask` is 0; an encoder-decoder
    reads them. With stop strings, which take a `tokenizer`, a row ends with the token that completes one of them.
    Prompts that leave no room in the model's context are cut, from the left, and a note says so. `pad` is never
    written unless it is an `end` too.
    """
    before: list[list[int]] = [[]] * len(input_ids) if isinstance(model, EncoderDecoder) else input_ids.tolist()
    rows = [Row(end, tokenizer, ids, decoding.stop) for ids in before]
    for _ in write(model, input_ids, attention_mask, decoding, rows, banned=frozenset({pad}) - end):
        pass
    return [row.ids for row in rows]


@torch.inference_mode()
def write(
    model: Any,
    input_ids: Tensor,
    attention_mask: Tensor | None,
    decoding: Decoding,
    rows: Sequence[Row],
    *,
    names: Sequence[int] | None = None,
    banned: frozenset[int] = frozenset(),
) -> Iterator[None]:
    """Write a token into every row that has not ended, and yield, until all have; of beams all tokens at once.

    `names` decide what each row draws, its place in the batch unless told otherwise; `banned` tokens are never written.
    """
    input_ids, attention_mask = fit(model, input_ids, attention_mask, decoding.max_new_tokens)
    was_training = model.training
    model.eval()
    try:
        steps = steps_of(model, input_ids, attention_mask, decoding.max_new_tokens)
        penalty = Penalty(decoding.repetition_penalty, steps.written, steps.written_mask)
        never = torch.tensor(sorted(banned), dtype=torch.long, device=input_ids.device)
        if decoding.beams > 1:
            search(steps, decoding, rows, penalty, never)
            yield
            return
        choice = NextToken(decoding, range(len(rows)) if names is None else names)
        tokens: Tensor | None = None
        for _ in range(decoding.max_new_tokens):
            logits = steps.first() if tokens is None else steps.next(tokens)
            tokens = choice(penalty(logits).index_fill_(1, never, -torch.inf))
            chosen = tokens.masked_fill(without_numbers(logits), _NONE).tolist()  # where a step waits for the device
            if _NONE in chosen:
                raise IntegrityError(NO_NUMBERS)
            penalty.saw(tokens)
            for row, token in zip(rows, chosen, strict=True):
                if not row.ended:
                    row.take(token)
            yield
            going = [place for place, row in enumerate(rows) if not row.ended]
            if not going:
                return
            if few_go_on(len(going), len(rows)):
                kept = torch.tensor(going, device=tokens.device)
                rows, tokens = [rows[place] for place in going], tokens[kept]
                steps.keep(kept)
                penalty.select(kept)
                choice.keep(kept)
    finally:
        model.train(was_training)


def fit(
    model: Any, input_ids: Tensor, attention_mask: Tensor | None, max_new_tokens: int
) -> tuple[Tensor, Tensor | None]:
    """Return what the model's context has room for: the end of prompts, or the beginning of texts to read."""
    reads = isinstance(model, EncoderDecoder)
    room = room_for(model.context, max_new_tokens, reads=reads)
    if (tokens := input_ids.shape[1]) <= room:
        return input_ids, attention_mask
    side = "first" if reads else "last"
    _log.info("prompt of %d tokens truncated to the %s %d: the context is %d", tokens, side, room, model.context)
    kept = slice(None, room) if reads else slice(-room, None)
    return input_ids[:, kept], None if attention_mask is None else attention_mask[:, kept]


def room_for(context: int, max_new_tokens: int, *, reads: bool) -> int:
    """Return how many tokens of a prompt, or of a text that it `reads`, a model has room for.

    Raise UsageError where there is none.
    """
    room = context if reads else context - max_new_tokens
    if room < 1 or max_new_tokens > context:
        raise UsageError(
            f"{max_new_tokens} new tokens leave no room for a prompt in this model's context of {context}; "
            f"set max_new_tokens={max(context // 2, 1)}, for example"
        )
    return room
