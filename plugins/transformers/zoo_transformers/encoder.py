"""transformers' own classes of encoders behind the protocol `zoo.TextBackbone`, built from a configuration alone."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor

import zoo
from zoo_transformers.table import table

_DROPPED = {"auto_map", "architectures", "dtype", "torch_dtype", "transformers_version", "model_type"}
_DROPPED |= {"id2label", "label2id", "num_labels", "problem_type", "quantization_config", "_name_or_path"}
"""What a config.json says of code, of weights or of another head, and not of the encoder."""
_LARGEST = 4_000_000


class Encoder(zoo.BackboneModule):
    """An encoder of text with a linear head on its pooled features.

    `model_type` is transformers' name of its kind, `config` what its config.json says, `vocab_size` and `context` how
    many tokens and positions it knows where that differs. `pooling` makes one vector of a text: the mean of its tokens,
    or the first token's.
    """

    def __init__(
        self,
        *,
        model_type: str,
        config: dict[str, Any] = {},  # noqa: B006 (read alone, and config.json wants an object)
        vocab_size: int | None = None,
        context: int | None = None,
        num_classes: int = 0,
        pooling: Literal["mean", "cls"] = "mean",
    ) -> None:
        super().__init__()
        row = table().encoders.get(model_type)
        if row is None:
            raise ValueError(f"model_type must be one of {', '.join(table().encoders)}, not {model_type!r}")
        sizes = {"vocab_size": vocab_size, "max_position_embeddings": context}
        values = {**config, **{name: size for name, size in sizes.items() if size is not None}}
        _check(values)
        configurations, models = _library()
        try:
            made = configurations[model_type](**{name: value for name, value in values.items() if name not in _DROPPED})
        except StrictDataclassError as error:
            raise ValueError(f"config is none of a {model_type}: {' '.join(str(error).split())}") from None
        kind = models[type(made)]
        self.base = kind(made, add_pooling_layer=False) if row.pools else kind(made)
        self.context = made.max_position_embeddings - (0 if row.positions else 2)
        self.num_features = made.hidden_size
        self.pooling = pooling
        self.reset_classifier(num_classes)

    def forward_features(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return a vector for every token; each document of a row is read by itself, from its first token on."""
        if attention_mask is None:
            return self._read(input_ids, torch.ones_like(input_ids))
        if torch.compiler.is_compiling() or _begins_with_text(attention_mask):
            return self._read(input_ids, attention_mask)
        documents = [
            (row, attention_mask[row] == number)
            for row in range(len(input_ids))
            for number in set(attention_mask[row].tolist())
            if number
        ]
        features = next(self.parameters()).new_zeros((*input_ids.shape, self.num_features))
        for row, chosen in documents:  # each alone, so that no position is another's
            ids = input_ids[row, chosen][None]
            features[row, chosen] = self._read(ids, torch.ones_like(ids))[0]
        return features

    def _read(self, input_ids: Tensor, mask: Tensor) -> Tensor:
        found: Tensor = self.base(input_ids=input_ids, attention_mask=mask).last_hidden_state
        return found

    def forward_head(self, x: Tensor, pre_logits: bool = False, attention_mask: Tensor | None = None) -> Tensor:
        """Return logits of classes from features of tokens; with `pre_logits` the pooled features."""
        pooled = self._pool(x, attention_mask)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def _pool(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        seen = x.new_ones(x.shape[:2]) if attention_mask is None else (attention_mask != 0).to(x.dtype)
        if self.pooling == "cls":
            return x[torch.arange(len(x), device=x.device), seen.argmax(1)]
        return (x * seen.unsqueeze(-1)).sum(1) / seen.sum(1, keepdim=True).clamp(min=1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return self.forward_head(self.forward_features(input_ids, attention_mask), attention_mask=attention_mask)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return patterns of layers, by the first number in a name."""
        return {"stem": r"^base\.embeddings", "blocks": r"^base\.[a-z_.]*?\.(\d+)\."}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Trade time for memory in training, where transformers' class can."""
        if getattr(self.base, "supports_gradient_checkpointing", False):
            if enable:
                self.base.gradient_checkpointing_enable()
            else:
                self.base.gradient_checkpointing_disable()


def _begins_with_text(mask: Tensor) -> bool:
    """Tell whether rows hold one document each, with padding behind it alone."""
    return bool((mask[:, 1:] <= mask[:, :-1]).all() and mask.max() <= 1)


def _check(values: Mapping[str, Any]) -> None:
    """Refuse sizes beyond any sense, wherever in a configuration they stand."""
    for name, value in values.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _check(item)
            elif type(item) is int and abs(item) > _LARGEST:
                raise ValueError(f"config has {name}={item}, beyond its limit of {_LARGEST:,}")


def _library() -> tuple[Any, Any]:
    try:  # here, so that what needs no model needs no transformers
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING
        from transformers.models.auto.modeling_auto import MODEL_MAPPING
    except ImportError as error:
        raise zoo.UsageError(
            f"models of the family transformers need transformers, which cannot be imported ({error}): "
            "pip install 'zoo-transformers[transformers]'"
        ) from None
    return CONFIG_MAPPING, MODEL_MAPPING
