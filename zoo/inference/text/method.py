"""What can be asked of a loaded model of text, with the tokenizer that came with its weights."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from zoo.inference.text.prompts import Form, Prompts
from zoo.weights.tokenizer import TextInputs


class TextMethod:
    """Bound to a loaded model of text; in training made of a model and its inputs.

    `inputs` are asked for with the first text, so that weights without a tokenizer load.
    """

    def __init__(self, model: Any, inputs: Callable[[], TextInputs], form: Form) -> None:
        self._model = model
        self._find_inputs = inputs
        self._form = form

    @cached_property
    def inputs(self) -> TextInputs:
        """How the weights take text. Raise NotFoundError where they came without a tokenizer."""
        return self._find_inputs()

    @cached_property
    def _prompts(self) -> Prompts:
        return Prompts(self.inputs.tokenizer, self._form)

    def _ids(self, texts: list[str], room: int, *, special: bool = True) -> list[list[int]]:
        """Return the tokens of texts, as many as the weights take and there is room for."""
        return self._prompts.ids(texts, min(self.inputs.max_tokens, room), special=special)
