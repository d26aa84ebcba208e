"""What every backbone of text must keep besides; of all others these tests ask nothing."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo.registry.registry import Offer
from zoo.specs.records import ModelSpec

_PROTOCOLS: dict[str, Any] = {
    "language-model": zoo.LanguageModel,
    "generate": zoo.CausalLanguageModel,
    "encode-decode": zoo.EncoderDecoder,
}


class TextTests:
    """The part of `ModelTests` that looks at tokens: padding, packed documents, language-model heads, caches."""

    @property
    def offer(self) -> Offer[ModelSpec]:
        """The model as the registry offers it."""
        raise NotImplementedError

    def inputs(self) -> Any:
        """Return a batch."""
        raise NotImplementedError

    def model(self) -> Any:
        """Return a fresh model."""
        raise NotImplementedError

    def test_keeps_the_protocols_that_it_says(self) -> None:
        if not takes_tokens(self.inputs()):
            return
        model = self.model()
        assert isinstance(model, zoo.TextBackbone), "what is made of text keeps zoo.TextBackbone"
        for capability, protocol in _PROTOCOLS.items():
            said = capability in self.offer.spec.capabilities
            assert not said or isinstance(model, protocol), f"{capability} is what keeps zoo.{protocol.__name__}"

    def test_padding_changes_nothing(self) -> None:
        if not takes_tokens(self.inputs()):
            return
        model, ids = self.model().eval(), self.inputs()["input_ids"]
        with torch.no_grad():
            features, logits = model.forward_features(ids), model(ids)
            for sides in ((0, 3), (3, 0)):
                padded, mask = F.pad(ids, sides), F.pad(torch.ones_like(ids), sides)
                seen = model.forward_features(padded, mask)[:, sides[0] : sides[0] + ids.shape[1]]
                assert torch.allclose(seen, features, atol=1e-4), "padding, where attention_mask is 0, changes no text"
                if sides[0] == 0 or "generate" in self.offer.spec.capabilities:
                    pooled = model(padded, mask)
                    assert torch.allclose(pooled, logits, atol=1e-4), "padding is not pooled"

    def test_documents_in_a_row_do_not_see_each_other(self) -> None:
        if not takes_tokens(self.inputs()):
            return
        model, ids = self.model().eval(), self.inputs()["input_ids"]
        numbers = torch.ones_like(ids)
        with torch.no_grad():
            apart = torch.cat([model.forward_features(part) for part in (ids, ids.flip(1))], dim=1)
            packed = model.forward_features(torch.cat([ids, ids.flip(1)], 1), torch.cat([numbers, 2 * numbers], 1))
        assert torch.allclose(packed, apart, atol=1e-4), "a document of its own number in attention_mask is alone"

    def test_says_which_tokens_it_expects(self) -> None:
        if "language-model" not in self.offer.spec.capabilities:
            return
        model, ids = self.model().eval(), self.inputs()["input_ids"]
        with torch.no_grad():
            features = spoken(model, ids)
            logits = model.lm_logits(features)
        assert logits.shape[:-1] == ids.shape and logits.shape[-1] > int(ids.max()), "lm_logits are (…, vocab_size)"
        assert logits.isfinite().all(), "lm_logits are finite with fresh weights"
        with torch.no_grad():
            some = model.lm_logits(features[:, -1])
        assert torch.allclose(some, logits[:, -1], atol=1e-5), "lm_logits looks at each token's features by themselves"

    def test_a_cache_changes_nothing(self) -> None:
        if not {"generate", "encode-decode"} & set(self.offer.spec.capabilities):
            return
        model, ids = self.model().eval(), self.inputs()["input_ids"]
        with torch.no_grad():
            whole, cache = spoken(model, ids), model.new_cache(ids.shape[1])
            parts = [ids[:, :2], ids[:, 2:4], *ids[:, 4:].chunk(ids.shape[1] - 4, dim=1)]
            told = torch.cat([spoken(model, part, read=ids, cache=cache) for part in parts], 1)
        assert cache.length == ids.shape[1], "a cache counts the tokens that it holds"
        assert torch.allclose(told, whole, atol=1e-4), "with a cache features are what they are without"

    def test_a_cache_goes_on_with_chosen_rows(self) -> None:
        if not {"generate", "encode-decode"} & set(self.offer.spec.capabilities):
            return
        model, ids, rows = self.model().eval(), self.inputs()["input_ids"], torch.tensor([1, 1])
        with torch.no_grad():
            whole, cache = spoken(model, ids)[rows], model.new_cache(ids.shape[1])
            spoken(model, ids[:, :-1], read=ids, cache=cache)
            cache.select(rows)
            last = spoken(model, ids[rows, -1:], read=ids[rows], cache=cache)
        assert torch.allclose(last, whole[:, -1:], atol=1e-4), "select goes on with these rows"


def spoken(model: Any, ids: Tensor, *, read: Tensor | None = None, cache: Any = None) -> Tensor:
    """Return the features from which the model expects the tokens after these; it `read` another text, or the same."""
    if isinstance(model, zoo.EncoderDecoder):
        return model.decode(ids, model.forward_features(ids if read is None else read), cache=cache)
    more = {"cache": cache} if isinstance(model, zoo.CausalLanguageModel) else {}
    return cast(Tensor, model.forward_features(ids, **more))


def takes_tokens(inputs: Any) -> bool:
    """Tell whether inputs are those of a text."""
    return isinstance(inputs, dict) and "input_ids" in inputs


def called(function: Any, inputs: Any) -> Tensor:
    """Return what a model, or a method of one, makes of inputs."""
    return cast(Tensor, function(**inputs) if isinstance(inputs, dict) else function(inputs))


def batch_size(inputs: Any) -> int:
    return len(next(iter(inputs.values()))) if isinstance(inputs, dict) else len(inputs)
