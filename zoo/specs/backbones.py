"""What Zoo asks of a backbone: timm's names with timm's meanings. A protocol; nothing has to be inherited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn


class FeatureInfo(NamedTuple):
    """One stage: the channels of its map, by how much it is smaller than the input (rounded up), the module's name."""

    channels: int
    reduction: int
    module: str


class _Headed(Protocol):
    """A model whose head can be replaced, and whose layers can be told apart."""

    def get_classifier(self) -> nn.Module:
        """Return the head."""
        ...

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh head in place; 0 takes it away."""
        ...

    def no_weight_decay(self) -> set[str]:
        """Return names of parameters that must not be decayed."""
        ...

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return `{"stem": regex, "blocks": regex or list of (regex, suffix)}` over parameter names, as timm reads it.

        The numbers that a regex captures tell layers apart, and the suffix, None or a tuple of numbers, goes on where
        they end; (99999,) joins the layer before. What no regex matches belongs to the head. Further keys come after.
        """
        ...

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Trade time for memory in training."""
        ...


@runtime_checkable
class Backbone(_Headed, Protocol):
    """A model whose features can be had without its head, and whose head can be replaced."""

    num_features: int
    num_classes: int
    feature_info: Sequence[FeatureInfo]

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the last stage's features."""
        ...

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Return logits from features; with `pre_logits` the pooled features (batch, num_features)."""
        ...

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, or pooled features where num_classes is 0."""
        ...

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return (features, maps), or the maps alone. `indices` are stages, or how many of the last ones."""
        ...


@runtime_checkable
class Autoencoder(Backbone, Protocol):
    """A backbone that can give back what it saw."""

    encoder: nn.Module
    decoder: nn.Module

    def embed(self, images: Tensor) -> Tensor:
        """Return the code (batch, code_size)."""
        ...

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return images in [0, 1] of the same shape."""
        ...


@runtime_checkable
class Sampler(Protocol):
    """A model that makes pictures."""

    def sample(self, n: int, /, *, generator: Generator | None = None) -> Tensor:
        """Return `n` images in [0, 1], with gradients where they are on; all that is random is the generator's."""
        ...


@runtime_checkable
class ClassSampler(Protocol):
    """A model that makes pictures of the class that is asked for, of `classes`; 0 where it was made without."""

    classes: int

    def sample(self, n: int, /, labels: Tensor | None = None, *, generator: Generator | None = None) -> Tensor:
        """Return `n` images in [0, 1] as a `Sampler` does; without `labels` (n,) of classes that are drawn too."""
        ...


@runtime_checkable
class Adversarial(Backbone, ClassSampler, Protocol):
    """A backbone, the trunk of its discriminator, beside a generator that it is trained against.

    `generator(latents, labels)` gives images in [0, 1] from normal latents (batch, latent_size), and
    `discriminator(images, labels)` scores of shape (batch, 1), higher for real ones. Labels are None without classes.
    All parameters but those of the classifier are in these two.
    """

    latent_size: int
    generator: nn.Module
    discriminator: nn.Module


@runtime_checkable
class TextBackbone(_Headed, Protocol):
    """A model of text, given as numbers of tokens (batch, tokens).

    `attention_mask` of the same shape has 1 for text and 0 for padding; where documents are packed in a row, a number
    of its own for each.
    """

    num_features: int
    num_classes: int
    context: int

    def forward_features(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return a vector for every token, (batch, tokens, num_features)."""
        ...

    def forward_head(self, x: Tensor, pre_logits: bool = False, attention_mask: Tensor | None = None) -> Tensor:
        """Return logits from features; with `pre_logits` one vector a text, (batch, num_features)."""
        ...

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return logits of classes, or pooled features where num_classes is 0."""
        ...


@runtime_checkable
class LanguageModel(TextBackbone, Protocol):
    """A text backbone that can say which tokens it expects: the capability language-model."""

    def lm_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., vocab_size) from features of tokens (..., num_features)."""
        ...


class Cache(Protocol):
    """What a model keeps of tokens that it has seen, so that it need not see them again."""

    capacity: int

    @property
    def length(self) -> int:
        """How many tokens it holds."""
        ...

    def select(self, rows: Tensor) -> None:
        """Go on with these rows of the batch, in this order."""
        ...


@runtime_checkable
class CausalLanguageModel(LanguageModel, Protocol):
    """A language model whose tokens see those before them alone: the capability generate."""

    def new_cache(self, capacity: int) -> Any:
        """Return an empty cache for at most so many tokens."""
        ...

    def forward_features(self, input_ids: Tensor, attention_mask: Tensor | None = None, *, cache: Any = None) -> Tensor:
        """Return features of new tokens behind those of the cache, which takes them up; the mask covers both."""
        ...


@runtime_checkable
class EncoderDecoder(LanguageModel, Protocol):
    """A language model that reads one text and writes another: the capability encode-decode.

    `forward_features` reads. What is written begins with the token `start_token`.
    """

    start_token: int

    def new_cache(self, capacity: int) -> Any:
        """Return an empty cache for at most so many tokens that are written."""
        ...

    def decode(
        self, decoder_input_ids: Tensor, memory: Tensor, attention_mask: Tensor | None = None, *, cache: Any = None
    ) -> Tensor:
        """Return features of written tokens, for `lm_logits`, from the `memory` that `forward_features` gave.

        `attention_mask` is that of the text read. With a cache these are the new tokens, behind those it holds.
        """
        ...
