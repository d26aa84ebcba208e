"""What loaded weights answer to messages, bound to them as `model.chat`."""

from collections.abc import Iterator, Sequence
from typing import Any

import zoo
from zoo_gguf.template import Message, prompt_of

_NEW_TOKENS = 512


class Chat:
    """Bound to a loaded model that generates text. Weights without a template load; to ask them is a UsageError."""

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._model = loaded.model

    def __call__(self, messages: Sequence[Message], **decoding: Any) -> str:
        """Return the answer to messages, as {"role": "user", "content": "Hello"}; `zoo.Decoding` says what else."""
        found: str = self._model.generate(self.prompt(messages), special=False, **self._decoding(decoding))
        return found

    def stream(self, messages: Sequence[Message], **decoding: Any) -> Iterator[str]:
        """Yield the same answer piece by piece."""
        yield from self._model.generate.stream(self.prompt(messages), special=False, **self._decoding(decoding))

    def prompt(self, messages: Sequence[Message], *, answers: bool = True) -> str:
        """Return the text that the model goes on with; without `answers`, the messages alone."""
        return prompt_of(messages, self._model.generate.inputs.tokenizer, answers=answers)

    def _decoding(self, requested: dict[str, Any]) -> dict[str, Any]:
        return {"max_new_tokens": min(_NEW_TOKENS, max(1, self._model.context // 2)), **requested}
