"""Small weights with tokenizers, as the tests write them."""

from pathlib import Path
from typing import Any

import torch

import zoo

SIZES: dict[str, dict[str, Any]] = {
    "llama": {"width": 32, "depth": 2, "num_heads": 4, "num_kv_heads": 2, "mlp_width": 64, "context": 64},
    "gpt2": {"width": 32, "depth": 2, "num_heads": 4, "context": 64},
}
TEXTS = ("the quick brown fox jumps over the lazy dog", "a dog and a fox and 12 other dogs", "jumps, foxes!") * 5
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def save(folder: Path, name: str, *, tokenizer: zoo.Tokenizer | None = None, **arguments: Any) -> Path:
    """Write small weights of random numbers with a tokenizer, a byte-level one with a template unless it is given."""
    tokenizer = tokenizer or byte_level()
    known = {**SIZES[name], "vocab_size": tokenizer.num_tokens, **arguments}
    torch.manual_seed(0)
    model = zoo.create(name, **known)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.normal_(std=0.2) if tensor.ndim > 1 else tensor.uniform_(0.5, 1.5)
    zoo.save(model, folder, inputs=zoo.TextInputs(tokenizer, 64))
    return folder


def byte_level() -> zoo.Tokenizer:
    """Return a byte-level tokenizer with a template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(TEXTS, trainer)
    return zoo.Tokenizer(made.to_str(), {"end": "<|endoftext|>", "begin": "<|endoftext|>"}, TEMPLATE)
