"""A plugin with two small models that write, installed for the length of a test, and weights of them.

Both carry a vector from token to token, half of which each forgets: what comes next depends on all that went before,
and on its order.
"""

from pathlib import Path
from typing import Any

CODE = """
import torch
from torch import nn
import zoo


class Kept:
    def __init__(self, capacity):
        self.capacity, self.length, self.state = capacity, 0, None

    def select(self, rows):
        self.state = self.state[rows]


class Text(nn.Module):
    def __init__(self, *, vocab_size=300, context=64, width=16, seed=0):
        super().__init__()
        self.num_features, self.num_classes, self.context = width, 0, context
        drawn = torch.Generator().manual_seed(seed)
        shape = (vocab_size, width)
        self.table = nn.Parameter(torch.randn(shape, generator=drawn, dtype=torch.double))
        self.last = nn.Parameter(torch.randn(shape, generator=drawn, dtype=torch.double))

    def carried(self, ids, mask, state, cache):
        if cache is not None:
            cache.length += ids.shape[1]
            if cache.length > cache.capacity:
                raise zoo.UsageError("the cache is full")
            state = cache.state if cache.state is not None else state
        told = []
        for place in range(ids.shape[1]):
            new = self.table[ids[:, place]] + state / 2
            state = new if mask is None else torch.where(mask[:, place, None] != 0, new, state)
            told.append(state)
        if cache is not None:
            cache.state = state
        return torch.stack(told, 1)

    def forward_head(self, x, pre_logits=False, attention_mask=None):
        if attention_mask is None:
            return x[:, -1]
        last = (torch.arange(x.shape[1]) * attention_mask).argmax(1)
        return x[torch.arange(len(x)), last]

    def forward(self, input_ids, attention_mask=None):
        return self.forward_head(self.forward_features(input_ids, attention_mask), attention_mask=attention_mask)

    def lm_logits(self, features):
        return features @ self.last.t()

    def new_cache(self, capacity):
        return Kept(capacity)

    def get_classifier(self):
        return nn.Identity()

    def reset_classifier(self, num_classes):
        pass

    def no_weight_decay(self):
        return set()

    def group_matcher(self, coarse=False):
        return {"stem": "^table", "blocks": "^last"}

    def set_grad_checkpointing(self, enable=True):
        pass


class Continuing(Text):
    def forward_features(self, input_ids, attention_mask=None, *, cache=None):
        if cache is not None and attention_mask is not None:
            attention_mask = attention_mask[:, cache.length :]
        state = self.table.new_zeros(len(input_ids), self.num_features)
        return self.carried(input_ids, attention_mask, state, cache)


class Reading(Text):
    start_token = 0

    def forward_features(self, input_ids, attention_mask=None):
        return self.carried(input_ids, attention_mask, self.table.new_zeros(len(input_ids), self.num_features), None)

    def decode(self, decoder_input_ids, memory, attention_mask=None, *, cache=None):
        return self.carried(decoder_input_ids, None, self.forward_head(memory, attention_mask=attention_mask), cache)


@zoo.hookimpl
def zoo_models():
    common = {"family": "transformer", "modality": "text", "task": "text-generation", "license": "MIT"}
    can = ("features", "language-model")
    yield zoo.ModelSpec(name="continuing", summary="goes on", target="zoo_writers:Continuing",
                        capabilities=(*can, "generate"), **common)
    yield zoo.ModelSpec(name="reading", summary="reads", target="zoo_writers:Reading",
                        capabilities=(*can, "encode-decode"), **common)
    yield zoo.ModelSpec(name="mute", summary="says nothing", target="zoo_writers:Continuing",
                        capabilities=can, **common)
"""


def install(site: Any) -> None:
    """Install the plugin zoo-writers."""
    from zoo.registry.registry import default_registry

    site.install("zoo-writers", CODE)
    default_registry.cache_clear()


def make_weights(folder: Path, name: str = "continuing", *, kind: str = "bytes", **asked: Any) -> Path:
    """Write a weights folder of a model, with a tokenizer."""
    import zoo
    from zoo.weights.folder import save_weights
    from zoo.weights.tokenizer import TextInputs
    from zoo.weights.tokenizer_training import make_tokenizer

    tokenizer = make_tokenizer(kind, ["a bear and a bowl, and another bear"])
    arguments = {"vocab_size": tokenizer.num_tokens, **asked.pop("arguments", {})}
    model = zoo.create(name, **arguments)
    inputs = TextInputs(tokenizer, arguments.get("context", 64))
    save_weights(folder, model, model_name=name, arguments=arguments, inputs=inputs, **asked)
    return folder
